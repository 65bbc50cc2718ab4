"""The neutral fields of a calendar object: what two sides can be compared and merged by.

A calendar object resource (RFC 4791: all components with one UID) is bytes in the hub. ``ObjectFields`` is what a provider
can be told about it, in the terms of RFC 5545: a master, its rule, and what became of single instances; the master is an event
or a to-do. Two ``ObjectFields`` are compared with ``diff``; a difference is laid upon another with ``patch``. All of it is pure
and immutable, and turns into JSON and back, because the sync keeps such values as its bases.

An instance is named by its *original* start however often it is moved (``instance_key``).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from bridge.errors import Unmappable
from bridge.ical import readable

MASTER = ""
"""The path's first half for the master component; any other value is an instance key."""

Place = tuple[dt.date | dt.datetime, str | None]
"""A date or naive wall-clock time, and its zone: an IANA name, ``"UTC"``, or None for dates and floating times."""


@dataclass(frozen=True, slots=True)
class When:
    """Start, end, zone and all-day: one field, because half of it is never merged (DESIGN §2).

    ``start`` and ``end`` are either both ``date`` (all-day) or both naive wall-clock ``datetime`` in ``zone``.
    ``end`` is exclusive and always present: a DURATION or a missing DTEND has been resolved. ``zone`` is an IANA name,
    ``"UTC"``, or None for all-day and floating times. ``end_zone`` is None unless the end is in another zone (X-09).
    """

    start: dt.date | dt.datetime
    end: dt.date | dt.datetime
    zone: str | None = None
    end_zone: str | None = None

    @property
    def all_day(self) -> bool:
        return not isinstance(self.start, dt.datetime)

    @property
    def floating(self) -> bool:
        return isinstance(self.start, dt.datetime) and self.zone is None


@dataclass(frozen=True, slots=True, order=True)
class Reminder:
    """An alarm a fixed number of minutes before the start (0 or more): the kind every provider knows (X-50)."""

    minutes: int
    method: Literal["DISPLAY", "EMAIL"] = "DISPLAY"


Role = Literal["REQUIRED", "OPTIONAL", "RESOURCE"]
PartStat = Literal["NEEDS-ACTION", "ACCEPTED", "DECLINED", "TENTATIVE"]


@dataclass(frozen=True, slots=True, order=True)
class Attendee:
    """One who is asked to come (RFC 5545 §3.8.4.1). ``address`` is a mail address in lower case, without ``mailto:``."""

    address: str
    name: str = ""
    role: Role = "REQUIRED"
    partstat: PartStat = "NEEDS-ACTION"


ShowAs = Literal["", "TENTATIVE", "OOF", "WORKINGELSEWHERE"]
"""More about time that is taken, in the words of X-MICROSOFT-CDO-BUSYSTATUS ([MS-OXCICAL] §2.1.3.1.1.20.31, X-20)."""


@dataclass(frozen=True, slots=True)
class EventFields:
    """One component. Text is NFC with LF line ends; "" means absent (S-06)."""

    when: When
    summary: str = ""
    description: str = ""
    location: str = ""
    status: Literal["", "CONFIRMED", "TENTATIVE", "CANCELLED"] = ""
    transp: Literal["OPAQUE", "TRANSPARENT"] = "OPAQUE"
    show_as: ShowAs = ""  # of time that is OPAQUE only
    classification: Literal["", "PUBLIC", "PRIVATE", "CONFIDENTIAL"] = ""
    reminders: tuple[Reminder, ...] = ()  # sorted, without repeats
    categories: tuple[str, ...] = ()
    priority: int = 0  # RFC 5545 §3.8.1.9: 0 undefined, 1 highest, 9 lowest
    url: str = ""
    conference: str = ""  # where to join by video or phone: an http or https address (RFC 7986 §5.11)
    others: tuple[str, ...] = ()  # unfolded content lines of properties without a field, sorted (bridge.ical.others)
    organizer: str = ""  # a mail address in lower case; "" where there is none, or none with a mail address
    attendees: tuple[Attendee, ...] = ()  # by address, each once; merged one by one (bridge.sync.guests)
    color: str = ""  # a name of CSS3 in lower case (RFC 7986 §5.9)
    geo: str = ""  # "latitude;longitude" in degrees, in the form of bridge.ical.geo
    aside: str | None = None  # what is noted beside it on a remote (bridge.sync.asides); None: nobody has said


@dataclass(frozen=True, slots=True)
class Span:
    """When a to-do may begin and when it is due (RFC 5545 §3.6.2): one field, like ``When``, but either may be missing.

    A DURATION has been resolved. Both are of one kind, dates or times, and the end is not before the start. As a date
    ``due`` is the last day itself, not the one behind it: RFC 5545 does not say, and every client shows it so.
    """

    start: Place | None = None
    due: Place | None = None


@dataclass(frozen=True, slots=True)
class TodoFields:
    """One VTODO. Text is NFC with LF line ends; "" means absent (S-06).

    ``rules`` are unfolded RRULE, RDATE and EXRULE lines: phones that complete one occurrence move the whole to-do on, so its
    instances are no fields. ``alarms`` say when each rings, a relative one reckoned from what it is relative to.
    """

    when: Span = field(default_factory=Span)
    summary: str = ""
    description: str = ""
    location: str = ""
    status: Literal["", "NEEDS-ACTION", "IN-PROCESS", "COMPLETED", "CANCELLED"] = ""
    completed: dt.datetime | None = None  # aware UTC, whole seconds
    percent: int = 0  # RFC 5545 §3.8.1.8: 0 … 100
    classification: Literal["", "PUBLIC", "PRIVATE", "CONFIDENTIAL"] = ""
    categories: tuple[str, ...] = ()
    priority: int = 0  # as that of an event
    url: str = ""
    rules: tuple[str, ...] = ()
    alarms: tuple[Place, ...] = ()  # sorted as they are written, without repeats
    parent: str = ""  # the UID of the to-do that it is a part of (RFC 5545 §3.8.4.5)


@dataclass(frozen=True, slots=True)
class ObjectFields:
    """A single event, a whole series, or a to-do.

    ``recurrence`` holds unfolded RRULE, RDATE and EXRULE lines, never EXDATE: an excluded instance stands in
    ``cancelled``, whichever way a side writes it down (G-61, M-47). ``overrides`` are complete components by instance key; one that
    holds for all later instances, too, has a mark behind its key (``bridge.ical.onward``).
    A to-do has none of these: its rule is one of its own fields.
    """

    master: EventFields | TodoFields
    recurrence: tuple[str, ...] = ()
    overrides: Mapping[str, EventFields] = field(default_factory=dict)
    cancelled: frozenset[str] = frozenset()

    @property
    def event(self) -> EventFields:
        """The master of what is known to be an event. Raises Unmappable."""
        if not isinstance(self.master, EventFields):
            raise Unmappable("a VTODO, not an event")
        return self.master

    @property
    def todo(self) -> TodoFields:
        """What is known to be a to-do. Raises Unmappable."""
        if not isinstance(self.master, TodoFields):
            raise Unmappable("a VEVENT, not a to-do")
        return self.master


Path = tuple[str, str]
"""(MASTER or an instance key, a field's name). ("", "recurrence") is the rule; (key, "state") says what the instance is."""

SCHEDULE: frozenset[Path] = frozenset({(MASTER, "when"), (MASTER, "recurrence")})
"""What says which instances there are."""

Change = Mapping[Path, Any]
"""New values by path. (key, "state") is "regular", "override" or "cancelled"; an instance that becomes an override
carries all its fields, one that stays an override only those which differ."""


_EVENT = tuple(f.name for f in dataclasses.fields(EventFields))
_DEFAULTS = {f.name: f.default for f in dataclasses.fields(EventFields)}
_TODO = TodoFields()
_LISTS = ("categories", "others", "recurrence", "rules")


def state(fields: ObjectFields, key: str) -> Literal["regular", "override", "cancelled"]:
    """What an instance is; one that is both excluded and overridden is cancelled."""
    if key in fields.cancelled:
        return "cancelled"
    return "override" if key in fields.overrides else "regular"


def diff(base: ObjectFields, new: ObjectFields) -> Change:
    """What has to change in ``base`` for it to be ``new``; empty if they are equal. Raises Unmappable for two kinds of objects."""
    change = _differing(MASTER, base.master, new.master)
    if base.recurrence != new.recurrence:
        change[MASTER, "recurrence"] = new.recurrence
    for key in sorted({*base.overrides, *base.cancelled, *new.overrides, *new.cancelled}):
        before, after = state(base, key), state(new, key)
        if before != after:
            change[key, "state"] = after
            if after == "override":
                change.update({(key, name): getattr(new.overrides[key], name) for name in _EVENT})
        elif after == "override":
            change.update(_differing(key, base.overrides[key], new.overrides[key]))
    return change


def differ(name: str, before: Any, now: Any) -> bool:
    """Whether a field says something else. What nobody has said of an ``aside`` differs from nothing."""
    return bool(before != now) and not (name == "aside" and None in (before, now))


def _differing(key: str, base: EventFields | TodoFields, new: EventFields | TodoFields) -> dict[Path, Any]:
    if type(base) is not type(new):
        raise Unmappable("an event has become a to-do, or a to-do an event")
    pairs = ((each.name, getattr(base, each.name), getattr(new, each.name)) for each in dataclasses.fields(base))
    return {(key, name): value for name, before, value in pairs if differ(name, before, value)}


def patch(base: ObjectFields, change: Change) -> ObjectFields:
    """Lay a change upon ``base``: ``patch(base, diff(base, new)) == new`` where no instance is both excluded and overridden.

    (But for an ``aside`` of which one of the two says nothing.)

    Raises ValueError for single fields of an instance that is no override and does not become a complete one.
    """
    by_key: dict[str, dict[str, Any]] = {}
    for (key, name), value in change.items():
        by_key.setdefault(key, {})[name] = value
    master = by_key.pop(MASTER, {})
    recurrence = master.pop("recurrence", base.recurrence)
    overrides, cancelled = dict(base.overrides), set(base.cancelled)
    for key, news in by_key.items():
        after = news.pop("state", state(base, key))
        cancelled.discard(key)
        before = overrides.pop(key, None)
        if after == "cancelled":
            cancelled.add(key)
        elif after == "override":
            overrides[key] = _patched(before, news, key)
        elif news:
            raise ValueError(f"fields of {key}, which is no override: {', '.join(sorted(news))}")
    return ObjectFields(dataclasses.replace(base.master, **master), tuple(recurrence), overrides, frozenset(cancelled))


def _patched(before: EventFields | None, news: Mapping[str, Any], key: str) -> EventFields:
    if before is not None:
        return dataclasses.replace(before, **news)
    if missing := set(_EVENT) - news.keys():
        raise ValueError(f"{key} becomes an override without {', '.join(sorted(missing))}")
    return EventFields(**news)


def to_json(fields: ObjectFields) -> dict[str, Any]:
    """As plain JSON values, to be kept as a base; what is at its default is left out."""
    if isinstance(fields.master, TodoFields):
        return {"todo": _todo_to_json(fields.master)}
    return {
        "master": _event_to_json(fields.master),
        "recurrence": list(fields.recurrence),
        "overrides": {key: _event_to_json(event) for key, event in sorted(fields.overrides.items())},
        "cancelled": sorted(fields.cancelled),
    }


def from_json(value: Mapping[str, Any]) -> ObjectFields:
    """The inverse of ``to_json``."""
    if "todo" in value:
        return ObjectFields(_todo_from_json(value["todo"]))
    return ObjectFields(
        _event_from_json(value["master"]),
        tuple(value["recurrence"]),
        {key: _event_from_json(event) for key, event in value["overrides"].items()},
        frozenset(value["cancelled"]),
    )


def change_to_json(change: Change) -> list[list[Any]]:
    """A change as a sorted list of [key, field, value]."""
    return [
        [key, name, _value_to_json(name, value)] for (key, name), value in sorted(change.items(), key=lambda i: i[0])
    ]


def change_from_json(value: Sequence[Sequence[Any]]) -> Change:
    """The inverse of ``change_to_json``; an instance that appears names all its fields, also those that came later."""
    change: dict[Path, Any] = {(key, name): _value_from_json(name, plain) for key, name, plain in value}
    for key, name in list(change):
        if name == "others":
            lifted, rest = readable.lifted(change[key, name])
            change |= {(key, name): tuple(rest), **{(key, field): found for field, found in lifted.items()}}
    for key, name in list(change):
        if name == "state" and change[key, name] == "override":
            defaults = ((field, _DEFAULTS[field]) for field in _EVENT if field != "when")
            change = {(key, field): default for field, default in defaults} | change
    return change


def _event_to_json(event: EventFields) -> dict[str, Any]:
    pairs = ((each, getattr(event, each.name)) for each in dataclasses.fields(event))
    return {each.name: _value_to_json(each.name, value) for each, value in pairs if value != each.default}


def _event_from_json(value: Mapping[str, Any]) -> EventFields:
    lifted, rest = readable.lifted(value.get("others", ()))  # a base may be older than these fields
    if lifted:
        value = {**lifted, **value, "others": rest}
    return EventFields(**{name: _value_from_json(name, plain) for name, plain in value.items()})


def _todo_to_json(todo: TodoFields) -> dict[str, Any]:
    pairs = ((each.name, getattr(todo, each.name)) for each in dataclasses.fields(todo))
    return {name: _value_to_json(name, value) for name, value in pairs if value != getattr(_TODO, name)}


def _todo_from_json(value: Mapping[str, Any]) -> TodoFields:
    return TodoFields(**{name: _value_from_json(name, plain) for name, plain in value.items()})


def _value_to_json(name: str, value: Any) -> Any:
    if isinstance(value, Span):
        places = {"begins": value.start, "due": value.due}
        return {end: [place[0].isoformat(), place[1]] for end, place in places.items() if place is not None}
    if name == "alarms":
        return [[at.isoformat(), zone] for at, zone in value]
    if name == "completed":
        return value.isoformat() if value is not None else None
    if name == "when":
        zones = {"zone": value.zone, "end_zone": value.end_zone}
        named = {key: zone for key, zone in zones.items() if zone is not None}
        return {"start": value.start.isoformat(), "end": value.end.isoformat(), **named}
    if name == "reminders":
        return [[reminder.minutes, reminder.method] for reminder in value]
    if name == "attendees":
        return [[each.address, each.name, each.role, each.partstat] for each in value]
    return list(value) if name in _LISTS else value


def _value_from_json(name: str, value: Any) -> Any:
    if name == "when" and "start" not in value:
        return Span(**{{"begins": "start"}.get(end, end): (_moment(at), zone) for end, (at, zone) in value.items()})
    if name == "alarms":
        return tuple((_moment(at), zone) for at, zone in value)
    if name == "completed":
        return None if value is None else dt.datetime.fromisoformat(value)
    if name == "when":
        return When(_moment(value["start"]), _moment(value["end"]), value.get("zone"), value.get("end_zone"))
    if name == "reminders":
        return tuple(Reminder(minutes, method) for minutes, method in value)
    if name == "attendees":
        return tuple(Attendee(*each) for each in value)
    return tuple(value) if name in _LISTS else value


def _moment(text: str) -> dt.date | dt.datetime:
    return dt.datetime.fromisoformat(text) if "T" in text else dt.date.fromisoformat(text)
