"""A calendar's revision, and what is new since one."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa


@dataclass(frozen=True, slots=True)
class Changed:
    href: str
    uid: str
    revision: int
    deleted: bool


def bump(conn: sa.Connection, calendar_id: int, *, actor: str, now: dt.datetime) -> int:
    """The revision of this transaction in this calendar; the first call makes it and wakes the other pairs."""
    raise NotImplementedError


def since(conn: sa.Connection, calendar_id: int, revision: int) -> list[Changed]:
    """What changed after ``revision``, in that order. Raises SyncTokenInvalid, NotFound."""
    raise NotImplementedError


def compact(conn: sa.Connection, calendar_id: int, before: dt.datetime) -> int:
    """Drop tombstones older than ``before`` and raise the floor. Returns how many went."""
    raise NotImplementedError
