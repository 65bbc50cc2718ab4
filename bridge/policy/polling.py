"""How often a pair in real time is looked after that nobody tells us about: sooner after activity, later in a long quiet."""

from __future__ import annotations

import datetime as dt

SOONER = 5
"""Right after something was found, so many times as often: who has changed one event often changes another."""
SHORTEST = dt.timedelta(seconds=15)
LATER = 4
LONGEST = dt.timedelta(hours=1)
PATIENCE = 24
"""Quiet looks after which the pause doubles: two hours at the usual five minutes."""


def pause(interval: dt.timedelta, idle: int, *, told: bool) -> dt.timedelta:
    """The time to the next look, after ``idle`` looks in a row that found nothing. ``interval`` is what the admin has set.

    ``told``: the service calls us when something changes, so this is its safety poll and keeps its interval (R30).

    >>> [pause(dt.timedelta(minutes=5), idle, told=False) // dt.timedelta(minutes=1) for idle in (0, 1, 2, 3, 4, 27, 28, 52, 999)]
    [1, 2, 3, 4, 5, 5, 10, 20, 20]
    """
    if told:
        return interval
    if idle < SOONER:
        return max(interval * (idle + 1) / SOONER, min(interval, SHORTEST))
    doublings = (idle - SOONER + 1) // PATIENCE
    return max(interval, min(interval * min(1 << min(doublings, 16), LATER), LONGEST))
