"""When a component takes place: DTSTART, DTEND, DURATION, RECURRENCE-ID and EXDATE, read in the terms of ``When``."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from bridge.ical import times, values, vtimezone
from bridge.ical.fields import When
from bridge.ical.lines import Line
from bridge.ical.objects import CalendarObject, Component

_DAY = dt.timedelta(days=1)
Place = tuple[dt.date | dt.datetime, str | None]
"""A date or naive wall-clock time, and its zone."""


@dataclass(frozen=True, slots=True)
class Zones:
    """What the TZIDs of one object mean (R24). Never shared between objects (D-01)."""

    components: Mapping[str, Component]
    _known: dict[str, str | None] = field(default_factory=dict)

    @classmethod
    def of(cls, obj: CalendarObject) -> Zones:
        return cls(obj.timezones)

    def name(self, tzid: str) -> str | None:
        """The IANA zone, or None if only its definition, or nothing at all, tells what it is."""
        if tzid not in self._known:
            self._known[tzid] = times.resolve_zone(tzid, self.components.get(tzid))
        return self._known[tzid]

    def place(self, line: Line, value: str) -> Place | None:
        """One value of a date property; None if it cannot be read.

        A time in a zone that only its definition knows is kept as the instant, in UTC; in an unknown zone it floats.
        """
        moment = values.moment(value)
        if moment is None:
            return None
        if not isinstance(moment.value, dt.datetime):
            return moment.value, None
        if moment.utc:
            return moment.value, "UTC"
        tzid = line.param("TZID")
        if not tzid:
            return moment.value, None
        if name := self.name(tzid):
            return moment.value, name
        component = self.components.get(tzid)
        definition = vtimezone.read(component) if component else None
        return (definition.to_utc(moment.value), "UTC") if definition else (moment.value, None)


def read(component: Component, zones: Zones) -> When | None:
    """Its When, with a DURATION or a missing end resolved; None if there is no readable DTSTART.

    Without an end an all-day event lasts its day, a timed one no time (RFC 5545 §3.6.1, X-06, X-08). An end before the
    start is taken for a missing one.
    """
    line = component.first("DTSTART")
    start = zones.place(line, line.value) if line else None
    if start is None:
        return None
    try:
        when = _ended(component, zones, *start)
    except OverflowError:
        when = None
    return when or default(*start)


def default(start: dt.date | dt.datetime, zone: str | None) -> When | None:
    if isinstance(start, dt.datetime):
        return When(start, start, zone)
    return When(start, start + _DAY) if start < dt.date.max else None


def _ended(component: Component, zones: Zones, start: dt.date | dt.datetime, zone: str | None) -> When | None:
    if line := component.first("DTEND"):
        end = zones.place(line, line.value)
        return _until(start, zone, *end) if end else None
    if line := component.first("DURATION"):
        length = values.duration(line.value)
        return lasting(start, zone, length) if length else None
    return None


def _until(
    start: dt.date | dt.datetime, zone: str | None, end: dt.date | dt.datetime, end_zone: str | None
) -> When | None:
    """A When from two places; where DATE and DATE-TIME, zoned and floating are mixed, the start decides."""
    if not isinstance(start, dt.datetime):
        if isinstance(end, dt.datetime):
            end = end.date() + (_DAY if end.time() != dt.time() else dt.timedelta())
        return When(start, end) if end > start else None
    if not isinstance(end, dt.datetime):
        end, end_zone = dt.datetime.combine(end, dt.time()), zone
    if zone is None or end_zone is None:
        end_zone = zone
    when = When(start, end, zone, end_zone if end_zone != zone else None)
    return (
        when if times.instant(end, end_zone, floating=dt.UTC) >= times.instant(start, zone, floating=dt.UTC) else None
    )


def lasting(start: dt.date | dt.datetime, zone: str | None, length: values.Duration) -> When | None:
    """A When from a start and a DURATION: days are nominal, hours exact (RFC 5545 §3.3.6, X-07)."""
    if length.total < dt.timedelta():
        return None
    if not isinstance(start, dt.datetime):
        days = length.days + -(-length.time // _DAY)
        return When(start, start + dt.timedelta(days=days)) if days else None
    nominal = start + dt.timedelta(days=length.days)
    if zone is None or not length.time:
        return When(start, nominal + length.time, zone)
    return When(start, times.wall(times.instant(nominal, zone, floating=dt.UTC) + length.time, zone), zone)


def key(place: Place, master: When) -> str:
    """The instance key of an original start, whichever form it is written in; the master's form decides.

    A DATE in a timed series means the instance that begins on that day at the series' time of day; a floating time in a
    zoned series is in its zone.
    """
    value, zone = place
    if not isinstance(master.start, dt.datetime):
        return times.instance_key(value.date() if isinstance(value, dt.datetime) else value)
    if not isinstance(value, dt.datetime):
        value, zone = dt.datetime.combine(value, master.start.time()), master.zone
    if master.zone is None:
        return times.instance_key(value)
    return times.instance_key(times.instant(value, zone or master.zone, floating=dt.UTC))


def conforms(instance: str, master: When) -> bool:
    """Whether a key has the form that the instances of this master have."""
    moment = values.moment(instance)
    if moment is None:
        return False
    timed = isinstance(moment.value, dt.datetime)
    return timed is not master.all_day and moment.utc is (timed and master.zone is not None)


def excluded(component: Component, zones: Zones, master: When) -> Iterator[str]:
    """The keys of all EXDATEs."""
    for line in component.every("EXDATE"):
        for value in line.value.split(","):
            if place := zones.place(line, value):
                yield key(place, master)


def identity(component: Component, zones: Zones, master: When) -> str | None:
    """The key of an override."""
    line = component.first("RECURRENCE-ID")
    place = zones.place(line, line.value) if line else None
    return key(place, master) if place else None
