"""Revisions: once a transaction, in order, without gaps; and "what is new" by index alone."""

import datetime as dt

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.errors import NotFound, SyncTokenInvalid
from bridge.store import calendars, changes, objects
from tests.support import statements

DAY = dt.timedelta(days=1)


def _bump(database, calendar, actor, now):
    with database.write() as conn:
        return changes.bump(conn, calendar, actor=actor, now=now)


def test_a_transaction_has_one_revision_in_each_calendar(database, alice, calendar, t0):
    with database.write() as conn:
        other = calendars.create(conn, alice.id, "other", properties={}, now=t0).id
        assert [changes.bump(conn, calendar, actor="cli", now=t0 + DAY) for _ in range(3)] == [1, 1, 1]
        assert changes.bump(conn, other, actor="cli", now=t0) == 1
    assert _bump(database, calendar, "cli", t0 + DAY) == 2
    with database.read() as conn:
        assert calendars.by_id(conn, calendar).revision == 2
        assert calendars.by_id(conn, calendar).modified_at == t0 + DAY
        assert calendars.by_id(conn, other).revision == 1


def test_a_revision_that_was_rolled_back_is_given_again(database, calendar, t0):
    def fail():
        with database.write() as conn:
            assert changes.bump(conn, calendar, actor="cli", now=t0) == 1
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert _bump(database, calendar, "cli", t0) == 1


def test_a_savepoint_takes_its_revision_back(database, calendar, event, t0):
    """Otherwise what follows it would carry a number that the calendar does not have."""
    with database.write() as conn:
        savepoint = conn.begin_nested()
        assert objects.put(conn, calendar, "a.ics", event("a"), actor="cli", now=t0).revision == 1
        savepoint.rollback()
        assert objects.put(conn, calendar, "b.ics", event("b"), actor="cli", now=t0).revision == 1
    with database.read() as conn:
        assert calendars.by_id(conn, calendar).revision == 1
        assert [one.href for one in changes.since(conn, calendar, 0)] == ["b.ics"]


def test_an_unknown_calendar_is_not_found(database, t0):
    for call in (
        lambda conn: changes.bump(conn, 4711, actor="cli", now=t0),
        lambda conn: changes.lock(conn, 4711),
        lambda conn: changes.since(conn, 4711, 0),
        lambda conn: changes.compact(conn, 4711, t0),
    ):
        with pytest.raises(NotFound), database.write() as conn:
            call(conn)


# --- waking the pairs ----------------------------------------------------------------------------------------------


def test_a_change_makes_the_calendars_sleeping_pairs_due(database, alice, calendar, make_pair, pair_due, t0):
    with database.write() as conn:
        elsewhere = calendars.create(conn, alice.id, "elsewhere", properties={}, now=t0).id
    later, earlier = t0 + DAY, t0 - DAY
    idle, waiting, overdue = make_pair(calendar), make_pair(calendar, due_at=later), make_pair(calendar, due_at=earlier)
    polled = make_pair(calendar, realtime=False, due_at=later)
    stranger = make_pair(elsewhere, due_at=later)
    _bump(database, calendar, "device:1", t0)
    assert [pair_due(pair) for pair in (idle, waiting, overdue, polled, stranger)] == [t0, t0, earlier, later, later]


def test_a_pair_does_not_wake_itself(database, calendar, make_pair, pair_due, t0):
    own, other = make_pair(calendar), make_pair(calendar)
    _bump(database, calendar, f"pair:{own}", t0)
    assert (pair_due(own), pair_due(other)) == (None, t0)
    with database.write() as conn:  # but somebody else in the same transaction does
        changes.bump(conn, calendar, actor=f"pair:{own}", now=t0)
        changes.bump(conn, calendar, actor="device:1", now=t0)
    assert pair_due(own) == t0


# --- since ---------------------------------------------------------------------------------------------------------


def test_since_lists_each_href_once_with_its_latest_state(database, calendar, event, t0):
    def step(*operations):
        with database.write() as conn:
            for href, summary in operations:
                if summary is None:
                    objects.delete(conn, calendar, href, actor="cli", now=t0)
                else:
                    objects.put(conn, calendar, href, event(href, summary), actor="cli", now=t0)

    step(("a", "1"), ("b", "1"))
    step(("b", "2"), ("c", "1"))
    step(("a", None), ("d", "1"))
    with database.read() as conn:
        found = {
            after: [(one.href, one.revision, one.deleted) for one in changes.since(conn, calendar, after)]
            for after in range(4)
        }
    assert found == {
        0: [("b", 2, False), ("c", 2, False), ("a", 3, True), ("d", 3, False)],
        1: [("b", 2, False), ("c", 2, False), ("a", 3, True), ("d", 3, False)],
        2: [("a", 3, True), ("d", 3, False)],
        3: [],
    }


def test_a_revision_from_the_future_is_no_token(database, calendar, t0):
    """The database is an older backup: what the client saw after it is lost, and so is its token (RFC 6578 §3.2)."""
    _bump(database, calendar, "cli", t0)
    with database.read() as conn:
        assert changes.since(conn, calendar, 1) == []
        for revision in (2, -1):
            with pytest.raises(SyncTokenInvalid):
                changes.since(conn, calendar, revision)


HREFS = st.sampled_from("abcd")
STEPS = st.lists(st.lists(st.tuples(HREFS, st.none() | st.sampled_from("xyz")), min_size=1, max_size=4), max_size=8)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_a_client_that_follows_since_has_what_the_calendar_has(database, alice, event, t0, steps):
    """From whatever revision it starts, and whatever happened in each transaction."""
    with database.write() as conn:
        slug = f"c{len(calendars.of_principal(conn, 'alice'))}"
        calendar = calendars.create(conn, alice.id, slug, properties={}, now=t0).id
    copies = [(0, {})]
    for step in steps:
        with database.write() as conn:
            for href, summary in step:
                if summary is not None:
                    objects.put(conn, calendar, href, event(href, summary), actor="cli", now=t0)
                elif objects.get(conn, calendar, href):
                    objects.delete(conn, calendar, href, actor="cli", now=t0)
        with database.read() as conn:
            copies.append((calendars.by_id(conn, calendar).revision, dict(objects.hrefs(conn, calendar))))
    with database.read() as conn:
        present = dict(objects.hrefs(conn, calendar))
        for revision, copy in copies:
            for one in changes.since(conn, calendar, revision):
                if one.deleted:
                    copy.pop(one.href, None)
                else:
                    copy[one.href] = objects.get(conn, calendar, one.href).etag
            assert copy == present
        for limit in (1, 2, 3):
            assert _in_pages(conn, calendar, changes.Position(0), limit) == changes.since(conn, calendar, 0)
            revision = copies[-1][0]
            new = _in_pages(conn, calendar, changes.Position(0, fresh=revision), limit)
            assert [one.href for one in new] == [
                one.href for one in changes.since(conn, calendar, 0) if not one.deleted
            ]


def _in_pages(conn, calendar, at, limit):
    found = []
    while page := changes.page(conn, calendar, at, limit):
        assert len(page) <= limit
        found += page
        at = changes.Position(page[-1].revision, page[-1].deleted, page[-1].href, at.fresh)
    return found


def test_since_and_the_range_query_read_by_index(sqlite_database, t0):
    """O(changes), never O(calendar): SQLite says how it would search."""
    with statements.noted() as asked, sqlite_database.read() as conn:
        with pytest.raises(NotFound):
            changes.since(conn, 1, 5)
        with pytest.raises(NotFound):
            changes.page(conn, 1, changes.Position(5, False, "a.ics"), 10)
        objects.hrefs(conn, 1)
        objects.by_uid(conn, 1, "a")
        objects.in_range(conn, 1, t0, t0 + DAY)
    with sqlite_database.read() as conn:
        plans = [
            [row.detail for row in conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", tuple(parameters))]
            for statement, parameters in asked
            if statement.startswith("SELECT")
        ]
    assert len(plans) == 7
    searched = [line for plan in plans for line in plan if line.startswith(("SEARCH", "SCAN"))]
    assert [line for line in searched if line.startswith("SCAN") and "anon" not in line] == []
    text = "\n".join(searched)
    assert "ix_objects_calendar_id_revision (calendar_id=? AND revision>?)" in text
    assert "ix_tombstones_calendar_id_revision (calendar_id=? AND revision>?)" in text
    assert "ix_objects_calendar_id_first_at_last_at (calendar_id=? AND first_at" in text


# --- compaction ----------------------------------------------------------------------------------------------------


@pytest.fixture
def three_deletions(database, calendar, event, t0):
    """Deleted at revisions 2, 4 and 6, one day apart."""
    for day, href in enumerate("abc"):
        with database.write() as conn:
            objects.put(conn, calendar, href, event(href), actor="cli", now=t0 + day * DAY)
        with database.write() as conn:
            objects.delete(conn, calendar, href, actor="cli", now=t0 + day * DAY)


def _compact(database, calendar, before):
    with database.write() as conn:
        return changes.compact(conn, calendar, before)


def test_compaction_raises_the_floor_and_refuses_what_lies_under_it(database, calendar, three_deletions, t0):
    assert _compact(database, calendar, t0) == 0
    assert _compact(database, calendar, t0 + 1.5 * DAY) == 2
    assert _compact(database, calendar, t0 + 1.5 * DAY) == 0
    with database.read() as conn:
        assert calendars.by_id(conn, calendar).floor == 4
        for revision in (0, 3):
            with pytest.raises(SyncTokenInvalid):
                changes.since(conn, calendar, revision)
        assert [one.href for one in changes.since(conn, calendar, 4)] == ["c"]
        assert changes.since(conn, calendar, 6) == []


def test_what_a_pair_has_not_planned_is_kept(database, calendar, three_deletions, make_pair, t0):
    """A pair that sleeps longer than tombstones live would take the deletion for an event that only the remote has."""
    make_pair(calendar, hub_cursor=6)
    make_pair(calendar, hub_cursor=3)
    assert _compact(database, calendar, t0 + 9 * DAY) == 1
    with database.read() as conn:
        assert calendars.by_id(conn, calendar).floor == 3
        assert [one.href for one in changes.since(conn, calendar, 3)] == ["b", "c"]


def test_compaction_never_lowers_the_floor(database, calendar, three_deletions, make_pair, t0):
    assert _compact(database, calendar, t0 + 1.5 * DAY) == 2
    make_pair(calendar, hub_cursor=0)
    assert _compact(database, calendar, t0 + 9 * DAY) == 0
    with database.read() as conn:
        assert calendars.by_id(conn, calendar).floor == 4
