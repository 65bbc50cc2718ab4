"""What a person is told of shares (CalendarServer's notifications), until their devices delete it.

Of one share there is at most one notification of a kind: a newer one takes its place, and its path. It goes with its share,
for an invitation that is taken back must not be answered any more.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from bridge.store.tables import notifications as table

INVITATION, REPLY = "invite-notification", "invite-reply"
"""What its document's element is called."""


@dataclass(frozen=True, slots=True)
class Notification:
    """``facts`` are those of its kind (``services.sharing_news``), by which its document is written."""

    id: int
    kind: str
    facts: Mapping[str, Any]
    told_at: dt.datetime


_ROW = sa.select(table.c.id, table.c.kind, table.c.facts, table.c.told_at)


def put(
    conn: sa.Connection,
    principal_id: int,
    kind: str,
    facts: Mapping[str, Any],
    *,
    share_id: int | None,
    now: dt.datetime,
) -> None:
    """Tell somebody. ``share_id`` None: of a share that is no more."""
    if share_id is None or not correct(conn, principal_id, kind, facts, share_id=share_id, now=now):
        row = {"principal_id": principal_id, "kind": kind, "facts": dict(facts), "share_id": share_id, "told_at": now}
        conn.execute(sa.insert(table).values(row))


def correct(
    conn: sa.Connection, principal_id: int, kind: str, facts: Mapping[str, Any], *, share_id: int, now: dt.datetime
) -> bool:
    """Let a notification say what is true now. False: there is none any more, and nobody is told anew."""
    here = table.c.principal_id == principal_id, table.c.share_id == share_id, table.c.kind == kind
    return bool(conn.execute(sa.update(table).where(*here).values(facts=dict(facts), told_at=now)).rowcount)


def of_principal(conn: sa.Connection, principal_id: int) -> list[Notification]:
    """In the order they first came."""
    rows = conn.execute(_ROW.where(table.c.principal_id == principal_id).order_by(table.c.id))
    return [Notification(*row) for row in rows]


def get(conn: sa.Connection, principal_id: int, notification_id: int) -> Notification | None:
    """One of this person's."""
    row = conn.execute(_ROW.where(table.c.principal_id == principal_id, table.c.id == notification_id)).first()
    return None if row is None else Notification(*row)


def remove(conn: sa.Connection, principal_id: int, notification_id: int) -> bool:
    """False: this person has none of that id."""
    gone = sa.delete(table).where(table.c.principal_id == principal_id, table.c.id == notification_id)
    return bool(conn.execute(gone).rowcount)


def prune(conn: sa.Connection, before: dt.datetime) -> int:
    """Drop older ones, but for invitations, which can be answered as long as they stand. Returns how many went."""
    invites = sa.and_(table.c.kind == INVITATION, table.c.share_id.is_not(None))
    return conn.execute(sa.delete(table).where(table.c.told_at < before, ~invites)).rowcount
