"""Scheduling messages to people who have no calendar here: written down with the change they tell of, sent by the worker.

Of one meeting only the newest message to somebody counts: who has not been told of the first change need not be.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa

from bridge.store.tables import itip_outbox


@dataclass(frozen=True, slots=True)
class Outgoing:
    """``principal_id`` is in whose name, ``uid`` which of their meetings; ``data`` the message with its METHOD.

    ``first``: nothing about this meeting has gone out to the recipient before.
    """

    principal_id: int
    uid: str
    recipient: str
    method: str
    data: bytes
    created_at: dt.datetime
    id: int = 0
    attempts: int = 0
    not_before: dt.datetime | None = None
    first: bool = False


def add(conn: sa.Connection, message: Outgoing) -> None:
    """In place of all that still waits for the same recipient about the same meeting, also of what was tried and not taken.

    An older message must never follow a newer one, or a guest would be invited to what was called off. A CANCEL of what has
    surely never gone out leaves nothing to send; what was tried once may have gone out.
    """
    waiting = sa.and_(
        itip_outbox.c.principal_id == message.principal_id,
        itip_outbox.c.uid == message.uid,
        itip_outbox.c.recipient == message.recipient,
    )
    unsent = conn.execute(sa.select(itip_outbox.c.first, itip_outbox.c.attempts).where(waiting)).all()
    conn.execute(sa.delete(itip_outbox).where(waiting))
    untold = any(first and not attempts for first, attempts in unsent)
    if message.method == "CANCEL" and untold:
        return
    conn.execute(
        sa.insert(itip_outbox).values(
            principal_id=message.principal_id,
            uid=message.uid,
            recipient=message.recipient,
            method=message.method,
            data=message.data,
            created_at=message.created_at,
            not_before=message.created_at,
            first=message.first or untold,
        )
    )


_LEASE = dt.timedelta(minutes=5)


def claim(conn: sa.Connection, *, now: dt.datetime) -> Outgoing | None:
    """The next that is due, for whoever sends it now: nobody else gets it within five minutes."""
    due = (
        sa.select(itip_outbox.c.id)
        .where(itip_outbox.c.not_before <= now)
        .order_by(itip_outbox.c.not_before, itip_outbox.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    row = conn.execute(
        sa.update(itip_outbox)
        .where(itip_outbox.c.id == due)
        .values(not_before=now + _LEASE, attempts=itip_outbox.c.attempts + 1)
        .returning(itip_outbox)
    ).first()
    if row is None:
        return None
    return Outgoing(
        row.principal_id,
        row.uid,
        row.recipient,
        row.method,
        row.data,
        row.created_at,
        row.id,
        row.attempts,
        row.not_before,
        row.first,
    )


def sent(conn: sa.Connection, message_id: int) -> None:
    """It is out, or will never be."""
    conn.execute(sa.delete(itip_outbox).where(itip_outbox.c.id == message_id))


def later(conn: sa.Connection, message_id: int, not_before: dt.datetime) -> None:
    conn.execute(sa.update(itip_outbox).where(itip_outbox.c.id == message_id).values(not_before=not_before))


def any_due(conn: sa.Connection, *, now: dt.datetime) -> bool:
    return conn.execute(sa.select(itip_outbox.c.id).where(itip_outbox.c.not_before <= now).limit(1)).first() is not None
