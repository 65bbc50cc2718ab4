"""Who did what: ids and counts, never contents."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

Detail = Mapping[str, int | str]


@dataclass(frozen=True, slots=True)
class Record:
    id: int
    principal_id: int | None
    at: dt.datetime
    actor: str
    action: str
    detail: Detail


def record(
    conn: sa.Connection,
    action: str,
    *,
    actor: str,
    now: dt.datetime,
    principal_id: int | None = None,
    detail: Detail | None = None,
) -> None:
    """Values are numbers or identifiers; anything that could be text of a calendar is a ValueError."""
    raise NotImplementedError


def of_principal(conn: sa.Connection, principal_id: int, *, limit: int = 100) -> list[Record]:
    """The newest first."""
    raise NotImplementedError


def prune(conn: sa.Connection, before: dt.datetime) -> int:
    """Drop older records. Returns how many went."""
    raise NotImplementedError
