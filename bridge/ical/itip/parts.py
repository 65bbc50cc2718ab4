"""An object taken apart: its components by instance, who is asked to each, and what of it is for others to see."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from bridge.ical import lines, timing
from bridge.ical.attendees import address
from bridge.ical.draft import Draft
from bridge.ical.fields import When
from bridge.ical.lines import Line
from bridge.ical.objects import CalendarObject, Component
from bridge.ical.placing import Places
from bridge.ical.timing import Zones

MASTER = ""
"""The key of the component without a RECURRENCE-ID."""

KINDS = frozenset({"VEVENT", "VTODO"})
"""What people are asked to. Journals are published and never answered."""

TIMES = ("DTSTART", "DTEND", "DURATION", "DUE", "RRULE", "RDATE")
"""Who changes these asks everybody anew (RFC 6638 §3.2.8)."""

STAMPS = frozenset({"DTSTAMP", "CREATED", "LAST-MODIFIED", "SEQUENCE"})
_OF_THE_SERVER = ("SCHEDULE-AGENT", "SCHEDULE-STATUS", "SCHEDULE-FORCE-SEND")
_OWN = frozenset({"TRANSP", "COLOR", "X-MICROSOFT-CDO-BUSYSTATUS"})
_OWN_PREFIXES = ("X-MOZ-", "X-EVOLUTION-", "X-APPLE-TRAVEL", "X-LIC-", "X-WR-")


@dataclass(frozen=True, slots=True)
class Parts:
    """``by_key`` has the master under ``MASTER`` and each override under its instance's key (``timing.key``)."""

    obj: CalendarObject
    zones: Zones
    when: When | None
    by_key: Mapping[str, Component]

    @property
    def places(self) -> Places:
        return Places(self.zones, self.eol)

    @property
    def eol(self) -> str:
        return lines.ending(self.obj.calendar.begin)


def of(obj: CalendarObject) -> Parts:
    """A RECURRENCE-ID that cannot be read leaves its component out: nobody can be told of it."""
    zones = Zones.of(obj)
    when = timing.read(obj.master, zones) if obj.master is not None else None
    by_key = {} if obj.master is None else {MASTER: obj.master}
    for component in obj.overrides:
        key = timing.identity(component, zones, when or timing.read(component, zones) or _NO_TIME)
        if key:
            by_key[key] = component
    return Parts(obj, zones, when, by_key)


_NO_TIME = timing.default(dt.datetime(1970, 1, 1), "UTC")  # noqa: DTZ001 - a place on the clock


def organizer(obj: CalendarObject) -> str:
    """The one organizer's mail address; "" if there is none, it has none, or the components name several."""
    found = {address(line.value) for each in components(obj) for line in each.every("ORGANIZER")}
    return found.pop() if len(found) == 1 else ""


def is_grouped(obj: CalendarObject) -> bool:
    """Whether somebody organises it and somebody is asked: a scheduling object resource (RFC 6638 §2)."""
    return obj.component in KINDS and bool(organizer(obj)) and bool(asked(obj))


def components(obj: CalendarObject) -> list[Component]:
    return [*([] if obj.master is None else [obj.master]), *obj.overrides]


def asked(obj: CalendarObject) -> frozenset[str]:
    """The mail addresses of all attendees, of whatever instance."""
    return frozenset(where for each in components(obj) for where in addresses(each))


def addresses(component: Component) -> frozenset[str]:
    return frozenset(where for line in component.every("ATTENDEE") if (where := address(line.value)))


def line_of(component: Component, who: Collection[str]) -> Line | None:
    """The first ATTENDEE line that names one of these addresses."""
    return next((line for line in component.every("ATTENDEE") if address(line.value) in who), None)


def partstat(component: Component, who: Collection[str]) -> str:
    """The answer; "" if they are not asked."""
    line = line_of(component, who)
    return "" if line is None else (line.param("PARTSTAT").upper() or "NEEDS-ACTION")


def sequence(component: Component) -> int:
    """How often its organizer has changed it in earnest (RFC 5545 §3.8.7.4); 0 for what is no number."""
    line = component.first("SEQUENCE")
    number = "" if line is None else line.value.strip()[:9]
    return int(number) if number.isdecimal() else 0


def is_off(component: Component) -> bool:
    """Whether it is called off."""
    line = component.first("STATUS")
    return line is not None and line.value.strip().upper() == "CANCELLED"


def is_own(name: str) -> bool:
    """A property that everybody has for themselves."""
    return name in _OWN or name.startswith(_OWN_PREFIXES)


def rewritten(obj: CalendarObject, change: Callable[[Component], Component | None], *more: Component) -> CalendarObject:
    """The object with each event or to-do changed, without those that became None, and with more of them at the end."""
    children: list[Line | Component] = []
    for child in obj.calendar.children:
        if isinstance(child, Component) and child.name == obj.component:
            became = change(child)
            children += [] if became is None else [became]
        else:
            children.append(child)
    calendar = replace(obj.calendar, children=(*children, *more))
    found = list(calendar.components(obj.component))
    overrides = tuple(each for each in found if each.first("RECURRENCE-ID"))
    master = next((each for each in found if not each.first("RECURRENCE-ID")), None)
    return replace(obj, calendar=calendar, master=master, overrides=overrides)


def each_line(component: Component, name: str, change: Callable[[Line], Line], eol: str) -> Component:
    """The component with its lines of that name changed."""
    draft = Draft(component, eol)
    for line in draft.every(name):
        new = change(line)
        if new is not line:
            draft.replace(line, new)
    return draft.component()


def shared(component: Component, eol: str) -> Component:
    """What others may see of it: no alarms, nothing of the owner's own, and nothing of how it was sent."""
    draft = Draft(component, eol)
    draft.remove(*draft.components("VALARM"))
    draft.remove(*(line for line in component.children if isinstance(line, Line) and is_own(line.name)))
    transp = component.first("TRANSP")
    if transp is not None:  # to begin with it is for everybody what it is for the organizer
        draft.insert(transp, after=("DTSTAMP", "DTSTART", "SUMMARY"))
    made = draft.component()
    for name in ("ATTENDEE", "ORGANIZER"):
        made = each_line(made, name, lambda line: _without(line, _OF_THE_SERVER, eol), eol)
    return made


def _without(line: Line, params: Iterable[str], eol: str) -> Line:
    gone = [name for name in params if line.param(name)]
    return lines.rewrite(line, line.value, drop=gone, eol=eol) if gone else line


def signature(component: Component, *, but: Collection[str] = STAMPS) -> tuple[str, ...]:
    """What it says, however it is folded and in whatever order; equal where nothing of note differs."""
    own = [
        f"{line.head}:{line.value}" for line in component.children if isinstance(line, Line) and line.name not in but
    ]
    inner = ["".join(child.raws()) for child in component.children if isinstance(child, Component)]
    return tuple(sorted(own) + sorted(inner))
