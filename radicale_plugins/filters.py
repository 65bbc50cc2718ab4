"""The filter of a calendar-query (RFC 4791 §9.7), answered from the object's own lines.

Radicale asks vobject, which keeps one registry of time zones for all people (D-01), fails a whole report for one object it
cannot read (D-10), tests each condition against all components at once (D-12), and takes its time (D-40). Here the bounds
in the object's row decide first; only what they leave open is parsed.
"""

from __future__ import annotations

import datetime as dt
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from bridge.errors import InvalidCalendarData
from bridge.ical import lines, text, times
from bridge.ical import objects as ical
from bridge.ical.lines import Line
from bridge.ical.objects import Component
from bridge.store.objects import StoredObject
from radicale_plugins import dav
from radicale_plugins.occurrences import EARLIEST, LATEST, Occurrences, Range

_MAX_DEPTH = 4  # VCALENDAR, VEVENT, VALARM: deeper components do not exist
_UPPER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}
COLLATIONS: dict[str, Callable[[str], str]] = {
    "i;ascii-casemap": lambda value: value.translate(_UPPER),
    "i;octet": str,
    "i;unicode-casemap": str.casefold,
}
"""RFC 4790, RFC 5051. Who names none gets the last one: it finds whatever the RFC's default would, and "É" for "é"."""

_COLLATIONS = frozenset({*COLLATIONS, "default"})
_MATCHES: dict[str, Callable[[str, str], bool]] = {
    "contains": lambda value, wanted: wanted in value,
    "equals": lambda value, wanted: value == wanted,
    "starts-with": str.startswith,
    "ends-with": str.endswith,
}
_CONDITIONS = {
    "comp-filter": frozenset({"is-not-defined", "time-range", "prop-filter", "comp-filter"}),
    "prop-filter": frozenset({"is-not-defined", "time-range", "text-match", "param-filter"}),
    "param-filter": frozenset({"is-not-defined", "text-match"}),
}
_SERIES = re.compile(rb"^(?:RRULE|RDATE|RECURRENCE-ID)", re.IGNORECASE | re.MULTILINE)
_SECOND = dt.timedelta(seconds=1)
_FLOATING_ERROR = dt.timedelta(hours=26)
"""How far a floating or all-day time may lie inside the row's bounds, which hold in every zone."""


class InvalidFilter(ValueError):
    """The filter breaks the precondition CALDAV:``precondition``. A ValueError is what Radicale's report answers 400 to."""

    def __init__(self, precondition: str, reason: str) -> None:
        super().__init__(reason)
        self.precondition = precondition


class Query:
    """All the filters of one report.

    ``component``, ``start`` and ``end`` narrow the candidates down by index; ``matches`` decides. ``floating`` is the zone
    in which times without one are looked at (RFC 4791 §9.8).
    """

    def __init__(self, filters: Iterable[ET.Element], *, floating: dt.tzinfo) -> None:
        self._roots = [_root(each) for each in filters]
        self.floating = floating
        self.component: str | None = None
        self.start: dt.datetime | None = None
        self.end: dt.datetime | None = None
        self._uid: list[ET.Element] = []
        self._by_row = len(self._roots) <= 1
        for root in self._roots[:1]:
            self._narrow(root)

    def _narrow(self, calendar: ET.Element) -> None:
        self._by_row &= len(calendar) <= 1
        for child in calendar:
            if child.tag != f"{dav.C}comp-filter" or child.find(f"{dav.C}is-not-defined") is not None:
                self._by_row = False
                continue
            if self.component is not None:
                self._by_row = False
                continue
            self.component = _name(child)
            self._by_row &= len(child) <= 1
            for condition in child:
                if condition.tag == f"{dav.C}time-range":
                    within = time_range(condition)
                    self.start, self.end = within.start, within.end
                    if self.component != "VEVENT":  # a to-do is found at the very moment it is due
                        self.start = within.start and within.start - _SECOND
                        self.end = within.end and within.end + _SECOND
                else:
                    self._by_row = False
                    if condition.tag == f"{dav.C}prop-filter" and _name(condition) == "UID":
                        tests = condition.findall(f"{dav.C}text-match")
                        self._uid += (test for test in tests if test.get("negate-condition") != "yes")

    @property
    def is_of_uids(self) -> bool:
        """Whether an object's UID says whether it can match: so clients find again what they know."""
        return bool(self._uid)

    def may_be(self, uid: str) -> bool:
        """Whether what has this UID can match. A UID is kept without the blanks that may stand around it in its line."""
        return all((fold := _folding(test))(_wanted(test)).strip() in fold(uid) for test in self._uid)

    @property
    def is_of_events_in_time(self) -> bool:
        """Whether all that can match are events that take place in the range."""
        return self.component == "VEVENT" and not (self.start is None and self.end is None)

    @property
    def is_of_nothing_else(self) -> bool:
        """Whether ``component``, ``start`` and ``end`` say all there is: whatever meets them matches."""
        return self._by_row

    def matches(self, stored: StoredObject) -> bool:
        try:
            certain = self._row_decides(stored) if self._by_row else None
            return self._decide(stored) if certain is None else certain
        except (InvalidCalendarData, OverflowError):
            # stored by an older version, or at the end of all calendars: the bounds are all that is known of it (R32)
            return self._by_row

    def _decide(self, stored: StoredObject) -> bool:
        obj = ical.parse(stored.data)
        occurrences = Occurrences(obj, floating=self.floating, first=stored.first_at, last=stored.last_at)
        return all(_component(root, obj.calendar, (), occurrences) for root in self._roots)

    def _row_decides(self, stored: StoredObject) -> bool | None:
        if self.component is not None and stored.component != self.component:
            return False
        if self.start is None and self.end is None:
            return True
        if stored.component != "VEVENT" or stored.first_at is None or stored.last_at is None:
            return None
        if _SERIES.search(stored.data):
            return None  # between its bounds it may have gaps
        begins = self.end is None or stored.first_at + _FLOATING_ERROR < self.end
        lasts = self.start is None or self.start < stored.last_at - _FLOATING_ERROR
        return True if begins and lasts else None


def zone_of(properties: Mapping[str, Any]) -> dt.tzinfo:
    """The zone of a collection: its calendar-timezone, else UTC."""
    timezone = properties.get("C:calendar-timezone", "")
    return (zone_from(timezone) if isinstance(timezone, str) else None) or dt.UTC


def zone_from(timezone: str) -> ZoneInfo | None:
    """The zone a VTIMEZONE in iCalendar text names, if it is one we know."""
    try:
        tzid = next((line.value for line in lines.read(timezone) if line.name == "TZID"), "")
    except UnicodeError:
        return None
    return zone_named(text.unescape(tzid).strip())


def zone_named(tzid: str) -> ZoneInfo | None:
    iana = times.resolve_zone(tzid, None) if tzid else None
    return None if iana is None else ZoneInfo(iana)


def time_range(element: ET.Element) -> Range:
    """RFC 4791 §9.9: UTC, one end may be missing, not both. Raises InvalidFilter."""
    start, end = (_utc(element.get(name)) for name in ("start", "end"))
    if start is None and end is None:
        raise InvalidFilter("valid-filter", "a time-range needs a start or an end")
    if start is not None and end is not None and start >= end:
        raise InvalidFilter("valid-filter", "a time-range ends after it starts")
    return Range(start, end)


def _utc(value: str | None) -> dt.datetime | None:
    if value is None:
        return None
    try:
        at = dt.datetime.strptime(value, "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC)
    except ValueError:
        raise InvalidFilter("valid-filter", "a time-range is in UTC") from None
    return min(max(at, EARLIEST), LATEST)


def _root(element: ET.Element) -> ET.Element:
    children = list(element)
    if len(children) != 1 or children[0].tag != f"{dav.C}comp-filter" or _name(children[0]) != "VCALENDAR":
        raise InvalidFilter("valid-filter", "a filter holds one comp-filter, of VCALENDAR")
    _check(children[0], 1)
    return children[0]


def _check(element: ET.Element, depth: int) -> None:
    """An invalid filter is refused as a whole, before anything matches by accident (D-12)."""
    kind = element.tag.removeprefix(dav.C)
    if depth > _MAX_DEPTH:
        raise InvalidFilter("supported-filter", "comp-filters nested too deeply")
    if not element.get("name"):
        raise InvalidFilter("valid-filter", f"a {kind} without a name")
    for child in element:
        condition = child.tag.removeprefix(dav.C)
        if condition not in _CONDITIONS[kind]:
            raise InvalidFilter("valid-filter", f"{condition!r} in a {kind}")
        if condition == "is-not-defined" and len(element) > 1:
            raise InvalidFilter("valid-filter", "is-not-defined stands alone")
        if condition == "time-range":
            time_range(child)
        elif condition == "text-match":
            if child.get("collation", "default") not in _COLLATIONS:
                raise InvalidFilter("supported-collation", "an unknown collation")
            if child.get("negate-condition", "no") not in ("yes", "no"):
                raise InvalidFilter("valid-filter", "negate-condition is yes or no")
            if child.get("match-type", "contains") not in _MATCHES:
                raise InvalidFilter("valid-filter", "an unknown match-type")
        elif condition in _CONDITIONS:
            _check(child, depth + (condition == "comp-filter"))


def _name(element: ET.Element) -> str:
    return element.get("name", "").upper()


def _component(test: ET.Element, component: Component, path: tuple[Component, ...], when: Occurrences) -> bool:
    """Whether this very component meets all conditions of a comp-filter of its name (RFC 4791 §9.7.1)."""
    for condition in test:
        if condition.tag == f"{dav.C}time-range":
            met = when.touch(component, path, time_range(condition))
        elif condition.tag == f"{dav.C}prop-filter":
            met = _property(condition, component, when)
        else:
            inner = (*path, component)
            candidates = component.components(_name(condition))
            if condition.find(f"{dav.C}is-not-defined") is not None:
                met = not any(candidates)
            else:
                met = any(_component(condition, each, inner, when) for each in candidates)
        if not met:
            return False
    return True


def _property(test: ET.Element, component: Component, when: Occurrences) -> bool:
    candidates = component.every(_name(test))
    if test.find(f"{dav.C}is-not-defined") is not None:
        return not any(candidates)
    return any(_line(test, line, when) for line in candidates)


def _line(test: ET.Element, line: Line, when: Occurrences) -> bool:
    for condition in test:
        if condition.tag == f"{dav.C}time-range":
            met = when.value_within(line, time_range(condition))
        elif condition.tag == f"{dav.C}text-match":
            met = _text(condition, text.unescape(line.value))
        else:
            values = line.params.get(_name(condition))
            if condition.find(f"{dav.C}is-not-defined") is not None:
                met = values is None
            else:
                met = values is not None and all(
                    any(_text(match, value) for value in values) for match in condition.findall(f"{dav.C}text-match")
                )
        if not met:
            return False
    return True


def _text(test: ET.Element, value: str) -> bool:
    """A substring, or what ``match-type`` says (CalendarServer's, later RFC 6352's), as the collation compares (RFC 4791 §7.5)."""
    fold = _folding(test)
    matches = _MATCHES[test.get("match-type", "contains")](fold(value), fold(_wanted(test)))
    return matches != (test.get("negate-condition") == "yes")


def _folding(test: ET.Element) -> Callable[[str], str]:
    return COLLATIONS.get(test.get("collation", "default"), str.casefold)


def _wanted(test: ET.Element) -> str:
    return "".join(test.itertext())
