"""A to-do that recurs moves on when one of its occurrences is done: what Apple's and other clients make of it (X-69).

Its start, its due time and its alarms go to the next occurrence of its rule together, a COUNT goes down by one, an UNTIL stays.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from bridge.errors import Unmappable
from bridge.ical import alarms, lines, rules, spans, times, values
from bridge.ical.fields import Place, Span, TodoFields

_FAR = dt.timedelta(days=200 * 366)


def moved_on(todo: TodoFields) -> TodoFields | None:
    """The to-do at its next occurrence, with what is left of its rule; None: this one was its last, or it does not recur.

    Reckoned from its start, or from when it is due if it has no other: that is the first occurrence, whether the rule has it
    or not (R-26). Days are those of the clock: a time that one day does not have is back on the next (R23). Without either
    there is nothing to reckon from. Raises Unmappable for what is more than one rule, for a part of it would be lost.
    """
    base = todo.when.start or todo.when.due
    if not todo.rules or base is None:
        return None
    if len(todo.rules) > 1 or not todo.rules[0].startswith("RRULE"):
        raise Unmappable("it recurs by more than a single rule, so which occurrence comes next is not for us to say")
    line = next(lines.read(todo.rules[0]))
    at, zone = base
    rule = rules.parse(line.value, at)
    found = rule.occurrences(
        since=values.midnight(at),
        until=values.shifted(values.midnight(at), _FAR),
        instant=lambda moment: times.instant(moment, zone, floating=dt.UTC),
    )
    after = next((moment for moment in found if moment > values.midnight(at)), None)
    if after is None:
        return None
    by = after - values.midnight(at)
    start, due = todo.when.start, todo.when.due
    when = Span(start and _later(start, by, zone), due and _later(due, by, zone))
    rings = alarms.in_order(_later(each, by, zone) for each in todo.alarms)
    return replace(todo, when=spans.normal(when), rules=(_less_one(line.value),), alarms=rings)


def _later(place: Place, by: dt.timedelta, zone: str | None) -> Place:
    """So much later on its own clock; one in UTC by the clock of what recurs in a ``zone``."""
    value, own = place
    if own == "UTC" and zone not in (None, "UTC") and isinstance(value, dt.datetime):
        wall = times.wall(value.replace(tzinfo=dt.UTC), zone) + by
        return times.instant(wall, zone, floating=dt.UTC).replace(tzinfo=None), own
    return value + by, own


def _less_one(rule: str) -> str:
    parts = [part.partition("=") for part in rule.split(";")]
    said = (f"{name}={int(text) - 1}" if name == "COUNT" else f"{name}{sign}{text}" for name, sign, text in parts)
    return f"RRULE:{';'.join(said)}"
