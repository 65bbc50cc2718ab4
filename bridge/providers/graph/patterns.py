"""RRULE as Graph's ``patternedRecurrence``: exact, or Unmappable with its reason (R-01…R-29).

Graph knows one pattern and one range (M-41, M-45). A rule that no pattern equals is refused, never replaced by a nearby one
(R-29). ``rules.to_lines(to_recurrence(lines, when), when)`` is a rule's normal form.
"""

from __future__ import annotations

import datetime as dt
from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from bridge.errors import Unmappable
from bridge.ical import rules
from bridge.ical.fields import When
from bridge.providers.graph.rules import CODES, COMMON_YEAR, DAYS, INDEXES, naive, occurrences, rule_text

MAX_INTERVAL = 99  # M-44, R-22
MAX_COUNT = 999  # what Outlook's own page counts to; whether more is taken nobody says
FARTHEST_COUNT = 20_000  # a series with more of them ends on a day all the same, but finding it takes seconds
MAX_YEARS = 200  # beyond it an UNTIL is somebody's "for ever", and counting up to it takes seconds
LEAP_YEAR = 2024

BESIDE_THE_RULE = "the first occurrence does not follow the rule, which Outlook cannot hold"

_KNOWN = {"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYDAY", "BYMONTHDAY", "BYMONTH", "BYSETPOS"}

Recurrence = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Rule:
    """The parts of one RRULE; sets are sorted tuples, ``byday`` holds (ordinal or 0, weekday code)."""

    freq: str
    interval: int
    wkst: str
    byday: tuple[tuple[int, str], ...]
    bymonthday: tuple[int, ...]
    bymonth: tuple[int, ...]
    bysetpos: tuple[int, ...]
    count: int
    until: str

    @property
    def days(self) -> list[str]:
        codes = {code for _, code in self.byday}
        return [name for code, name in DAYS.items() if code in codes]

    @property
    def plain_days(self) -> bool:
        return all(ordinal == 0 for ordinal, _ in self.byday)


def to_recurrence(lines: Sequence[str], when: When, *, beside: bool = False) -> dict[str, Any]:
    """The pattern and range that yield exactly the instances of these lines, which start at ``when``.

    ``when`` is all-day or zoned. ``beside``: it may start on a day that the rule does not have, as a task may be due on one.
    Raises Unmappable.
    """
    if len(lines) != 1:
        raise Unmappable("Outlook holds one recurrence rule and no added dates")
    rule = _parse(lines[0])
    pattern = _pattern(rule, when)
    first = occurrences(rule_text(pattern), when.start).after(naive(when.start), inc=True)
    if first != naive(when.start) and not beside:
        raise Unmappable(BESIDE_THE_RULE)
    return {"pattern": pattern, "range": _range(rule, pattern, when)}


# --- RRULE → pattern -----------------------------------------------------------------------------------------------


def _parse(line: str) -> _Rule:
    name, _, value = line.partition(":")
    if name.partition(";")[0].upper() != "RRULE":
        raise Unmappable("Outlook knows no added dates and no excluding rules")
    parts = rules.plain(value)
    if unknown := sorted(parts.keys() - _KNOWN):
        raise Unmappable(f"Outlook has no counterpart for {', '.join(unknown)} in a recurrence rule")
    if "COUNT" in parts and "UNTIL" in parts:
        raise Unmappable("the recurrence rule ends twice")
    try:
        rule = _Rule(
            freq=parts.get("FREQ", ""),
            interval=int(parts.get("INTERVAL", "1")),
            wkst=parts.get("WKST", "MO"),
            byday=tuple(sorted({(int(day[:-2] or 0), day[-2:]) for day in _values(parts, "BYDAY")})),
            bymonthday=_numbers(parts, "BYMONTHDAY"),
            bymonth=_numbers(parts, "BYMONTH"),
            bysetpos=_numbers(parts, "BYSETPOS"),
            count=int(parts.get("COUNT", "0")),
            until=parts.get("UNTIL", ""),
        )
    except ValueError:
        raise Unmappable("the recurrence rule cannot be read") from None
    if rule.wkst not in DAYS or any(code not in DAYS for _, code in rule.byday) or rule.interval < 1:
        raise Unmappable("the recurrence rule cannot be read")
    if ("COUNT" in parts) and rule.count < 1:
        raise Unmappable("the recurrence rule cannot be read")
    if rule.interval > MAX_INTERVAL:
        raise Unmappable("Outlook repeats at most every 99 periods")
    return rule


def _values(parts: Mapping[str, str], name: str) -> list[str]:
    return [value for value in parts.get(name, "").split(",") if value]


def _numbers(parts: Mapping[str, str], name: str) -> tuple[int, ...]:
    return tuple(sorted({int(value) for value in _values(parts, name)}))


def _pattern(rule: _Rule, when: When) -> dict[str, Any]:
    match rule.freq:
        case "DAILY":
            return _daily(rule)
        case "WEEKLY":
            return _weekly(rule, when)
        case "MONTHLY":
            return _monthly(rule, when)
        case "YEARLY":
            return _yearly(rule, when)
    raise Unmappable("Outlook repeats by days, weeks, months or years only")


def _daily(rule: _Rule) -> dict[str, Any]:
    if not (rule.byday or rule.bymonthday or rule.bymonth or rule.bysetpos):
        return {"type": "daily", "interval": rule.interval}
    if rule.byday and rule.plain_days and rule.interval == 1 and not (rule.bymonthday or rule.bymonth or rule.bysetpos):
        return {"type": "weekly", "interval": 1, "daysOfWeek": rule.days, "firstDayOfWeek": DAYS[rule.wkst]}
    raise Unmappable("Outlook cannot restrict a daily rule")


def _weekly(rule: _Rule, when: When) -> dict[str, Any]:
    if rule.bymonthday or rule.bymonth or rule.bysetpos or not rule.plain_days:
        raise Unmappable("Outlook cannot restrict a weekly rule beyond its weekdays")
    return {
        "type": "weekly",
        "interval": rule.interval,
        "daysOfWeek": rule.days or [list(CODES)[when.start.weekday()]],
        "firstDayOfWeek": DAYS[rule.wkst],  # always: RFC 5545's default is monday, Graph's sunday (R-04)
    }


def _monthly(rule: _Rule, when: When) -> dict[str, Any]:
    if rule.bymonth:
        raise Unmappable("Outlook cannot restrict a monthly rule to some months")
    if rule.byday:
        return {"type": "relativeMonthly", "interval": rule.interval, **_relative(rule)}
    day = _day_of_month(rule, when)
    return {"type": "absoluteMonthly", "interval": rule.interval, "dayOfMonth": day}


def _day_of_month(rule: _Rule, when: When) -> int:
    """Exchange moves a day that a month lacks to the month's last, RFC 5545 skips that month (M-44, R-07)."""
    days = rule.bymonthday or (when.start.day,)
    if len(days) > 1 and rule.bysetpos == (-1,) and days == tuple(range(28, days[-1] + 1)) and days[-1] <= 31:
        return days[-1]
    if len(days) != 1 or rule.bysetpos:
        raise Unmappable("Outlook holds one day of the month")
    if days[0] == -1:
        return 31
    if days[0] > 28:
        raise Unmappable("Outlook would move the 29th, 30th or 31st to the end of shorter months")
    if days[0] < 1:
        raise Unmappable("Outlook cannot count days from the end of the month")
    return days[0]


def _relative(rule: _Rule) -> dict[str, Any]:
    """The weekday part of a relative pattern (R-11…R-14)."""
    if rule.bymonthday:
        raise Unmappable("Outlook cannot combine weekdays with days of the month")
    if len(rule.byday) == 1 and not rule.bysetpos and rule.byday[0][0]:
        position = rule.byday[0][0]
    elif rule.plain_days and len(rule.bysetpos) == 1:
        position = rule.bysetpos[0]
    else:
        raise Unmappable("Outlook holds one weekday of the month, by its position")
    if position not in INDEXES:
        raise Unmappable("Outlook knows the first to fourth and the last weekday of a month only")
    return {"daysOfWeek": rule.days, "index": INDEXES[position]}


def _yearly(rule: _Rule, when: When) -> dict[str, Any]:
    if len(rule.bymonth) > 1:
        return _spread(rule, when)
    if not rule.bymonth and (rule.byday or rule.bymonthday):
        raise Unmappable("Outlook needs the month in a yearly rule")
    month = rule.bymonth[0] if rule.bymonth else when.start.month
    if not 1 <= month <= 12:
        raise Unmappable("the recurrence rule cannot be read")
    if rule.byday:
        return {"type": "relativeYearly", "interval": rule.interval, **_relative(rule), "month": month}
    return {
        "type": "absoluteYearly",
        "interval": rule.interval,
        "dayOfMonth": _day_of_year(rule, month, when),
        "month": month,
    }


def _day_of_year(rule: _Rule, month: int, when: When) -> int:
    days = rule.bymonthday or (when.start.day,)
    if month == 2 and days == (28, 29) and rule.bysetpos == (-1,):
        return 29
    if len(days) != 1 or rule.bysetpos:
        raise Unmappable("Outlook holds one day of the year")
    shortest, longest = monthrange(COMMON_YEAR, month)[1], monthrange(LEAP_YEAR, month)[1]
    if days[0] == -1:
        return longest  # clamped in common years (M-44)
    if not 1 <= days[0] <= shortest:
        raise Unmappable("Outlook cannot skip the years that lack this day")
    return days[0]


def _spread(rule: _Rule, when: When) -> dict[str, Any]:
    """Several months of each year are a monthly rule if they lie evenly (R-18).

    But for BYSETPOS: in a yearly rule it counts through the year, not each month.
    """
    months, gap = rule.bymonth, 12 // len(rule.bymonth)
    even = 12 % len(months) == 0 and months == tuple(range(months[0], 13, gap)) and 1 <= months[0] <= gap
    if rule.interval != 1 or not even or rule.bysetpos:
        raise Unmappable("Outlook cannot repeat in several unevenly spaced months")
    if when.start.month not in months:
        raise Unmappable(BESIDE_THE_RULE)
    return _monthly(replace(rule, bymonth=(), interval=gap), when)


def _range(rule: _Rule, pattern: Mapping[str, Any], when: When) -> dict[str, Any]:
    start = when.start.date() if isinstance(when.start, dt.datetime) else when.start
    limits = {"startDate": start.isoformat()}
    if 0 < rule.count <= MAX_COUNT:
        return {**limits, "type": "numbered", "numberOfOccurrences": rule.count}
    if rule.count:
        counted = iter(occurrences(rule_text(pattern), when.start)) if rule.count <= FARTHEST_COUNT else iter(())
        nth = next(islice(counted, rule.count - 1, None), None)
        if nth is None:
            raise Unmappable("Outlook cannot count that far")
        return {**limits, "type": "endDate", "endDate": nth.date().isoformat()}
    if not rule.until:
        return {**limits, "type": "noEnd"}
    end = _limit(rule.until, when)
    if end.year > start.year + MAX_YEARS:
        raise Unmappable("the series ends too far in the future")
    last = occurrences(rule_text(pattern), when.start).before(end, inc=True)
    if last is None:
        raise Unmappable("the series ends before it begins")
    return {**limits, "type": "endDate", "endDate": last.date().isoformat()}


def _limit(until: str, when: When) -> dt.datetime:
    """The last wall-clock moment in the series' zone that UNTIL includes. A DATE includes its whole day."""
    try:
        if "T" not in until:
            return dt.datetime.combine(dt.datetime.strptime(until, "%Y%m%d"), dt.time.max)  # noqa: DTZ007 - a wall clock
        limit = dt.datetime.strptime(until.removesuffix("Z"), "%Y%m%dT%H%M%S")  # noqa: DTZ007
        if until.endswith("Z") and when.zone is not None:
            limit = limit.replace(tzinfo=dt.UTC).astimezone(ZoneInfo(when.zone)).replace(tzinfo=None)
    except (ValueError, OverflowError):
        raise Unmappable("the end of the recurrence rule cannot be read") from None
    return limit
