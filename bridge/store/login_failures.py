"""How often signing in has failed lately, by address and by account."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import sqlalchemy as sa


def of_address(address: str) -> str:
    """The subject under which an address is counted."""
    raise NotImplementedError


def of_account(name: str) -> str:
    """The subject under which an account is counted, whether it exists or not."""
    raise NotImplementedError


def blocked_until(conn: sa.Connection, subjects: Iterable[str], *, now: dt.datetime) -> dt.datetime | None:
    """Until when none of these may try; None: go ahead."""
    raise NotImplementedError


def record(
    conn: sa.Connection, subject: str, *, now: dt.datetime, max_failures: int, block_seconds: int
) -> dt.datetime | None:
    """Count a failure. Returns until when the subject is blocked now, if it is."""
    raise NotImplementedError


def clear(conn: sa.Connection, subject: str) -> None:
    """Forget them: somebody signed in."""
    raise NotImplementedError


def prune(conn: sa.Connection, before: dt.datetime) -> int:
    """Forget those whose last failure is older. Returns how many subjects went."""
    raise NotImplementedError
