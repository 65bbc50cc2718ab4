"""Times as events hold them: ``date`` for all-day, ``dateTime`` with offset and zone otherwise (G-57, G-58)."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from bridge.sandbox.google.errors import ApiError, invalid, required

_MINUTE = dt.timedelta(minutes=1)


@cache
def known_zones() -> frozenset[str]:
    """Every IANA name; nothing else is a zone here (no Windows names, no offsets)."""
    return frozenset(available_timezones())


def zone(name: str, location: str = "timeZone") -> ZoneInfo:
    """The zone of that IANA name."""
    if name not in known_zones():
        raise invalid("Invalid time zone definition.", location)
    return ZoneInfo(name)


@dataclass(frozen=True, slots=True)
class Moment:
    """A start or an end. ``value`` is a date, or the wall time in ``zone`` (naive); ``zone`` is "" for a date."""

    value: dt.date | dt.datetime
    zone: str = ""
    fold: int = 0

    @property
    def all_day(self) -> bool:
        """Whether it is a date."""
        return not isinstance(self.value, dt.datetime)

    def instant(self, floating: dt.tzinfo) -> dt.datetime:
        """In UTC; an all-day one begins at midnight in ``floating``, the calendar's zone."""
        if isinstance(self.value, dt.datetime):
            return self.value.replace(tzinfo=ZoneInfo(self.zone), fold=self.fold).astimezone(dt.UTC)
        return dt.datetime.combine(self.value, dt.time(), floating).astimezone(dt.UTC)

    def stored(self) -> dict[str, Any]:
        """As it is kept in an event's body: a wall time without offset, which rendering adds."""
        if isinstance(self.value, dt.datetime):
            held: dict[str, Any] = {"dateTime": self.value.isoformat(), "timeZone": self.zone}
            return held | ({"fold": 1} if self.fold else {})
        return {"date": self.value.isoformat()}


def from_instant(instant: dt.datetime, zone_name: str) -> Moment:
    """The moment at which the wall clock of a zone shows that instant."""
    wall = instant.astimezone(ZoneInfo(zone_name))
    return Moment(wall.replace(tzinfo=None, fold=0), zone_name, wall.fold)


def held(body: dict[str, Any], field: str) -> Moment:
    """A moment out of a stored body."""
    value = body[field]
    if "date" in value:
        return Moment(dt.date.fromisoformat(value["date"]))
    return Moment(dt.datetime.fromisoformat(value["dateTime"]), value["timeZone"], value.get("fold", 0))


def read(value: dict[str, Any], field: str, *, calendar_zone: str, recurring: bool) -> Moment:
    """A moment out of a request. ``timeZone`` means nothing beside ``date``; a timed series needs it (G-58)."""
    label = "start" if field == "start" else "end" if field == "end" else "original start"
    date, timed = value.get("date"), value.get("dateTime")
    if (date is None) == (timed is None):
        raise (
            invalid(f"Invalid {label} time.", field) if date is not None else required(f"Missing {label} time.", field)
        )
    if date is not None:
        if not re.fullmatch(r"\d{4}-\d\d-\d\d", date):
            raise invalid(f'Invalid value for: Invalid format: "{date}"', f"{field}.date")
        try:
            day = dt.date.fromisoformat(date)
        except ValueError:
            raise invalid(f"Invalid {label} time.", field) from None
        if not 1 < day.year < dt.MAXYEAR:  # no zone can show it
            raise invalid(f"Invalid {label} time.", field)
        return Moment(day)
    if timed is None:
        raise required(f"Missing {label} time.", field)
    name = value.get("timeZone")
    if name is not None:
        zone(name, f"{field}.timeZone")
    return _timed(timed, name, field, label, calendar_zone=calendar_zone, recurring=recurring)


def _timed(text: str, name: str | None, field: str, label: str, *, calendar_zone: str, recurring: bool) -> Moment:
    if not re.fullmatch(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)?", text):
        raise ApiError(400, "badRequest", "Bad Request", location=field)
    try:
        parsed = dt.datetime.fromisoformat(text.upper()).replace(microsecond=0)
    except ValueError:
        raise invalid(f"Invalid {label} time.", field) from None
    if not 1 < parsed.year < dt.MAXYEAR:  # no zone can show it
        raise invalid(f"Invalid {label} time.", field)
    if name is None and (parsed.tzinfo is None or recurring):
        raise required(f"Missing time zone definition for {label} time.", f"{field}.timeZone")
    in_zone = name or calendar_zone
    if parsed.tzinfo is None:
        # A wall time in a gap is the time that the zone's offset before the gap gives (RFC 5545, 3.3.5).
        return from_instant(parsed.replace(tzinfo=ZoneInfo(in_zone)).astimezone(dt.UTC), in_zone)
    return from_instant(parsed, in_zone)


def render(moment: Moment, response_zone: str) -> dict[str, str]:
    """As an answer shows it: the offset is that of the response's zone, ``timeZone`` the event's own."""
    if moment.all_day:
        return {"date": moment.value.isoformat()}
    shown = moment.instant(dt.UTC).astimezone(ZoneInfo(response_zone))
    return {"dateTime": rfc3339(shown), "timeZone": moment.zone}


def rfc3339(moment: dt.datetime) -> str:
    """Seconds and offset, ``Z`` for none."""
    offset = moment.utcoffset() or dt.timedelta()
    if seconds := offset % _MINUTE:  # of a local mean time: RFC 3339 cannot say them, and the instant counts
        moment = moment.astimezone(dt.timezone(offset - seconds))
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def stamp(moment: dt.datetime) -> str:
    """UTC with milliseconds, as ``created`` and ``updated`` have them."""
    return moment.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
