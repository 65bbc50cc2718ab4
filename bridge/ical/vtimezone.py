"""VTIMEZONE components (RFC 5545 §3.6.5): the offsets one defines, the IANA zone it means, and one for an IANA zone.

Nothing is registered: a definition is evaluated for the object that holds it and for no other (D-01).
"""

from __future__ import annotations

import bisect
import datetime as dt
import functools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from bridge.errors import Unmappable
from bridge.ical import rules, values
from bridge.ical.objects import Component

_SECOND = dt.timedelta(seconds=1)
_HOUR = dt.timedelta(hours=1)
_DAY = dt.timedelta(days=1)
_YEARS = dt.timedelta(days=3 * 365)
_HORIZON = values.midnight(dt.date(2100, 1, 1))  # naive: as far as transitions are followed


@dataclass(frozen=True, slots=True)
class Observance:
    """A STANDARD or DAYLIGHT part: ``start`` is wall-clock time under the offset ``before``."""

    start: dt.datetime
    before: dt.timedelta
    after: dt.timedelta
    rule: rules.Rule | None
    dates: tuple[dt.datetime, ...]

    @property
    def endless(self) -> bool:
        return self.rule is not None and self.rule.until is None and self.rule.count is None

    def onsets(self, since: dt.datetime, until: dt.datetime) -> Iterator[dt.datetime]:
        """Naive UTC instants at which it begins: its first, and those from a year before ``since`` through ``until``."""
        starts = {self.start, *self.dates}
        if self.rule:
            back = values.shifted(since, -dt.timedelta(days=366))
            starts.update(self.rule.occurrences(since=back, until=until, instant=self._instant))
        return (values.shifted(start, -self.before) for start in starts if start <= until or start == self.start)

    def _instant(self, start: dt.datetime) -> dt.datetime:
        return values.shifted(start, -self.before).replace(tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class Definition:
    """What a VTIMEZONE says, evaluated lazily."""

    observances: tuple[Observance, ...]

    def transitions(self, since: dt.datetime, until: dt.datetime) -> list[tuple[dt.datetime, Observance]]:
        """(naive UTC onset, observance), complete from ``since`` through ``until``, in order. Never empty."""
        found = [(onset, part) for part in self.observances for onset in part.onsets(since, until)]
        return sorted(found, key=lambda pair: pair[0])

    def offset(self, moment: dt.datetime) -> dt.timedelta:
        """The offset in force at a naive UTC instant."""
        return _in_force(self.transitions(moment, values.shifted(moment, 2 * _DAY)), moment)

    def to_utc(self, wall: dt.datetime) -> dt.datetime:
        """The naive UTC instant of a wall-clock time; a repeated one is the first, a missing one takes the offset before."""
        span = self.transitions(values.shifted(wall, -2 * _DAY), values.shifted(wall, 2 * _DAY))
        before = _in_force(span, values.shifted(wall, -_DAY))
        old = values.shifted(wall, -before)
        after = _in_force(span, old)
        if after == before:
            return old
        # A transition lies near. With the new offset the time may still be before it (repeated hour, gap): the old one holds.
        new = values.shifted(wall, -after)
        return new if _in_force(span, new) == after else old


def _in_force(transitions: Sequence[tuple[dt.datetime, Observance]], moment: dt.datetime) -> dt.timedelta:
    index = bisect.bisect_right(transitions, moment, key=lambda pair: pair[0])
    return transitions[index - 1][1].after if index else transitions[0][1].before


def read(component: Component) -> Definition | None:
    """The definition in a VTIMEZONE; None if there is nothing readable in it, or a rule that is not.

    Half of a definition would be worse than none: summer time that never ends.
    """
    try:
        parts = [_observance(part) for part in component.components() if part.name in ("STANDARD", "DAYLIGHT")]
    except Unmappable:
        return None
    found = tuple(part for part in parts if part)
    return Definition(found) if found else None


def _observance(component: Component) -> Observance | None:
    """None if it lacks a time or an offset. Raises Unmappable for its rule."""
    found = {name: component.first(name) for name in ("DTSTART", "TZOFFSETFROM", "TZOFFSETTO", "RRULE")}
    start = values.moment(line.value) if (line := found["DTSTART"]) else None
    after = values.offset(line.value) if (line := found["TZOFFSETTO"]) else None
    if start is None or after is None:
        return None
    before = values.offset(line.value) if (line := found["TZOFFSETFROM"]) else None
    begin = values.midnight(start.value)
    rule = rules.parse(line.value, begin) if (line := found["RRULE"]) else None
    dates = (
        values.moment(text.partition("/")[0]) for line in component.every("RDATE") for text in line.value.split(",")
    )
    return Observance(
        begin, after if before is None else before, after, rule, tuple(values.midnight(d.value) for d in dates if d)
    )


def matches(definition: Definition, names: Iterable[str], *, year: int) -> Iterator[str]:
    """Those IANA zones that keep the same offsets as the definition, in the given order.

    Compared are the years around ``year``, to which an endless rule applies (few: rules change, definitions do not
    tell); or, where all rules have ended, the last years that the definition covers.
    """
    probes = _probes(definition, *_span(definition, year))
    for name in names:
        zone = _zone(name)
        if all(moment.astimezone(zone).utcoffset() == offset for moment, offset in probes):
            yield name


@functools.cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def _span(definition: Definition, year: int) -> tuple[dt.datetime, dt.datetime]:
    since, until = values.midnight(dt.date(year - 1, 1, 1)), values.midnight(dt.date(year + 2, 1, 1))
    if len({part.after for part in definition.observances}) == 1:
        return since, until
    first = min(part.start for part in definition.observances)
    if not any(part.endless for part in definition.observances):
        last = max(onset for onset, _ in definition.transitions(first, _HORIZON))
        if last < until:
            return max(first, last - _YEARS), last + _HOUR
    since = max(since, first)
    return since, max(until, since + _YEARS)


def _probes(definition: Definition, since: dt.datetime, until: dt.datetime) -> list[tuple[dt.datetime, dt.timedelta]]:
    """Instants (aware) and offsets around every transition and in every month."""
    transitions = definition.transitions(since, until)
    moments = [values.midnight(dt.date(y, m, 15)) for y in range(since.year, until.year + 1) for m in range(1, 13)]
    for onset, _ in transitions:
        moments += [values.shifted(onset, by) for by in (-_HOUR, -_SECOND, dt.timedelta(), _HOUR)]
    inside = [moment for moment in moments if since <= moment <= until]
    return [(moment.replace(tzinfo=dt.UTC), _in_force(transitions, moment)) for moment in inside]
