"""The value types of time: DATE, DATE-TIME, DURATION, PERIOD, UTC-OFFSET (RFC 5545 §3.3).

Readers return None for what they cannot read. A DATE-TIME comes as a naive datetime and whether it was written in UTC.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import NamedTuple

_DATE = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)(Z?))?", re.IGNORECASE | re.ASCII)
_DURATION = re.compile(
    r"([+-]?)P(?:(\d{1,9})W)?(?:(\d{1,9})D)?(?:T(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9})S)?)?",
    re.IGNORECASE | re.ASCII,
)
_OFFSET = re.compile(r"([+-]?)(\d\d)(\d\d)(\d\d)?", re.ASCII)

_FIRST = dt.datetime.combine(dt.date.min, dt.time())
_LAST = dt.datetime.combine(dt.date.max, dt.time(23, 59, 59))


class Moment(NamedTuple):
    """A DATE or a DATE-TIME as written: ``value`` is a date or naive; ``utc`` says that a Z followed."""

    value: dt.date | dt.datetime
    utc: bool


class Duration(NamedTuple):
    """Days are nominal (the same wall-clock time), ``time`` is exact (RFC 5545 §3.3.6); both have one sign (X-07)."""

    days: int
    time: dt.timedelta

    @property
    def total(self) -> dt.timedelta:
        return dt.timedelta(days=self.days) + self.time


def midnight(value: dt.date | dt.datetime) -> dt.datetime:
    """A date as the naive time at which it begins; a time as it is."""
    return value if isinstance(value, dt.datetime) else dt.datetime.combine(value, dt.time())


def shifted(at: dt.datetime, by: dt.timedelta) -> dt.datetime:
    """``at + by``, or the first or last second there is (year 1, year 9999) where there is no such time."""
    try:
        return at + by
    except OverflowError:
        return (_FIRST if by < dt.timedelta() else _LAST).replace(tzinfo=at.tzinfo)


def moment(value: str) -> Moment | None:
    m = _DATE.fullmatch(value.strip())
    if m is None:
        return None
    try:
        day = dt.date(int(m[1]), int(m[2]), int(m[3]))
        if m[4] is None:
            return Moment(day, utc=False)
        # A leap second (60) is taken for the one before (RFC 5545 §3.3.12).
        time = dt.time(int(m[4]), int(m[5]), min(int(m[6]), 59))
    except ValueError:
        return None
    return Moment(dt.datetime.combine(day, time), utc=bool(m[7]))


def duration(value: str) -> Duration | None:
    m = _DURATION.fullmatch(value.strip())
    if m is None or not any(m.groups()[1:]):
        return None
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in m.groups()[1:])
    sign = -1 if m[1] == "-" else 1
    try:
        time = sign * dt.timedelta(hours=hours, minutes=minutes, seconds=seconds)
        whole = Duration(sign * (7 * weeks + days), time)
        return whole if whole.total else Duration(0, dt.timedelta())
    except OverflowError:
        return None


def offset(value: str) -> dt.timedelta | None:
    m = _OFFSET.fullmatch(value.strip())
    if m is None:
        return None
    size = dt.timedelta(hours=int(m[2]), minutes=int(m[3]), seconds=int(m[4] or 0))
    return (-size if m[1] == "-" else size) if size < dt.timedelta(days=1) else None


def write_moment(value: dt.date | dt.datetime, *, utc: bool = False) -> str:
    # Not strftime: its %Y does not pad the years before 1000 on every platform.
    day = f"{value.year:04}{value.month:02}{value.day:02}"
    if not isinstance(value, dt.datetime):
        return day
    return f"{day}T{value.hour:02}{value.minute:02}{value.second:02}{'Z' if utc else ''}"


def write_duration(days: int, time: dt.timedelta) -> str:
    """``days`` nominal and ``time`` exact, neither negative."""
    seconds = int(time.total_seconds())
    clock = "".join(
        f"{n}{unit}" for n, unit in ((seconds // 3600, "H"), (seconds // 60 % 60, "M"), (seconds % 60, "S")) if n
    )
    if not days and not clock:
        return "PT0S"
    return "P" + (f"{days}D" if days else "") + (f"T{clock}" if clock else "")


def write_offset(value: dt.timedelta) -> str:
    seconds = int(abs(value).total_seconds())
    text = f"{'-' if value < dt.timedelta() else '+'}{seconds // 3600:02}{seconds // 60 % 60:02}"
    return text + (f"{seconds % 60:02}" if seconds % 60 else "")
