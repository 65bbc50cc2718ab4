"""A person's phones and tablets, each with a password of its own."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa


@dataclass(frozen=True, slots=True)
class Device:
    id: int
    principal_id: int
    label: str
    password_hash: str
    created_at: dt.datetime
    last_used_at: dt.datetime | None
    last_address: str | None
    last_agent: str | None
    revoked_at: dt.datetime | None


def add(conn: sa.Connection, principal_id: int, label: str, password_hash: str, *, now: dt.datetime) -> Device:
    """Raises AlreadyExists unless the device of that name has been revoked: then it is let in again."""
    raise NotImplementedError


def by_id(conn: sa.Connection, device_id: int) -> Device | None:
    raise NotImplementedError


def of_principal(conn: sa.Connection, principal_id: int, *, revoked: bool = False) -> list[Device]:
    """Those that may sign in; with ``revoked`` the others too."""
    raise NotImplementedError


def used(conn: sa.Connection, device_id: int, *, now: dt.datetime, address: str, agent: str) -> None:
    """Note when, from where and by what it was used last."""
    raise NotImplementedError


def revoke(conn: sa.Connection, device_id: int, *, now: dt.datetime) -> None:
    """Its password is no good any more. Raises NotFound."""
    raise NotImplementedError
