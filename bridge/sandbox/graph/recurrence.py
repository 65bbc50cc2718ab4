"""Patterned recurrence by Exchange's rules, which are not those of RFC 5545 (M-41…M-46).

A series is a set of *days* in its own zone: no pattern yields two occurrences a day, so an occurrence is named by its
original day (M-47).
"""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from bridge.sandbox.graph import zones
from bridge.sandbox.graph.errors import GraphError, invalid
from bridge.sandbox.graph.properties import ENUMS

DAYS = ENUMS["dayOfWeek"]
MOST_OCCURRENCES = 999
_NO_DATE = "0001-01-01"
_LAST_YEAR = 4500  # Exchange's own end of time is 31 August 4500

_NEEDED = {
    "daily": (),
    "weekly": ("daysOfWeek", "firstDayOfWeek"),  # firstDayOfWeek is refused if absent, whatever the docs call it (R34)
    "absoluteMonthly": ("dayOfMonth",),
    "relativeMonthly": ("daysOfWeek",),
    "absoluteYearly": ("dayOfMonth", "month"),
    "relativeYearly": ("daysOfWeek", "month"),
}


@dataclass(frozen=True, slots=True)
class Recurrence:
    """A checked pattern and range. ``last`` is inclusive; neither ``last`` nor ``count``: no end."""

    type: str
    interval: int
    first: dt.date
    last: dt.date | None = None
    count: int | None = None
    days: tuple[str, ...] = ()
    week_start: str = "sunday"
    index: str = "first"
    day_of_month: int = 0
    month: int = 0
    zone: str = "UTC"

    def pattern(self) -> tuple[Any, ...]:
        """What makes it another pattern when it changes (M-51); the range's end and zone do not."""
        return (
            self.type,
            self.interval,
            self.first,
            self.days,
            self.week_start,
            self.index,
            self.day_of_month,
            self.month,
        )

    def view(self) -> dict[str, Any]:
        """As Graph echoes it: unused fields read 0, "first" and "sunday", no end date reads 0001-01-01 (M-43, M-45)."""
        pattern: dict[str, Any] = {
            "type": self.type,
            "interval": self.interval,
            "month": self.month,
            "dayOfMonth": self.day_of_month,
        }
        if self.days:
            pattern["daysOfWeek"] = list(self.days)
        pattern |= {"firstDayOfWeek": self.week_start, "index": self.index}
        return {
            "pattern": pattern,
            "range": {
                "type": "numbered" if self.count else "endDate" if self.last else "noEnd",
                "startDate": self.first.isoformat(),
                "endDate": self.last.isoformat() if self.last else _NO_DATE,
                "recurrenceTimeZone": self.zone,
                "numberOfOccurrences": self.count or 0,
            },
        }


def parse(body: Mapping[str, Any], *, start: dt.date, zone: str) -> Recurrence:
    """A checked ``patternedRecurrence`` of an event that starts on ``start`` in ``zone`` (Windows name).

    Unused fields are validated all the same (M-43). Raises 400.
    """
    pattern, range_ = body.get("pattern"), body.get("range")
    if not pattern or not range_:
        raise _failure("A recurrence needs both a pattern and a range.")
    for part, names in ((pattern, ("type", "interval")), (range_, ("type", "startDate"))):
        for name in names:
            if part.get(name) is None:
                raise _failure(f"The recurrence has no '{name}'.")
    kind = pattern["type"]
    needed = _NEEDED[kind]
    for name in needed:
        if not pattern.get(name):
            raise _failure(f"A recurrence pattern of type '{kind}' needs '{name}'.")
    if not 1 <= pattern["interval"] <= 99:
        raise _failure("The interval of a recurrence pattern is between 1 and 99.")
    for name, most in (("dayOfMonth", 31), ("month", 12)):
        if not 0 <= pattern.get(name, 0) <= most:
            raise _failure(f"The {name} of a recurrence pattern is between 1 and {most}.")
    days = pattern.get("daysOfWeek", [])
    if len(set(days)) != len(days):
        raise _failure("The daysOfWeek of a recurrence pattern are not unique.")
    found = Recurrence(
        type=kind,
        interval=pattern["interval"],
        **_range(range_, start=start, zone=zone),
        days=tuple(sorted(days, key=DAYS.index)) if "daysOfWeek" in needed else (),
        week_start=pattern["firstDayOfWeek"] if kind == "weekly" else "sunday",
        index=pattern.get("index", "first") if kind.startswith("relative") else "first",
        day_of_month=pattern["dayOfMonth"] if "dayOfMonth" in needed else 0,
        month=pattern["month"] if "month" in needed else 0,
    )
    if found.month and found.day_of_month > calendar.monthrange(2000, found.month)[1]:
        raise _failure(f"Month {found.month} has no day {found.day_of_month}.")
    if next(days_of(found), None) is None:
        raise GraphError(400, "ErrorRecurrenceHasNoOccurrence", "The recurrence has no occurrence.")
    return found


def _range(range_: Mapping[str, Any], *, start: dt.date, zone: str) -> dict[str, Any]:
    first = dt.date.fromisoformat(range_["startDate"])
    if first != start:
        raise _failure(f"The recurrence's startDate {first} is not the date of the event's start {start} (M-45).")
    ends, last, count = range_["type"], range_.get("endDate"), range_.get("numberOfOccurrences", 0)
    named = range_.get("recurrenceTimeZone")
    taken: dict[str, Any] = {"first": first, "zone": zones.windows_name(named) if named else zone}
    if ends == "endDate":
        if not last or last == _NO_DATE:
            raise _failure("A recurrence range of type 'endDate' needs an endDate.")
        taken["last"] = dt.date.fromisoformat(last)
        if taken["last"] < first:
            raise _failure("The recurrence's endDate is before its startDate.")
    elif ends == "numbered":
        if not 1 <= count <= MOST_OCCURRENCES:
            raise _failure(f"numberOfOccurrences is between 1 and {MOST_OCCURRENCES}.")
        taken["count"] = count
    elif count < 0:
        raise _failure("numberOfOccurrences is not negative.")
    return taken


def _failure(message: str) -> GraphError:
    return invalid(message, "ErrorPropertyValidationFailure")


def days_of(rule: Recurrence, since: dt.date | None = None) -> Iterator[dt.date]:
    """Every day of a series in order, from ``since`` on. Endless if the rule is: take what you need."""
    start = max(since or rule.first, rule.first)
    if rule.count:
        yield from (day for day in _counted(rule) if day >= start)
        return
    for day in _days(rule, start):
        if rule.last and day > rule.last:
            return
        if day >= start:
            yield day


def between(rule: Recurrence, start: dt.date, end: dt.date) -> list[dt.date]:
    """The days of a series from ``start`` to ``end``, both inclusive."""
    found = []
    for day in days_of(rule, start):
        if day > end:
            break
        found.append(day)
    return found


def occurs(rule: Recurrence, day: dt.date) -> bool:
    """Whether the rule yields this day."""
    return next(days_of(rule, day), None) == day


def neighbours(rule: Recurrence, day: dt.date) -> tuple[list[dt.date], Iterator[dt.date]]:
    """The days before one (nearest first, up to some 20 periods back) and those after it (M-50)."""
    earliest = day - dt.timedelta(days=_PERIOD_DAYS[rule.type] * rule.interval * 20)
    before = between(rule, max(earliest, rule.first), day - dt.timedelta(days=1))
    return before[::-1], days_of(rule, day + dt.timedelta(days=1))


_PERIOD_DAYS = {
    "daily": 1, "weekly": 7, "absoluteMonthly": 31, "relativeMonthly": 31, "absoluteYearly": 366, "relativeYearly": 366,
}  # fmt: skip


@lru_cache(maxsize=4096)
def _counted(rule: Recurrence) -> tuple[dt.date, ...]:
    days = _days(rule, rule.first)
    return tuple(day for _, day in zip(range(rule.count or 0), days, strict=False))


def _days(rule: Recurrence, since: dt.date) -> Iterator[dt.date]:
    """The days by the pattern alone, in order, none before ``rule.first``; it may begin a period before ``since``."""
    match rule.type:
        case "daily":
            skipped = max(0, (since - rule.first).days // rule.interval)
            step = dt.timedelta(days=rule.interval)
            day = rule.first + skipped * step
            while day.year <= _LAST_YEAR:
                yield day
                day += step
        case "weekly":
            yield from _weekly(rule, since)
        case "absoluteMonthly" | "relativeMonthly":
            first = rule.first.year * 12 + rule.first.month - 1
            skipped = max(0, since.year * 12 + since.month - 1 - first) // rule.interval
            yield from _monthly(rule, first + skipped * rule.interval, rule.interval)
        case _:
            first = rule.first.year * 12 + rule.month - 1
            skipped = max(0, since.year - rule.first.year) // rule.interval
            yield from _monthly(rule, first + skipped * rule.interval * 12, rule.interval * 12)


def _weekly(rule: Recurrence, since: dt.date) -> Iterator[dt.date]:
    """Weeks are counted from the one that holds startDate, and begin on firstDayOfWeek."""
    begins = DAYS.index(rule.week_start)
    offsets = sorted((DAYS.index(day) - begins) % 7 for day in rule.days)
    week = rule.first - dt.timedelta(days=(rule.first.isoweekday() % 7 - begins) % 7)
    skipped = max(0, (since - week).days // (7 * rule.interval))
    week += dt.timedelta(days=7 * rule.interval * skipped)
    while week.year <= _LAST_YEAR:
        for offset in offsets:
            day = week + dt.timedelta(days=offset)
            if day >= rule.first:
                yield day
        week += dt.timedelta(days=7 * rule.interval)


def _monthly(rule: Recurrence, number: int, step: int) -> Iterator[dt.date]:
    """One day in every ``step``-th month; months are numbered from year 0."""
    while number // 12 <= _LAST_YEAR:
        day = _day_in(rule, number // 12, number % 12 + 1)
        if day >= rule.first:
            yield day
        number += step


def _day_in(rule: Recurrence, year: int, month: int) -> dt.date:
    length = calendar.monthrange(year, month)[1]
    if rule.day_of_month:
        return dt.date(year, month, min(rule.day_of_month, length))  # beyond the month's end means its last day (M-44)
    wanted = {DAYS.index(day) for day in rule.days}
    matching = [
        day for number in range(1, length + 1) if (day := dt.date(year, month, number)).isoweekday() % 7 in wanted
    ]
    # Several days of the week: the first (… last) day among all of them (M-42).
    return matching[-1] if rule.index == "last" else matching[ENUMS["weekIndex"].index(rule.index)]
