"""What a person types into a new event, whichever place it is typed into; and the names by which all of it is found again.

A title is ``e7 w31``: the lineage, which edits, copies and halves of a split keep, and a word that was never written before.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from zoneinfo import ZoneInfo

MONDAY = dt.date(2035, 3, 5)
"""Before both changes to summer time, and far enough ahead that no library finds a token of these days expired."""
NOW = dt.datetime.combine(MONDAY, dt.time(10), dt.UTC)
FROM = NOW - dt.timedelta(days=30)
TO = FROM + dt.timedelta(days=730)
DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


@dataclass(frozen=True)
class Rule:
    """``freq``: DAILY, WEEKLY, MONTHLY by the day of the month, NTH by the weekday in the month. ``until`` is a day."""

    freq: str
    interval: int = 1
    count: int | None = None
    until: dt.date | None = None
    days: tuple[int, ...] = ()

    def text(self, start, zone):
        """As RRULE's value."""
        parts = [f"FREQ={'MONTHLY' if self.freq == 'NTH' else self.freq}"]
        if self.interval > 1:
            parts.append(f"INTERVAL={self.interval}")
        if self.freq == "NTH":
            parts.append(f"BYDAY={nth(start)}{DAYS[start.weekday()]}")
        elif self.days:
            parts.append("BYDAY=" + ",".join(DAYS[day] for day in self.days))
        if self.count:
            parts.append(f"COUNT={self.count}")
        elif self.until:
            parts.append(f"UNTIL={until(self.until, start, zone)}")
        return ";".join(parts)


def nth(day):
    return (day.day - 1) // 7 + 1


def until(day, start, zone):
    """The last moment of a series that may still begin at its usual time on ``day``."""
    if zone is None:
        return f"{day:%Y%m%d}"
    last = dt.datetime.combine(day, start.time(), ZoneInfo(zone))
    return f"{last.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}"


@dataclass(frozen=True)
class Draft:
    """Wall-clock times in ``zone``; all-day where that is None, with the end exclusive. ``reminder`` in minutes before."""

    title: str
    start: dt.date | dt.datetime
    end: dt.date | dt.datetime
    zone: str | None
    rule: Rule | None = None
    location: str = ""
    description: str = ""
    reminder: int | None = None


@dataclass(frozen=True)
class Thing:
    """A living single event or series in one place. ``ref`` is that place's name for it."""

    ref: str
    title: str
    series: bool
    foreign: bool = False
    guests: bool = False
    all_day: bool = False


def draft(pick, title, word):
    """Anything that all places can hold."""
    day = MONDAY + dt.timedelta(days=pick.number(46))
    if day.day > 28:
        day -= dt.timedelta(days=4)
    rule = _rule(pick, day) if pick.chance(0.45) else None
    more = {
        "rule": rule,
        "location": word() if pick.chance(0.3) else "",
        "description": word() if pick.chance(0.2) else "",
        "reminder": pick.of([5, 30, 1440]) if pick.chance(0.3) else None,
    }
    if pick.chance(0.25):
        return Draft(title, day, day + dt.timedelta(days=pick.of([1, 1, 2])), None, **more)
    start = dt.datetime.combine(day, dt.time(7 + pick.number(12), pick.of([0, 30])))
    zone = pick.of(["Europe/Vienna", "Europe/Vienna", "Europe/Vienna", "America/New_York", "UTC"])
    return Draft(title, start, start + dt.timedelta(minutes=pick.of([30, 60, 90])), zone, **more)


def _rule(pick, day):
    freq = pick.of(["DAILY", "WEEKLY", "WEEKLY", "MONTHLY", "NTH"])
    interval = pick.of([1, 1, 2])
    days = ()
    if freq == "WEEKLY" and pick.chance(0.4):
        days = tuple(sorted({day.weekday(), (day.weekday() + 1 + pick.number(6)) % 7}))
    ends = pick.number(5)
    if ends < 2:
        return Rule(freq, interval, count=2 + pick.number(10), days=days)
    if ends < 4 or freq == "DAILY":
        weeks = 1 + pick.number(4) if freq == "DAILY" else 3 + pick.number(20)
        return Rule(freq, interval, until=day + dt.timedelta(weeks=weeks, days=pick.number(7)), days=days)
    return Rule(freq, interval, days=days)


def lineage(title):
    """Of any title, also of one that a service has put a word before. None: it is not ours."""
    found = re.search(r"\be(\d+)\b", title)
    return int(found[1]) if found else None
