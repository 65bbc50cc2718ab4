"""How Graph holds times: Windows zone names, wall clocks in UTC beside them, dates for all-day (M-36…M-40).

Several IANA zones share one Windows name. The lens shows each by CLDR's choice for that name and remembers nothing: the
hub's own name is put back when a remote change arrives (X-03, ``hub_when``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bridge.errors import Unmappable
from bridge.ical.fields import When
from bridge.ical.times import canonical_zone, from_windows, to_windows

YEARS_TO_COMPARE = 3
"""How long two zones must agree from a series' start on to be taken for one; what governments do later nobody knows."""


@lru_cache(maxsize=1024)
def canonical(zone: str) -> str | None:
    """The IANA zone by which the lens shows this one; None if Windows has no name for it."""
    if canonical_zone(zone) == "UTC":
        return "UTC"
    name = to_windows(zone)
    return from_windows(name) if name else None


def windows_name(zone: str) -> str:
    """How a canonical zone is told to Graph (M-37)."""
    return "UTC" if zone == "UTC" else to_windows(zone) or zone


@lru_cache(maxsize=1024)
def named(name: str) -> str | None:
    """The canonical zone of a name that Graph gives: Windows, IANA or ``tzone://Microsoft/…`` (M-38, R24)."""
    if name in ("UTC", "tzone://Microsoft/Utc"):
        return "UTC"
    if found := from_windows(name):
        return canonical(found)
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
    return canonical(name)


def to_wall(moment: dt.datetime, zone: str) -> dt.datetime:
    return moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0)


def to_instant(wall: dt.datetime, zone: str) -> dt.datetime:
    return wall.replace(tzinfo=ZoneInfo(zone)).astimezone(dt.UTC)


# --- the hub's times as Graph would show them ----------------------------------------------------------------------


def graph_when(when: When, calendar_zone: str, *, recurring: bool) -> When:
    """``when`` in a zone that Graph knows. Raises Unmappable where a series would drift.

    A floating time is put into the calendar's zone (X-04). A single event keeps its instants whatever its zone is called;
    a series needs a zone with the same rules.
    """
    if not isinstance(when.start, dt.datetime) or not isinstance(when.end, dt.datetime):
        return When(when.start, when.end)
    zone = when.zone or calendar_zone
    start = to_instant(when.start, zone)
    end = to_instant(when.end, when.end_zone or zone)
    shown = canonical(zone)
    if recurring:
        if shown is None or not _agree(zone, shown, when.start.year):
            raise Unmappable(f"Outlook has no time zone with the rules of {zone}")
        if to_wall(start, shown) != when.start:
            raise Unmappable("the series starts at a time that its zone skips")
    return _shown(start, end, shown, canonical(when.end_zone) if when.end_zone else None)


def _shown(start: dt.datetime, end: dt.datetime, zone: str | None, end_zone: str | None) -> When:
    """Two instants by the wall clock of a zone; in UTC where a clock shows them twice, or there is none."""
    if zone is None or to_instant(to_wall(start, zone), zone) != start:
        zone = "UTC"
    ends = end_zone or zone
    if to_instant(to_wall(end, ends), ends) != end:
        ends = "UTC"
    return When(to_wall(start, zone), to_wall(end, ends), zone, None if ends == zone else ends)


@lru_cache(maxsize=512)
def _agree(one: str, other: str, year: int) -> bool:
    first = dt.datetime(year, 1, 1, 12, tzinfo=dt.UTC)
    days = (first + dt.timedelta(days=day) for day in range(366 * YEARS_TO_COMPARE))
    return one == other or all(
        day.astimezone(ZoneInfo(one)).utcoffset() == day.astimezone(ZoneInfo(other)).utcoffset() for day in days
    )


def hub_when(new: When, hub: When, calendar_zone: str) -> When:
    """What Graph shows, in the hub's own terms: its zone if Graph's is the same one (X-03), floating if it floats (X-04)."""
    if new.all_day or hub.all_day:
        return new
    shown = _ours(hub.zone or calendar_zone)
    if new.zone != shown or (hub.floating and new.end_zone not in (None, shown)):
        return new
    clock = hub.zone or calendar_zone
    start, end = _instants(new)
    if hub.end_zone is not None and (new.end_zone or new.zone) == _ours(hub.end_zone):
        end_zone: str | None = hub.end_zone
    else:
        end_zone = new.end_zone
    return When(to_wall(start, clock), to_wall(end, end_zone or clock), hub.zone, end_zone)


def _ours(zone: str) -> str:
    return canonical(zone) or "UTC"


def _instants(when: When) -> tuple[dt.datetime, dt.datetime]:
    if not isinstance(when.start, dt.datetime) or not isinstance(when.end, dt.datetime) or when.zone is None:
        raise TypeError("only a zoned time has instants")
    return to_instant(when.start, when.zone), to_instant(when.end, when.end_zone or when.zone)


# --- Graph's JSON --------------------------------------------------------------------------------------------------


def read_when(event: Mapping[str, Any], *, recurring: bool) -> When:
    """An event's start and end in the zones it was made with (M-38); an unknown one is shown in UTC (R24).

    Raises Unmappable for a series whose zone is unknown: its later occurrences would be a guess.
    """
    start, end = _parse(event["start"]["dateTime"]), _parse(event["end"]["dateTime"])
    if event.get("isAllDay"):
        return When(start.date(), max(end.date(), start.date() + dt.timedelta(days=1)))  # M-40
    original = event.get("originalStartTimeZone")
    ruled = event["recurrence"]["range"].get("recurrenceTimeZone") if recurring else None
    # start is told in whatever zone was asked for (M-36), so a series' own zone is rather that of its rule (M-45)
    zone = named(original or ruled or event["start"]["timeZone"])
    if zone is None and recurring:
        zone = named(ruled or "")
        if zone is None:
            raise Unmappable("the series is in a time zone of its own that nobody else knows")
    end_zone = named(event.get("originalEndTimeZone") or (ruled if not original else None) or event["end"]["timeZone"])
    if zone is None:
        end_zone = None
    return _shown(_moment(event["start"], start), _moment(event["end"], end), zone, end_zone)


def _parse(text: str) -> dt.datetime:
    """A dateTime with up to seven fractional digits (M-36); seconds are the finest we keep."""
    return dt.datetime.fromisoformat(text[:19])


def _moment(value: Mapping[str, str], wall: dt.datetime) -> dt.datetime:
    return to_instant(wall, named(value["timeZone"]) or "UTC")


def write_when(when: When) -> dict[str, Any]:
    """``start``, ``end`` and ``isAllDay`` of a canonical ``when``; all-day at midnight of one zone (M-39)."""
    if when.zone is None:
        return {"isAllDay": True, "start": _at(when.start, "UTC"), "end": _at(when.end, "UTC")}
    return {
        "isAllDay": False,
        "start": _at(when.start, windows_name(when.zone)),
        "end": _at(when.end, windows_name(when.end_zone or when.zone)),
    }


def _at(value: dt.date | dt.datetime, zone: str) -> dict[str, str]:
    wall = value if isinstance(value, dt.datetime) else dt.datetime.combine(value, dt.time.min)
    return {"dateTime": wall.strftime("%Y-%m-%dT%H:%M:%S"), "timeZone": zone}


def moved(when: When, start: dt.date | dt.datetime) -> When:
    """The same event at another start of the same kind, as long as before by the wall clock."""
    if isinstance(start, dt.datetime) and isinstance(when.start, dt.datetime) and isinstance(when.end, dt.datetime):
        return replace(when, start=start, end=when.end + (start - when.start))
    if isinstance(start, dt.datetime) or isinstance(when.start, dt.datetime) or isinstance(when.end, dt.datetime):
        raise TypeError("a date cannot take a time's place")
    return replace(when, start=start, end=when.end + (start - when.start))
