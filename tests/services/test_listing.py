"""Lists of occurrences move on by themselves, are made for what was there before them, and nobody notices."""

import datetime as dt

import pytest
import sqlalchemy as sa

from bridge.ical import unrolled
from bridge.services import housekeeping, listing
from bridge.store import calendars, migrations, objects, occurrences, principals, tables
from bridge.store.session import connect

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


def written(uid, *lines):
    inside = "\r\n".join(["BEGIN:VEVENT", f"UID:{uid}", "DTSTART:20250101T090000Z", *lines, "END:VEVENT"])
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{inside}\r\nEND:VCALENDAR\r\n".encode()


@pytest.fixture
def calendar(database):
    with database.write() as conn:
        person = principals.add(conn, "alice", "alice@example.org", now=NOW)
        return calendars.create(conn, person.id, "calendar", properties={"tag": "VCALENDAR"}, now=NOW).id


@pytest.fixture
def put(database, calendar):
    def put(uid, *lines):
        with database.write() as conn:
            objects.put(conn, calendar, uid, written(uid, *lines), actor="cli", now=NOW)

    return put


def week(database, calendar, start):
    with database.read() as conn:
        found = occurrences.find(conn, calendar, start, start + 7 * DAY, floating=dt.UTC)
        return sorted(found.sure), sorted(found.unsure)


def test_lists_move_on_and_no_revision_tells(database, calendar, put):
    put("a", "RRULE:FREQ=WEEKLY")
    put("b", "RRULE:FREQ=WEEKLY;COUNT=3")
    put("c", "RRULE:FREQ=HOURLY")
    listing.keep_up(database, [calendar], now=NOW)
    with database.read() as conn:
        before = calendars.by_id(conn, calendar), list(objects.every(conn, calendar))
    ahead = NOW + 500 * DAY
    assert week(database, calendar, ahead) == ([], ["a", "c"])
    assert listing.keep_up(database, [calendar], now=NOW + 200 * DAY) == 0
    assert listing.keep_up(database, [calendar], now=NOW + 260 * DAY) == 1
    assert week(database, calendar, ahead) == (["a"], ["c"])
    assert listing.keep_up(database, [calendar], now=NOW + 260 * DAY) == 0
    with database.read() as conn:
        assert (calendars.by_id(conn, calendar), list(objects.every(conn, calendar))) == before


def test_many_go_in_several_transactions(database, calendar, put, monkeypatch):
    monkeypatch.setattr(listing, "_AT_ONCE", 3)
    for number in range(10):
        put(f"{number}", "RRULE:FREQ=WEEKLY" if number % 2 else "RRULE:FREQ=SECONDLY")
    assert listing.keep_up(database, [calendar, calendar + 1], now=NOW + 300 * DAY) == 5


def test_another_edition_of_the_zones_makes_all_anew(database, calendar, put, monkeypatch):
    put("a")
    put("b", "RRULE:FREQ=WEEKLY")
    assert listing.keep_up(database, [calendar], now=NOW) == 2  # by whom these were listed nobody had written down
    assert listing.keep_up(database, [calendar], now=NOW) == 0
    monkeypatch.setattr(unrolled, "edition", lambda: "another")
    assert listing.keep_up(database, [calendar], now=NOW) == 2
    assert week(database, calendar, NOW) == (["b"], [])


def test_what_an_older_version_kept_is_left_to_be_read(database, calendar, put):
    put("a")
    with database.write() as conn:
        conn.execute(sa.update(tables.objects).values(data=b"BEGIN:NOTHING\r\n"))
        occurrences.forget(conn, calendar)
    assert listing.keep_up(database, [calendar], now=NOW) == 0
    assert week(database, calendar, dt.datetime(2025, 1, 1, tzinfo=dt.UTC)) == ([], ["a"])


def test_events_from_before_the_index_are_found_and_listed_by_and_by(empty_database_url):
    database = connect(empty_database_url)
    migrations.upgrade(database, "add_object_properties")
    data = written("old", "RRULE:FREQ=WEEKLY")
    with database.write() as conn:
        person = principals.add(conn, "alice", "alice@example.org", now=NOW)
        calendar = calendars.create(conn, person.id, "calendar", properties={"tag": "VCALENDAR"}, now=NOW).id
        names = [column.name for column in tables.objects.c if not column.name.startswith("listed")]
        row = objects.StoredObject(calendar, "old", "old", "VEVENT", data, objects.etag_of(data), 1, NOW, NOW, None)
        conn.execute(sa.insert(tables.objects).values({name: getattr(row, name) for name in names}))
    migrations.upgrade(database)
    assert week(database, calendar, NOW) == ([], ["old"])
    assert listing.keep_up(database, [calendar], now=NOW) == 1
    assert week(database, calendar, NOW) == (["old"], [])
    with database.read() as conn:
        assert list(objects.every(conn, calendar)) == [row]
    database.close()


def test_whoever_keeps_house_lists_them(house):
    calendar = house.calendar().id
    with house.context.database.write() as conn:
        objects.put(conn, calendar, "a", written("a", "RRULE:FREQ=WEEKLY"), actor="cli", now=house.context.now())
        occurrences.forget(conn, calendar)
    before = house.calendar()
    housekeeping.run(house.context)
    assert week(house.context.database, calendar, house.context.now()) == (["a"], [])
    assert house.calendar() == before
