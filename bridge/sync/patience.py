"""Asking again: one lost answer says nothing of the next request, and a short wait is waited before it (R33)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from bridge.errors import Unreachable

T = TypeVar("T")

TRIES = 3
"""How often in a row before the service counts as away."""

IN_A_ROW = 3
"""So many answers lost one behind the other: it is the service that is away, and not some requests."""


def patiently(ask: Callable[[], T]) -> T:
    """What ``ask`` answers, which only reads: a lost answer costs a request and not the cycle. Raises what the last try does."""
    for _ in range(TRIES - 1):
        try:
            return ask()
        except Unreachable as error:
            if not error.passing:
                raise
    return ask()
