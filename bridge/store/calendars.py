"""Calendar collections: their names, properties and revision."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa


@dataclass(frozen=True, slots=True)
class Calendar:
    """``owner`` and ``slug`` are its path. ``revision`` is ctag and sync token; tokens below ``floor`` are refused."""

    id: int
    principal_id: int
    owner: str
    slug: str
    properties: Mapping[str, Any]
    revision: int
    floor: int
    modified_at: dt.datetime


def create(
    conn: sa.Connection, principal_id: int, slug: str, *, properties: Mapping[str, Any], now: dt.datetime
) -> Calendar:
    """Raises AlreadyExists."""
    raise NotImplementedError


def get(conn: sa.Connection, owner: str, slug: str) -> Calendar | None:
    raise NotImplementedError


def by_id(conn: sa.Connection, calendar_id: int) -> Calendar | None:
    raise NotImplementedError


def of_principal(conn: sa.Connection, owner: str) -> list[Calendar]:
    """In the order they were made."""
    raise NotImplementedError


def set_properties(
    conn: sa.Connection, calendar_id: int, properties: Mapping[str, Any], *, actor: str, now: dt.datetime
) -> None:
    """Replace all properties; a real change bumps the revision (and so ctag). Raises NotFound."""
    raise NotImplementedError


def delete(conn: sa.Connection, calendar_id: int) -> None:
    """With its objects, history and pairs. Asks nobody: see ``is_bridged``. Raises NotFound."""
    raise NotImplementedError


def is_bridged(conn: sa.Connection, calendar_id: int) -> bool:
    """True if a pair exists."""
    raise NotImplementedError
