"""What a device was told last, and what of it others have changed since: on both databases."""

import datetime as dt

import pytest

from bridge.store import calendars, device_tests, devices, fetches, objects, principals
from bridge.store.device_tests import DeviceTest

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def written(database):
    """A calendar, a device, and three changes of two objects: by the device, by a pair, by the pair again."""

    def text(uid, title):
        lines = ("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//t//EN", "BEGIN:VEVENT", f"UID:{uid}", "DTSTAMP:20260101T000000Z",
                 "DTSTART:20260310T090000Z", f"SUMMARY:{title}", "END:VEVENT", "END:VCALENDAR", "")  # fmt: skip
        return "\r\n".join(lines).encode()

    with database.write() as conn:
        alice = principals.add(conn, "alice", "alice@example.org", now=NOW)
        phone = devices.add(conn, alice.id, "Phone", "hash", now=NOW)
        calendar = calendars.create(conn, alice.id, "calendar", properties={"tag": "VCALENDAR"}, now=NOW)
    for number, (uid, actor) in enumerate([("a", f"device:{phone.id}"), ("b", "pair:1"), ("b", "pair:1")], 1):
        with database.write() as conn:
            data = text(uid, str(number))
            objects.put(conn, calendar.id, f"{uid}.ics", data, actor=actor, now=NOW + number * HOUR)
    return calendar.id, phone.id


def test_what_others_changed_counts_once_an_object(database, written):
    calendar, phone = written
    with database.read() as conn:
        behind = [fetches.unknown_to(conn, calendar, each, actor=f"device:{phone}") for each in range(4)]
    assert behind == [(1, NOW + 2 * HOUR), (1, NOW + 2 * HOUR), (1, NOW + 3 * HOUR), (0, None)]


def test_asking_does_not_take_back_what_was_fetched(database, written):
    calendar, phone = written
    with database.write() as conn:
        fetches.asked(conn, phone, calendar, now=NOW)
        assert fetches.of_device(conn, phone)[calendar] == fetches.Fetch(phone, calendar, None, None, NOW)
        fetches.fetched(conn, phone, calendar, 3, now=NOW)
        fetches.asked(conn, phone, calendar, now=NOW + HOUR)
        assert fetches.of_device(conn, phone)[calendar] == fetches.Fetch(phone, calendar, 3, NOW, NOW + HOUR)
        fetches.forget(conn, phone)
        assert fetches.of_device(conn, phone) == {}


def test_a_test_event_is_fetched_once(database, written):
    calendar, phone = written
    with database.write() as conn:
        device_tests.save(conn, DeviceTest(phone, calendar, "x.ics", 4, NOW))
        device_tests.fetched(conn, phone, "y.ics", now=NOW)
        assert device_tests.of_device(conn, phone).fetched_at is None
        device_tests.fetched(conn, phone, "x.ics", now=NOW + HOUR)
        device_tests.fetched(conn, phone, "x.ics", now=NOW + 2 * HOUR)
        assert device_tests.of_device(conn, phone).fetched_at == NOW + HOUR
        assert device_tests.before(conn, NOW) == []
        assert [each.href for each in device_tests.before(conn, NOW + HOUR)] == ["x.ics"]


def test_with_a_calendar_goes_what_was_fetched_of_it(database, written):
    calendar, phone = written
    with database.write() as conn:
        fetches.fetched(conn, phone, calendar, 3, now=NOW)
        device_tests.save(conn, DeviceTest(phone, calendar, "x.ics", 4, NOW))
        calendars.delete(conn, calendar, now=NOW)
        assert fetches.of_device(conn, phone) == {}
        assert device_tests.of_device(conn, phone) is None
