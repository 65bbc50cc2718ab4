"""Conflicts: values that had to give way, kept so that their owner can put them back (R35)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from bridge.errors import NotFound
from bridge.ical.fields import Change, change_from_json, change_to_json
from bridge.store.tables import conflicts
from bridge.sync.ledger import Conflict, Winner


@dataclass(frozen=True, slots=True)
class RecordedConflict:
    id: int
    pair_id: int
    uid: str
    at: dt.datetime
    winner: Winner
    lost: Change
    resolved_at: dt.datetime | None


def record(conn: sa.Connection, pair_id: int, found: Iterable[Conflict], *, now: dt.datetime) -> None:
    rows = [
        {
            "pair_id": pair_id,
            "uid": each.uid,
            "at": now,
            "winner": each.winner,
            "lost": change_to_json(each.lost),
        }
        for each in found
    ]
    if rows:
        conn.execute(sa.insert(conflicts), rows)


def unresolved(conn: sa.Connection, pair_id: int) -> list[RecordedConflict]:
    """Oldest first."""
    query = (
        sa.select(conflicts)
        .where(conflicts.c.pair_id == pair_id, conflicts.c.resolved_at.is_(None))
        .order_by(conflicts.c.id)
    )
    rows = conn.execute(query).mappings()
    return [RecordedConflict(**(dict(row) | {"lost": change_from_json(row["lost"])})) for row in rows]


def resolve(conn: sa.Connection, conflict_id: int, *, now: dt.datetime) -> None:
    """The owner has seen to it. Raises NotFound."""
    done = conn.execute(sa.update(conflicts).where(conflicts.c.id == conflict_id).values(resolved_at=now))
    if done.rowcount == 0:
        raise NotFound(f"there is no conflict {conflict_id}")
