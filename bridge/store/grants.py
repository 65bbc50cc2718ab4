"""An account's grant as its provider uses it: sealed at rest, one refresher at a time, durable before use (R29)."""

from __future__ import annotations

import datetime as dt
import secrets
import time
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from bridge.errors import NeedsReconnect, NotFound, Unreachable
from bridge.store.session import Database
from bridge.store.tables import accounts
from bridge.store.vault import Vault
from bridge.sync.ports import Refresh

LEASE = dt.timedelta(seconds=60)
"""Longer than any refresh takes. A refresher that died holds up the others so long."""

POLL_SECONDS = 0.05


def stored(conn: sa.Connection, vault: Vault, account_id: int) -> str:
    """The grant as it is now, for whoever only looks at it. Raises NotFound, NeedsReconnect if it was given up, UsageError."""
    return _opened(vault, account_id, conn.scalar(sa.select(accounts.c.grant).where(accounts.c.id == account_id)))


def _opened(vault: Vault, account_id: int, sealed: bytes | None) -> str:
    if sealed is None:
        raise NotFound(f"there is no account {account_id}")
    if not sealed:
        raise NeedsReconnect("the account has been disconnected")
    return vault.open(sealed)


class Grants:
    """The ``TokenStore`` of one account. It opens transactions of its own: never use it inside one.

    The lease is in the account's row, so it holds between threads, processes and machines alike.
    """

    def __init__(self, database: Database, vault: Vault, account_id: int, *, now: Callable[[], dt.datetime]) -> None:
        self._database = database
        self._vault = vault
        self._id = account_id
        self._now = now

    def load(self) -> str:
        """Raises NotFound if the account is gone, NeedsReconnect if it has been disconnected."""
        with self._database.read() as conn:
            return stored(conn, self._vault, self._id)

    def exchange(self, refresh: Refresh) -> str:
        """Run ``refresh`` on the current grant while nobody else does; what it returns is committed before it is given out.

        No transaction is open meanwhile. If the stored grant has become another one before the answer came (the person
        reconnected; or the lease ran out and somebody else was quicker), that one is kept and returned. An error of
        ``refresh`` passes through; NeedsReconnect is noted with the account. Raises Unreachable if another refresher seems
        to hang, and what ``load`` raises.
        """
        owner = secrets.token_hex(16)
        sealed = self._acquire(owner)
        try:
            old = self._open(sealed)
            new = refresh(old)
        except NeedsReconnect:
            if self._release(owner, sealed, needs_reconnect=True):
                raise
            return self.load()
        except BaseException:
            self._release(owner, sealed)
            raise
        kept = self._release(owner, sealed, **({} if new == old else {"grant": self._vault.seal(new)}))
        return new if kept else self.load()

    def _acquire(self, owner: str) -> bytes:
        """Take the lease; returns the sealed grant as it is then."""
        attempts = 1 + int(2 * LEASE.total_seconds() / POLL_SECONDS)
        for _ in range(attempts):
            now = self._now()
            with self._database.write() as conn:
                row = conn.execute(
                    sa.update(accounts)
                    .where(
                        accounts.c.id == self._id,
                        sa.or_(accounts.c.refresh_lease_until.is_(None), accounts.c.refresh_lease_until <= now),
                    )
                    .values(refresh_lease_owner=owner, refresh_lease_until=now + LEASE)
                    .returning(accounts.c.grant)
                ).first()
                if row is not None:
                    sealed: bytes = row.grant
                    return sealed
                if conn.scalar(sa.select(accounts.c.id).where(accounts.c.id == self._id)) is None:
                    raise NotFound(f"there is no account {self._id}")
            time.sleep(POLL_SECONDS)
        raise Unreachable("another refresh of this account's grant does not come to an end")

    def _release(self, owner: str, sealed: bytes, **outcome: Any) -> bool:
        """Give the lease back. True if the grant is still the one begun with: only then the outcome is stored."""
        row = accounts.c.id == self._id
        with self._database.write() as conn:
            same = conn.scalar(sa.select(accounts.c.grant).where(row).with_for_update()) == sealed
            if same and outcome:
                conn.execute(sa.update(accounts).where(row).values(outcome))
            conn.execute(
                sa.update(accounts)
                .where(row, accounts.c.refresh_lease_owner == owner)
                .values(refresh_lease_owner=None, refresh_lease_until=None)
            )
        return same

    def _open(self, sealed: bytes | None) -> str:
        return _opened(self._vault, self._id, sealed)
