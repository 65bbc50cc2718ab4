"""The index of occurrences on both databases: in step with its objects, whatever becomes of them, and answers at the edges."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from bridge.ical import unrolled
from bridge.store import calendars, objects, occurrences, tables

DAY, HOUR, SECOND = dt.timedelta(days=1), dt.timedelta(hours=1), dt.timedelta(seconds=1)
NINE = dt.datetime(2026, 3, 29, 9, tzinfo=dt.UTC)
KIRITIMATI, ANYWHERE = ZoneInfo("Pacific/Kiritimati"), ZoneInfo("Etc/GMT+12")


def written(uid, *lines, more=""):
    inside = "\r\n".join(["BEGIN:VEVENT", f"UID:{uid}", *lines, "END:VEVENT"])
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{inside}\r\n{more}END:VCALENDAR\r\n".encode()


@pytest.fixture
def put(database, calendar, t0):
    def put(uid, *lines, now=t0, more=""):
        with database.write() as conn:
            return objects.put(conn, calendar, uid, written(uid, *lines, more=more), actor="cli", now=now)

    return put


@pytest.fixture
def rows(database, calendar):
    def rows():
        columns = tables.occurrences.c
        with database.read() as conn:
            found = conn.execute(sa.select(columns.href, columns.start_at, columns.kind).order_by(columns.start_at))
            return [(href, start, kind) for href, start, kind in found]

    return rows


@pytest.fixture
def found(database, calendar):
    """(sure, unsure)"""

    def find(start, end, floating=dt.UTC):
        with database.read() as conn:
            told = occurrences.find(conn, calendar, start, end, floating=floating)
            return sorted(told.sure), sorted(told.unsure)

    return find


def test_the_rows_follow_their_object(database, calendar, put, rows, t0):
    put("a", "DTSTART:20260329T090000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=2")
    assert rows() == [("a", NINE, "BUSY"), ("a", NINE + DAY, "BUSY")]
    put("a", "DTSTART:20260329T100000Z", "DURATION:PT1H", "TRANSP:TRANSPARENT")
    assert rows() == [("a", NINE + HOUR, None)]
    with database.write() as conn:
        objects.delete(conn, calendar, "a", actor="cli", now=t0)
    assert rows() == []


def test_a_rollback_takes_the_rows_back(database, calendar, put, rows, t0):
    put("a", "DTSTART:20260329T090000Z")
    before = rows()
    with pytest.raises(RuntimeError), database.write() as conn:  # noqa: PT012 - all of it is one transaction
        objects.put(conn, calendar, "a", written("a", "DTSTART:20270329T090000Z"), actor="cli", now=t0)
        objects.put(conn, calendar, "b", written("b", "DTSTART:20270329T090000Z"), actor="cli", now=t0)
        raise RuntimeError
    assert rows() == before


def test_they_go_with_their_calendar(database, calendar, put, rows, t0):
    put("a", "DTSTART:20260329T090000Z")
    with database.write() as conn:
        calendars.delete(conn, calendar, now=t0)
    assert rows() == []


def test_the_same_rows_are_not_written_anew(database, calendar, put, rows, t0):
    put("a", "DTSTART:20260329T090000Z", "RRULE:FREQ=DAILY;COUNT=2", "SUMMARY:one")
    with database.write() as conn:
        said = []
        sa.event.listen(conn, "before_cursor_execute", lambda *told: said.append(told[2]))
        data = written("a", "DTSTART:20260329T090000Z", "RRULE:FREQ=DAILY;COUNT=2", "SUMMARY:two")
        objects.put(conn, calendar, "a", data, actor="cli", now=t0)
    assert not [each for each in said if "occurrences" in each and not each.startswith("SELECT")]
    assert len(rows()) == 2


def test_answers_are_kept(database, calendar, put):
    put("a", "DTSTART:20260329T090000Z", "DURATION:PT1H", "ATTENDEE;PARTSTAT=DECLINED:mailto:b@example.org")
    put("b", "DTSTART:20260329T090000Z", "DURATION:PT1H", "ATTENDEE;PARTSTAT=ACCEPTED:mailto:b@example.org")
    with database.read() as conn:
        listed, unsure = occurrences.taken(conn, calendar, NINE, NINE + HOUR, floating=dt.UTC)
        assert sorted(str(each.answers) for each in listed) == ["None", "{'b@example.org': 'DECLINED'}"]
        assert unsure == frozenset()
        listed, _ = occurrences.taken(conn, calendar, NINE, NINE + HOUR, floating=dt.UTC, but="a")
        assert [(tables.instant(each.start), each.kind, each.answers) for each in listed] == [(NINE, "BUSY", None)]


@pytest.mark.parametrize("length", [1, 24, 25, 24 * 8, 24 * 8 + 1, 24 * 64, 24 * 64 + 1, 24 * 400])
def test_an_event_of_any_length_is_found_at_its_edges(put, found, length):
    put("a", "DTSTART:20260329T090000Z", f"DURATION:PT{length}H")
    end = NINE + length * HOUR
    for start, until, there in (
        (NINE - DAY, NINE, False),
        (NINE - DAY, NINE + SECOND, True),
        (end - SECOND, end + DAY, True),
        (end, end + DAY, False),
        (NINE, end, True),
        (None, NINE + SECOND, True),
        (None, NINE, False),
        (end - SECOND, None, True),
        (end, None, False),
    ):
        assert found(start, until) == (["a"] if there else [], []), (start, until)


def test_one_without_length_is_at_its_start(put, found):
    put("a", "DTSTART:20260329T090000Z")
    assert found(NINE, NINE + SECOND) == (["a"], [])
    assert found(NINE - SECOND, NINE) == ([], [])
    assert found(NINE + SECOND, NINE + HOUR) == ([], [])


@pytest.mark.parametrize(("zone", "hours"), [(dt.UTC, 0), (KIRITIMATI, -14), (ANYWHERE, 12)])
@pytest.mark.parametrize(
    ("lines", "begins", "lasts"),
    [
        (["DTSTART;VALUE=DATE:20260329"], NINE - 9 * HOUR, DAY),
        (["DTSTART:20260329T090000", "DURATION:PT1H"], NINE, HOUR),
        (["DTSTART;VALUE=DATE:20260329", "DTEND;VALUE=DATE:20260420"], NINE - 9 * HOUR, 22 * DAY),
    ],
)
def test_times_in_no_zone_are_where_the_question_is(put, found, zone, hours, lines, begins, lasts):
    put("a", *lines)
    begins += hours * HOUR
    assert found(begins, begins + SECOND, zone) == (["a"], [])
    assert found(begins - HOUR, begins, zone) == ([], [])
    assert found(begins + lasts - SECOND, begins + lasts, zone) == (["a"], [])
    assert found(begins + lasts, begins + lasts + HOUR, zone) == ([], [])


def test_beyond_the_window_only_the_text_can_tell(put, found, t0):
    put("a", "DTSTART:20200101T090000Z", "RRULE:FREQ=WEEKLY")
    put("b", "DTSTART:20260329T090000Z")
    back, ahead = t0 - 31 * DAY, t0 + 150 * DAY
    assert found(t0, t0 + 7 * DAY) == (["a"], [])
    assert found(back + DAY, back + 8 * DAY) == (["a"], [])
    assert found(ahead - 8 * DAY, ahead - DAY) == (["a"], [])
    assert found(ahead + DAY, ahead + 2 * DAY) == ([], ["a"])
    assert found(back - 3 * DAY, back - 2 * DAY) == ([], ["a"])
    assert found(t0, None) == (["a", "b"], [])  # it is there already, wherever else it may be
    assert found(dt.datetime(2019, 1, 1, tzinfo=dt.UTC), dt.datetime(2019, 2, 1, tzinfo=dt.UTC)) == ([], [])


def test_an_override_out_of_the_window_and_into_it(put, found):
    more = (
        "BEGIN:VEVENT\r\nUID:a\r\nRECURRENCE-ID:20260304T090000Z\r\nDTSTART:20400101T090000Z\r\nEND:VEVENT\r\n"
        "BEGIN:VEVENT\r\nUID:a\r\nRECURRENCE-ID:20400104T090000Z\r\nDTSTART:20260305T090000Z\r\nEND:VEVENT\r\n"
    )
    put("a", "DTSTART:20200101T090000Z", "RRULE:FREQ=WEEKLY", more=more)
    march = dt.datetime(2026, 3, 4, tzinfo=dt.UTC)
    assert found(march, march + DAY) == ([], [])
    assert found(march + DAY, march + 2 * DAY) == (["a"], [])
    new_year = dt.datetime(2040, 1, 1, tzinfo=dt.UTC)
    assert found(new_year, new_year + DAY) == (["a"], [])
    assert found(new_year + DAY, new_year + 2 * DAY) == ([], ["a"])


def test_what_cannot_be_listed_is_read_wherever_it_may_be(put, found):
    put("a", "DTSTART:20260329T090000Z", "RRULE:FREQ=DAILY;RSCALE=HEBREW")
    put("b", "DTSTART:20260329T090000Z", "RRULE:FREQ=HOURLY;COUNT=5")
    assert found(NINE, NINE + HOUR) == ([], ["a", "b"])
    assert found(NINE - DAY, NINE - HOUR) == ([], ["a"])


def test_messages_and_other_components_have_no_rows(database, calendar, put, rows, found, t0, event):
    with database.write() as conn:
        objects.deliver(conn, calendar, "m.ics", "VEVENT", written("m", "DTSTART:20260329T090000Z"), actor="x", now=t0)
        objects.put(conn, calendar, "t.ics", event("t", component="VTODO"), actor="cli", now=t0)
    assert rows() == []
    assert found(NINE, NINE + HOUR) == ([], ["m.ics"])


def test_calendars_are_kept_apart(database, calendar, alice, put, found, t0):
    put("a", "DTSTART:20260329T090000Z")
    with database.write() as conn:
        other = calendars.create(conn, alice.id, "other", properties={"tag": "VCALENDAR"}, now=t0).id
        objects.put(conn, other, "b", written("b", "DTSTART:20260329T090000Z"), actor="cli", now=t0)
        objects.put(conn, other, "c", written("c", "DTSTART:20200329T090000Z", "RRULE:FREQ=DAILY"), actor="cli", now=t0)
    assert found(NINE, NINE + HOUR) == (["a"], [])
    assert found(NINE + 3000 * DAY, NINE + 3001 * DAY) == ([], [])


def test_no_index_at_all_is_only_slow(database, calendar, put, found):
    put("a", "DTSTART:20260329T090000Z", "RRULE:FREQ=DAILY")
    with database.write() as conn:
        occurrences.forget(conn, calendar)
    assert found(NINE - DAY, NINE - HOUR) == ([], [])
    assert found(NINE, NINE + HOUR) == ([], ["a"])


def test_how_far_lists_reach(database, calendar, put, t0):
    put("a", "DTSTART:20260329T090000Z", "RRULE:FREQ=WEEKLY")
    put("b", "DTSTART:20260329T090000Z", "RRULE:FREQ=HOURLY")
    put("c", "DTSTART:20260329T090000Z")
    with database.read() as conn:
        reach = occurrences.stale(conn, calendar, t0 + 500 * DAY, after="", limit=9)
        assert reach == {"a": t0 + 150 * DAY, "b": unrolled.BEGINNING}
        assert list(occurrences.stale(conn, calendar, t0 + 500 * DAY, after="a", limit=9)) == ["b"]
        assert list(occurrences.stale(conn, calendar, t0 + 149 * DAY, after="", limit=9)) == ["b"]
        assert list(occurrences.stale(conn, calendar, t0 + 500 * DAY, after="", limit=1)) == ["a"]
