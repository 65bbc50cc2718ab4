"""When a calendar object takes place, as RFC 4791 §9.9 wants a time-range answered."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from bridge.errors import Unmappable
from bridge.ical import recurrence, times, timing, values, view
from bridge.ical.fields import MASTER, ObjectFields, When
from bridge.ical.lines import Line
from bridge.ical.objects import CalendarObject, Component
from bridge.ical.unrolled import standing
from radicale_plugins.eventlike import as_event

_SECOND = dt.timedelta(seconds=1)
_DAY = dt.timedelta(days=1)
_FIRST_LOOK = dt.timedelta(days=32)
_MAX_REPEATS = 100
_OF_A_SERIES = ("RRULE", "RDATE", "EXRULE", "EXDATE")
EARLIEST = dt.datetime(1, 1, 3, tzinfo=dt.UTC)
LATEST = dt.datetime(
    9999, 12, 29, tzinfo=dt.UTC
)  # leave room to reckon: beyond the year 9999 there is only OverflowError


@dataclass(frozen=True, slots=True)
class Range:
    """[start, end) in aware UTC; None is open."""

    start: dt.datetime | None
    end: dt.datetime | None

    def from_(self) -> dt.datetime:
        return EARLIEST if self.start is None else self.start

    def to(self) -> dt.datetime:
        return LATEST if self.end is None else self.end


class Occurrences:
    """The times of one object. ``first`` and ``last`` are its bounds (``bridge.ical.busy``): both None, never or always."""

    def __init__(
        self, obj: CalendarObject, *, floating: dt.tzinfo, first: dt.datetime | None, last: dt.datetime | None
    ) -> None:
        self._obj = obj
        self._zones = timing.Zones.of(obj)
        self._floating = floating
        self._first = first
        self._last = last

    def touch(self, component: Component, path: tuple[Component, ...], within: Range) -> bool:
        """Whether this component overlaps the range: its own instances, not those that another component overrides."""
        if component.name == "VCALENDAR":
            return any(
                self.touch(each, (component,), within) for each in component.components() if each.name != "VTIMEZONE"
            )
        if component.name == "VALARM" and path:
            return self._alarm(component, path[-1], within)
        if component.name == "VEVENT":
            return self._event(component, within)
        if component.first("RRULE") or component.first("RDATE"):
            return self._recurring(component, within)
        if component.name == "VTODO":
            return self._todo(component, within)
        if component.name == "VJOURNAL":
            return self._journal(component, within)
        return self._bounds_touch(within)

    def value_within(self, line: Line, within: Range) -> bool:
        """A property's own time, for a time-range in a prop-filter."""
        at = self._instant(line)
        if at is None:
            return False
        end = values.shifted(at, _SECOND if "T" in line.value.upper() else _DAY)
        return at < within.to() and end > within.from_()

    @cached_property
    def _fields(self) -> ObjectFields | None:
        try:
            return standing(view.outline(self._obj))
        except Unmappable:
            return None

    def _bounds_touch(self, within: Range) -> bool:
        begins = self._first is None or self._first < within.to()
        return begins and (self._last is None or self._last >= within.from_())

    def _recurring(self, component: Component, within: Range) -> bool:
        """Of to-dos and journal entries that repeat: each instance counts as long as an event would."""
        like = as_event(self._obj)
        if component != self._obj.master or like.master is None:
            return self._bounds_touch(within)
        alike = Occurrences(like, floating=self._floating, first=self._first, last=self._last)
        if timing.read(like.master, self._zones) is None:
            return self._bounds_touch(within)
        return alike._event(like.master, within)

    def _event(self, component: Component, within: Range) -> bool:
        try:
            return any(self._whens(component, within))
        except Unmappable:
            return self._bounds_touch(within)

    def _whens(self, component: Component, within: Range) -> Iterator[When]:
        """This component's instances in the range. Raises Unmappable for a series that cannot be enumerated (RSCALE)."""
        by = self._several(component)
        if by is None:
            when = timing.read(component, self._zones)
            if when is not None and overlaps(when, within, self._floating):
                yield when
            return
        fields = self._fields
        if fields is None:
            raise Unmappable("no neutral view")
        start, end = self._window(within)
        step = _FIRST_LOOK
        while start < end:
            stop = min(end, start + step)
            for each in recurrence.placed(fields, start, stop, floating=self._floating):
                if each.by == by:
                    yield each.when
            start, step = stop, step * 4

    def _several(self, component: Component) -> str | None:
        """What ``recurrence`` calls a component that may describe several instances; None for one that describes itself only.

        Raises Unmappable as ``_whens`` does.
        """
        if component.first("RECURRENCE-ID") is None:
            return MASTER if any(component.first(name) for name in _OF_A_SERIES) else None
        if self._obj.master is None or not timing.reach(component):
            return None
        if self._fields is None:
            raise Unmappable("no neutral view")
        return view.identity(component, self._zones, self._fields.event)

    def _window(self, within: Range) -> tuple[dt.datetime, dt.datetime]:
        """The range, no wider than the object's bounds."""
        start, end = within.from_(), within.to()
        if self._first is not None:
            start = max(start, values.shifted(self._first, -_DAY))
        if self._last is not None:
            end = min(end, values.shifted(self._last, _DAY))
        return start, end

    def _todo(self, component: Component, within: Range) -> bool:
        """The eight rows of RFC 4791 §9.9's table for to-dos."""
        start, end = within.from_(), within.to()
        begin, due = self._at(component, "DTSTART"), self._at(component, "DUE")
        length = _length(component)
        if begin is not None and length is not None:
            over = values.shifted(begin, length)
            return start <= over and (end > begin or end >= over)
        if begin is not None and due is not None:
            return (start < due or start <= begin) and (end > begin or end >= due)
        if begin is not None:
            return start <= begin < end
        if due is not None:
            return start < due <= end
        completed, created = self._at(component, "COMPLETED"), self._at(component, "CREATED")
        if completed is not None and created is not None:
            return start <= max(created, completed) and end >= min(created, completed)
        if completed is not None:
            return start <= completed <= end
        return created is None or end > created

    def _journal(self, component: Component, within: Range) -> bool:
        line = component.first("DTSTART")
        return line is not None and self.value_within(line, within)

    def _alarm(self, alarm: Component, parent: Component, within: Range) -> bool:
        """Whether it goes off in the range, repetitions included. Relative to its event's or to-do's own instances."""
        trigger = alarm.first("TRIGGER")
        if trigger is None:
            return False
        absolute = self._instant(trigger)
        for delay in _repeats(alarm):
            if absolute is not None:
                if within.from_() <= values.shifted(absolute, delay) < within.to():
                    return True
                continue
            offset = values.duration(trigger.value)
            if offset is None:
                return False
            at_end = trigger.param("RELATED").upper() == "END"
            shift = offset.total + delay
            edges = self._edges(parent, at_end, shift, within)
            if any(within.from_() <= values.shifted(at, shift) < within.to() for at in edges):
                return True
        return False

    def _edges(self, parent: Component, at_end: bool, shift: dt.timedelta, within: Range) -> Iterator[dt.datetime]:
        if parent.name == "VEVENT":
            near = Range(
                None if within.start is None else values.shifted(within.start, -shift - _DAY),
                None if within.end is None else values.shifted(within.end, _DAY - shift),
            )
            try:
                for when in self._whens(parent, near):
                    yield recurrence.instants(when, self._floating)[at_end]
            except Unmappable:
                return
        else:
            at = self._at(parent, "DUE" if at_end else "DTSTART") or self._at(parent, "DUE")
            if at is not None:
                yield at

    def _at(self, component: Component, name: str) -> dt.datetime | None:
        line = component.first(name)
        return None if line is None else self._instant(line)

    def _instant(self, line: Line) -> dt.datetime | None:
        """When a DATE or DATE-TIME property is, by the object's own time zones and nobody else's (D-01)."""
        place = self._zones.place(line, line.value)
        return None if place is None else times.instant(*place, floating=self._floating)


def overlaps(when: When, within: Range, floating: dt.tzinfo) -> bool:
    """RFC 4791 §9.9's table for events; one that lasts no time is in the range that begins with it."""
    begin, end = recurrence.instants(when, floating)
    return begin < within.to() and (end > within.from_() or begin >= within.from_())


def _length(component: Component) -> dt.timedelta | None:
    line = component.first("DURATION")
    duration = None if line is None else values.duration(line.value)
    return None if duration is None else duration.total


def _repeats(alarm: Component) -> Iterator[dt.timedelta]:
    """The delays at which an alarm goes off: at once, and REPEAT times more (RFC 5545 §3.8.6.2)."""
    yield dt.timedelta()
    line, pause = alarm.first("REPEAT"), _length(alarm)
    if line is not None and pause is not None and line.value.strip().isdigit():
        for n in range(1, min(int(line.value), _MAX_REPEATS) + 1):
            yield n * pause
