"""Scheduling messages to people who have no calendar here: written down with the change they tell of, sent by the worker.

Of one object only the newest message to somebody counts: who has not been told of the first change need not be.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa

from bridge.store.tables import itip_outbox


@dataclass(frozen=True, slots=True)
class Outgoing:
    """``principal_id`` is in whose name; ``data`` the message with its METHOD."""

    principal_id: int
    calendar_id: int
    uid: str
    recipient: str
    method: str
    data: bytes
    created_at: dt.datetime
    id: int = 0
    attempts: int = 0
    not_before: dt.datetime | None = None


def add(conn: sa.Connection, message: Outgoing) -> None:
    """In place of one to the same person about the same object that is not sent yet.

    A CANCEL of what was never sent leaves nothing to send.
    """
    waiting = sa.and_(
        itip_outbox.c.calendar_id == message.calendar_id,
        itip_outbox.c.uid == message.uid,
        itip_outbox.c.recipient == message.recipient,
        itip_outbox.c.attempts == 0,
    )
    unsent = set(conn.scalars(sa.select(itip_outbox.c.method).where(waiting)))
    conn.execute(sa.delete(itip_outbox).where(waiting))
    if message.method == "CANCEL" and "REQUEST" in unsent:
        return
    conn.execute(
        sa.insert(itip_outbox).values(
            principal_id=message.principal_id,
            calendar_id=message.calendar_id,
            uid=message.uid,
            recipient=message.recipient,
            method=message.method,
            data=message.data,
            created_at=message.created_at,
            not_before=message.created_at,
        )
    )
