"""What the servers hold before they start: written through the store's own functions, some thousand objects a transaction.

One transaction for everything would give all objects one revision, which no calendar in use has; one for each would wait for
the disk a hundred thousand times.
"""

import datetime as dt
import itertools
import sys

from bridge.services.principals import DEFAULT_CALENDAR
from bridge.store import calendars, objects, principals
from tests.benchmarks.dav import mix

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
AT_ONCE = 2_000
TOLD_EVERY = 20_000
"""Objects after which a line says how far it has come."""


def calendar(database, person, size, event=mix.event):
    """The events of the mix into somebody's default calendar."""
    for some in _portions(range(size), f"events for {person}"):
        with database.write() as conn:
            held = calendars.get(conn, person, DEFAULT_CALENDAR)
            for number in some:
                data = event(number, size).encode()
                objects.put(conn, held.id, f"{number}.ics", data, actor="device:1", now=NOW)


def people(database, names, size):
    """Many people with a calendar each, and in it the same events for all: made once, kept as often as there are people."""
    events = [(f"{number}.ics", mix.event(number, size).encode()) for number in range(size)]
    for some in _portions(names, "people", each=max(1, size)):
        with database.write() as conn:
            for name in some:
                owner = principals.add(conn, name, f"{name}@example.com", now=NOW)
                properties = {
                    "tag": "VCALENDAR",
                    "D:displayname": "Calendar",
                    "C:supported-calendar-component-set": "VEVENT",
                }
                held = calendars.create(conn, owner.id, DEFAULT_CALENDAR, properties=properties, now=NOW)
                for href, data in events:
                    objects.put(conn, held.id, href, data, actor="device:1", now=NOW)


def _portions(things, what, each=1):
    """As many at a time as make AT_ONCE objects, of which each thing has some; says now and then how far it is."""
    rest, done = iter(things), 0
    while some := list(itertools.islice(rest, max(1, AT_ONCE // each))):
        yield some
        before, done = done, done + len(some)
        if before * each // TOLD_EVERY != done * each // TOLD_EVERY:
            print(f"  … {done:,} {what}", file=sys.stderr, flush=True)
