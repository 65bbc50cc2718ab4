"""The ledger over the database: the hub's changes, names for new objects, the fence."""

import datetime as dt

import pytest

from bridge.errors import InvalidCalendarData, LeaseLost, ObjectChanged
from bridge.store import changes, history, objects, pairs
from bridge.store.side import PairLedger
from bridge.sync.ledger import HubChange, Link
from tests.support.worlds import tea

LEASE = dt.timedelta(minutes=5)


@pytest.fixture
def pair(calendar, make_pair, t0):
    return make_pair(calendar, due_at=t0)


@pytest.fixture
def ledger(database, pair, t0):
    with database.write() as conn:
        pairs.claim(conn, pair, owner="me", now=t0, lease=LEASE)
    return PairLedger(database, pair, "me", LEASE, lambda: t0)


@pytest.fixture
def phone(database, calendar, event, t0):
    """What a phone does: put (name, UID), delete (name)."""

    class Phone:
        def put(self, name, uid=None):
            with database.write() as conn:
                objects.put(conn, calendar, name, event(uid or name), actor="device:1", now=t0)

        def delete(self, name):
            with database.write() as conn:
                objects.delete(conn, calendar, name, actor="device:1", now=t0)

    return Phone()


def linked(ledger, *uids):
    with ledger.writing() as memory:
        memory.save_links([Link(uid, f"remote {uid}", hub_base=tea(), remote_base=tea()) for uid in uids])


def changed(ledger, after):
    with ledger.reading() as memory:
        return list(memory.hub_changes(after))


def test_changes_of_the_hub_in_their_order(ledger, phone):
    phone.put("b")
    phone.put("a")
    linked(ledger, "a", "b")
    phone.put("c")
    phone.delete("a")
    assert changed(ledger, 0) == [HubChange("b", False), HubChange("c", False), HubChange("a", True)]
    assert changed(ledger, 3) == [HubChange("a", True)]
    assert changed(ledger, 4) == []


def test_a_deletion_of_what_was_never_linked_is_none(ledger, phone):
    phone.put("a")
    phone.delete("a")
    assert changed(ledger, 0) == []


def test_a_uid_that_came_back_under_another_name_is_changed_not_deleted(ledger, phone):
    phone.put("a", "uid")
    linked(ledger, "uid")
    phone.delete("a")
    phone.put("b", "uid")
    assert changed(ledger, 1) == [HubChange("uid", False)]


def test_a_deletion_is_seen_though_its_name_was_taken_by_another_object(ledger, phone):
    phone.put("a", "old")
    linked(ledger, "old")
    phone.delete("a")
    phone.put("a", "new")
    assert changed(ledger, 1) == [HubChange("new", False), HubChange("old", True)]


def test_a_cursor_that_is_too_old_makes_everything_new(ledger, phone, database, calendar, t0):
    phone.put("a")
    phone.put("b")
    linked(ledger, "a", "b")
    phone.delete("b")
    with ledger.writing() as memory:
        memory.advance(3)
    with database.write() as conn:
        changes.compact(conn, calendar, t0 + dt.timedelta(days=1))
    assert changed(ledger, 1) == [HubChange("a", False), HubChange("b", True)]


def test_a_new_object_is_named_after_its_uid_if_that_can_be_a_name(ledger, phone, event, calendar, database):
    phone.put("taken.ics", "somebody")
    uids = ["plain@example.org", "taken", "../etc/passwd", "x" * 300, "hé llo"]
    with ledger.writing() as memory:
        for uid in uids:
            memory.put_object(uid, None, event(uid), expected=None)
        stored = memory.hub_objects(uids)
    assert stored["plain@example.org"].href == "plain@example.org.ics"
    assert all(len(stored[uid].href) == 36 for uid in uids[1:])
    with database.read() as conn:
        assert {version.actor for version in history.of_object(conn, calendar, "taken")} == {f"pair:{ledger.pair_id}"}


def test_r36_the_hub_is_written_only_if_it_is_as_it_was_planned(ledger, phone, event):
    phone.put("a")
    with ledger.reading() as memory:
        stored = memory.hub_objects(["a"])["a"]
    phone.delete("a")
    with ledger.writing() as memory:
        with pytest.raises(ObjectChanged):
            memory.put_object("a", stored.href, event("a", "Coffee"), expected=stored.etag)
        with pytest.raises(ObjectChanged):
            memory.delete_object(stored.href, expected=stored.etag)
        memory.put_object("a", None, event("a"), expected=None)
        with pytest.raises(InvalidCalendarData):
            memory.put_object("a", None, event("a"), expected=None)
    with ledger.reading() as memory:
        assert memory.buried(["a", "never"]) == {"a": event("a")}


def test_nothing_is_kept_of_a_transaction_that_fails(ledger):
    def failing():
        with ledger.writing() as memory:
            memory.save_links([Link("a")])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        failing()
    with ledger.reading() as memory:
        assert memory.links(["a"]) == {}


def test_a_lost_lease_opens_no_transaction(ledger, database, t0):
    with database.write() as conn:
        pairs.claim(conn, ledger.pair_id, owner="other", now=t0 + LEASE, lease=LEASE)
    with pytest.raises(LeaseLost), ledger.writing() as memory:
        memory.save_links([Link("a")])
    with ledger.reading() as memory:
        assert memory.links(["a"]) == {}
