"""What people call "this and following" is one change in two objects (R10, G-63): a series ends earlier, a new one follows.

Told apart, the old one could end while the new one cannot be made, and the rest of the series would be gone. So the cut waits
for the new half: an intent that shortens a series names the creation that takes up what it gives away.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import islice

from bridge.errors import InvalidCalendarData, Unmappable
from bridge.ical.fields import ObjectFields, When
from bridge.ical.recurrence import keys
from bridge.ical.times import instant
from bridge.sync.plan import Case, Step, seen
from bridge.sync.ports import Lens
from bridge.sync.session import this_one

NEAR = dt.timedelta(days=7)
"""How far from the first occurrence that is given away the new half may begin: who moves the rest of a series moves it a little."""


MANY = 10_000
"""Occurrences that are compared: 27 years of a daily series."""


def compounded(steps: Sequence[Step]) -> list[Step]:
    """The same steps; those that shorten a series wait for the creation of the half that follows, if it is among them."""
    halves = [step for step in steps if _creates(step)]
    if not halves:
        return list(steps)
    return [_waiting(step, halves) for step in steps]


def halves(cases: Sequence[Case], lens: Lens) -> dict[str, Case]:
    """Of what a phone has made: the UIDs that take up what a series gives away, and that series. They have one home (R1)."""
    cuts = [cut for case in cases if (cut := _cut_here(case, lens)) is not None]
    if not cuts:
        return {}
    found: dict[str, Case] = {}
    for case in cases:
        half = _seen(case, lens) if case.link is None and case.remote is None else None
        for first, rest, given_away in cuts:
            if half is not None and _follows(half, rest, given_away):
                found[case.uid] = first
    return found


def _cut_here(case: Case, lens: Lens) -> tuple[Case, ObjectFields, dt.datetime] | None:
    """A series that somebody has shortened in the hub, what is left of it, and when the first occurrence begins that is not."""
    before = case.link.hub_base if case.link else None
    if before is None or not before.recurrence:
        return None
    rest = _seen(case, lens)
    given_away = None if rest is None else _cut(before, rest)
    return None if rest is None or given_away is None else (case, rest, given_away)


def _seen(case: Case, lens: Lens) -> ObjectFields | None:
    if case.hub is None:
        return None
    with suppress(Unmappable, InvalidCalendarData), this_one():
        return seen(case.hub.data, lens)
    return None  # the plan says why


def _creates(step: Step) -> bool:
    return step.intent is not None and step.intent.kind == "create" and step.intent.target is not None


def _waiting(step: Step, halves: Sequence[Step]) -> Step:
    given_away = _given_away(step)
    if given_away is None or step.intent is None or step.intent.target is None:
        return step
    for half in halves:
        target = half.intent.target if half.intent else None
        if target is not None and _follows(target, step.intent.target, given_away):
            return replace(step, intent=replace(step.intent, after=half.case.uid))
    return step


def _given_away(step: Step) -> dt.datetime | None:
    """When the first occurrence begins that a step takes off the end of a series."""
    intent, remote = step.intent, step.case.remote
    if intent is None or intent.kind != "update" or intent.target is None or remote is None:
        return None
    return _cut(remote.fields, intent.target)


def _cut(before: ObjectFields, after: ObjectFields) -> dt.datetime | None:
    """When the first occurrence begins that was cut off. None, too, where a rule cannot be followed: it is this series' alone."""
    if (
        not before.recurrence
        or before.recurrence == after.recurrence
        or before.event.when.start != after.event.when.start
    ):
        return None
    with suppress(Unmappable), this_one():
        return next(_lost(before, after), None)
    return None


def _lost(before: ObjectFields, after: ObjectFields) -> Iterator[dt.datetime]:
    """The starts of what ``before`` has behind the last of ``after``; nothing if ``after`` is not its beginning."""
    rest = islice(keys(before), MANY)
    if after.recurrence:
        for key in islice(keys(after), MANY):
            if next(rest, None) != key:
                return
    else:
        next(rest, None)  # only its first occurrence is left
    for key in rest:
        yield _start(key, before.event.when)


def _start(key: str, when: When) -> dt.datetime:
    if key.endswith("Z"):
        return dt.datetime.strptime(key, "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC)
    form = "%Y%m%dT%H%M%S" if "T" in key else "%Y%m%d"
    return instant(dt.datetime.strptime(key, form), when.zone, floating=dt.UTC)  # noqa: DTZ007 - a wall clock


def _follows(half: ObjectFields, first: ObjectFields, given_away: dt.datetime) -> bool:
    begins = instant(half.event.when.start, half.event.when.zone, floating=dt.UTC)
    alike = half.event.summary == first.event.summary or bool(half.recurrence)
    return alike and abs(begins - given_away) <= NEAR
