"""People's accounts at the services."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa

from bridge.errors import NotFound
from bridge.policy import circuit
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

    def rests(self, now: dt.datetime) -> bool:
        """Whether the circuit is open."""
        return self.closed_until is not None and self.closed_until > now


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


def strain(
    conn: sa.Connection,
    account_id: int,
    *,
    refused: bool,
    retry_after: float | None = None,
    reason: str,
    now: dt.datetime,
) -> dt.datetime | None:
    """The service asked for patience (``refused``), or did not answer: count it, and open the circuit if it is time (R33).

    ``reason`` is in plain words. Returns until when the circuit is open now. An account that is gone is nobody's strain.
    """
    this = accounts.c.id == account_id
    counted = sa.update(accounts).where(this).values(strains=accounts.c.strains + 1)
    row = conn.execute(counted.returning(accounts.c.strains, accounts.c.closed_until)).first()
    if row is None:
        return None
    wait = circuit.closing(row.strains, refused=refused, retry_after=retry_after)
    open_until: dt.datetime | None = row.closed_until
    if wait and (open_until is None or open_until < now + wait):
        open_until = now + wait
        conn.execute(sa.update(accounts).where(this).values(closed_until=open_until, closed_reason=reason))
    return open_until if open_until is not None and open_until > now else None


def relieve(conn: sa.Connection, account_id: int, *, now: dt.datetime) -> None:
    """A cycle has gone well: the circuit closes, unless another cycle has opened it while this one was under way."""
    over = sa.or_(accounts.c.closed_until.is_(None), accounts.c.closed_until <= now)
    conn.execute(
        sa.update(accounts)
        .where(accounts.c.id == account_id, over)
        .values(strains=0, closed_until=None, closed_reason=None)
    )


def remove(conn: sa.Connection, account_id: int) -> None:
    """With its calendars, pairs and links, as if it had never been connected. Raises NotFound."""
    if not conn.execute(sa.delete(accounts).where(accounts.c.id == account_id)).rowcount:
        raise NotFound(f"there is no account {account_id}")


def _update(conn: sa.Connection, account_id: int, **values: object) -> None:
    if not conn.execute(sa.update(accounts).where(accounts.c.id == account_id).values(values)).rowcount:
        raise NotFound(f"there is no account {account_id}")
