"""People: the owners of everything else."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa


@dataclass(frozen=True, slots=True)
class Principal:
    """``password_hash`` is for the portal (None: no sign-in there). ``properties`` are the home collection's."""

    id: int
    name: str
    email: str
    password_hash: str | None
    properties: Mapping[str, Any]
    created_at: dt.datetime


def add(conn: sa.Connection, name: str, email: str, *, now: dt.datetime, password_hash: str | None = None) -> Principal:
    """Raises AlreadyExists, or UsageError for a name that cannot be a path's segment."""
    raise NotImplementedError


def by_id(conn: sa.Connection, principal_id: int) -> Principal | None:
    raise NotImplementedError


def by_name(conn: sa.Connection, name: str) -> Principal | None:
    raise NotImplementedError


def every(conn: sa.Connection) -> list[Principal]:
    raise NotImplementedError


def set_email(conn: sa.Connection, principal_id: int, email: str) -> None:
    raise NotImplementedError


def set_password_hash(conn: sa.Connection, principal_id: int, password_hash: str | None) -> None:
    raise NotImplementedError


def set_properties(conn: sa.Connection, principal_id: int, properties: Mapping[str, Any]) -> None:
    raise NotImplementedError


def delete(conn: sa.Connection, principal_id: int) -> None:
    """The person with everything that is theirs. Raises NotFound."""
    raise NotImplementedError
