"""Graph's ``patternedRecurrence`` as an RRULE (MAPPING section 3, reverse direction): always exact.

Where several rules say the same, this is the one that we write: the normal form in which two rules are compared (R-24).
Wall-clock arithmetic in the series' own zone; an UNTIL is the last occurrence, in UTC for timed series, a DATE for all-day.
"""

from __future__ import annotations

import datetime as dt
from calendar import monthrange
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulebase, rrulestr

from bridge.errors import Unmappable
from bridge.ical.fields import When

DAYS = {
    "MO": "monday",
    "TU": "tuesday",
    "WE": "wednesday",
    "TH": "thursday",
    "FR": "friday",
    "SA": "saturday",
    "SU": "sunday",
}
CODES = {name: code for code, name in DAYS.items()}
INDEXES = {1: "first", 2: "second", 3: "third", 4: "fourth", -1: "last"}
POSITIONS = {name: position for position, name in INDEXES.items()}

COMMON_YEAR = 2025

Pattern = Mapping[str, Any]
Recurrence = Mapping[str, Any]


def to_lines(recurrence: Recurrence, when: When) -> tuple[str, ...]:
    """The RRULE line of a pattern and range; always exact. ``when`` is where the series starts."""
    pattern, limits = recurrence["pattern"], recurrence["range"]
    text = rule_text(pattern)
    if limits["type"] == "numbered":
        text += f";COUNT={limits['numberOfOccurrences']}"
    elif limits["type"] == "endDate":
        end = dt.datetime.combine(dt.date.fromisoformat(limits["endDate"][:10]), dt.time.max)
        last = occurrences(text, when.start).before(end, inc=True)
        if last is None:
            raise Unmappable("the series has no occurrence")
        text += f";UNTIL={_until(last, when)}"
    return (f"RRULE:{text}",)


def first_occurrence(recurrence: Recurrence, start: dt.date | dt.datetime) -> dt.date | dt.datetime:
    """Where a series really begins: Graph lets it start before its first match (M-45), iCalendar does not (R-26)."""
    found = occurrences(rule_text(recurrence["pattern"]), start).after(naive(start), inc=True)
    if found is None:
        raise Unmappable("the series has no occurrence")
    return found if isinstance(start, dt.datetime) else found.date()


def depends_on_counting(recurrence: Recurrence) -> bool:
    """Whether the n-th of several weekdays is meant, which Graph's own text leaves open for 2 to 4 (R-13, M-42)."""
    pattern = recurrence["pattern"]
    relative = pattern["type"] in ("relativeMonthly", "relativeYearly")
    return relative and len(pattern["daysOfWeek"]) > 1 and pattern.get("index") in ("second", "third", "fourth")


def rule_text(pattern: Pattern) -> str:
    """The rule in its normal form, without an end. Fields that the type does not use are echoed at random (M-43)."""
    kind = pattern["type"]
    if kind not in _PARTS:
        raise Unmappable("Outlook repeats this series in an unknown way")
    frequency, write = _PARTS[kind]
    interval = int(pattern.get("interval") or 1)
    return f"FREQ={frequency}" + (f";INTERVAL={interval}" if interval > 1 else "") + write(pattern)


def _write_daily(_: Pattern) -> str:
    return ""


def _write_weekly(pattern: Pattern) -> str:
    start = CODES[pattern.get("firstDayOfWeek") or "sunday"]
    return (f";WKST={start}" if start != "MO" else "") + f";BYDAY={_codes(pattern)}"


def _write_absolute_monthly(pattern: Pattern) -> str:
    day = pattern["dayOfMonth"]
    if day > 30:
        return ";BYMONTHDAY=-1"
    if day > 28:
        return f";BYMONTHDAY={','.join(str(each) for each in range(28, day + 1))};BYSETPOS=-1"
    return f";BYMONTHDAY={day}"


def _write_absolute_yearly(pattern: Pattern) -> str:
    month, day = pattern["month"], pattern["dayOfMonth"]
    last = monthrange(COMMON_YEAR, month)[1]
    if month == 2 and day > last:
        return ";BYMONTH=2;BYMONTHDAY=-1"
    return f";BYMONTH={month};BYMONTHDAY={min(day, last)}"


def _write_relative(pattern: Pattern) -> str:
    """One day is ``2TU``; among several the n-th is BYSETPOS (M-42, R-13)."""
    position = POSITIONS[pattern.get("index") or "first"]
    if len(pattern["daysOfWeek"]) == 1:
        return f";BYDAY={position}{_codes(pattern)}"
    return f";BYDAY={_codes(pattern)};BYSETPOS={position}"


def _write_relative_yearly(pattern: Pattern) -> str:
    return f";BYMONTH={pattern['month']}" + _write_relative(pattern)


def _codes(pattern: Pattern) -> str:
    days = {day.lower() for day in pattern["daysOfWeek"]}
    return ",".join(code for code, name in DAYS.items() if name in days)


_PARTS = {
    "daily": ("DAILY", _write_daily),
    "weekly": ("WEEKLY", _write_weekly),
    "absoluteMonthly": ("MONTHLY", _write_absolute_monthly),
    "relativeMonthly": ("MONTHLY", _write_relative),
    "absoluteYearly": ("YEARLY", _write_absolute_yearly),
    "relativeYearly": ("YEARLY", _write_relative_yearly),
}


def occurrences(text: str, start: dt.date | dt.datetime) -> rrulebase:
    return rrulestr(f"RRULE:{text}", dtstart=naive(start))


def naive(start: dt.date | dt.datetime) -> dt.datetime:
    return start if isinstance(start, dt.datetime) else dt.datetime.combine(start, dt.time.min)


def _until(last: dt.datetime, when: When) -> str:
    if when.zone is None:
        return last.strftime("%Y%m%d")
    return last.replace(tzinfo=ZoneInfo(when.zone)).astimezone(dt.UTC).strftime("%Y%m%dT%H%M%SZ")
