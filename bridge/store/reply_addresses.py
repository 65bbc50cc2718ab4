"""The addresses that guests elsewhere answer to: each is one guest's for one meeting, and cannot be guessed."""

from __future__ import annotations

import datetime as dt
import secrets
from dataclasses import dataclass

import sqlalchemy as sa

from bridge.store.dialects import insert
from bridge.store.tables import reply_addresses


@dataclass(frozen=True, slots=True)
class ReplyAddress:
    """``token`` stands between "+" and "@"; ``principal_id`` is the organizer."""

    token: str
    principal_id: int
    uid: str
    recipient: str


_COLUMNS = (
    reply_addresses.c.token,
    reply_addresses.c.principal_id,
    reply_addresses.c.uid,
    reply_addresses.c.recipient,
)


def of(conn: sa.Connection, principal_id: int, uid: str, recipient: str, *, now: dt.datetime) -> ReplyAddress:
    """The one for this guest and meeting, which is made when it is first needed."""
    token = secrets.token_hex(12)  # lower case: mail servers change the case of addresses
    conn.execute(
        insert(conn, reply_addresses)
        .values(token=token, principal_id=principal_id, uid=uid, recipient=recipient, created_at=now)
        .on_conflict_do_nothing()
    )
    row = conn.execute(
        sa.select(*_COLUMNS).where(
            reply_addresses.c.principal_id == principal_id,
            reply_addresses.c.uid == uid,
            reply_addresses.c.recipient == recipient,
        )
    ).one()
    return ReplyAddress(*row)


def by_token(conn: sa.Connection, token: str) -> ReplyAddress | None:
    row = conn.execute(sa.select(*_COLUMNS).where(reply_addresses.c.token == token)).first()
    return None if row is None else ReplyAddress(*row)
