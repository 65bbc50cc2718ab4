"""Recurrence rules (RFC 5545 §3.3.10) in naive wall-clock time, on python-dateutil, with what it lacks.

dateutil enumerates; this module decides where to begin and where to end:

* COUNT and UNTIL are applied here, because DTSTART is the first instance and counts even where the rule does not match it
  (R-26), and because UNTIL is an instant while enumeration runs in wall-clock time.
* Every enumeration begins at the start of a whole period (year, month, week): dateutil takes BYSETPOS of a first week
  that is cut off at DTSTART.
* Without COUNT it begins near the time that is asked for, not at DTSTART: a daily event of 2005 costs no more than one of
  today.
* The Gregorian calendar repeats every 400 years to the weekday. Enumeration is moved into the last such cycle before the
  year 9999, where dateutil stops, so that a rule which never matches ends soon.
* Of HOURLY, MINUTELY and SECONDLY rules dateutil gives the days only, the times are found here: it goes through seconds in
  search of a time that never comes.
"""

from __future__ import annotations

import datetime as dt
import functools
import itertools
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from dateutil import rrule

from bridge.errors import Unmappable
from bridge.ical import values

CAP = 20_000
"""No rule is followed further than this many instances in one enumeration."""
_LONGEST_INTERVAL = 10**8  # longer than all time in any unit but seconds, and few enough weeks to reckon with
_CANDIDATES = 50 * CAP  # so many times of day are looked at in search of them

Frequency = Literal[0, 1, 2, 3, 4, 5, 6]
_FREQUENCIES: dict[str, Frequency] = {
    "YEARLY": rrule.YEARLY,
    "MONTHLY": rrule.MONTHLY,
    "WEEKLY": rrule.WEEKLY,
    "DAILY": rrule.DAILY,
    "HOURLY": rrule.HOURLY,
    "MINUTELY": rrule.MINUTELY,
    "SECONDLY": rrule.SECONDLY,
}
# The unit of a frequency within the day, and what is set to find the beginning of one.
_UNITS: dict[int, tuple[dt.timedelta, dict[str, Any]]] = {
    rrule.HOURLY: (dt.timedelta(hours=1), {"minute": 0, "second": 0}),
    rrule.MINUTELY: (dt.timedelta(minutes=1), {"second": 0}),
    rrule.SECONDLY: (dt.timedelta(seconds=1), {}),
}
_DAY_END = dt.timedelta(hours=23, minutes=59, seconds=59)
_CLOCK = {"byhour": 24, "byminute": 60, "bysecond": 60}
_WEEKDAYS = {
    "MO": rrule.MO,
    "TU": rrule.TU,
    "WE": rrule.WE,
    "TH": rrule.TH,
    "FR": rrule.FR,
    "SA": rrule.SA,
    "SU": rrule.SU,
}
_DAY = re.compile(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)")
_NUMBERS = {
    "BYSECOND": "bysecond",
    "BYMINUTE": "byminute",
    "BYHOUR": "byhour",
    "BYMONTHDAY": "bymonthday",
    "BYYEARDAY": "byyearday",
    "BYWEEKNO": "byweekno",
    "BYMONTH": "bymonth",
    "BYSETPOS": "bysetpos",
}
_WORDS = ("FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST")
_USUAL = {"RSCALE": "GREGORIAN", "SKIP": "OMIT"}
_TIME_OF_DAY = ("BYSECOND", "BYMINUTE", "BYHOUR")
# The largest number of each part (RFC 5545 §3.3.10); but for months it may count from the end, 0 is nothing. Looking for
# what lies beyond makes dateutil stumble.
_LARGEST = {"bymonth": 12, "bymonthday": 31, "byyearday": 366, "byweekno": 53, "bysetpos": 366}


@dataclass(frozen=True, slots=True)
class Rule:
    """One RRULE or EXRULE over a DTSTART. ``start`` is naive; an all-day start is its midnight."""

    start: dt.datetime
    freq: Frequency
    interval: int
    by: dict[str, Any]
    week_start: int
    count: int | None
    until: values.Moment | None

    def occurrences(
        self, *, since: dt.datetime, until: dt.datetime, instant: Callable[[dt.datetime], dt.datetime]
    ) -> Iterator[dt.datetime]:
        """Where the rule puts instances, from ``since`` or somewhat earlier through ``until`` (naive), in order.

        ``instant`` turns wall-clock time into UTC, to compare it with an UNTIL in UTC.
        """
        left = self.count
        if left is not None:
            since = self.start
        if self._past(self.start, instant):
            return
        if since <= self.start <= until:
            yield self.start
        if left is not None:
            left -= 1
        for moment in self._matches(since, until):
            if moment <= self.start:
                continue
            if (left is not None and left <= 0) or self._past(moment, instant):
                return
            yield moment
            if left is not None:
                left -= 1

    def matches(
        self, *, since: dt.datetime, until: dt.datetime, instant: Callable[[dt.datetime], dt.datetime]
    ) -> Iterator[dt.datetime]:
        """As ``occurrences``, but DTSTART only where the rule matches it: what an EXRULE means."""
        for n, moment in enumerate(self._matches(self.start if self.count is not None else since, until)):
            if (self.count is not None and n >= self.count) or self._past(moment, instant):
                return
            yield moment

    def _past(self, moment: dt.datetime, instant: Callable[[dt.datetime], dt.datetime]) -> bool:
        if self.until is None:
            return False
        last, utc = self.until
        if not isinstance(last, dt.datetime):
            return moment.date() > last  # a DATE for timed instances is met often, and means that whole day
        if utc:
            return instant(moment) > last.replace(tzinfo=dt.UTC)
        return moment > last

    def _matches(self, since: dt.datetime, until: dt.datetime) -> Iterator[dt.datetime]:
        found = (
            self._times(since, until) if self.freq >= rrule.HOURLY else self._periods(self.freq, self.by, since, until)
        )
        return itertools.islice((moment for moment in found if self.start <= moment <= until), CAP)

    def _periods(
        self, freq: Frequency, by: Mapping[str, Any], since: dt.datetime, until: dt.datetime
    ) -> Iterator[dt.datetime]:
        """What dateutil finds, maybe with some before DTSTART."""
        if until < self.start:
            return
        begin = self._begin(freq, since)
        if (plain := self._plain(freq, by, begin, until)) is not None:
            yield from plain
            return
        cycles = (dt.MAXYEAR - until.year) // 400 * 400
        try:
            found = rrule.rrule(
                freq,
                dtstart=begin.replace(year=begin.year + cycles),
                interval=self.interval if freq == self.freq else 1,
                wkst=self.week_start,
                until=until.replace(year=until.year + cycles),
                **by,
            )
        except (ValueError, TypeError) as error:
            raise Unmappable(f"a rule that makes no sense: {error}") from error
        for moment in found:
            yield moment.replace(year=moment.year - cycles)

    def _plain(
        self, freq: Frequency, by: Mapping[str, Any], begin: dt.datetime, until: dt.datetime
    ) -> Iterator[dt.datetime] | None:
        """What dateutil would find for every so many days or weeks, in a fifth of the time: most series are of these kinds."""
        interval = self.interval if freq == self.freq else 1
        if freq == rrule.DAILY and not by:
            return _stepping(begin, [0], interval, until)
        weekdays = [*by.get("byweekday", ())]
        if freq != rrule.WEEKLY or by.keys() != {"byweekday"} or any(getattr(each, "n", None) for each in weekdays):
            return None
        into = (begin.weekday() - self.week_start) % 7
        numbers = {each if isinstance(each, int) else each.weekday for each in weekdays}
        days = sorted((number - self.week_start) % 7 - into for number in numbers)
        return _stepping(begin, days, 7 * interval, until)

    def _times(self, since: dt.datetime, until: dt.datetime) -> Iterator[dt.datetime]:
        """The instances of a rule within the day: of every unit that its days, its hours and its INTERVAL let through."""
        unit, units = _UNITS[self.freq]
        by, start = self.by, self.start
        days = {name: value for name, value in by.items() if name not in _CLOCK and name != "bysetpos"}
        hours = by.get("byhour", range(24))
        minutes = by.get("byminute", range(60) if self.freq >= rrule.MINUTELY else (start.minute,))
        seconds = by.get("bysecond", range(60) if self.freq >= rrule.SECONDLY else (start.second,))
        origin = start.replace(**units)
        candidates = (
            day.replace(hour=hour, minute=minute, second=second)
            for day in self._periods(rrule.DAILY, days, since, values.midnight(until.date()) + _DAY_END)
            for hour, minute, second in itertools.product(sorted(hours), sorted(minutes), sorted(seconds))
        )
        looked_at = itertools.islice(candidates, _CANDIDATES)
        reached = (at for at in looked_at if (at.replace(**units) - origin) // unit % self.interval == 0)
        if not (positions := by.get("bysetpos")):
            yield from reached
            return
        for _, period in itertools.groupby(reached, key=lambda at: at.replace(**units)):
            members = list(period)
            places = {n - 1 if n > 0 else len(members) + n for n in positions}
            yield from (members[n] for n in sorted(places) if 0 <= n < len(members))

    def _begin(self, freq: Frequency, since: dt.datetime) -> dt.datetime:
        """The start of a period of the rule: the last at or before ``since`` that INTERVAL reaches from DTSTART's."""
        start = self.start
        since = max(since, start)
        if freq != self.freq:
            return values.midnight(since.date())
        if self.freq == rrule.YEARLY:
            year = start.year + (since.year - start.year) // self.interval * self.interval
            return start.replace(year=year, month=1, day=1)
        if self.freq == rrule.MONTHLY:
            months = (since.year - start.year) * 12 + since.month - start.month
            months = start.year * 12 + start.month - 1 + months // self.interval * self.interval
            return start.replace(year=months // 12, month=months % 12 + 1, day=1)
        if self.freq == rrule.WEEKLY:
            back = dt.timedelta(days=(start.weekday() - self.week_start) % 7)
            start = start - back if start.date() > dt.date(1, 1, 7) else start
        step = dt.timedelta(days=7 if self.freq == rrule.WEEKLY else 1) * self.interval
        return start + (since - start) // step * step


def _stepping(begin: dt.datetime, days: list[int], step: int, until: dt.datetime) -> Iterator[dt.datetime]:
    """``begin`` and so many days from it, again and again after ``step`` days: none before ``begin``, none after ``until``."""
    last = (until - begin).days
    for base in range(0, last + 8, step):
        for day in days:
            if 0 <= base + day <= last:
                yield begin + dt.timedelta(days=base + day)


def parse(value: str, start: dt.date | dt.datetime) -> Rule:
    """Read a rule's value. Raises Unmappable for what cannot be enumerated."""
    return _remembered(value, start) if len(value) <= _SHORT else _parse(value, start)


_SHORT = 200  # characters: what people's rules have, so that what is remembered of hostile ones is little


@functools.lru_cache(maxsize=1024)
def _remembered(value: str, start: dt.date | dt.datetime) -> Rule:
    return _parse(value, start)


def _parse(value: str, start: dt.date | dt.datetime) -> Rule:
    parts = _parts(value)
    if any(parts.get(name, usual) != usual for name, usual in _USUAL.items()):
        raise Unmappable("a rule in another calendar system (RFC 7529)")
    if any(name.startswith("BY") and name not in _NUMBERS and name != "BYDAY" for name in parts):
        raise Unmappable("a rule with a part that nobody knows")  # without it there would be other instances
    all_day = not isinstance(start, dt.datetime)
    begin = values.midnight(start)
    try:
        freq = _FREQUENCIES[parts.get("FREQ", "")]
        interval = int(parts.get("INTERVAL", "1"))
        count = int(parts["COUNT"]) if "COUNT" in parts else None
        until = values.moment(parts["UNTIL"]) if "UNTIL" in parts else None
        week_start = _WEEKDAYS[parts.get("WKST", "MO")].weekday
        by: dict[str, Any] = {
            word: [int(n) for n in _items(parts[name])]
            for name, word in _NUMBERS.items()
            if _items(parts.get(name, "")) and not (all_day and name in _TIME_OF_DAY)
        }
        if days := _items(parts.get("BYDAY", "")):
            by["byweekday"] = [_weekday(day) for day in days]
    except (KeyError, ValueError) as error:
        raise Unmappable("a rule that cannot be read") from error
    if "UNTIL" in parts and until is None:
        raise Unmappable("a rule that cannot be read")
    if not 1 <= interval <= _LONGEST_INTERVAL or (all_day and freq >= rrule.HOURLY) or not _possible(by, freq):
        raise Unmappable("a rule that makes no sense")
    _fill_in(by, freq, begin)
    return Rule(begin, freq, interval, by, week_start, count, until)


def _parts(value: str) -> dict[str, str]:
    """By name, without those that say nothing."""
    split = (part.partition("=") for part in "".join(value.upper().split()).split(";"))
    return {name: text for name, _, text in split if text}


def plain(value: str) -> dict[str, str]:
    """The parts of a rule by name, as far as they say something here: the same instances in the fewest words.

    Parts that nobody knows are left out, but for BY… ones, without which there would be other instances; so is the calendar
    system that everybody has (RFC 7529), and what is empty. A COUNT below 1 is 1, for DTSTART counts.
    """
    parts = _parts(value)
    said = {name: text for name, text in parts.items() if name in _WORDS or name.startswith("BY")}
    said |= {name: parts[name] for name, usual in _USUAL.items() if parts.get(name, usual) != usual}
    if re.fullmatch(r"[+-]?\d[\d_]*", said.get("COUNT", "")):
        said["COUNT"] = str(max(int(said["COUNT"].replace("_", "")), 1))
    return said


def _items(text: str) -> list[str]:
    return [item for item in text.split(",") if item]


def _possible(by: Mapping[str, Any], freq: int) -> bool:
    within_a_month = freq == rrule.MONTHLY or "bymonth" in by
    return (
        all(0 <= n < units for word, units in _CLOCK.items() for n in by.get(word, ()))
        and all(1 <= abs(n) <= most for word, most in _LARGEST.items() for n in by.get(word, ()))
        and all(n > 0 for n in by.get("bymonth", ()))
        and all(abs(day.n or 1) <= (5 if within_a_month else 53) for day in by.get("byweekday", ()))
    )


def _weekday(text: str) -> Any:
    m = _DAY.fullmatch(text)
    if m is None:
        raise ValueError(text)
    weekday = _WEEKDAYS[m[2]]
    return weekday(int(m[1])) if m[1] else weekday


def _fill_in(by: dict[str, Any], freq: int, start: dt.datetime) -> None:
    """Take from DTSTART what the rule leaves open, before the enumeration is begun elsewhere than at DTSTART.

    dateutil would do so too, but takes all seven days where BYWEEKNO stands alone; RFC 5545 means DTSTART's weekday.
    """
    days = {"byweekday", "bymonthday", "byyearday"} & by.keys()
    if freq == rrule.YEARLY and not days:
        if "byweekno" in by:
            by["byweekday"] = [start.weekday()]
        else:
            by.setdefault("bymonth", [start.month])
            by["bymonthday"] = [start.day]
    elif freq == rrule.MONTHLY and not days:
        by["bymonthday"] = [start.day]
    elif freq == rrule.WEEKLY and not days:
        by["byweekday"] = [start.weekday()]
