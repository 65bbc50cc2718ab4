"""How long an account is left alone after its service would not serve us: the circuit breaker (R33)."""

from __future__ import annotations

import datetime as dt

REFUSED = 3
"""Refusals for want of patience in a row, from which on the account is left alone without being told for how long."""
UNREACHABLE = 5
"""The same for answers that did not come: the pairs' own waiting bears with a short breakdown."""
FIRST = dt.timedelta(minutes=1)
LAST = dt.timedelta(hours=1)
LAST_UNREACHABLE = dt.timedelta(minutes=15)


def closing(strains: int, *, refused: bool, retry_after: float | None = None) -> dt.timedelta:
    """For how long the circuit opens at the ``strains``-th failure in a row; zero: it stays as it is.

    ``refused``: the service asked for patience; else it did not answer. What it asked for (``retry_after``, seconds) counts
    from the first time on, for all pairs of the account. Without that, or if that was not enough, it is left alone twice as
    long each time.

    >>> closing(1, refused=True, retry_after=7200)
    datetime.timedelta(seconds=7200)
    >>> [closing(strains, refused=True) // FIRST for strains in range(1, 8)]
    [0, 0, 1, 2, 4, 8, 16]
    """
    patience, last = (REFUSED, LAST) if refused else (UNREACHABLE, LAST_UNREACHABLE)
    grown = dt.timedelta(0) if strains < patience else min(FIRST * (1 << min(strains - patience, 16)), last)
    return max(grown, dt.timedelta(seconds=retry_after or 0))
