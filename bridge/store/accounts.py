"""People's accounts at the services."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa

from bridge.errors import NotFound
from bridge.store.dialects import insert
from bridge.store.tables import accounts
from bridge.store.vault import Vault


@dataclass(frozen=True, slots=True)
class Account:
    """``subject`` is the service's own stable id of the person. The grant stays in its row: see ``grants``.

    The circuit is open until ``closed_until``, after so many ``strains`` in a row: nothing is asked of the service (R33).
    """

    id: int
    principal_id: int
    provider: str
    sandbox: bool
    subject: str
    email: str
    needs_reconnect: bool
    created_at: dt.datetime
    closed_until: dt.datetime | None
    closed_reason: str | None
    strains: int


_COLUMNS = (
    accounts.c.id,
    accounts.c.principal_id,
    accounts.c.provider,
    accounts.c.sandbox,
    accounts.c.subject,
    accounts.c.email,
    accounts.c.needs_reconnect,
    accounts.c.created_at,
    accounts.c.closed_until,
    accounts.c.closed_reason,
    accounts.c.strains,
)


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
    """A new account; or the old row with its calendars, pairs and links if this person was connected before (R15).

    The new grant takes the place of the old one even while a refresh of that is under way (``grants``).
    """
    fresh = {
        "email": email,
        "grant": vault.seal(grant),
        "needs_reconnect": False,
        "refresh_lease_owner": None,
        "refresh_lease_until": None,
    }
    row = conn.execute(
        insert(conn, accounts)
        .values(principal_id=principal_id, provider=provider, sandbox=sandbox, subject=subject, created_at=now, **fresh)
        .on_conflict_do_update(index_elements=["principal_id", "provider", "sandbox", "subject"], set_=fresh)
        .returning(*_COLUMNS)
    ).one()
    return Account(*row)


def by_id(conn: sa.Connection, account_id: int) -> Account | None:
    row = conn.execute(sa.select(*_COLUMNS).where(accounts.c.id == account_id)).first()
    return None if row is None else Account(*row)


def of_principal(conn: sa.Connection, principal_id: int) -> list[Account]:
    """In the order they were connected."""
    query = sa.select(*_COLUMNS).where(accounts.c.principal_id == principal_id).order_by(accounts.c.id)
    return [Account(*row) for row in conn.execute(query)]


def every(conn: sa.Connection) -> list[Account]:
    """In the order they were connected."""
    return [Account(*row) for row in conn.execute(sa.select(*_COLUMNS).order_by(accounts.c.id))]


def disconnect(conn: sa.Connection, account_id: int) -> None:
    """Forget the grant, keep the row with its pairs and links: a reconnect goes on from there (R15). Raises NotFound."""
    _update(conn, account_id, grant=b"", needs_reconnect=True)


def needs_reconnect(conn: sa.Connection, account_id: int) -> None:
    """Note that only the person can help (R28); ``add`` takes it back. Raises NotFound."""
    _update(conn, account_id, needs_reconnect=True)


def remove(conn: sa.Connection, account_id: int) -> None:
    """With its calendars, pairs and links, as if it had never been connected. Raises NotFound."""
    if not conn.execute(sa.delete(accounts).where(accounts.c.id == account_id)).rowcount:
        raise NotFound(f"there is no account {account_id}")


def _update(conn: sa.Connection, account_id: int, **values: object) -> None:
    if not conn.execute(sa.update(accounts).where(accounts.c.id == account_id).values(values)).rowcount:
        raise NotFound(f"there is no account {account_id}")
