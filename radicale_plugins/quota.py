"""How much a person's calendars take up, and how much they may (RFC 4331)."""

from __future__ import annotations

from http import client

import sqlalchemy as sa

from bridge.store import attachments, calendars
from radicale_plugins import dav
from radicale_plugins.request import Request


def used(conn: sa.Connection, principal_id: int) -> int:
    """Bytes of objects and attachments; their history does not count, for nobody can make it less."""
    return calendars.used_bytes(conn, principal_id) + attachments.used_bytes(conn, principal_id)


def require_room(request: Request, conn: sa.Connection, principal_id: int, more: int) -> None:
    """Raises dav.Refusal 507 where ``more`` bytes would be too many. What becomes smaller is always taken."""
    limit = request.limits.quota_bytes
    if limit and more > 0 and used(conn, principal_id) + more > limit:
        raise dav.Refusal(dav.error(client.INSUFFICIENT_STORAGE, "D:quota-not-exceeded"))
