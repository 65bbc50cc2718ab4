"""What people are told of shares, on both databases."""

import datetime as dt

import pytest

from bridge.policy.access import Access
from bridge.store import notifications, principals, shares, unknown_sharees
from bridge.store.notifications import INVITATION, REPLY


@pytest.fixture
def bob(database, t0):
    with database.write() as conn:
        return principals.add(conn, "bob", "bob@example.org", now=t0)


@pytest.fixture
def share(database, calendar, bob, t0):
    with database.write() as conn:
        return shares.invite(conn, calendar, bob.id, access="read", now=t0)


def test_of_one_share_there_is_one_of_a_kind_and_the_newest_counts(database, alice, bob, share, t0):
    later = t0 + dt.timedelta(hours=1)
    with database.write() as conn:
        notifications.put(conn, bob.id, INVITATION, {"status": "noresponse"}, share_id=share.id, now=t0)
        notifications.put(conn, bob.id, INVITATION, {"status": "accepted"}, share_id=share.id, now=later)
        notifications.put(conn, bob.id, REPLY, {}, share_id=share.id, now=t0)
        for _ in range(2):  # of shares that are no more there may be many
            notifications.put(conn, bob.id, INVITATION, {"status": "deleted"}, share_id=None, now=t0)
        found = notifications.of_principal(conn, bob.id)
        assert [(each.kind, each.facts.get("status"), each.told_at) for each in found] == [
            (INVITATION, "accepted", later), (REPLY, None, t0), (INVITATION, "deleted", t0), (INVITATION, "deleted", t0),
        ]  # fmt: skip
        assert notifications.get(conn, bob.id, found[0].id) == found[0]
        assert notifications.get(conn, alice.id, found[0].id) is None


def test_what_was_dismissed_is_not_corrected(database, alice, bob, share, t0):
    with database.write() as conn:
        notifications.put(conn, bob.id, INVITATION, {}, share_id=share.id, now=t0)
        (one,) = notifications.of_principal(conn, bob.id)
        assert not notifications.remove(conn, alice.id, one.id)
        assert notifications.correct(conn, bob.id, INVITATION, {"a": 1}, share_id=share.id, now=t0)
        assert notifications.remove(conn, bob.id, one.id)
        assert not notifications.remove(conn, bob.id, one.id)
        assert not notifications.correct(conn, bob.id, INVITATION, {}, share_id=share.id, now=t0)
        assert notifications.of_principal(conn, bob.id) == []


def test_it_goes_with_its_share(database, calendar, alice, bob, share, t0):
    with database.write() as conn:
        notifications.put(conn, bob.id, INVITATION, {}, share_id=share.id, now=t0)
        notifications.put(conn, alice.id, REPLY, {}, share_id=share.id, now=t0)
        shares.remove(conn, calendar, bob.id, now=t0)
        assert notifications.of_principal(conn, bob.id) == notifications.of_principal(conn, alice.id) == []


def test_only_invitations_that_stand_are_kept_for_ever(database, bob, share, t0):
    with database.write() as conn:
        notifications.put(conn, bob.id, INVITATION, {}, share_id=share.id, now=t0)
        notifications.put(conn, bob.id, REPLY, {}, share_id=share.id, now=t0)
        notifications.put(conn, bob.id, INVITATION, {}, share_id=None, now=t0)
        assert notifications.prune(conn, t0) == 0
        assert notifications.prune(conn, t0 + dt.timedelta(seconds=1)) == 2
        assert [each.kind for each in notifications.of_principal(conn, bob.id)] == [INVITATION]


def test_who_is_nobody_is_written_down_once(database, calendar, t0):
    with database.write() as conn:
        for access, is_new in (("read", True), ("read", False), ("write", True)):
            told = {"common_name": "X", "access": access}
            assert unknown_sharees.put(conn, calendar, "mailto:x@example.com", **told, now=t0) is is_new
        (one,) = unknown_sharees.of_calendar(conn, calendar)
        assert (one.address, one.common_name, one.access) == ("mailto:x@example.com", "X", Access.WRITE)
        assert unknown_sharees.remove(conn, calendar, one.address)
        assert not unknown_sharees.remove(conn, calendar, one.address)
