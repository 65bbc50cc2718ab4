"""The occurrences of an event one by one, for an index that answers time ranges and who is busy (RFC 4791 §7.10, §9.9).

A series is followed for a window around now only; ``since`` and ``until`` say where the list is complete. Where it is not, an
event is read anew for each question, so the window decides how fast an answer comes and never what it is.

Times are UTC. Those in no zone (floating, whole days) are kept as their clock shows them, as if that were UTC: where they lie
in a range depends on the zone that the question brings.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from dateutil import rrule

from bridge.errors import Unmappable
from bridge.ical import normal, recurrence, rules, times, timing, values, view
from bridge.ical.fields import MASTER, EventFields, ObjectFields, When
from bridge.ical.objects import CalendarObject
from bridge.ical.timing import Zones

BEGINNING = dt.datetime.min.replace(tzinfo=dt.UTC)
FOREVER = dt.datetime.max.replace(microsecond=0, tzinfo=dt.UTC)

MARGIN = dt.timedelta(days=1)
"""So much more than the range itself must be complete, for times in no zone: all zones lie within 14 hours of UTC."""

ENOUGH = dt.timedelta(days=150)
"""A list that reaches so far ahead need not be made anew yet."""

_RULES = 1  # raised by whoever changes what takes place when, or what is listed of it
_DAY = dt.timedelta(days=1)
_PER_DAY = 4  # a denser rule is not listed: reading it is dear, and it may end at ``rules.CAP`` elsewhere than a short look would
_MOST_OVERRIDDEN = 600  # an object may describe each occurrence by itself
_WORDS = ("DECLINED", "TENTATIVE")

Kind = Literal["BUSY", "BUSY-TENTATIVE"]


class Reach(NamedTuple):
    """How many days back and ahead of now a series is followed, and for how many occurrences: a denser one not as far."""

    back: int
    ahead: int
    most: int


WIDE = Reach(366, 400, 300)
"""What people look at, and what devices keep."""

NEAR = Reach(31, 150, 60)
"""For somebody who waits. Whoever keeps house makes it wide."""


@dataclass(frozen=True, slots=True)
class Occurrence:
    """``kind`` is None where it leaves everybody free. ``answers`` are those that make a difference to whoever gave them."""

    start: dt.datetime
    end: dt.datetime
    floating: bool = False
    kind: Kind | None = None
    answers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Unrolled:
    """All occurrences that touch [since, until) are listed, and maybe some others. Called off ones count: they can be found."""

    occurrences: tuple[Occurrence, ...] = ()
    since: dt.datetime = FOREVER
    until: dt.datetime = BEGINNING


UNKNOWN = Unrolled()
"""Of what cannot be listed: it is complete nowhere."""

NOTHING = Unrolled((), BEGINNING, FOREVER)
"""Of what is no event."""


def edition() -> str:
    """What a list depends on beside its object: one of another edition may be wrong, for governments move clocks."""
    return f"{_RULES} {times.edition()}"


def of(
    obj: CalendarObject, first: dt.datetime | None, last: dt.datetime | None, *, now: dt.datetime, reach: Reach = WIDE
) -> Unrolled:
    """``first`` and ``last`` are its bounds (``busy.bounds``). Never raises: it stands between a device and its PUT."""
    if obj.component != "VEVENT":
        return NOTHING
    try:
        return _unrolled(obj, first, last, now, reach)
    except (ArithmeticError, ValueError, Unmappable):
        return UNKNOWN


def standing(fields: ObjectFields) -> ObjectFields:
    """The fields of an event as if it had not been called off: it still has a time by which it is found."""
    return replace(fields, master=replace(fields.event, status=""))


def _unrolled(
    obj: CalendarObject, first: dt.datetime | None, last: dt.datetime | None, now: dt.datetime, reach: Reach
) -> Unrolled:
    master, zones = obj.master, Zones.of(obj)
    if master is None:
        events = (view.taking(each, zones) for each in obj.overrides if timing.read(each, zones))
        return Unrolled(_distinct(_occurrence(each.when, each) for each in events), BEGINNING, FOREVER)
    recurs = any(master.first(name) for name in (*normal.RULES, "EXDATE"))
    if not recurs and not obj.overrides:
        event = view.taking(master, zones)
        return Unrolled((_occurrence(event.when, event),), BEGINNING, FOREVER)
    fields = view.outline(obj)
    window = _window(fields, first, last, now, reach)
    found = [
        _at(each.start, each.end, each.when, fields.event if each.by == MASTER else each.event)
        for each in recurrence.placed(standing(fields), window.start, window.end, floating=dt.UTC)
    ]
    # what describes itself alone is found at its own time, even if it is called off, or nobody asked for it
    alone = [each for each in obj.overrides if not timing.reach(each)]
    alone += [] if recurs else [master]
    whens = (timing.read(each, zones) for each in alone)
    found += (_occurrence(when, None) for when in whens if when is not None)
    if len(found) > _MOST_OVERRIDDEN:
        raise Unmappable("more occurrences than are worth listing")
    return Unrolled(_distinct(found), window.since, window.until)


def kind(event: EventFields) -> Kind | None:
    """Whether it takes the time of those who come to it."""
    if event.transp != "OPAQUE" or event.status == "CANCELLED":
        return None
    return "BUSY-TENTATIVE" if event.status == "TENTATIVE" else "BUSY"


def answers(event: EventFields) -> tuple[tuple[str, str], ...]:
    """By address: who has declined is free all the same, and who may come not quite."""
    return tuple((each.address, each.partstat) for each in event.attendees if each.partstat in _WORDS)


def _occurrence(when: When, event: EventFields | None) -> Occurrence:
    return _at(*recurrence.instants(when, dt.UTC), when, event)


def _at(start: dt.datetime, end: dt.datetime, when: When, event: EventFields | None) -> Occurrence:
    takes = None if event is None else kind(event)
    if event is None or takes is None:
        return Occurrence(start, end, when.zone is None)
    return Occurrence(start, end, when.zone is None, takes, answers(event))


def _distinct(found: Iterable[Occurrence]) -> tuple[Occurrence, ...]:
    """In order; what takes time need not be said once more to take none."""
    every = set(found)
    taken = {(each.start, each.end, each.floating) for each in every if each.kind}
    kept = (each for each in every if each.kind or (each.start, each.end, each.floating) not in taken)
    return tuple(sorted(kept, key=lambda each: (each.start, each.end, each.floating, each.kind or "", each.answers)))


class _Window(NamedTuple):
    """Where to look, and what is complete then: all time, if nothing lies outside."""

    start: dt.datetime
    end: dt.datetime
    since: dt.datetime
    until: dt.datetime


def _window(
    fields: ObjectFields, first: dt.datetime | None, last: dt.datetime | None, now: dt.datetime, reach: Reach
) -> _Window:
    """Raises Unmappable for a series that is not worth it."""
    if first is None:
        raise Unmappable("nobody knows when it takes place")
    a_day, most = _density(fields)
    first = values.shifted(first, -_DAY)
    if last is not None:
        last = values.shifted(last, _DAY)
        if min(most, a_day * (last - first).days + 1) <= reach.most:
            return _Window(first, last, BEGINNING, FOREVER)
    back, ahead = _span(a_day, reach)
    since, until = now - back, now + ahead
    if last is not None and last <= until:
        # nobody makes anew what reaches to the end, so it is followed as far back as it ever will be
        since, until = now - _span(a_day, WIDE)[0], last
    return _Window(
        max(since, first),
        until,
        BEGINNING if first >= since else since,
        FOREVER if until == last else until,
    )


def _span(a_day: float, reach: Reach) -> tuple[dt.timedelta, dt.timedelta]:
    """How far back and ahead."""
    share = min(1, reach.most / (a_day * (reach.back + reach.ahead))) if a_day else 1
    return share * reach.back * _DAY, share * reach.ahead * _DAY


def _density(fields: ObjectFields) -> tuple[float, float]:
    """How many occurrences a day the rules put at most, on average; and how many in all. Raises Unmappable if they are too many."""
    a_day, in_all = 0.0, 1.0
    for line in fields.recurrence:
        name, _, value = line.partition(":")
        if name not in ("RRULE", "EXRULE"):
            continue
        rule = rules.parse(value, fields.event.when.start)
        often = _often(rule)
        if name == "RRULE":
            a_day += often
            in_all += math.inf if rule.count is None else rule.count
    dates = sum(1 for _ in recurrence.dates(fields))
    if dates > WIDE.most or (fields.recurrence and not a_day and not dates):
        raise Unmappable("many dates, or exceptions to nothing")
    return a_day, in_all + dates


def _often(rule: rules.Rule) -> float:
    by = rule.by
    at = math.prod(len(by.get(name, (0,))) for name in ("byhour", "byminute", "bysecond"))
    if rule.freq >= rrule.HOURLY or at > _PER_DAY:
        raise Unmappable("more often than is worth listing")
    weekdays = by.get("byweekday", ())
    if rule.freq == rrule.DAILY:
        days, period = 1, 1
    elif rule.freq == rrule.WEEKLY:
        days, period = len(weekdays), 7
    else:
        in_month = len(by.get("bymonthday", ())) + sum(1 if getattr(each, "n", None) else 5 for each in weekdays)
        if rule.freq == rrule.MONTHLY:
            days, period = min(in_month or 31, 31), 28
        elif {"byweekno", "byyearday"} & by.keys():
            days, period = 366, 365
        else:
            days, period = min(in_month * len(by.get("bymonth", range(12))) or 366, 366), 365
    if positions := len(by.get("bysetpos", ())):
        days = min(days, positions)
    return at * days / (period * rule.interval)
