"""Every version of every object, with who and when."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa


@dataclass(frozen=True, slots=True)
class Version:
    """``data`` is None where the object was deleted at this revision."""

    calendar_id: int
    revision: int
    href: str
    uid: str
    data: bytes | None
    actor: str
    at: dt.datetime


def of_object(conn: sa.Connection, calendar_id: int, uid: str) -> list[Version]:
    """All versions of one object, newest first."""
    raise NotImplementedError


def at_revision(conn: sa.Connection, calendar_id: int, revision: int) -> list[Version]:
    """What one transaction did, by href."""
    raise NotImplementedError


def prune(conn: sa.Connection, before: dt.datetime) -> int:
    """Drop versions that were replaced before ``before``. Returns how many went."""
    raise NotImplementedError
