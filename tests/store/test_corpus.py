"""Every object of ``tests/data`` in both databases: its octets, and its bounds up to the ends of all calendars."""

import datetime as dt

from bridge.ical import busy
from bridge.ical import objects as ical
from bridge.store import calendars, objects, principals
from tests.support.corpus import ACCEPTED

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


def test_every_object_is_kept_with_its_bounds(database):
    with database.write() as conn:
        alice = principals.add(conn, "alice", "alice@example.org", now=NOW)
        calendar = calendars.create(conn, alice.id, "corpus", properties={}, now=NOW)
        for name, data in ACCEPTED.items():
            objects.put(conn, calendar.id, f"{name}.ics", data, actor="test", now=NOW)
    with database.read() as conn:
        kept = {each.href.removesuffix(".ics"): each for each in objects.every(conn, calendar.id)}
        that_year = objects.in_range(conn, calendar.id, NOW.replace(month=1), NOW.replace(year=2027), "VEVENT")
        found = {each.href.removesuffix(".ics") for each in that_year}
    assert {name: each.data for name, each in kept.items()} == ACCEPTED
    bounds = {name: (each.first_at, each.last_at) for name, each in kept.items()}
    assert bounds == {name: busy.bounds(ical.parse(data)) for name, data in ACCEPTED.items()}
    assert {"utc", "dtstart-missing", "until-year-9999", "rule-from-year-1", "rule-month-13"} <= found
    assert not found & {"dtstart-year-1900", "dtstart-year-2038", "todo-due"}
