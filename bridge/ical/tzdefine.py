"""A VTIMEZONE for an IANA zone, for objects that need one: made from the zone data, valid without an end.

icalendar's ``Timezone.from_tzinfo`` is not used: of a change to daylight time it writes the local time *after* the change
(03:00 in Europe/Berlin) where RFC 5545 §3.6.5 wants the time before it (02:00), an hour wrong on that day; and it ends in
2038.
"""

from __future__ import annotations

import calendar
import datetime as dt
import functools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from bridge.ical import lines, times, values
from bridge.ical.objects import Component

# The Gregorian calendar repeats its weekdays every 28 years (through 2099): a yearly rule has then shown all its dates.
_CYCLE = 28
# Where the zone data still list single years, they do so until here (Morocco further: there the list goes on).
_SETTLED = 2038
_DAY = dt.timedelta(days=1)
_EPOCH = dt.datetime.combine(dt.date(1970, 1, 1), dt.time())
_SECOND = dt.timedelta(seconds=1)
_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


class _Transition(NamedTuple):
    """``at`` is the naive wall-clock time under the offset ``before``, which is what DTSTART and RDATE say."""

    at: dt.datetime
    before: dt.timedelta
    after: dt.timedelta
    name: str
    daylight: bool


@functools.lru_cache(maxsize=256)
def define(iana: str, since: int, eol: str = "\r\n") -> Component:
    """The VTIMEZONE of a zone, with its name as TZID, exact from the year ``since`` on."""
    transitions = list(_transitions(iana, since))
    alike: dict[tuple[object, ...], list[_Transition]] = {}
    for each in transitions:
        alike.setdefault((each.at.month, each.at.weekday(), each.at.time(), *each[1:]), []).append(each)
    parts: list[tuple[dt.datetime, Component]] = []
    single: dict[tuple[object, ...], list[_Transition]] = {}
    for group in alike.values():
        yearly = _yearly(group) if group[-1].at.year == transitions[-1].at.year else []
        if yearly:
            parts.append((yearly[0].at, _observance(yearly[0], _rule(yearly), (), eol)))
        for each in group[: len(group) - len(yearly)]:
            single.setdefault(each[1:], []).append(each)
    parts += [(first.at, _observance(first, "", more, eol)) for first, *more in single.values()]
    if not parts:
        constant = _constant(iana)
        parts = [(constant.at, _observance(constant, "", (), eol))]
    observances = [part for _, part in sorted(parts, key=lambda pair: pair[0])]
    begin, end = (lines.write(word, "VTIMEZONE", eol=eol) for word in ("BEGIN", "END"))
    return Component("VTIMEZONE", begin, (lines.write("TZID", iana, eol=eol), *observances), end)


def _transitions(iana: str, since: int) -> Iterator[_Transition]:
    """From the year before ``since`` through a whole cycle of weekdays after the zone data have settled."""
    zone = times.zone_info(iana)

    def offset(moment: dt.datetime) -> dt.timedelta:
        return moment.astimezone(zone).utcoffset() or dt.timedelta()

    day = dt.datetime(max(since, 2) - 1, 1, 1, tzinfo=dt.UTC)
    end = dt.datetime(min(max(since, _SETTLED) + _CYCLE + 1, dt.MAXYEAR), 1, 1, tzinfo=dt.UTC)
    before = offset(day)
    while day < end:
        after = offset(day + _DAY)
        if after != before:
            low, high = day, day + _DAY
            while high - low > _SECOND:
                middle = low + (high - low) // _SECOND // 2 * _SECOND
                low, high = (middle, high) if offset(middle) == before else (low, middle)
            there = high.astimezone(zone)
            at = (high + before).replace(tzinfo=None)
            yield _Transition(at, before, after, there.tzname() or "", bool(there.dst()))
        before = after
        day += _DAY


def _yearly(group: Sequence[_Transition]) -> list[_Transition]:
    """The end of the group that one yearly rule describes: every year, on a weekday within the same seven days."""
    days = [each.at.day for each in group[-_CYCLE:]]
    low = min(days)
    if len(days) < _CYCLE or max(days) - low > 6:
        return []
    run: list[_Transition] = []
    for each in reversed(group):
        if not low <= each.at.day <= low + 6 or (run and each.at.year != run[-1].at.year - 1):
            break
        run.append(each)
    return run[::-1] if len(run) >= _CYCLE else []


def _rule(yearly: Sequence[_Transition]) -> str:
    at = yearly[-1].at
    weekday, low = _WEEKDAYS[at.weekday()], min(each.at.day for each in yearly)
    if low % 7 == 1:
        day = f"BYDAY={low // 7 + 1}{weekday}"
    elif low + 6 == calendar.monthrange(at.year, at.month)[1]:
        day = f"BYDAY=-1{weekday}"
    else:
        day = f"BYMONTHDAY={','.join(str(n) for n in range(low, low + 7))};BYDAY={weekday}"
    return f"FREQ=YEARLY;BYMONTH={at.month};{day}"


def _constant(iana: str) -> _Transition:
    now = dt.datetime(_SETTLED, 1, 1, tzinfo=dt.UTC).astimezone(times.zone_info(iana))
    offset = now.utcoffset() or dt.timedelta()
    return _Transition(_EPOCH, offset, offset, now.tzname() or "", daylight=False)


def _observance(first: _Transition, rule: str, more: Sequence[_Transition], eol: str) -> Component:
    name = "DAYLIGHT" if first.daylight else "STANDARD"
    content = [
        ("DTSTART", values.write_moment(first.at)),
        ("RRULE", rule),
        ("RDATE", ",".join(values.write_moment(each.at) for each in more)),
        ("TZOFFSETFROM", values.write_offset(first.before)),
        ("TZOFFSETTO", values.write_offset(first.after)),
        ("TZNAME", first.name),
    ]
    begin, end = (lines.write(word, name, eol=eol) for word in ("BEGIN", "END"))
    return Component(name, begin, tuple(lines.write(key, value, eol=eol) for key, value in content if value), end)
