"""How To Do holds times: days as midnights, completion as a day in UTC, a reminder as a moment, and a rule by days. Pure.

A due date loses its time (M-86), and the service tells it as the midnight of some zone in the words of another one: which day
is meant has to be read out of that.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from bridge.errors import Unmappable
from bridge.ical import spans, times, values
from bridge.ical.fields import Place, Span, When
from bridge.providers.graph import patterns, rules, zones

_DAY = dt.timedelta(days=1)
_UNTIL = re.compile(r"(?<=UNTIL=)(\d{8}T\d{6})(Z?)")

Told = Mapping[str, Any]
"""A dateTimeTimeZone."""


# --- days


def day_told(value: Told | None, zone: str) -> dt.date | None:
    """The day whose midnight this is: in the zone in which it is told, in the mailbox's ``zone``, or else in the nearest one.

    Other clients write the midnight of other zones.
    """
    told = _wall(value)
    if value is None or told is None:
        return None
    if told.time() == dt.time():
        return told.date()
    moment = zones.to_instant(told, zones.named(value.get("timeZone") or "") or "UTC")
    here = zones.to_wall(moment, zone)
    return here.date() if here.time() == dt.time() else (moment + dt.timedelta(hours=12)).date()


def begin_told(value: Told | None, zone: str) -> dt.date | None:
    """The day on which a task begins; it keeps its time of day there."""
    told = _wall(value)
    if value is None or told is None:
        return None
    if told.time() == dt.time():
        return told.date()
    return zones.to_wall(zones.to_instant(told, zones.named(value.get("timeZone") or "") or "UTC"), zone).date()


def day_said(day: dt.date, zone: str) -> dict[str, str]:
    """Its midnight in the mailbox's zone."""
    return _said(dt.datetime.combine(day, dt.time()), zone)


def moment_told(value: Told | None) -> dt.datetime | None:
    """Aware UTC, whole seconds."""
    told = _wall(value)
    if value is None or told is None:
        return None
    return zones.to_instant(told, zones.named(value.get("timeZone") or "") or "UTC")


def moment_said(moment: dt.datetime, zone: str) -> dict[str, str]:
    """On the mailbox's clock, so that a reminder that recurs stays at its time; in UTC where that clock shows it twice."""
    wall = zones.to_wall(moment, zone)
    return _said(wall, zone) if zones.to_instant(wall, zone) == moment else _said(moment.replace(tzinfo=None), "UTC")


def completion_said(moment: dt.datetime) -> dict[str, str]:
    return _said(moment.replace(tzinfo=None), "UTC")


def utc_day(moment: dt.datetime | None) -> dt.datetime | None:
    """All that is kept of a time of completion (M-86)."""
    return moment and moment.replace(hour=0, minute=0, second=0, microsecond=0)


def _wall(value: Told | None) -> dt.datetime | None:
    """None for what is not set, or cannot be read."""
    try:
        return dt.datetime.fromisoformat((value or {}).get("dateTime", "")[:19])
    except (ValueError, TypeError):
        return None


def _said(wall: dt.datetime, zone: str) -> dict[str, str]:
    return {"dateTime": f"{wall.isoformat(timespec='seconds')}.0000000", "timeZone": zones.windows_name(zone)}


# --- the hub's times


def days(when: Span, zone: str) -> Span:
    """Both ends as days."""
    return spans.normal(Span(*(end and (spans.day(end, zone), None) for end in (when.start, when.due))))


def moved(hub: Span, seen: Span, wanted: Span, zone: str) -> Span:
    """The hub's span as it has to be for To Do to have ``wanted`` where it had ``seen``: at its own times of day (X-62, X-63).

    An end that is only there because the other one is (``recurring``) moves with that.
    """
    span = hub
    if wanted.due != seen.due and (hub.due is not None or seen.due is None):
        span = spans.due_on(span, _day(wanted.due), zone)
    if wanted.start != seen.start and (hub.start is not None or seen.start is None):
        on = _day(wanted.start)
        if on is None or span.start is None or spans.day(span.start, zone) != on:
            span = spans.begins_on(span, on, zone)
    return span


def _day(end: Place | None) -> dt.date | None:
    return end[0] if end else None


# --- alarms


def first_ring(alarms: Iterable[Place], zone: str) -> tuple[Place, ...]:
    """The first of them: To Do knows one (X-70). In UTC."""
    found = min((_instant(each, zone) for each in alarms), default=None)
    return () if found is None else ((found.replace(tzinfo=None, microsecond=0), "UTC"),)


def with_ring(new: tuple[Place, ...], hub: tuple[Place, ...], zone: str) -> tuple[Place, ...]:
    """The new first one instead of the old; later ones stay, and a reminder that is turned off takes all."""
    if not new:
        return ()
    first = _instant(first_ring(hub, zone)[0], zone) if hub else None
    return (
        *new,
        *(each for each in hub if _instant(each, zone) > _instant(new[0], zone) and _instant(each, zone) != first),
    )


def _instant(place: Place, zone: str) -> dt.datetime:
    value, own = place
    return times.instant(values.midnight(value), own or zone, floating=dt.UTC)


# --- rules


def recurring(when: Span, lines: tuple[str, ...], zone: str) -> tuple[dt.date, tuple[str, ...]] | None:
    """The day on which a recurring to-do is due next, and its rule in the normal form; None where To Do cannot hold it (X-69).

    There the rule is that of the due date, so it can be held only where the to-do begins on the day on which it is due, and
    by days of the hub's own clock. It may be due on a day that the rule does not have: then that says when it is due next.
    """
    base = when.start or when.due
    if len(lines) != 1 or base is None:
        return None
    on = spans.day(base, zone)
    ends = [end for end in (when.start, when.due) if end is not None]
    if any(spans.day(end, zone) != on or spans.day(end, end[1] or zone) != on for end in ends):
        return None
    if isinstance(base[0], dt.datetime) and base[1] == "UTC" and base[0].date() != on:
        return None
    try:
        recurrence = patterns.to_recurrence([_by_days(lines[0], base)], _all_day(on), beside=True)
        return on, rules.to_lines(recurrence, _all_day(on))
    except (Unmappable, OverflowError, ValueError):
        return None


def recurrence_said(line: str, due: dt.date, zone: str) -> dict[str, Any]:
    """A rule in its normal form, as of the day on which it is due next."""
    said = patterns.to_recurrence([line], _all_day(due), beside=True)
    return {**said, "range": {**said["range"], "recurrenceTimeZone": zones.windows_name(zone)}}


def recurrence_told(recurrence: Mapping[str, Any] | None, due: dt.date | None) -> tuple[str, ...]:
    """The rule of a task that is due next on ``due``; none where that cannot be told.

    To Do counts from the first time on, also when others are done: what is counted here is what is left.
    """
    if not recurrence or due is None:
        return ()
    try:
        limits = recurrence["range"]
        if limits["type"] == "numbered":
            first, count = dt.date.fromisoformat(limits["startDate"]), int(limits["numberOfOccurrences"])
            all_of_them = islice(iter(rules.occurrences(rules.rule_text(recurrence["pattern"]), first)), count)
            left = 1 + sum(each.date() > due for each in all_of_them)
            recurrence = {**recurrence, "range": {**limits, "numberOfOccurrences": left}}
        return rules.to_lines(recurrence, _all_day(due))
    except (Unmappable, LookupError, ValueError, TypeError, OverflowError):
        return ()


def _all_day(on: dt.date) -> When:
    return When(on, on + _DAY)


def _by_days(line: str, base: Place) -> str:
    """An UNTIL as the last day on which it lets the to-do recur."""

    def last(found: re.Match[str]) -> str:
        limit = dt.datetime.strptime(found[1], "%Y%m%dT%H%M%S")  # noqa: DTZ007 - a wall clock
        value, zone = base
        if found[2] and zone is not None:
            limit = times.wall(limit.replace(tzinfo=dt.UTC), zone)
        if isinstance(value, dt.datetime) and limit.time() < value.time():
            limit -= _DAY
        return limit.strftime("%Y%m%d")

    return _UNTIL.sub(last, line)
