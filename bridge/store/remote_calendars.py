"""The calendars an account sees at its service, as they were listed last."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from bridge.sync.ports import RemoteCalendar


@dataclass(frozen=True, slots=True)
class KnownCalendar:
    """``id`` is ours, ``calendar.id`` the service's."""

    id: int
    account_id: int
    calendar: RemoteCalendar


def remember(conn: sa.Connection, account_id: int, listed: Iterable[RemoteCalendar]) -> list[KnownCalendar]:
    """Take over a complete listing. One that is missing from it goes, unless it is paired (R5)."""
    raise NotImplementedError


def by_id(conn: sa.Connection, remote_calendar_id: int) -> KnownCalendar | None:
    raise NotImplementedError


def of_account(conn: sa.Connection, account_id: int) -> list[KnownCalendar]:
    """The primary one first, then by name."""
    raise NotImplementedError
