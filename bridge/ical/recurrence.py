"""Recurrence sets: which instances an object has, and where its rule alone puts them (RFC 5545 §3.8.5).

Enumeration runs in the wall-clock time of the master's zone; an instance that falls into a gap takes the offset before
the gap, so that its wall-clock time is later than the rule says (R23). The set is DTSTART, RRULEs and RDATEs without
EXRULEs; what ``ObjectFields.cancelled`` excludes is still generated, but does not take place.

An override for an instance and all later ones (``onward``) moves each of them by the time by which it moves its own, on the
clock of the series; its length and all else it says is theirs (RFC 5545 §3.8.4.4).
"""

from __future__ import annotations

import datetime as dt
import functools
import heapq
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import NamedTuple

from bridge.errors import Unmappable
from bridge.ical import lines, normal, onward, rules, times, timing, values
from bridge.ical.fields import MASTER, EventFields, ObjectFields, Place, When
from bridge.ical.timing import Zones

_DAY = dt.timedelta(days=1)
_FAR = 200 * 366 * _DAY  # how far beyond its start an endless series is followed if nobody says
_NO_ZONES = Zones({})
_LAST = values.midnight(dt.date.max)


@dataclass(frozen=True, slots=True)
class Instance:
    """One occurrence that takes place: its key, where it is now, its fields, and by what it is described (MASTER, an override)."""

    key: str
    when: When
    fields: EventFields
    by: str = MASTER


class Start(NamedTuple):
    """A generated instance: its nominal wall-clock start (naive; an all-day one at midnight) and a period's own length."""

    at: dt.datetime
    length: dt.timedelta | None = None


class Placed(NamedTuple):
    """An occurrence with the component that describes it (``event.when`` may be another's time). ``start`` and ``end`` are UTC."""

    start: dt.datetime
    end: dt.datetime
    key: str
    when: When
    event: EventFields
    by: str


def instances(fields: ObjectFields, start: dt.datetime, end: dt.datetime, *, floating: dt.tzinfo) -> list[Instance]:
    """What takes place within [start, end) (aware), in order; overrides moved into it too, cancelled ones not.

    ``floating`` is the zone in which all-day and floating times are looked at. An override is listed even if the rule does
    not generate it: it is on people's screens. An EXDATE of what does not recur excludes nothing (RFC 5545 §3.8.5.1). A
    rule is followed for ``rules.CAP`` instances at most. Raises Unmappable for a rule that cannot be enumerated (RSCALE).
    """
    return [
        Instance(each.key, each.when, replace(each.event, when=each.when), each.by)
        for each in placed(fields, start, end, floating=floating)
    ]


def placed(fields: ObjectFields, start: dt.datetime, end: dt.datetime, *, floating: dt.tzinfo) -> list[Placed]:
    """As ``instances``, for those who need no fields of each: to copy them takes as long as to find the occurrence."""
    if not fields.recurrence and not fields.overrides:
        return _alone(fields.event, start, end, floating)
    said = {
        name: key for name in fields.overrides if (key := onward.anchor(name)) == name or key not in fields.overrides
    }
    found: list[Placed] = []
    for name, key in said.items():
        event = fields.overrides[name]
        if key not in fields.cancelled and event.status != "CANCELLED":
            begins, ends = instants(event.when, floating)
            if _overlaps(begins, ends, start, end):
                found.append(Placed(begins, ends, key, event.when, event, name))
    parts = _parts(fields)
    standing = [part for part in parts if part.event.status != "CANCELLED"]
    if standing:
        since = min(_naive(start, -_span(part.event.when, floating) - part.by - 2 * _DAY) for part in standing)
        until = max(_naive(end, 2 * _DAY - part.by) for part in standing)
        own, cancelled = {*said.values()}, fields.cancelled if fields.recurrence else frozenset()
        anchors = [part.key for part in parts]
        for key, at in _generated(fields, since, until):
            if key in own or key in cancelled:
                continue
            part = parts[bisect_right(anchors, key) - 1]
            if part.event.status == "CANCELLED":
                continue
            when = part.when(at, fields.event.when)
            begins, ends = instants(when, floating)
            if _overlaps(begins, ends, start, end):
                found.append(Placed(begins, ends, key, when, part.event, part.name))
    return sorted(found, key=lambda each: (each.start, each.key))


def _alone(event: EventFields, start: dt.datetime, end: dt.datetime, floating: dt.tzinfo) -> list[Placed]:
    """What does not recur: the one occurrence of a series without a rule."""
    if event.status == "CANCELLED":
        return []
    at = values.midnight(event.when.start)
    when = _moved(event.when, Start(at))
    begins, ends = instants(when, floating)
    if not _overlaps(begins, ends, start, end):
        return []
    return [Placed(begins, ends, _key(at, event.when), when, event, MASTER)]


def instants(when: When, floating: dt.tzinfo) -> tuple[dt.datetime, dt.datetime]:
    """Its start and end in UTC."""
    return (
        times.instant(when.start, when.zone, floating=floating),
        times.instant(when.end, when.end_zone or when.zone, floating=floating),
    )


def keys(fields: ObjectFields, *, until: dt.datetime | None = None) -> Iterator[str]:
    """The keys the rule generates, cancelled and overridden ones too, in order, lazily.

    ``until`` (aware) is inclusive within a day; without it an endless series is followed for 200 years.
    """
    begin = values.midnight(fields.event.when.start)
    last = _naive(begin.replace(tzinfo=dt.UTC), _FAR) if until is None else _naive(until, _DAY)
    return (key for key, _ in _generated(fields, begin, last))


def called_off(fields: ObjectFields) -> bool:
    """Whether every occurrence of a series is cancelled. Raises Unmappable as ``instances`` does."""
    if not fields.recurrence or fields.overrides:
        return False
    return all(key in fields.cancelled for key in islice(keys(fields), len(fields.cancelled) + 1))


def regular(fields: ObjectFields, key: str) -> When:
    """Where the rule alone puts the instance ``key``. Raises ValueError for a key of another form than the series' own."""
    master = fields.event.when
    length = next((date.length for date in dates(fields) if date.length and _key(date.at, master) == key), None)
    return _moved(master, Start(_nominal(key, master), length))


def inherited(fields: ObjectFields, name: str) -> EventFields:
    """What an instance is without an override of its own: as the rule has it, or the latest range that holds for it.

    ``name`` may be a range's: what its instance would be without it. Raises ValueError as ``regular`` does.
    """
    key, by = onward.anchor(name), onward.holding(fields, name)
    if by == MASTER:
        return replace(fields.event, when=regular(fields, key))
    part = _Part.of(fields, by)
    if key == part.key:
        return part.event
    return replace(part.event, when=part.when(Start(_nominal(key, fields.event.when)), fields.event.when))


def onward_from_next(fields: ObjectFields, key: str) -> ObjectFields:
    """The same occurrences, but the range that begins with the instance ``key`` begins with the next one.

    So the instance itself can be described otherwise, or called off: two components with one RECURRENCE-ID are what few
    programs expect. Where no later instance is left that the range describes it goes. Raises Unmappable as ``instances`` does.
    """
    name = onward.named(key)
    if name not in fields.overrides:
        return fields
    overrides = {each: event for each, event in fields.overrides.items() if each != name}
    later = next((each for each in keys(fields) if each > key), None)
    if later is not None and onward.named(later) not in overrides:
        overrides[onward.named(later)] = inherited(fields, onward.named(later))
    if key not in overrides and key not in fields.cancelled:
        overrides[key] = fields.overrides[name]
    return replace(fields, overrides=overrides)


def occurs(fields: ObjectFields, key: str) -> bool:
    """Whether the rule generates the instance (be it cancelled or overridden). Raises Unmappable as ``instances`` does.

    Of a range it is the one that it begins with.
    """
    return bool(_occurring(fields, [onward.anchor(key)]))


def normalize(fields: ObjectFields) -> ObjectFields:
    """Without overrides equal to what the instance is anyway and without states of instances the rule does not generate.

    An override with STATUS:CANCELLED is a cancelled instance (X-18). Ranges stay. Idempotent. Where the rule cannot be
    enumerated nothing is dropped.
    """
    cancelled = fields.cancelled.union(normal.called_off(fields.overrides))
    overrides = {
        key: event
        for key, event in fields.overrides.items()
        if key not in cancelled and (not onward.is_one(key) or _conforms(key, fields.event.when))
    }
    fields = replace(fields, overrides=overrides)
    try:
        there = _occurring(fields, [*overrides, *cancelled])
        overrides = {
            key: event
            for key, event in overrides.items()
            if onward.is_one(key) or (key in there and not _is_inherited(fields, key, event))
        }
        cancelled &= there
    except Unmappable:
        pass
    return ObjectFields(fields.event, fields.recurrence, overrides, frozenset(cancelled))


def awake(fields: ObjectFields) -> ObjectFields:
    """Without exclusions of what the rule does not generate: an EXDATE behind the end says nothing until the series goes on."""
    if not fields.cancelled:
        return fields
    try:
        return replace(fields, cancelled=_occurring(fields, fields.cancelled))
    except Unmappable:
        return fields


def _is_inherited(fields: ObjectFields, key: str, event: EventFields) -> bool:
    when = _moved(event.when, Start(values.midnight(event.when.start)))
    return replace(event, when=when) == inherited(fields, key)


@dataclass(frozen=True, slots=True)
class _Part:
    """A stretch of a series that one component describes: from the instance ``key`` on, which begins later ``by`` that time."""

    name: str
    key: str
    event: EventFields
    by: dt.timedelta = dt.timedelta()

    @classmethod
    def of(cls, fields: ObjectFields, name: str) -> _Part:
        if name == MASTER:
            return cls(MASTER, "", fields.event)
        key, event, master = onward.anchor(name), fields.overrides[name], fields.event.when
        return cls(name, key, event, _on_clock(event.when, master) - _begin(_nominal(key, master), event.when))

    def when(self, at: Start, master: When) -> When:
        """Where an instance of this part takes place that the rule has ``at``."""
        if self.name == MASTER:
            return _moved(master, at)
        when, zone = self.event.when, master.zone
        nominal = _effective(at.at, zone) if zone else at.at
        to = values.shifted(_begin(nominal, when), self.by)
        if zone and when.zone and when.zone != zone:
            to = times.wall(times.instant(to, zone, floating=dt.UTC), when.zone)
        return _moved(when, Start(to))


def _parts(fields: ObjectFields) -> list[_Part]:
    """In order, the master's first."""
    ranges = sorted(name for name in fields.overrides if onward.is_one(name) and _conforms(name, fields.event.when))
    return [_Part.of(fields, name) for name in [MASTER, *ranges]]


def _conforms(name: str, master: When) -> bool:
    return timing.conforms(onward.anchor(name), master)


def _on_clock(when: When, series: When) -> dt.datetime:
    """A start on the clock of the series, where both have one."""
    start = values.midnight(when.start)
    if when.zone and series.zone and when.zone != series.zone:
        return times.wall(times.instant(start, when.zone, floating=dt.UTC), series.zone)
    return start


def _begin(nominal: dt.datetime, when: When) -> dt.datetime:
    """Of whole days the day counts."""
    return values.midnight(nominal.date()) if when.all_day else nominal


def _nominal(key: str, master: When) -> dt.datetime:
    """The naive start of an instance on the clock of its series. Raises ValueError for a key of another form."""
    moment = values.moment(key)
    if moment is None or not timing.conforms(key, master):
        raise ValueError(f"no instance of this series can be called {key}")
    nominal = values.midnight(moment.value)
    return times.wall(nominal.replace(tzinfo=dt.UTC), master.zone) if master.zone else nominal


def _occurring(fields: ObjectFields, wanted: Iterable[str]) -> frozenset[str]:
    """Those of the wanted keys that the rule generates, enumerating only near them."""
    moments = {
        key: moment.value
        for key in wanted
        if timing.conforms(key, fields.event.when) and (moment := values.moment(key))
    }
    found: set[str] = set()
    run: list[dt.datetime] = []
    for at in [*sorted(values.midnight(value) for value in moments.values()), _LAST]:
        if run and (at == _LAST or at - run[-1] > 366 * _DAY):
            around = _generated(fields, values.shifted(run[0], -2 * _DAY), values.shifted(run[-1], 2 * _DAY))
            found.update(key for key, _ in around if key in moments)
            run = []
        run.append(at)
    return frozenset(found)


def _generated(fields: ObjectFields, since: dt.datetime, until: dt.datetime) -> Iterator[tuple[str, Start]]:
    """(key, start) of the recurrence set within naive wall-clock bounds, in order."""
    master = fields.event.when

    def instant(at: dt.datetime) -> dt.datetime:
        return times.instant(at, master.zone, floating=dt.UTC)

    more = sorted((date for date in dates(fields) if since <= date.at <= until), key=lambda date: date.at)
    included: list[Iterable[Start]] = [more]
    excluded: list[Iterator[dt.datetime]] = []
    for line in fields.recurrence:
        name, _, value = line.partition(":")
        if name == "RRULE":
            rule = rules.parse(value, master.start)
            included.append(Start(at) for at in rule.occurrences(since=since, until=until, instant=instant))
        elif name == "EXRULE":
            rule = rules.parse(value, master.start)
            excluded.append(rule.matches(since=since, until=until, instant=instant))
    if len(included) == 1:
        included.append([Start(values.midnight(master.start))])
    dropped = _Ahead(heapq.merge(*excluded))
    seen: set[str] = set()
    merged = included[1] if not more and len(included) == 2 else heapq.merge(*included, key=lambda date: date.at)
    for date in merged:
        if date.at < since:  # a rule that counts is followed from its beginning
            continue
        key = _key(date.at, master)
        # Two starts may be one instant: a time in a gap and the hour behind it, a date that the rule has, too.
        if key not in seen and not dropped.has(date.at):
            seen.add(key)
            yield key, date


class _Ahead:
    """Whether an ascending stream holds a value, asked in ascending order."""

    def __init__(self, stream: Iterator[dt.datetime]) -> None:
        self._stream = stream
        self._head = next(stream, None)

    def has(self, value: dt.datetime) -> bool:
        while self._head is not None and self._head < value:
            self._head = next(self._stream, None)
        return self._head == value


def dates(fields: ObjectFields) -> Iterator[Start]:
    """The RDATEs in the wall-clock time of the series."""
    for line in fields.recurrence:
        if not line.startswith("RDATE"):
            continue
        content = next(lines.read(line))
        for value in content.value.split(","):
            first, _, last = value.partition("/")
            if place := _NO_ZONES.place(content, first):
                at = _within_series(place, fields.event.when)
                yield Start(at, _period(place, last, content) if last else None)


def _within_series(place: Place, master: When) -> dt.datetime:
    value, zone = place
    if not isinstance(value, dt.datetime):
        time = master.start.time() if isinstance(master.start, dt.datetime) else dt.time()
        return dt.datetime.combine(value, time)
    if not isinstance(master.start, dt.datetime):
        return values.midnight(value.date())
    if zone is None or master.zone is None or zone == master.zone:
        return value
    return times.wall(times.instant(value, zone, floating=dt.UTC), master.zone)


def _period(place: Place, last: str, content: lines.Line) -> dt.timedelta | None:
    if length := values.duration(last):
        return length.total if length.total >= dt.timedelta() else None
    end = _NO_ZONES.place(content, last)
    if end is None:
        return None
    length_ = times.instant(*end, floating=dt.UTC) - times.instant(*place, floating=dt.UTC)
    return length_ if length_ >= dt.timedelta() else None


def _key(at: dt.datetime, master: When) -> str:
    if master.all_day:
        return times.instance_key(at.date())
    return times.instance_key(times.instant(at, master.zone, floating=dt.UTC) if master.zone else at)


def _moved(when: When, to: Start) -> When:
    """The same event at another start.

    It lasts the same exact time (RFC 5545 §3.8.5.3); but whole days by the clock stay whole days over a DST change, which
    is what a DURATION in days means and what people mean.
    """
    if not isinstance(when.start, dt.datetime) or not isinstance(when.end, dt.datetime):
        day = to.at.date()
        return When(
            day, values.shifted(to.at, to.length or values.midnight(when.end) - values.midnight(when.start)).date()
        )
    clock = when.end - when.start
    if when.zone is None:
        return When(to.at, values.shifted(to.at, clock if to.length is None else to.length))
    begin = times.instant(to.at, when.zone, floating=dt.UTC)
    start = times.wall(begin, when.zone)
    if to.length is None and when.end_zone is None and not clock % _DAY:
        end = _effective(values.shifted(to.at, clock), when.zone)
        return When(start, end, when.zone)
    zone = when.end_zone or when.zone
    exact = _exactly(when) if to.length is None else to.length
    return When(start, times.wall(values.shifted(begin, exact), zone), when.zone, when.end_zone)


@functools.lru_cache(maxsize=1024)
def _exactly(when: When) -> dt.timedelta:
    """How long it lasts; remembered, for each occurrence of a series lasts as long."""
    return _span(when, dt.UTC)


def _effective(at: dt.datetime, zone: str) -> dt.datetime:
    """The wall-clock time that a clock shows: behind the gap for one in the gap."""
    return times.wall(times.instant(at, zone, floating=dt.UTC), zone)


def _span(when: When, floating: dt.tzinfo) -> dt.timedelta:
    begins, ends = instants(when, floating)
    return ends - begins


def _overlaps(begins: dt.datetime, ends: dt.datetime, start: dt.datetime, end: dt.datetime) -> bool:
    """As RFC 4791 §9.9 has it: one without length takes place at its start."""
    return begins < end and (ends > start or (ends == begins and begins >= start))


def _naive(moment: dt.datetime, by: dt.timedelta) -> dt.datetime:
    return values.shifted(moment.astimezone(dt.UTC).replace(tzinfo=None), by)
