"""Invitations to calendars: what an owner's and a sharee's word does, on both databases."""

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from bridge.errors import NotFound, UsageError
from bridge.services import inviting, principals, sharing
from bridge.services.inviting import MOST_SHAREES, Wish
from bridge.store import audit, calendars, notifications, shares, unknown_sharees
from bridge.store import principals as stored

T0 = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
NOBODY = "mailto:nobody@example.com"


@pytest.fixture
def people(database):
    for name in ("alice", "bob", "carol"):
        principals.add(database, name, f"{name}@example.org", now=T0)
    with database.read() as conn:
        return {name: stored.by_name(conn, name) for name in ("alice", "bob", "carol")}


def calendar_of(conn, name="alice"):
    return calendars.get(conn, name, "calendar")


@pytest.fixture
def ask(database, people):
    """What the owner of a calendar wants: (name, access) of each, None to take it away."""

    def do(*wanted, owner="alice", summary=""):
        wishes = [Wish(f"/{name}/", people[name], access, summary=summary) for name, access in wanted]
        with database.write() as conn:
            inviting.change(conn, calendar_of(conn, owner), wishes, actor="cli", now=T0)

    return do


@pytest.fixture
def answer(database, people):
    def do(name, *, yes=True, owner="alice", summary=""):
        with database.write() as conn:
            calendar = calendar_of(conn, owner)
            if yes:
                return inviting.accept(conn, calendar, people[name], summary=summary, actor="cli", now=T0)
            return inviting.decline(conn, calendar, people[name], actor="cli", now=T0)

    return do


@pytest.fixture
def told(database, people):
    """What somebody is told, as (kind, status, access)."""

    def of(name):
        with database.read() as conn:
            found = notifications.of_principal(conn, people[name].id)
        return [(each.kind.removeprefix("invite-"), each.facts["status"], each.facts["access"]) for each in found]

    return of


@pytest.fixture
def statuses(database):
    def of():
        with database.read() as conn:
            return {each.sharee: each.status for each in shares.of_calendar(conn, calendar_of(conn).id)}

    return of


def test_from_the_question_to_the_end(ask, answer, told, statuses):
    ask(("bob", "read"), ("carol", "write"))
    assert statuses() == {"bob": "noresponse", "carol": "noresponse"}
    assert told("bob") == [("notification", "noresponse", "read")]
    answer("bob")
    answer("carol", yes=False)
    assert statuses() == {"bob": "accepted", "carol": "declined"}
    assert told("bob") == [("notification", "accepted", "read")]  # his other devices ask no more
    assert told("alice") == [("reply", "accepted", "read"), ("reply", "declined", "write")]
    ask(("bob", "write"))
    assert told("bob") == [("notification", "accepted", "write")]
    ask(("bob", None), ("carol", None))
    assert statuses() == {}
    assert told("bob") == [("notification", "deleted", "write")]
    assert told("carol") == []  # she had nothing, and is not asked any more
    assert told("alice") == []


def test_what_is_so_already_is_told_to_nobody(ask, told, database, answer):
    ask(("bob", "read"), summary="Ours")
    with database.write() as conn:
        (one,) = notifications.of_principal(conn, stored.by_name(conn, "bob").id)
        notifications.remove(conn, stored.by_name(conn, "bob").id, one.id)
        revision = calendar_of(conn).revision
    for _ in range(2):
        ask(("bob", "read"), summary="Ours")
        ask(("carol", None))
        with database.write() as conn:
            inviting.change(conn, calendar_of(conn), [Wish(NOBODY, None, None)], actor="cli", now=T0)
    assert told("bob") == []
    answer("bob")
    before = told("alice")
    answer("bob")
    assert told("alice") == before
    with database.read() as conn:
        assert calendar_of(conn).revision == revision + 1  # by the answer


def test_whoever_has_declined_is_asked_once_more(ask, answer, told, statuses):
    ask(("bob", "read"))
    answer("bob", yes=False)
    ask(("bob", "read"))
    assert statuses() == {"bob": "noresponse"}
    assert told("bob") == [("notification", "noresponse", "read")]


def test_taken_away_and_given_anew_in_one_word_costs_no_answer(ask, answer, told, statuses):
    """So some clients change what somebody may do."""
    ask(("bob", "read"))
    answer("bob")
    for wanted in ([("bob", None), ("bob", "write")], [("bob", "read"), ("bob", None)]):
        ask(*wanted)
        assert statuses() == {"bob": "accepted"}
    assert told("bob") == [("notification", "accepted", "read")]


def test_who_is_nobody_here_is_written_down_until_they_are_somebody(database, people, ask, statuses):
    def wish(sharee=None, access="read"):
        with database.write() as conn:
            wishes = [Wish(NOBODY, sharee, access, "No Body")]
            inviting.change(conn, calendar_of(conn), wishes, actor="cli", now=T0)

    def unknown():
        with database.read() as conn:
            calendar = calendar_of(conn)
            return calendar.is_shared, [each.common_name for each in unknown_sharees.of_calendar(conn, calendar.id)]

    wish()
    assert unknown() == (True, ["No Body"])
    wish(access=None)
    assert unknown() == (False, [])
    wish()
    wish(people["bob"])  # the address is his now
    assert unknown() == (True, [])
    assert statuses() == {"bob": "noresponse"}


def test_the_owners_circle_has_an_end_and_nothing_is_half_done(database, ask, statuses):
    ask(("bob", "read"))
    many = [Wish(f"mailto:{number}@example.com", None, "read") for number in range(MOST_SHAREES)]
    with database.write() as conn, pytest.raises(UsageError, match="at most 100"):
        inviting.change(conn, calendar_of(conn), many, actor="cli", now=T0)
    with database.write() as conn:
        calendar = calendar_of(conn)
        for wish in many:
            unknown_sharees.put(conn, calendar.id, wish.address, common_name="", access="read", now=T0)
    ask(("bob", None))  # fewer is always in order
    assert statuses() == {}
    with pytest.raises(UsageError, match="alice's already"):
        ask(("bob", "read"), ("alice", "read"))
    assert statuses() == {}


def test_nobody_answers_what_they_were_not_asked(ask, answer, database, people):
    for yes in (True, False):
        with pytest.raises(NotFound):
            answer("bob", yes=yes)
    ask(("bob", "read"))
    with database.read() as conn:
        (share,) = shares.of_calendar(conn, calendar_of(conn).id)
        assert inviting.invitation(conn, share.id, people["bob"]).slug == "calendar"
        with pytest.raises(NotFound):
            inviting.invitation(conn, share.id, people["carol"])


def test_it_is_called_as_the_sharee_says_or_is_told_apart(ask, answer, database):
    def seen(name):
        with database.read() as conn:
            (found,) = [each for each in shares.members(conn, name) if each.share_id is not None]
            return found.slug, found.properties["D:displayname"]

    ask(("bob", "read"), ("carol", "read"))
    answer("bob", summary="Calendar")  # the title of the calendar is no name of his own
    answer("carol", summary="Family")
    assert seen("bob") == ("calendar-alice", "Calendar (alice)")
    assert seen("carol") == ("calendar-alice", "Family")


def test_the_admins_word_counts_at_once_and_is_told_only_to_who_knows_already(database, ask, told, statuses):
    ask(("bob", "read"))
    sharing.add(database, "alice/calendar", "bob", "write", now=T0)
    sharing.add(database, "alice/calendar", "carol", "write", now=T0)
    assert statuses() == {"bob": "accepted", "carol": "accepted"}
    assert told("bob") == [("notification", "accepted", "write")]
    assert told("carol") == told("alice") == []
    sharing.add(database, "alice/calendar", "carol", "read", now=T0)
    assert told("carol") == [("notification", "accepted", "read")]
    sharing.remove(database, "alice/calendar", "carol", now=T0)
    assert told("carol") == [("notification", "deleted", "read")]


def test_the_end_of_a_calendar_is_told_to_who_had_it(database, ask, answer, told, people):
    ask(("bob", "read"), ("carol", "read"))
    answer("bob")
    with database.write() as conn:
        sharing.delete(conn, calendar_of(conn), now=T0)
    assert told("bob") == [("notification", "deleted", "read")]
    assert told("carol") == told("alice") == []


def test_all_of_it_is_in_the_audit(database, ask, answer, people):
    ask(("bob", "read"), ("carol", "read"))
    answer("bob")
    answer("carol", yes=False)
    answer("bob", yes=False)
    ask(("bob", None))
    with database.write() as conn:
        wishes = [Wish(NOBODY, None, "read", "No Body")]
        inviting.change(conn, calendar_of(conn), wishes, actor="cli", now=T0)
        records = audit.of_principal(conn, people["alice"].id)
    assert [each.action for each in reversed(records) if each.action.startswith("share.")] == [
        "share.invite", "share.invite", "share.accept", "share.decline", "share.leave", "share.remove", "share.unknown",
    ]  # fmt: skip
    assert "nobody" not in repr(records)


def test_two_who_share_with_each_other_do_not_wait_for_each_other_for_ever(database, ask, answer):
    """Each needs the other's home, and tells them."""
    meet = threading.Barrier(2)

    def run(owner, sharee):
        for access in ("read", "write", "read", None):
            meet.wait(timeout=20)
            ask((sharee, access), owner=owner)
            meet.wait(timeout=20)
            if access is not None:
                answer(owner, owner=sharee)  # what the other has just asked

    with ThreadPoolExecutor(2) as pool:
        for each in [pool.submit(run, "alice", "bob"), pool.submit(run, "bob", "alice")]:
            each.result()
    with database.read() as conn:
        assert shares.of_calendar(conn, calendar_of(conn).id) == []
