"""What of a calendar object a remote does not hold, and therefore stays in the hub: nothing is left out in silence. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from bridge.errors import InvalidCalendarData, Unmappable
from bridge.ical import alarms, objects, others, readable, view
from bridge.ical.fields import EventFields, ObjectFields
from bridge.ical.objects import CalendarObject, Component
from bridge.sync import guests, parts
from bridge.sync.plan import BEYOND, within_time
from bridge.sync.ports import Lens

_PLAIN = {field.name: field.default for field in fields(EventFields)}
_USUAL = {
    ("status", "CONFIRMED"),
    ("classification", "PUBLIC"),
}  # as if nothing were said (RFC 5545 §3.8.1.3, §3.8.1.11)
_NAMES = {"transp": "TRANSP", "show_as": "X-MICROSOFT-CDO-BUSYSTATUS", "classification": "CLASS", "reminders": "VALARM"}


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
    full, spread = seen.fields, parts.spread(seen, lens, now=now)
    if spread.whole:
        return Fidelity(True, _kept(obj, _side_by_side(full, within_time(lens.view(full)))), keys=spread.keys)
    events = [*(() if seen.headless else (full.master,)), *full.overrides.values()]
    singles = [(event, within_time(lens.view(ObjectFields(event))).master) for event in events]
    return Fidelity(True, _kept(obj, singles), spread.why, spread.keys, cut=spread.cut)


Pairs = Sequence[tuple[EventFields, EventFields]]
"""Events as they are here, and as they are there."""


def _side_by_side(full: ObjectFields, seen: ObjectFields) -> Pairs:
    both = ((event, seen.overrides[key]) for key, event in full.overrides.items() if key in seen.overrides)
    return [(full.master, seen.master), *both]


def _kept(obj: CalendarObject, pairs: Pairs) -> tuple[str, ...]:
    names = {name for here, there in pairs for name in _lost(here, there)}
    carried = {line for _, there in pairs for line in there.others}
    components = [each for each in (obj.master, *obj.overrides) if each is not None]
    names |= {name for component in components for name in _unexpressed(component, carried)}
    if any(alarms.reminder(alarm) is None for each in components for alarm in each.components("VALARM")):
        names.add(_NAMES["reminders"])
    return tuple(sorted(names))


def _lost(here: EventFields, there: EventFields) -> Iterator[str]:
    """What is said in other words there is not lost; but of several alarms or categories each counts."""
    for name, usual in _PLAIN.items():
        ours, theirs = getattr(here, name), getattr(there, name)
        if (
            ours != theirs
            and name not in ("when", "others")
            and (name, ours) not in _USUAL
            and (theirs == usual or _fewer(ours, theirs))
        ):
            yield _NAMES.get(name, name.upper())


def _fewer(ours: Any, theirs: Any) -> bool:
    return isinstance(ours, tuple) and len(theirs) < len(ours)


def _unexpressed(component: Component, carried: Collection[str]) -> set[str]:
    """Names of what no field tells of, but for the lines that are ``carried`` there as they are."""
    properties = [child for child in component.children if not isinstance(child, Component) and child.name]
    told = {*others.TOLD, "CONFERENCE" if view.conference(component) else ""}
    untold = (line for line in properties if not readable.told(line))
    names = {line.name for line in untold if f"{line.head}:{line.value}" not in carried} - told
    return names | {child.name for child in component.components() if child.name != "VALARM"}
