"""When a to-do begins and is due: DTSTART, DUE and DURATION, read and changed in the terms of ``Span``.

Services that know no more than the day a thing is due change the day; the time of day is the hub's (X-62).
"""

from __future__ import annotations

import datetime as dt

from bridge.ical import times, timing, values
from bridge.ical.draft import Draft
from bridge.ical.fields import Place, Span, When
from bridge.ical.lines import Line
from bridge.ical.objects import Component
from bridge.ical.placing import Places
from bridge.ical.timing import Zones


def read(component: Component, zones: Zones) -> Span:
    """What cannot be read counts as missing."""
    start, due = _place(component.first("DTSTART"), zones), _place(component.first("DUE"), zones)
    line = component.first("DURATION")
    if due is None and start is not None and line and (length := values.duration(line.value)):
        due = _end(timing.lasting(*start, length))
    return normal(Span(start, due))


def normal(what: Span) -> Span:
    """Whole seconds and canonical zones. The due end decides whether both are dates; a start behind it counts as none.

    Idempotent.
    """
    start, due = _canonical(what.start), _canonical(what.due)
    if start is not None and due is not None:
        start = _alike(start, due)
        if _instant(start) > _instant(due):
            start = None
    return Span(start, due)


def day(place: Place, zone: str) -> dt.date:
    """The day that the clock shows: a time in UTC is seen from ``zone``, every other in its own."""
    value, own = place
    if not isinstance(value, dt.datetime):
        return value
    return times.wall(value.replace(tzinfo=dt.UTC), zone).date() if own == "UTC" else value.date()


def due_on(what: Span, on: dt.date | None, zone: str) -> Span:
    """The span with another day on which it is due, at the time of day that it has (X-62); None: it is due no more.

    A start that would be behind the new end moves by as many days.
    """
    if on is None:
        return Span(what.start)
    if what.due is None:
        # both are days then, and a time in UTC is on the day that it is in the zone
        return normal(Span((day(what.start, zone), None) if what.start else None, (on, None)))
    days = on - day(what.due, zone)
    due = _shifted(what.due, days, zone)
    start = what.start
    if start is not None and _instant(_alike(start, due)) > _instant(due):
        start = _shifted(start, days, zone)
    return normal(Span(start, due))


def begins_on(what: Span, on: dt.date | None, zone: str) -> Span:
    """The span with another day on which it begins, at the time of day that it has; None: it has no beginning."""
    if on is None:
        return Span(None, what.due)
    if what.start is None:
        in_utc = what.due is not None and what.due[1] == "UTC"
        midnight = times.instant(values.midnight(on), zone, floating=dt.UTC).replace(tzinfo=None)
        return normal(Span((midnight, "UTC") if in_utc else (on, None), what.due))
    return normal(Span(_shifted(what.start, on - day(what.start, zone), zone), what.due))


def write(draft: Draft, wanted: Span, places: Places) -> None:
    """Rewrite DTSTART, DUE and DURATION, those of them that do not say ``wanted`` already.

    A DURATION stays where it says the end.
    """
    if read(draft.component(), places.zones) == wanted:
        return
    _write(draft, "DTSTART", wanted.start, places, after=("SUMMARY", "UID", "DTSTAMP"))
    if draft.first("DURATION"):
        if read(draft.component(), places.zones) == wanted:
            return
        draft.drop("DURATION")
    _write(draft, "DUE", wanted.due, places, after=("DTSTART", "SUMMARY", "UID", "DTSTAMP"))


def _write(draft: Draft, name: str, wanted: Place | None, places: Places, *, after: tuple[str, ...]) -> None:
    old = draft.first(name)
    if wanted is None:
        draft.drop(name)
    elif old is None:
        draft.insert(places.line(name, wanted), after=after)
    elif places.zones.place(old, old.value) != wanted:
        draft.replace(old, places.line(name, wanted, old))


def _place(line: Line | None, zones: Zones) -> Place | None:
    return zones.place(line, line.value) if line else None


def _canonical(place: Place | None) -> Place | None:
    if place is None:
        return None
    value, zone = place
    if not isinstance(value, dt.datetime):
        return value, None
    return value.replace(microsecond=0, fold=0), times.canonical_zone(zone) if zone else None


def _alike(start: Place, due: Place) -> Place:
    """The start as a date or as a time, whichever the end is, and floating or not as the end is (RFC 5545 §3.8.2.3)."""
    value, zone = start
    if not isinstance(due[0], dt.datetime):
        return (value.date() if isinstance(value, dt.datetime) else value), None
    if not isinstance(value, dt.datetime):
        return values.midnight(value), due[1]
    return value, (zone or due[1]) if due[1] else None


def _end(when: When) -> Place:
    """Where a DURATION ends: that of dates names the day itself, as DUE does."""
    return when.end, when.end_zone or when.zone


def _shifted(place: Place, by: dt.timedelta, zone: str) -> Place:
    """So many days later on the clock; a time in UTC by that of ``zone``."""
    value, own = place
    if isinstance(value, dt.datetime) and own == "UTC":
        wall = values.shifted(times.wall(value.replace(tzinfo=dt.UTC), zone), by)
        return times.instant(wall, zone, floating=dt.UTC).replace(tzinfo=None), "UTC"
    return value + by, own


def _instant(place: Place) -> dt.datetime:
    value, zone = place
    return times.instant(value, zone, floating=dt.UTC)
