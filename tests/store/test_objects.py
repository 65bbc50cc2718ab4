"""Calendar objects on both databases: exact bytes, strong etags, conditions that hold."""

import datetime as dt
import hashlib

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.errors import InvalidCalendarData, NotFound, ObjectChanged, UsageError
from bridge.store import calendars, changes, history, objects, tables
from bridge.store.objects import ABSENT

HOUR = dt.timedelta(hours=1)


@pytest.fixture
def put(database, calendar, t0):
    def put(href, data, *, actor="device:1", **options):
        with database.write() as conn:
            return objects.put(conn, calendar, href, data, actor=actor, now=t0, **options)

    return put


@pytest.fixture
def revision(database, calendar):
    def revision():
        with database.read() as conn:
            return calendars.by_id(conn, calendar).revision

    return revision


def _versions(database, calendar, uid):
    with database.read() as conn:
        return history.of_object(conn, calendar, uid)


def test_the_bytes_read_back_exactly(database, calendar, put):
    """Nothing is unfolded, escaped anew or put in order (DESIGN §1)."""
    data = (
        b'BEGIN:VCALENDAR\nVERSION:2.0\r\nPRODID:-//x//EN\r\nX-WR-CALNAME;X-A="b;c":n\\, m\r\n'
        b"BEGIN:VEVENT\r\nDTSTART:20260329T090000Z\r\nUID:odd\r\nDTSTAMP:20260101T000000Z\r\n"
        b'X-APPLE-STRUCTURED-LOCATION;VALUE=URI;X-TITLE="Caf\xc3\xa9":geo:48.2,16.3\r\n'
        b"SUMMARY:folded in the midst of a char\xc3\r\n \xa9 and\r\n\t again\r\nLOCATION:a\\,b\r\n"
        b"BEGIN:X-UNKNOWN\r\nX-ANY:thing\r\nEND:X-UNKNOWN\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n\r\n"
    )
    stored = put("odd.ics", data)
    assert stored.data == data
    with database.read() as conn:
        assert objects.get(conn, calendar, "odd.ics") == stored
        assert objects.by_uid(conn, calendar, "odd") == stored
        assert list(objects.every(conn, calendar)) == [stored]
        assert objects.many(conn, calendar, ["odd.ics"]) == [stored]
        assert objects.hrefs(conn, calendar) == [("odd.ics", stored.etag)]


def test_what_is_known_about_an_object(put, event, calendar, t0):
    stored = put("a.ics", event("a"))
    assert (stored.calendar_id, stored.href, stored.uid, stored.component) == (calendar, "a.ics", "a", "VEVENT")
    assert (stored.revision, stored.modified_at) == (1, t0)
    assert stored.first_at == dt.datetime(2026, 3, 29, 9, tzinfo=dt.UTC)
    assert stored.last_at == dt.datetime(2026, 3, 29, 10, tzinfo=dt.UTC)
    assert put("t.ics", event("t", component="VTODO", start="")).component == "VTODO"


def test_the_etag_is_strong_and_made_of_the_bytes(put, event):
    first = put("a.ics", event("a"))
    assert first.etag == f'"{hashlib.sha256(event("a")).hexdigest()[:32]}"'
    changed = put("a.ics", event("a", "Coffee"))
    assert changed.etag != first.etag
    assert put("a.ics", event("a")).etag == first.etag


def test_r38_the_same_bytes_again_change_nothing(database, calendar, put, revision, event, make_pair, pair_due):
    """R38: no churn, however often a client or a cycle writes what is there."""
    stored = put("a.ics", event("a"))
    pair = make_pair(calendar)
    assert put("a.ics", event("a"), actor="pair:9") == stored
    assert put("a.ics", event("a"), expected=stored.etag) == stored
    assert revision() == 1
    assert len(_versions(database, calendar, "a")) == 1
    assert pair_due(pair) is None


def test_r35_every_version_is_kept_with_who_and_when(database, calendar, put, event, t0):
    put("a.ics", event("a", "one"), actor="device:1")
    put("a.ics", event("a", "two"), actor="pair:3")
    with database.write() as conn:
        objects.delete(conn, calendar, "a.ics", actor="cli", now=t0 + HOUR)
    versions = _versions(database, calendar, "a")
    assert [(one.revision, one.actor, one.at, one.data) for one in versions] == [
        (3, "cli", t0 + HOUR, None),
        (2, "pair:3", t0, event("a", "two")),
        (1, "device:1", t0, event("a", "one")),
    ]


def test_the_expected_etag_must_hold(put, revision, event):
    first = put("a.ics", event("a", "one"), expected=ABSENT)
    for expected in (ABSENT, '"other"', first.etag.strip('"')):
        with pytest.raises(ObjectChanged):
            put("a.ics", event("a", "two"), expected=expected)
    assert put("a.ics", event("a", "two"), expected=first.etag).revision == 2
    with pytest.raises(ObjectChanged):
        put("a.ics", event("a", "one"), expected=first.etag)
    with pytest.raises(ObjectChanged):
        put("b.ics", event("b"), expected=first.etag)  # it is not there at all
    assert revision() == 2


def test_a_condition_that_fails_comes_before_the_same_bytes(put, event):
    """Otherwise If-None-Match: * would answer 204 to a client that believes it has created something."""
    put("a.ics", event("a"))
    with pytest.raises(ObjectChanged):
        put("a.ics", event("a"), expected=ABSENT)


def test_deleting(database, calendar, put, revision, event, t0):
    stored = put("a.ics", event("a"))
    with pytest.raises(ObjectChanged), database.write() as conn:
        objects.delete(conn, calendar, "a.ics", actor="cli", now=t0, expected='"other"')
    with pytest.raises(ObjectChanged), database.write() as conn:
        objects.delete(conn, calendar, "none.ics", actor="cli", now=t0, expected=stored.etag)
    with pytest.raises(NotFound), database.write() as conn:
        objects.delete(conn, calendar, "none.ics", actor="cli", now=t0)
    assert revision() == 1
    with database.write() as conn:
        objects.delete(conn, calendar, "a.ics", actor="cli", now=t0, expected=stored.etag)
    assert revision() == 2
    with database.read() as conn:
        assert objects.get(conn, calendar, "a.ics") is None
        assert [(one.href, one.deleted) for one in changes.since(conn, calendar, 0)] == [("a.ics", True)]


def test_a_put_over_a_tombstone_takes_it_away(database, calendar, put, event, t0):
    put("a.ics", event("a"))
    with database.write() as conn:
        objects.delete(conn, calendar, "a.ics", actor="cli", now=t0)
    again = put("a.ics", event("a"))
    assert again.revision == 3
    with database.read() as conn:
        assert [(one.href, one.revision, one.deleted) for one in changes.since(conn, calendar, 0)] == [
            ("a.ics", 3, False)
        ]


def test_a_uid_is_one_hrefs(put, revision, event):
    """RFC 4791 §5.3.2.1, CALDAV:no-uid-conflict: in use elsewhere in the calendar, or another one than the href has."""
    put("a.ics", event("a"))
    put("b.ics", event("b"))
    for href, uid in (("c.ics", "a"), ("b.ics", "a"), ("a.ics", "new")):
        with pytest.raises(InvalidCalendarData) as caught:
            put(href, event(uid, "changed"))
        assert caught.value.precondition == "no-uid-conflict"
    assert revision() == 2


def test_a_uid_may_stand_in_two_calendars(database, alice, calendar, put, event, t0):
    put("a.ics", event("a"))
    with database.write() as conn:
        other = calendars.create(conn, alice.id, "other", properties={}, now=t0)
        assert objects.put(conn, other.id, "a.ics", event("a"), actor="cli", now=t0).revision == 1


def test_what_is_no_calendar_object_is_not_stored(database, calendar, put, revision, event):
    for data in (b"", b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", b"\x00\x01", event("a")[:-20], event("x" * 1025)):
        with pytest.raises(InvalidCalendarData):
            put("a.ics", data)
    assert revision() == 0
    assert put("a.ics", event("x" * 1024)).revision == 1


def test_an_impossible_href_is_refused(put, event):
    for href in ("", "a/b.ics", "a\0b", "..", "x" * 256):
        with pytest.raises(UsageError):
            put(href, event("a"))
    assert put("ä Σ%2F😀" + "x" * 240, event("a")).revision == 1


def test_an_unknown_calendar_is_not_found(database, event, t0):
    with pytest.raises(NotFound), database.write() as conn:
        objects.put(conn, 4711, "a.ics", event("a"), actor="cli", now=t0)
    with pytest.raises(NotFound), database.write() as conn:
        objects.delete(conn, 4711, "a.ics", actor="cli", now=t0)


def test_a_calendar_knows_how_much_its_objects_take_up(database, calendar, event, t0):
    """Whether a transaction changes one or many, makes them larger or smaller, or takes them away."""
    options = {"actor": "cli", "now": t0}

    def measured():
        with database.read() as conn:
            there = sum(len(text) for text in objects.texts(conn, calendar))
            return calendars.by_id(conn, calendar).size, there

    with database.write() as conn:
        for name in "abc":
            objects.put(conn, calendar, f"{name}.ics", event(name, "SUMMARY:Tea"), **options)
    assert measured() == (3 * len(event("a", "SUMMARY:Tea")),) * 2
    with database.write() as conn:
        objects.put(conn, calendar, "a.ics", event("a"), **options)
        objects.put(conn, calendar, "b.ics", event("b", "SUMMARY:Tea and cake"), **options)
        objects.delete(conn, calendar, "c.ics", **options)
    assert len(set(measured())) == 1
    with database.write() as conn:
        objects.delete(conn, calendar, "b.ics", **options)
    assert measured() == (len(event("a")),) * 2


def test_many_and_every(database, calendar, event, t0):
    """More than one chunk of parameters, and more than one page of rows."""
    names = [f"{number:04}.ics" for number in range(600)]
    with database.write() as conn:
        for name in reversed(names):
            objects.put(conn, calendar, name, event(name), actor="cli", now=t0)
    with database.read() as conn:
        assert [stored.href for stored in objects.every(conn, calendar)] == names
        assert list(objects.texts(conn, calendar)) == [event(name) for name in names]
        assert [href for href, _ in objects.hrefs(conn, calendar)] == names
        assert {stored.href for stored in objects.many(conn, calendar, [*names[:550], "none", names[0]])} == set(
            names[:550]
        )
        assert len(objects.many(conn, calendar, [*names, *names])) == 600
        assert objects.many(conn, calendar, []) == []
        assert calendars.by_id(conn, calendar).revision == 1  # all of it was one transaction


def test_within_one_transaction_the_last_state_is_the_version(database, calendar, event, t0):
    with database.write() as conn:
        for summary in ("one", "two"):
            objects.put(conn, calendar, "a.ics", event("a", summary), actor="cli", now=t0)
        objects.put(conn, calendar, "b.ics", event("b"), actor="cli", now=t0)
        objects.delete(conn, calendar, "b.ics", actor="cli", now=t0)
    with database.read() as conn:
        assert [(one.href, one.data) for one in history.at_revision(conn, calendar, 1)] == [
            ("a.ics", event("a", "two")),
            ("b.ics", None),
        ]
        assert [(one.href, one.deleted) for one in changes.since(conn, calendar, 0)] == [
            ("b.ics", True),
            ("a.ics", False),
        ]


def test_a_moved_object_is_deleted_and_created_in_one_revision(database, calendar, put, event, t0):
    put("a.ics", event("a"))
    with database.write() as conn:
        objects.delete(conn, calendar, "a.ics", actor="cli", now=t0)
        objects.put(conn, calendar, "b.ics", event("a"), actor="cli", now=t0)
    with database.read() as conn:
        found = [(one.uid, one.href, one.revision, one.deleted) for one in changes.since(conn, calendar, 1)]
        assert found == [("a", "a.ics", 2, True), ("a", "b.ics", 2, False)]


# --- time ranges ---------------------------------------------------------------------------------------------------

INSTANTS = st.integers(0, 6).map(lambda hour: dt.datetime(2026, 5, 1, hour, tzinfo=dt.UTC))
BOUNDS = st.one_of(
    st.just((None, None)),
    INSTANTS.map(lambda first: (first, None)),
    st.tuples(INSTANTS, INSTANTS).map(lambda both: (min(both), max(both))),
)


def _touches(bounds, start, end):
    """In words: no time matches always; else it begins before the end, and ends after the start or happens at once in it."""
    first, last = bounds
    if first is None:
        return True
    if end is not None and not first < end:
        return False
    return start is None or last is None or last > start or (last == first and first >= start)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(BOUNDS, max_size=8), start=st.none() | INSTANTS, end=st.none() | INSTANTS)
def test_in_range_is_what_the_bounds_say(database, calendar, event, t0, rows, start, end):
    with database.write() as conn:
        for href, _ in objects.hrefs(conn, calendar):
            objects.delete(conn, calendar, href, actor="cli", now=t0)
        for number, (first, last) in enumerate(rows):
            component = "VTODO" if number % 2 else "VEVENT"
            objects.put(conn, calendar, f"{number}", event(f"{number}", component=component), actor="cli", now=t0)
            conn.execute(
                sa.update(tables.objects)
                .where(tables.objects.c.href == f"{number}")
                .values(first_at=first, last_at=last)
            )
    expected = [f"{number}" for number, bounds in enumerate(rows) if _touches(bounds, start, end)]
    with database.read() as conn:
        assert [stored.href for stored in objects.in_range(conn, calendar, start, end)] == expected
        assert [stored.href for stored in objects.in_range(conn, calendar, start, end, "VTODO")] == [
            href for href in expected if int(href) % 2
        ]


def test_in_range_finds_a_real_event_at_its_edges(database, calendar, put, event):
    put("a.ics", event("a", start="20260329T090000Z", end="20260329T100000Z"))
    put("todo.ics", event("todo", component="VTODO", start=""))
    nine, ten = (dt.datetime(2026, 3, 29, hour, tzinfo=dt.UTC) for hour in (9, 10))
    with database.read() as conn:
        for start, end, found in (
            (nine, ten, ["a.ics", "todo.ics"]),
            (ten, ten + HOUR, ["todo.ics"]),
            (nine - HOUR, nine, ["todo.ics"]),
            (None, None, ["a.ics", "todo.ics"]),
        ):
            assert [stored.href for stored in objects.in_range(conn, calendar, start, end)] == found
        assert objects.in_range(conn, calendar, ten, None, "VEVENT") == []
