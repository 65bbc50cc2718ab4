"""The bounds of an object in time, for the index rows of time-range queries (RFC 4791 §9.9).

Bounds may be wider than the truth, never narrower: a query looks closer at what they let through.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from bridge.errors import Unmappable
from bridge.ical import normal, recurrence, rules, times, timing, values
from bridge.ical.fields import EventFields, ObjectFields, Place, When
from bridge.ical.objects import CalendarObject, Component
from bridge.ical.timing import Zones

_EAST, _WEST = dt.timedelta(hours=14), dt.timedelta(hours=12)  # the zones furthest from UTC, for times in no zone
_COUNTED = 5000  # a rule with a COUNT is followed so far, or until this many years; one that goes on counts as endless
_DAY = dt.timedelta(days=1)
_LAST = values.midnight(dt.date.max)
_YEARS = dt.timedelta(days=100 * 366)


class _Span(NamedTuple):
    """Aware UTC; no end is endless."""

    first: dt.datetime
    last: dt.datetime | None


def bounds(obj: CalendarObject) -> tuple[dt.datetime | None, dt.datetime | None]:
    """(start of its first occurrence, end of its last), aware UTC; a None end is endless, (None, None) always matches.

    Never raises: what cannot be read may match anything. All-day and floating times are widened so that they hold in every
    zone. Both bounds are inclusive: a VTODO matches at its very DUE, an event without length at its start. The alarms of
    the object are not looked at.
    """
    zones = Zones.of(obj)
    components = [*([obj.master] if obj.master else []), *obj.overrides]
    try:
        spans = [_component(obj.component, each, zones) for each in components]
    except (ArithmeticError, ValueError, Unmappable):  # times beyond year 9999, rules that make no sense
        return None, None
    known = [span for span in spans if span]
    if not known or len(known) < len(spans):
        return None, None
    for component, own in zip(components, list(known), strict=True):
        if reach := timing.reach(component) if obj.master else "":
            there = _place(component, zones, "RECURRENCE-ID")
            if there is None or reach == "THISANDPRIOR":
                return None, None
            known.append(_onward(known[0], own, there))
    ends = [span.last for span in known if span.last]
    return min(span.first for span in known), max(ends) if len(ends) == len(known) else None


def _onward(series: _Span, own: _Span, there: Place) -> _Span:
    """Where an override for the instance ``there`` and all later ones may put them: each is moved by as much, and lasts as long."""
    first = values.shifted(own.first, -_DAY)  # by the clock, so an hour before it in some zones
    if series.last is None or own.last is None:
        return _Span(first, None)
    return _Span(first, values.shifted(series.last, own.last - _earliest(*there) + _DAY))


def _component(kind: str, component: Component, zones: Zones) -> _Span | None:
    """None where nothing is known of its time."""
    if kind == "VFREEBUSY":
        return _around(_free_busy(component, zones))
    when = _todo(component, zones) if kind == "VTODO" else timing.read(component, zones)
    if kind == "VTODO" and when is None:
        return _undated(component, zones)
    if kind not in ("VEVENT", "VTODO", "VJOURNAL") or when is None:
        return None
    if kind == "VJOURNAL":
        when = timing.default(when.start, when.zone)
    return _recurring(component, zones, when)


def _recurring(component: Component, zones: Zones, when: When) -> _Span:
    start, end = _earliest(when.start, when.zone), _latest(when.end, when.end_zone or when.zone)
    fields = ObjectFields(EventFields(when), normal.rules(component, zones))
    spans = [_Span(start, end)]
    for date in recurrence.dates(fields):
        length = end - start if date.length is None else date.length + 2 * _DAY
        spans.append(_Span(_earliest(date.at, when.zone), values.shifted(_latest(date.at, when.zone), length)))
    for line in fields.recurrence:
        if line.startswith("RRULE:"):
            last = _last(rules.parse(line.removeprefix("RRULE:"), when.start), when.zone)
            spans.append(_Span(start, values.shifted(last, end - start) if last else None))
    ends = [span.last for span in spans if span.last]
    return _Span(min(span.first for span in spans), max(ends) if len(ends) == len(spans) else None)


def _last(rule: rules.Rule, zone: str | None) -> dt.datetime | None:
    """No later than this does the rule's last instance begin; None if it is endless."""
    if rule.until:
        return values.shifted(_latest(rule.until.value, "UTC" if rule.until.utc else zone), _DAY)
    if rule.count is None:
        return None
    found = rule.occurrences(
        since=rule.start,
        until=rule.start + min(_YEARS, _LAST - rule.start),
        instant=lambda at: times.instant(at, zone, floating=dt.UTC),
    )
    ends = list(itertools.islice(found, _COUNTED))
    return _latest(ends[-1] if ends else rule.start, zone) if len(ends) in (0, rule.count) else None


def _todo(component: Component, zones: Zones) -> When | None:
    """A to-do from its DTSTART to its DUE, or around the one it has."""
    start, due = (_place(component, zones, name) for name in ("DTSTART", "DUE"))
    if start and due:
        forth, back = timing.between(*start, *due), timing.between(*due, *start)
        return forth if forth.end > forth.start else back
    if start:
        return timing.read(component, zones)
    return timing.default(*due) if due else None


def _undated(component: Component, zones: Zones) -> _Span | None:
    """A to-do by when it was made and done (the table of RFC 4791 §9.9)."""
    created, completed = (_place(component, zones, name) for name in ("CREATED", "COMPLETED"))
    if created and not completed:
        return _Span(_earliest(*created), None)
    return _around(place for place in (created, completed) if place)


def _free_busy(component: Component, zones: Zones) -> Iterator[Place]:
    start, end = (_place(component, zones, name) for name in ("DTSTART", "DTEND"))
    if start and end:
        yield from (start, end)
        return
    for line in component.every("FREEBUSY"):
        for period in line.value.split(","):
            first, _, last = period.partition("/")
            if place := zones.place(line, first):
                yield place
                length = values.duration(last)
                begin = times.instant(*place, floating=dt.UTC)
                if end := (begin.replace(tzinfo=None) + length.total, "UTC") if length else zones.place(line, last):
                    yield end


def _place(component: Component, zones: Zones, name: str) -> Place | None:
    line = component.first(name)
    return zones.place(line, line.value) if line else None


def _around(places: Iterable[Place]) -> _Span | None:
    known = list(places)
    if not known:
        return None
    return _Span(min(_earliest(*place) for place in known), max(_latest(*place) for place in known))


def _earliest(value: dt.date | dt.datetime, zone: str | None) -> dt.datetime:
    moment = times.instant(value, zone, floating=dt.UTC)
    return moment if zone else values.shifted(moment, -_EAST)


def _latest(value: dt.date | dt.datetime, zone: str | None) -> dt.datetime:
    moment = times.instant(value, zone, floating=dt.UTC)
    return moment if zone else values.shifted(moment, _WEST)
