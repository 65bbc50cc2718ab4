"""When a component takes place: DTSTART, DTEND, DURATION, RECURRENCE-ID and EXDATE, read in the terms of ``When``."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeVar, cast

from bridge.ical import times, values, vtimezone
from bridge.ical.fields import Place, When
from bridge.ical.lines import Line
from bridge.ical.objects import CalendarObject, Component

_DAY = dt.timedelta(days=1)
_D = TypeVar("_D", bound=dt.date)


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

    Without an end an all-day event lasts its day, a timed one no time (RFC 5545 §3.6.1, X-06, X-08).
    """
    line = component.first("DTSTART")
    start = zones.place(line, line.value) if line else None
    if start is None:
        return None
    if (line := component.first("DTEND")) and (end := zones.place(line, line.value)):
        return between(*start, *end)
    if (line := component.first("DURATION")) and (length := values.duration(line.value)):
        return lasting(*start, length)
    return default(*start)


def default(start: dt.date | dt.datetime, zone: str | None) -> When:
    """What lasts as long as an event without DTEND and DURATION."""
    if isinstance(start, dt.datetime):
        return When(start, start, zone)
    return When(start, _later(start, _DAY))


def between(start: dt.date | dt.datetime, zone: str | None, end: dt.date | dt.datetime, end_zone: str | None) -> When:
    """A When from two places.

    Where DATE and DATE-TIME, zoned and floating are mixed, the start decides. An end before the start counts as none.
    """
    if not isinstance(start, dt.datetime):
        if isinstance(end, dt.datetime):
            end = _later(end.date(), _DAY) if end.time() != dt.time() else end.date()
        return When(start, end) if end > start else default(start, None)
    if not isinstance(end, dt.datetime):
        end, end_zone = values.midnight(end), zone
    if zone is None or end_zone is None:
        end_zone = zone
    if times.instant(end, end_zone, floating=dt.UTC) < times.instant(start, zone, floating=dt.UTC):
        return default(start, zone)
    return When(start, end, zone, end_zone if end_zone != zone else None)


def lasting(start: dt.date | dt.datetime, zone: str | None, length: values.Duration) -> When:
    """A When from a start and a DURATION: days are nominal, hours exact (RFC 5545 §3.3.6, X-07)."""
    if length.total <= dt.timedelta():
        return default(start, zone)
    if not isinstance(start, dt.datetime):
        return When(start, _later(start, dt.timedelta(days=length.days - (-length.time // _DAY))))
    nominal = _later(start, dt.timedelta(days=length.days))
    if zone is None or not length.time:
        return When(start, _later(nominal, length.time), zone)
    moment = _later(times.instant(nominal, zone, floating=dt.UTC), length.time)
    end = times.wall(moment, zone)
    if times.instant(end, zone, floating=dt.UTC) != moment:
        # the clock shows it for the second time: only UTC can say it
        return When(start, moment.replace(tzinfo=None), zone, "UTC")
    return When(start, end, zone)


def _later(value: _D, by: dt.timedelta) -> _D:
    """``value + by``, or ``value`` itself if there is no such time: absurd lengths are ignored."""
    try:
        return value + by
    except OverflowError:
        return value


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


def reach(component: Component) -> Literal["", "THISANDFUTURE", "THISANDPRIOR"]:
    """For which other instances an override holds, too (RFC 5545 §3.2.13, RFC 2445 §4.2.13)."""
    line = component.first("RECURRENCE-ID")
    word = line.param("RANGE").strip().upper() if line else ""
    return cast("Literal['THISANDFUTURE', 'THISANDPRIOR']", word) if word in ("THISANDFUTURE", "THISANDPRIOR") else ""


def identity(component: Component, zones: Zones, master: When) -> str | None:
    """The key of an override."""
    line = component.first("RECURRENCE-ID")
    place = zones.place(line, line.value) if line else None
    return key(place, master) if place else None
