"""Does a device keep up? What it took last against what there is, and an event that goes there and back.

A phone does not say that it has stopped syncing: it asks less and less, or asks and fails to take what is new. So the
server remembers for each device and calendar which revision it was given, and what was changed since, and by whom.
"""

from __future__ import annotations

import datetime as dt
import secrets
from dataclasses import dataclass
from enum import Enum

import sqlalchemy as sa

from bridge.errors import NotFound, UsageError
from bridge.ical import lines, text, values
from bridge.services.naming import nobody
from bridge.services.principals import DEFAULT_CALENDAR
from bridge.store import calendars, device_tests, devices, fetches, history, objects, principals
from bridge.store.calendars import Calendar, components
from bridge.store.device_tests import DeviceTest
from bridge.store.devices import Device
from bridge.store.session import Database

TEST_PREFIX = "caldav-bridge-test-"
"""How the names of test events begin: whoever hands out objects sees without a look into the database that it is none."""

TEST_KEPT = dt.timedelta(days=1)
"""A test event that nobody has deleted is taken away after that."""

_EOL = "\r\n"


class Standing(Enum):
    """How a device stands to a calendar."""

    UP_TO_DATE = "up to date"
    BEHIND = "behind"
    NEVER = "never fetched"


@dataclass(frozen=True, slots=True)
class Progress:
    """``behind`` objects were changed by others ``since`` then, and the device has not taken them.

    ``asked_at`` is exact to a quarter of an hour where nothing was new.
    """

    calendar: Calendar
    standing: Standing
    behind: int
    since: dt.datetime | None
    fetched_at: dt.datetime | None
    asked_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """A test event's way: made here, taken by the device, changed or deleted there."""

    calendar: Calendar
    made_at: dt.datetime
    fetched_at: dt.datetime | None
    returned_at: dt.datetime | None


def progress(conn: sa.Connection, device: Device) -> list[Progress]:
    """Of each calendar in the home of the device's owner, in their order."""
    owner = principals.by_id(conn, device.principal_id)
    known = fetches.of_device(conn, device.id)
    found = []
    for calendar in [] if owner is None else calendars.of_principal(conn, owner.name):
        fetch = known.get(calendar.id)
        asked_at = None if fetch is None else fetch.asked_at
        if fetch is None or fetch.revision is None:
            found.append(Progress(calendar, Standing.NEVER, 0, None, None, asked_at))
            continue
        behind, since = fetches.unknown_to(conn, calendar.id, fetch.revision, actor=f"device:{device.id}")
        standing = Standing.BEHIND if behind else Standing.UP_TO_DATE
        found.append(Progress(calendar, standing, behind, since, fetch.fetched_at, asked_at))
    return found


def summary(conn: sa.Connection, device: Device) -> tuple[Standing, int, dt.datetime | None]:
    """Of all that the device fetches: how it stands, how many objects it is behind, and since when.

    Calendars that it never fetched do not count unless they are all: a phone takes those that its owner ticked.
    """
    taken = [each for each in progress(conn, device) if each.standing is not Standing.NEVER]
    if not taken:
        return Standing.NEVER, 0, None
    behind = sum(each.behind for each in taken)
    since = min((each.since for each in taken if each.since is not None), default=None)
    return (Standing.BEHIND if behind else Standing.UP_TO_DATE), behind, since


def named(conn: sa.Connection, principal: str, label: str) -> Device:
    """A device that may sign in. Raises NotFound."""
    owner = principals.by_name(conn, principal)
    if owner is None:
        raise nobody(principal)
    for device in devices.of_principal(conn, owner.id):
        if device.label == label:
            return device
    raise NotFound(f"{principal!r} has no device {label!r}")


def try_out(
    database: Database, principal: str, label: str, *, calendar: str = DEFAULT_CALENDAR, now: dt.datetime
) -> RoundTrip:
    """Put an event where the device will find it, in an hour from now; an earlier one of the device's goes.

    It has no guests and mails nobody, but is mirrored as any event of that calendar is. Raises NotFound, and UsageError for
    a calendar that takes no events.
    """
    with database.write() as conn:
        device = named(conn, principal, label)
        chosen = calendars.get(conn, principal, calendar)
        if chosen is None:
            raise NotFound(f"there is no calendar {principal}/{calendar}; see: caldav-bridge calendar list {principal}")
        if "VEVENT" not in components(chosen.properties):
            raise UsageError(f"{principal}/{calendar} takes no events: choose another calendar")
        earlier = device_tests.of_device(conn, device.id)
        if earlier is not None:
            _take_away(conn, earlier, now)
        uid = f"{TEST_PREFIX}{secrets.token_hex(8)}"
        stored = objects.put(conn, chosen.id, f"{uid}.ics", _event(uid, label, now), actor="check", now=now)
        device_tests.save(conn, DeviceTest(device.id, chosen.id, stored.href, stored.revision, now))
    return RoundTrip(chosen, now, None, None)


def _event(uid: str, label: str, now: dt.datetime) -> bytes:
    start = (now.astimezone(dt.UTC) + dt.timedelta(hours=1)).replace(minute=0, second=0, microsecond=0, tzinfo=None)
    content = [
        ("BEGIN", "VCALENDAR"),
        ("VERSION", "2.0"),
        ("PRODID", "-//caldav-bridge//EN"),
        ("BEGIN", "VEVENT"),
        ("UID", uid),
        ("DTSTAMP", values.write_moment(now.astimezone(dt.UTC).replace(microsecond=0, tzinfo=None), utc=True)),
        ("DTSTART", values.write_moment(start, utc=True)),
        ("DURATION", "PT15M"),
        ("SUMMARY", f"Calendar test for {text.escape(label)}"),
        (
            "DESCRIPTION",
            text.escape("Seen on the device? Then delete this event there, and the round trip is complete."),
        ),
        ("TRANSP", "TRANSPARENT"),
        ("END", "VEVENT"),
        ("END", "VCALENDAR"),
    ]
    return "".join(lines.write(name, value, eol=_EOL).raw for name, value in content).encode()


def round_trip(conn: sa.Connection, device: Device) -> RoundTrip | None:
    """How far the device's test event has come; None: there is none."""
    test = device_tests.of_device(conn, device.id)
    calendar = None if test is None else calendars.by_id(conn, test.calendar_id)
    if test is None or calendar is None:
        return None
    returned = history.by_actor(conn, test.calendar_id, test.href, test.revision, actor=f"device:{device.id}")
    return RoundTrip(calendar, test.made_at, test.fetched_at, returned)


def tidy(conn: sa.Connection, *, now: dt.datetime) -> int:
    """Take away test events that nobody has deleted in time. Returns how many tests ended."""
    old = device_tests.before(conn, now - TEST_KEPT)
    for test in sorted(old, key=lambda one: one.calendar_id):
        _take_away(conn, test, now)
    return len(old)


def _take_away(conn: sa.Connection, test: DeviceTest, now: dt.datetime) -> None:
    if objects.get(conn, test.calendar_id, test.href) is not None:
        objects.delete(conn, test.calendar_id, test.href, actor="check", now=now)
    device_tests.remove(conn, test.device_id)
