"""What an event's fields and values, and those who changed it, are called when people are told about them."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import Connection

from bridge.errors import InvalidCalendarData, NotFound, Unmappable
from bridge.ical import onward, text, view
from bridge.ical.fields import MASTER, Attendee, Change, Path, Place, Reminder, Span, When, diff
from bridge.ical.objects import CalendarObject, parse
from bridge.store import accounts, devices, pairs, principals, remote_calendars

_FIELDS = {
    "when": "time",
    "summary": "title",
    "location": "place",
    "geo": "place",
    "color": "colour",
    "transp": "shown as",
    "show_as": "shown as",
    "classification": "privacy",
    "url": "link",
    "conference": "video link",
    "completed": "completion",
    "percent": "progress",
    "rules": "repetition",
    "parent": "parent",
    "alarms": "reminders",
    "others": "details",
    "aside": "details",
    "recurrence": "repetition",
    "state": "occurrence",
    "attendees": "guests",
}
KINDS = {"VEVENT": "events", "VTODO": "to-dos", "VJOURNAL": "journals"}
"""What a calendar holds, by its component."""

_PROVIDERS = {"google": "Google", "microsoft": "Microsoft", "caldav": "CalDAV", "ics": "ICS"}
_VALUES = {
    "OPAQUE": "busy",
    "TRANSPARENT": "free",
    "TENTATIVE": "tentative",
    "OOF": "out of office",
    "WORKINGELSEWHERE": "working elsewhere",
    "regular": "as the series has it",
    "override": "changed",
    "cancelled": "cancelled",
}


def field(path: Path) -> str:
    """For instance "title", or "title on 2026-03-09" of one occurrence of a series."""
    key, name = path
    word = _FIELDS.get(name, name)
    if key == MASTER:
        return word
    return f"{word} from {_day(key)} on" if onward.is_one(key) else f"{word} on {_day(key)}"


def fields(change: Change) -> tuple[str, ...]:
    """What a change is about."""
    whole = {key for key, name in change if name == "state"}  # an instance that appears names each of its fields
    return tuple(dict.fromkeys(field(path) for path in change if path[1] == "state" or path[0] not in whole))


def changed(old: bytes, new: bytes) -> tuple[str, ...]:
    """The names of the fields that differ; none of what is no event, or no event we can read."""
    try:
        return fields(diff(view.read(parse(old)), view.read(parse(new))))
    except (InvalidCalendarData, Unmappable):
        return ()


def _day(key: str) -> str:
    """The day in an instance key, which begins with it in the basic format (``bridge.ical.fields``)."""
    return f"{key[:4]}-{key[4:6]}-{key[6:8]}" if key[:8].isdigit() else key


def value(name: str, given: Any) -> str:
    """In one line; "" for what is absent."""
    if isinstance(given, When | Span):
        return when(given)
    if name == "reminders":
        return ", ".join(_reminder(one) for one in given)
    if name == "attendees":
        return ", ".join(_guest(one) for one in given)
    if name == "alarms":
        return ", ".join(_place(each) for each in given)
    if isinstance(given, dt.datetime):
        return f"{given:%Y-%m-%d %H:%M} UTC"
    if isinstance(given, list | tuple):
        return ", ".join(str(one) for one in given)
    if name in ("transp", "show_as", "state"):
        return _VALUES.get(given, str(given))
    if given is None or (name in ("priority", "percent") and given == 0):
        return ""
    return one_line(str(given))


def _guest(guest: Attendee) -> str:
    answer = {"ACCEPTED": "accepted", "DECLINED": "declined", "TENTATIVE": "maybe"}.get(guest.partstat)
    return f"{guest.address} ({answer})" if answer else guest.address


def when(given: When | Span) -> str:
    """As on the wall clock there: ``2026-03-02 09:00 to 10:00 Europe/Vienna``; the last day of what lasts whole days.

    Of a to-do, when it is due.
    """
    if isinstance(given, Span):
        return f"due {_place(given.due)}" if given.due else f"from {_place(given.start)}" if given.start else ""
    if given.all_day:
        last = given.end - dt.timedelta(days=1)
        return f"{given.start}" if last <= given.start else f"{given.start} to {last}"
    same_day = given.end.isoformat()[:10] == given.start.isoformat()[:10]
    end = f"{given.end:%H:%M}" if same_day else f"{given.end:%Y-%m-%d %H:%M}"
    zones = " ".join(filter(None, (given.zone, given.end_zone and f"to {given.end_zone}")))
    return f"{given.start:%Y-%m-%d %H:%M} to {end} {zones}".rstrip()


def begins(data: bytes | None) -> str:
    """When an object begins, on the wall clock there: ``2026-03-02 09:00``; "" if that cannot be read."""
    if data is None:
        return ""
    try:
        return start(view.read(parse(data)).master.when)
    except (InvalidCalendarData, Unmappable):
        return ""


def _place(place: Place) -> str:
    value, zone = place
    return f"{value:%Y-%m-%d %H:%M} {zone or ''}".rstrip() if isinstance(value, dt.datetime) else f"{value}"


def start(given: When | Span) -> str:
    if isinstance(given, Span):
        first = given.start or given.due
        return _place((first[0], None)) if first else ""
    return f"{given.start}" if given.all_day else f"{given.start:%Y-%m-%d %H:%M}"


def _reminder(one: Reminder) -> str:
    return f"{one.minutes} min before" + (" by mail" if one.method == "EMAIL" else "")


def title(data: bytes | None) -> str:
    """An object's title, whatever kind it is; "" if it has none or cannot be read."""
    if data is None:
        return ""
    try:
        return title_of(parse(data))
    except InvalidCalendarData:
        return ""


def title_of(parsed: CalendarObject) -> str:
    component = parsed.master or next(iter(parsed.overrides), None)
    line = component.first("SUMMARY") if component else None
    return one_line(text.normal(text.unescape(line.value))) if line else ""


def one_line(given: str) -> str:
    return " ".join(given.split())


def actor(conn: Connection, who: str) -> str:
    """``device:7`` is "phone (device 7)", ``pair:3`` "Google pair 3", ``cli`` "command line"."""
    kind, _, rest = who.partition(":")
    number = int(rest) if rest.isascii() and rest.isdigit() else None
    match kind:
        case "cli":
            return "command line"
        case "check":
            return "test of a device"
        case "device" if number is not None:
            device = devices.by_id(conn, number)
            return f"{device.label} (device {number})" if device else f"device {number}"
        case "pair" if number is not None:
            return f"{_provider_of(conn, number)} pair {number}".lstrip()
        case "principal" if number is not None:
            person = principals.by_id(conn, number)
            return person.name if person else f"user {number}"
        case "dav":
            return f"{rest} by CalDAV"
    return who


def _provider_of(conn: Connection, pair_id: int) -> str:
    """Nothing once the pair is gone; its number names no other ever after."""
    try:
        pair = pairs.get(conn, pair_id)
    except NotFound:
        return ""
    known = remote_calendars.by_id(conn, pair.remote_calendar_id)
    account = accounts.by_id(conn, known.account_id) if known else None
    return provider(account.provider) if account else ""


def provider(name: str) -> str:
    return _PROVIDERS.get(name, name)
