"""What a pair that was removed had linked, so that the same two calendars find each other's events when they are paired again.

UIDs alone do not tell: a service gives what we create a UID of its own (X-01), and an event that was edited meanwhile looks like
no other (R15). Kept by the service's own names, which a disconnected account has again when it is connected anew.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping

import sqlalchemy as sa

from bridge.store import settings
from bridge.store.tables import accounts, links, remote_calendars
from bridge.store.tables import settings as rows

_PREFIX = "former:"


def remember(conn: sa.Connection, calendar_id: int, remote_calendar_id: int, *, pair_id: int, now: dt.datetime) -> None:
    """Note the links of this pair, which is about to go."""
    query = sa.select(links.c.remote_id, links.c.uid).where(links.c.pair_id == pair_id, links.c.remote_id.is_not(None))
    linked = {row.remote_id: row.uid for row in conn.execute(query.order_by(links.c.uid))}
    name = _name(conn, calendar_id, remote_calendar_id)
    if linked:
        settings.put(conn, name, {"at": now.isoformat(), "links": linked})
    else:
        settings.remove(conn, name)


def of(conn: sa.Connection, calendar_id: int, remote_calendar_id: int) -> Mapping[str, str]:
    """UIDs by remote id; empty if these two were never paired before, or too long ago."""
    held = settings.get(conn, _name(conn, calendar_id, remote_calendar_id), {})
    return dict(held.get("links", {}))


def prune(conn: sa.Connection, before: dt.datetime) -> int:
    """Drop what was noted before. Returns how many went."""
    query = sa.select(rows.c.name, rows.c.value).where(rows.c.name.startswith(_PREFIX))
    old = [row.name for row in conn.execute(query) if dt.datetime.fromisoformat(row.value["at"]) < before]
    for name in old:
        settings.remove(conn, name)
    return len(old)


def _name(conn: sa.Connection, calendar_id: int, remote_calendar_id: int) -> str:
    query = (
        sa.select(accounts.c.provider, accounts.c.sandbox, accounts.c.subject, remote_calendars.c.remote_id)
        .join(accounts, accounts.c.id == remote_calendars.c.account_id)
        .where(remote_calendars.c.id == remote_calendar_id)
    )
    text = json.dumps([calendar_id, *conn.execute(query).one()])
    return f"{_PREFIX}{hashlib.sha256(text.encode()).hexdigest()[:48]}"
