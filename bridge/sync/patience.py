"""Asking again: one lost answer says nothing of the next request, and a short wait is waited before it (R33)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from bridge.errors import ProviderError, Throttled, Unmappable, Unreachable

T = TypeVar("T")

TRIES = 3
"""How often in a row before the service counts as away."""

IN_A_ROW = 3
"""So many answers lost one behind the other: it is the service that is away, and not some requests."""

STUMBLES = 500
"""So a service says that it is the request which it stumbles over; the other 5xx speak of the service (M-78, M-81)."""


def stumbles(error: ProviderError) -> bool:
    return error.status == STUMBLES and not isinstance(error, Throttled)


@dataclass(slots=True)
class Vain:
    """Questions in vain, one behind the other: each about an object of its own, and no reason to leave the others (R32)."""

    in_a_row: int = 0

    def bear(self, error: ProviderError | Unmappable) -> None:
        """Count one. Raises it where it is the service that is away, and not something about this object."""
        if not isinstance(error, Unreachable) or stumbles(error):
            return
        self.in_a_row += 1
        if not error.passing or self.in_a_row == IN_A_ROW:
            raise error

    def over(self) -> None:
        self.in_a_row = 0


def patiently(ask: Callable[[], T]) -> T:
    """What ``ask`` answers, which only reads: a lost answer costs a request and not the cycle. Raises what the last try does."""
    for _ in range(TRIES - 1):
        try:
            return ask()
        except Unreachable as error:
            if not error.passing:
                raise
    return ask()
