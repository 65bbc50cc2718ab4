"""Conflicts: values that had to give way, kept so that their owner can put them back (R35)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from bridge.errors import NotFound
from bridge.ical.fields import Change, change_from_json, change_to_json
from bridge.store.tables import conflicts
from bridge.sync.ledger import Conflict, Verdict


@dataclass(frozen=True, slots=True)
class RecordedConflict:
    id: int
    pair_id: int
    uid: str
    at: dt.datetime
    winner: Verdict
    hub: Change
    remote: Change
    resolved_at: dt.datetime | None

    @property
    def lost(self) -> Change:
        """What gave way."""
        return self.remote if self.winner == "hub" else self.hub


_COLUMNS = sa.select(*(conflicts.c[name] for name in RecordedConflict.__slots__))


def record(conn: sa.Connection, pair_id: int, found: Iterable[Conflict], *, now: dt.datetime) -> None:
    """Keep them. A question that is still open gives way to the newer one about the same object."""
    found = list(found)
    asked = [each.uid for each in found if each.winner == "ask"]
    if asked:
        older = (conflicts.c.winner == "ask", conflicts.c.resolved_at.is_(None), conflicts.c.uid.in_(asked))
        conn.execute(sa.delete(conflicts).where(conflicts.c.pair_id == pair_id, *older))
    rows = [
        {
            "pair_id": pair_id,
            "uid": each.uid,
            "at": now,
            "winner": each.winner,
            "hub": change_to_json(each.hub),
            "remote": change_to_json(each.remote),
        }
        for each in found
    ]
    if rows:
        conn.execute(sa.insert(conflicts), rows)


def unresolved(conn: sa.Connection, pair_id: int) -> list[RecordedConflict]:
    """Oldest first."""
    query = _COLUMNS.where(conflicts.c.pair_id == pair_id, conflicts.c.resolved_at.is_(None)).order_by(conflicts.c.id)
    return [_recorded(row) for row in conn.execute(query).mappings()]


def get(conn: sa.Connection, conflict_id: int) -> RecordedConflict:
    """Raises NotFound."""
    row = conn.execute(_COLUMNS.where(conflicts.c.id == conflict_id)).mappings().one_or_none()
    if row is None:
        raise NotFound(f"there is no conflict {conflict_id}")
    return _recorded(row)


def _recorded(row: sa.RowMapping) -> RecordedConflict:
    sides = {name: change_from_json(row[name] or ()) for name in ("hub", "remote")}
    return RecordedConflict(**(dict(row) | sides))


def resolve(conn: sa.Connection, conflict_id: int, *, now: dt.datetime) -> None:
    """The owner has seen to it. Raises NotFound."""
    done = conn.execute(sa.update(conflicts).where(conflicts.c.id == conflict_id).values(resolved_at=now))
    if done.rowcount == 0:
        raise NotFound(f"there is no conflict {conflict_id}")
