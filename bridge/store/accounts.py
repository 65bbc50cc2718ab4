"""People's accounts at Google and Microsoft."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa

from bridge.store.vault import Vault


@dataclass(frozen=True, slots=True)
class Account:
    """``subject`` is the service's own stable id of the person. The grant stays in its row: see ``grants``."""

    id: int
    principal_id: int
    provider: str
    sandbox: bool
    subject: str
    email: str
    needs_reconnect: bool
    created_at: dt.datetime


def add(
    conn: sa.Connection,
    vault: Vault,
    *,
    principal_id: int,
    provider: str,
    sandbox: bool,
    subject: str,
    email: str,
    grant: str,
    now: dt.datetime,
) -> Account:
    """A new account, or the old row with its calendars and pairs if this person was connected before (R15)."""
    raise NotImplementedError


def by_id(conn: sa.Connection, account_id: int) -> Account | None:
    raise NotImplementedError


def of_principal(conn: sa.Connection, principal_id: int) -> list[Account]:
    """In the order they were connected."""
    raise NotImplementedError


def every(conn: sa.Connection) -> list[Account]:
    raise NotImplementedError


def needs_reconnect(conn: sa.Connection, account_id: int) -> None:
    """Note that only the person can help (R28); ``add`` takes it back."""
    raise NotImplementedError


def remove(conn: sa.Connection, account_id: int) -> None:
    """With its calendars, pairs and links. Raises NotFound."""
    raise NotImplementedError
