"""The outbox: what the remote shall become, decided and not answered yet."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from typing import Any

import sqlalchemy as sa

from bridge.store.links import fields_or_none, in_chunks, json_or_none, upsert
from bridge.store.tables import outbox
from bridge.sync.ledger import Intent


def _intent(row: sa.RowMapping) -> Intent:
    values = {name: row[name] for name in Intent.__slots__}
    fields = {name: fields_or_none(row[name]) for name in ("target", "hub_base")}
    return Intent(**(values | fields))


def count(conn: sa.Connection, pair_id: int) -> int:
    return conn.scalar(sa.select(sa.func.count()).where(outbox.c.pair_id == pair_id)) or 0


def every_uid(conn: sa.Connection, pair_id: int) -> list[str]:
    return list(conn.scalars(sa.select(outbox.c.uid).where(outbox.c.pair_id == pair_id).order_by(outbox.c.uid)))


def due(conn: sa.Connection, pair_id: int, now: dt.datetime, *, backfill: bool = True) -> list[str]:
    """UIDs, those of a first sync last (R33) or left out; then by attempts: one that always fails holds nobody up (R32).

    What waits for another stands behind it.
    """
    ready = sa.or_(outbox.c.not_before.is_(None), outbox.c.not_before <= now)
    query = sa.select(outbox.c.uid).where(outbox.c.pair_id == pair_id, ready)
    if not backfill:
        query = query.where(~outbox.c.backfill)
    order = (outbox.c.backfill, outbox.c.attempts, outbox.c.after.is_not(None), outbox.c.created_at, outbox.c.uid)
    return list(conn.scalars(query.order_by(*order)))


def by_uid(conn: sa.Connection, pair_id: int, uids: Collection[str]) -> dict[str, Intent]:
    found: dict[str, Intent] = {}
    for chunk in in_chunks(uids):
        query = sa.select(outbox).where(outbox.c.pair_id == pair_id, outbox.c.uid.in_(chunk))
        found |= {row["uid"]: _intent(row) for row in conn.execute(query).mappings()}
    return found


def attempted_creations(conn: sa.Connection, pair_id: int) -> dict[str, Intent]:
    """Those that may have reached the service, the oldest first."""
    query = sa.select(outbox).where(outbox.c.pair_id == pair_id, outbox.c.kind == "create", outbox.c.attempts > 0)
    rows = conn.execute(query.order_by(outbox.c.created_at, outbox.c.uid)).mappings()
    return {row["uid"]: _intent(row) for row in rows}


def save(conn: sa.Connection, pair_id: int, intents: Iterable[Intent], *, now: dt.datetime) -> None:
    """Insert or replace."""
    rows = [{"pair_id": pair_id, "created_at": now, **_row(intent)} for intent in intents]
    if rows:
        conn.execute(upsert(conn, outbox, keys=("pair_id", "uid"), values=Intent.__slots__), rows)


def _row(intent: Intent) -> dict[str, Any]:
    values = {name: getattr(intent, name) for name in Intent.__slots__}
    return values | {"target": json_or_none(intent.target), "hub_base": json_or_none(intent.hub_base)}


def drop(conn: sa.Connection, pair_id: int, uids: Collection[str]) -> None:
    for chunk in in_chunks(uids):
        conn.execute(sa.delete(outbox).where(outbox.c.pair_id == pair_id, outbox.c.uid.in_(chunk)))
