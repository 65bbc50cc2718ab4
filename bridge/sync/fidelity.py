"""What of a calendar object a remote does not hold, and therefore stays in the hub: nothing is left out in silence. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from bridge.errors import InvalidCalendarData, Unmappable
from bridge.ical import alarms, objects, others, readable, spans, todo, view
from bridge.ical.fields import EventFields, ObjectFields, Span, TodoFields
from bridge.ical.objects import CalendarObject
from bridge.ical.timing import Zones
from bridge.sync import guests, parts
from bridge.sync.plan import BEYOND, within_time
from bridge.sync.ports import Lens

_USUAL = {
    ("status", "CONFIRMED"),
    ("classification", "PUBLIC"),
    ("status", "NEEDS-ACTION"),
}  # as if nothing were said (RFC 5545 §3.8.1.3, §3.8.1.11)
_NAMES = {
    "show_as": "X-MICROSOFT-CDO-BUSYSTATUS",
    "classification": "CLASS",
    "reminders": "VALARM",
    "alarms": "VALARM",
    "percent": "PERCENT-COMPLETE",
    "rules": "RRULE",
    "parent": "RELATED-TO",
}


_USUALLY: Mapping[type, Mapping[str, Any]] = {
    kind: {each.name: each.default for each in fields(kind) if each.name != "when"}
    for kind in (EventFields, TodoFields)
}
_OF_TODOS = frozenset(
    {
        *("UID", "DTSTAMP", "CREATED", "LAST-MODIFIED", "SEQUENCE"),
        *("DTSTART", "DUE", "DURATION", "RRULE", "RDATE", "EXRULE", "EXDATE", "RECURRENCE-ID"),
        *("SUMMARY", "DESCRIPTION", "LOCATION", "CATEGORIES", "PRIORITY", "URL", "STATUS", "CLASS"),
        *("COMPLETED", "PERCENT-COMPLETE"),
    }
)
"""Properties of a VTODO that fields tell of, or that each side has of its own."""


@dataclass(frozen=True, slots=True)
class Fidelity:
    """``shown`` whole, in ``parts`` (of which ``keys`` are), or not at all, and ``why``; ``kept``: names of properties.

    ``cut``: not all occurrences are shown, but those of a window around now only.
    """

    shown: bool
    kept: tuple[str, ...] = ()
    why: str = ""
    keys: tuple[str, ...] = ()
    cut: bool = False

    @property
    def whole(self) -> bool:
        return self.shown and not self.why

    @property
    def perfect(self) -> bool:
        return self.whole and not self.kept and not self.keys


def assess(data: bytes, lens: Lens, *, now: dt.datetime, home: bool) -> Fidelity:
    """``now`` is aware UTC; ``home``: its guests are told there, elsewhere they are nobody's to know (R1)."""
    try:
        seen = parts.read(data)
        seen = seen if home else replace(seen, fields=guests.without(seen.fields))
        return _assess(objects.parse(data), seen, lens, now)
    except (Unmappable, InvalidCalendarData) as error:
        return Fidelity(shown=False, why=str(error))
    except OverflowError:
        return Fidelity(shown=False, why=BEYOND)


def _assess(obj: CalendarObject, seen: parts.Seen, lens: Lens, now: dt.datetime) -> Fidelity:
    full = seen.fields
    if isinstance(full.master, TodoFields):
        return Fidelity(True, _kept(obj, [(full.master, within_time(lens.view(full)).master)]))
    spread = parts.spread(seen, lens, now=now)
    if spread.whole:
        return Fidelity(True, _kept(obj, _side_by_side(full, within_time(lens.view(full)))), keys=spread.keys)
    events = [*(() if seen.headless else (full.event,)), *full.overrides.values()]
    singles = [(event, within_time(lens.view(ObjectFields(event))).master) for event in events]
    return Fidelity(True, _kept(obj, singles), spread.why, spread.keys, cut=spread.cut)


Component = EventFields | TodoFields
Pairs = Sequence[tuple[Component, Component]]
"""Events and to-dos as they are here, and as they are there."""


def _side_by_side(full: ObjectFields, seen: ObjectFields) -> Pairs:
    both = ((event, seen.overrides[key]) for key, event in full.overrides.items() if key in seen.overrides)
    return [(full.master, seen.master), *both]


def _kept(obj: CalendarObject, pairs: Pairs) -> tuple[str, ...]:
    names = {name for here, there in pairs for name in _lost(here, there)}
    carried = {line for _, there in pairs if isinstance(there, EventFields) for line in there.others}
    components = [each for each in (obj.master, *obj.overrides) if each is not None]
    names |= {name for component in components for name in _unexpressed(component, carried)}
    if any(not _told(alarm, each, obj) for each in components for alarm in each.components("VALARM")):
        names.add(_NAMES["reminders"])
    return tuple(sorted(names))


def _told(alarm: objects.Component, component: objects.Component, obj: CalendarObject) -> bool:
    """Whether there is a field that tells of it."""
    if obj.component == "VTODO":
        zones = Zones.of(obj)
        return alarms.ring(alarm, spans.read(component, zones), zones) is not None
    return alarms.reminder(alarm) is not None


def _lost(here: Component, there: Component) -> Iterator[str]:
    """What is said in other words there is not lost; but of several alarms or categories each counts."""
    if isinstance(here, TodoFields) and isinstance(there, TodoFields):
        yield from _lost_of(here.when, there.when)
    for name in (each.name for each in fields(here)):
        ours, theirs, usual = getattr(here, name), getattr(there, name), _USUALLY[type(here)].get(name)
        if (
            ours != theirs
            and name not in ("when", "others")
            and (name, ours) not in _USUAL
            and (theirs == usual or _fewer(ours, theirs))
        ):
            yield _NAMES.get(name, name.upper())


def _lost_of(here: Span, there: Span) -> Iterator[str]:
    """A beginning, and the time of day at which it is due (X-62, X-63)."""
    for name, ours, theirs in (("DTSTART", here.start, there.start), ("DUE", here.due, there.due)):
        if ours is not None and (
            theirs is None or isinstance(ours[0], dt.datetime) > isinstance(theirs[0], dt.datetime)
        ):
            yield name


def _fewer(ours: Any, theirs: Any) -> bool:
    return isinstance(ours, tuple) and len(theirs) < len(ours)


def _unexpressed(component: objects.Component, carried: Collection[str]) -> set[str]:
    """Names of what no field tells of, but for the lines that are ``carried`` there as they are."""
    properties = [child for child in component.children if not isinstance(child, objects.Component) and child.name]
    told = {*(_OF_TODOS if component.name == "VTODO" else others.TOLD)}
    told.add("CONFERENCE" if view.conference(component) else "")
    told.add("RELATED-TO" if component.name == "VTODO" and todo.parent(component) else "")
    untold = (line for line in properties if component.name == "VTODO" or not readable.told(line))
    names = {line.name for line in untold if f"{line.head}:{line.value}" not in carried} - told
    return names | {child.name for child in component.components() if child.name != "VALARM"}
