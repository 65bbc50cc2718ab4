"""``When`` in Google's words and back (G-57, G-58). Pure; the only zone that is ever assumed is the calendar's (X-04)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bridge.errors import Unmappable
from bridge.ical import times
from bridge.ical.fields import When

_DAY = dt.timedelta(days=1)


def normal(when: When, calendar_zone: str) -> When:
    """The form in which Google answers it: whole seconds, today's zone names, floating times in the calendar's zone.

    A wall-clock time that a DST change leaves out becomes the one it stands for. Raises Unmappable for an end before the start,
    which Google refuses (G-89).
    """
    if not isinstance(when.start, dt.datetime) or not isinstance(when.end, dt.datetime):
        return When(when.start, max(when.end, when.start + _DAY))
    zone = times.canonical_zone(when.zone or calendar_zone)
    end_zone = times.canonical_zone(when.end_zone) if when.end_zone else zone
    start = times.instant(when.start.replace(microsecond=0), zone, floating=dt.UTC)
    end = times.instant(when.end.replace(microsecond=0), end_zone, floating=dt.UTC)
    if end < start:
        raise Unmappable("it ends before it starts")
    return _zoned(start, end, zone, end_zone)


def read(event: Mapping[str, Any], calendar_zone: str) -> When:
    """From an event resource. Where Google tells an instant in a zone we do not know, the instant counts (R24).

    So it does in the second of a repeated hour, which a wall clock cannot say; but a series begins by its clock.
    """
    start, end = event["start"], event.get("end") or event["start"]
    if "date" in start:
        first = dt.date.fromisoformat(start["date"])
        last = dt.date.fromisoformat(end["date"]) if "date" in end else first
        return When(first, max(last, first + _DAY))
    zone = _known(start.get("timeZone"), calendar_zone)
    end_zone = _known(end.get("timeZone"), zone)
    begins = _moment(start["dateTime"], zone)
    if not event.get("recurrence"):
        zone = _sayable(begins, zone)
    return _zoned(begins, max(begins, _moment(end.get("dateTime", start["dateTime"]), end_zone)), zone, end_zone)


def render(when: When) -> dict[str, dict[str, str | None]]:
    """``start`` and ``end`` for a patch, which merges: whatever the other form left there is cleared (G-51)."""
    if not isinstance(when.start, dt.datetime):
        return {
            name: {"date": value.isoformat(), "dateTime": None, "timeZone": None}
            for name, value in (("start", when.start), ("end", when.end))
        }
    if when.zone is None:
        raise ValueError("a floating time has no place at Google: take it through the lens first")
    return {
        name: {"date": None, "dateTime": value.isoformat(timespec="seconds"), "timeZone": zone}
        for name, value, zone in (
            ("start", when.start, when.zone),
            ("end", _as_datetime(when.end), when.end_zone or when.zone),
        )
    }


def original_start(event: Mapping[str, Any], zone: str) -> str:
    """The instance key of an exception, by its ``originalStartTime`` (G-60)."""
    start = event["originalStartTime"]
    if "date" in start:
        return times.instance_key(dt.date.fromisoformat(start["date"]))
    return times.instance_key(_moment(start["dateTime"], _known(start.get("timeZone"), zone)))


def parameter(key: str) -> str:
    """An instance key as ``events.instances`` takes it in ``originalStart``."""
    value = start_of(key)
    if isinstance(value, dt.datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    return value.isoformat()


def start_of(key: str) -> dt.date | dt.datetime:
    """The original start an instance key names: a date, an aware UTC instant, or a naive floating time."""
    if len(key) == 8:
        return dt.datetime.strptime(key, "%Y%m%d").date()  # noqa: DTZ007 - a date
    if key.endswith("Z"):
        return dt.datetime.strptime(key, "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC)
    return dt.datetime.strptime(key, "%Y%m%dT%H%M%S")  # noqa: DTZ007 - floating


def _zoned(start: dt.datetime, end: dt.datetime, zone: str, end_zone: str) -> When:
    end_zone = _sayable(end, end_zone)
    return When(
        times.wall(start, zone).replace(microsecond=0, fold=0),
        times.wall(end, end_zone).replace(microsecond=0, fold=0),
        zone,
        None if end_zone == zone else end_zone,
    )


def _sayable(moment: dt.datetime, zone: str) -> str:
    """The zone on whose clock a moment can be said: UTC in the second of a repeated hour."""
    return zone if times.instant(times.wall(moment, zone), zone, floating=dt.UTC) == moment else "UTC"


def _moment(value: str, zone: str) -> dt.datetime:
    # Google names the instant with the offset of whatever zone it likes; without one it is wall-clock time in the zone
    moment = dt.datetime.fromisoformat(value)
    return moment if moment.tzinfo else times.instant(moment, zone, floating=dt.UTC)


def _known(name: str | None, otherwise: str) -> str:
    if not name:
        return times.canonical_zone(otherwise)
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return times.canonical_zone(otherwise)
    return times.canonical_zone(name)


def _as_datetime(value: dt.date | dt.datetime) -> dt.datetime:
    if not isinstance(value, dt.datetime):
        raise TypeError("start and end are of one kind")
    return value
