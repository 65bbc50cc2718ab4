"""Calendar object resources: bytes in, a component tree over the raw lines out (RFC 4791 §4.1).

The tree holds every physical line, so that ``to_bytes`` gives back exactly what was read. Nothing is registered
anywhere: an object's time zones are its own (D-01).
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from bridge.errors import InvalidCalendarData
from bridge.ical import lines, text
from bridge.ical.lines import Line

LONGEST_UID = 1024
"""Bytes. A UID of any length would be valid (RFC 5545 §3.8.4.7), but an index must hold it."""

_DEEPEST = 64
"""Components within components. RFC 5545, 9073 and 9074 need five, and every reader goes down them by calls."""

_LONGEST_TIMEZONE = 8192  # characters; longer ones are read each time
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
# What may stand at the top of an object and then is what the object is; an unknown component beside one is a guest.
_KINDS = frozenset({"VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY", "VAVAILABILITY", "VPOLL"})


@dataclass(frozen=True, slots=True)
class Component:
    """A component: its BEGIN line, what stands between in its order, and its END line."""

    name: str
    begin: Line
    children: tuple[Line | Component, ...]
    end: Line

    def first(self, name: str) -> Line | None:
        for child in self.children:
            if type(child) is Line and child.name == name:
                return child
        return None

    def every(self, name: str) -> Iterator[Line]:
        return (child for child in self.children if type(child) is Line and child.name == name)

    def components(self, name: str = "") -> Iterator[Component]:
        """The components directly inside, all of them or those of one name."""
        return (child for child in self.children if isinstance(child, Component) and name in ("", child.name))

    def raws(self) -> Iterator[str]:
        """Its physical lines, in their order."""
        yield self.begin.raw
        for child in self.children:
            if isinstance(child, Component):
                yield from child.raws()
            else:
                yield child.raw
        yield self.end.raw


@dataclass(frozen=True, slots=True)
class CalendarObject:
    """All components with one UID, and the time zones they need.

    ``component`` is their kind ("VEVENT", "VTODO", …). ``timezones`` are the VTIMEZONE components by TZID. ``master`` is
    None where there are only overrides (an invitation to a single instance, D-10).
    """

    uid: str
    component: str
    timezones: Mapping[str, Component]
    master: Component | None
    overrides: tuple[Component, ...]
    calendar: Component
    before: tuple[Line, ...] = field(default=(), repr=False)  # empty lines around the calendar
    after: tuple[Line, ...] = field(default=(), repr=False)

    def to_bytes(self) -> bytes:
        around = ("".join(line.raw for line in part) for part in (self.before, self.after))
        return "".join(self.calendar.raws()).join(around).encode("utf-8", "surrogateescape")


def parse(data: bytes) -> CalendarObject:
    """Read one calendar object resource.

    Raises InvalidCalendarData with the precondition of RFC 4791 §5.3.2.1: ``valid-calendar-data``,
    ``valid-calendar-object-resource`` or ``supported-calendar-data``. Whatever that section does not forbid is accepted
    (D-03, D-04).
    """
    return _object(*_whole(data))


def calendar(data: bytes) -> Component:
    """The one VCALENDAR, whatever stands in it: for what is no object of a calendar. Raises InvalidCalendarData."""
    return _whole(data)[1]


def _whole(data: bytes) -> tuple[tuple[Line, ...], Component, tuple[Line, ...]]:
    decoded = data.decode("utf-8", "surrogateescape")
    if control := _CONTROL.search(decoded):
        raise InvalidCalendarData("valid-calendar-data", f"control character U+{ord(control[0]):04X}")
    try:
        return _tree(_content(decoded))
    except UnicodeDecodeError as error:
        raise InvalidCalendarData("valid-calendar-data", "not UTF-8") from error


def _content(decoded: str) -> Iterator[Line | Component]:
    """The lines; but of a time zone the whole component, for its text is the same in most objects of a calendar."""
    done = 0
    while (start := decoded.find("\nBEGIN:VTIMEZONE", done) + 1) > 0:
        end = decoded.find("\nEND:VTIMEZONE", start, start + _LONGEST_TIMEZONE)
        stop = decoded.find("\n", end + 1) + 1
        if end < 0 or not stop or decoded[stop : stop + 1] in (" ", "\t"):  # folded there: not its end
            break
        component = _timezone(decoded[start:stop])
        if component is None:
            break
        yield from lines.read(decoded[done:start])
        yield component
        done = stop
    yield from lines.read(decoded[done:])


@functools.lru_cache(maxsize=128)
def _timezone(block: str) -> Component | None:
    """None if it is not one plain component. Only the text is remembered; what it means is each object's own business (D-01)."""
    if len(block) > 2 * _LONGEST_TIMEZONE:
        return None
    try:
        before, calendar, after = _tree(lines.read(f"BEGIN:VCALENDAR\n{block}END:VCALENDAR\n"))
    except (InvalidCalendarData, UnicodeDecodeError):
        return None
    inside = [*calendar.components()]
    if len(inside) != 1 or len(calendar.children) != 1 or before or after:
        return None
    is_plain = not any(any(part.components()) for part in inside[0].components())
    return inside[0] if is_plain else None


def _tree(content: Iterable[Line | Component]) -> tuple[tuple[Line, ...], Component, tuple[Line, ...]]:
    before: list[Line] = []
    after: list[Line] = []
    calendar: Component | None = None
    open_: list[tuple[str, Line, list[Line | Component]]] = []
    for line in content:
        if isinstance(line, Component):
            if not open_:
                raise InvalidCalendarData("valid-calendar-data", f"{line.name} outside of VCALENDAR")
            if len(open_) > _DEEPEST - 2:
                raise InvalidCalendarData("valid-calendar-data", "components nested too deep")
            open_[-1][2].append(line)
            continue
        name = line.name
        if name == "BEGIN":
            kind = line.value.strip().upper()
            if not open_ and kind != "VCALENDAR":
                raise InvalidCalendarData("valid-calendar-data", f"{kind or 'a component'} outside of VCALENDAR")
            if calendar is not None:
                raise InvalidCalendarData("valid-calendar-object-resource", "several VCALENDAR objects")
            if open_ and kind == "VCALENDAR":
                raise InvalidCalendarData("valid-calendar-data", f"VCALENDAR within {open_[-1][0]}")
            if len(open_) == _DEEPEST:
                raise InvalidCalendarData("valid-calendar-data", "components nested too deep")
            open_.append((kind, line, []))
        elif name == "END":
            kind = line.value.strip().upper()
            if not open_ or open_[-1][0] != kind:
                raise InvalidCalendarData("valid-calendar-data", f"END:{kind} without its BEGIN")
            _, begin, children = open_.pop()
            component = Component(kind, begin, tuple(children), line)
            if open_:
                open_[-1][2].append(component)
            else:
                calendar = component
        elif open_:
            open_[-1][2].append(line)
        elif line.raw.strip("\ufeff \t\r\n"):
            raise InvalidCalendarData("valid-calendar-data", "text outside of VCALENDAR")
        else:
            (before if calendar is None else after).append(line)
    if open_:
        raise InvalidCalendarData("valid-calendar-data", f"BEGIN:{open_[-1][0]} without its END")
    if calendar is None:
        raise InvalidCalendarData("valid-calendar-data", "no VCALENDAR")
    return tuple(before), calendar, tuple(after)


def _object(before: tuple[Line, ...], calendar: Component, after: tuple[Line, ...]) -> CalendarObject:
    if _word(calendar, "VERSION") == "1.0":
        # vCalendar: other escapes, other rules, other alarms under the same names
        raise InvalidCalendarData("supported-calendar-data", "vCalendar 1.0")
    if _word(calendar, "CALSCALE") not in ("", "GREGORIAN"):
        # RFC 5545 §3.7.1 knows no other, and dates that are read in the wrong calendar are worse than none
        raise InvalidCalendarData("valid-calendar-data", "CALSCALE is not GREGORIAN")
    if calendar.first("METHOD"):
        raise InvalidCalendarData("valid-calendar-object-resource", "METHOD is for messages, not for stored objects")
    timezones: dict[str, Component] = {}
    others: list[Component] = []
    for component in calendar.components():
        if component.name != "VTIMEZONE":
            others.append(component)
        elif tzid := component.first("TZID"):
            timezones[text.unescape(tzid.value)] = component
    if any(component.name in _KINDS for component in others):
        others = [component for component in others if component.name in _KINDS]
    if not others:
        raise InvalidCalendarData("valid-calendar-data", "no component besides time zones")
    kind = others[0].name
    if any(component.name != kind for component in others):
        raise InvalidCalendarData("valid-calendar-object-resource", "components of several kinds")
    uids = {uid for component in others for uid in _uids(component)}
    if "" in uids:
        raise InvalidCalendarData("valid-calendar-data", f"{kind} without UID")
    if len(uids) > 1:
        raise InvalidCalendarData("valid-calendar-object-resource", "several UIDs")
    overrides = tuple(component for component in others if component.first("RECURRENCE-ID"))
    if len(others) - len(overrides) > 1:
        raise InvalidCalendarData("valid-calendar-object-resource", "several components without RECURRENCE-ID")
    master = next((component for component in others if not component.first("RECURRENCE-ID")), None)
    return CalendarObject(uids.pop(), kind, timezones, master, overrides, calendar, before, after)


def can_be_kept(uid: str) -> bool:
    """Whether both databases can hold this UID: PostgreSQL has no NUL in its text, and neither has half a character."""
    try:
        return len(uid.encode()) <= LONGEST_UID and "\0" not in uid
    except UnicodeEncodeError:
        return False


def _uids(component: Component) -> list[str]:
    return [text.unescape(line.value).strip() for line in component.every("UID")] or [""]


def _word(calendar: Component, name: str) -> str:
    line = calendar.first(name)
    return line.value.strip().upper() if line else ""
