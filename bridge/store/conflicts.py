"""Conflicts: values that had to give way, kept so that their owner can put them back (R35)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from bridge.errors import NotFound
from bridge.ical.fields import Change, change_from_json, change_to_json
from bridge.store.tables import conflicts, links
from bridge.sync.ledger import Conflict, Verdict
from bridge.sync.plan import ASKED


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


def record(conn: sa.Connection, pair_id: int, found: Iterable[Conflict], *, now: dt.datetime) -> int:
    """Keep them; returns how many are open. Of several questions about one object only the newest counts (``unresolved``).

    What its owner was asked and has answered is settled; what has come in since the question is news (R35). What stands there
    already, and was only planned once more, is none.
    """
    rows = [
        {
            "pair_id": pair_id,
            "uid": each.uid,
            "at": now,
            "winner": each.winner,
            "hub": change_to_json(each.hub),
            "remote": change_to_json(each.remote),
            "resolved_at": now if _answered(conn, pair_id, each) else None,
        }
        for each in found
        if not _stands(conn, pair_id, each)
    ]
    if rows:
        conn.execute(sa.insert(conflicts), rows)
    return sum(row["resolved_at"] is None for row in rows)


def _last(conn: sa.Connection, pair_id: int, uid: str) -> sa.RowMapping | None:
    query = sa.select(conflicts).where(conflicts.c.pair_id == pair_id, conflicts.c.uid == uid)
    return conn.execute(query.order_by(conflicts.c.id.desc()).limit(1)).mappings().first()


def _stands(conn: sa.Connection, pair_id: int, new: Conflict) -> bool:
    """Whether the last that was recorded of this object is the same, and open. A question is asked each time."""
    last = _last(conn, pair_id, new.uid)
    if last is None or last["resolved_at"] is not None or not last["winner"] == new.winner != "ask":
        return False
    return bool(last["hub"] == change_to_json(new.hub) and last["remote"] == change_to_json(new.remote))


def _answered(conn: sa.Connection, pair_id: int, new: Conflict) -> bool:
    """Whether the last that was recorded of this object is an answered question which has shown all that gives way now."""
    if new.winner == "ask":
        return False
    last = _last(conn, pair_id, new.uid)
    if last is None or last["winner"] != "ask" or last["resolved_at"] is None:
        return False
    shown = last["remote" if new.winner == "hub" else "hub"] or ()
    return all(lost in shown for lost in change_to_json(new.lost))


def unresolved(conn: sa.Connection, pair_id: int) -> list[RecordedConflict]:
    """Oldest first. A question is one as long as its object waits for the answer, and only as it was asked last."""
    newer = conflicts.alias()
    asked_again = sa.exists().where(
        newer.c.pair_id == conflicts.c.pair_id,
        newer.c.uid == conflicts.c.uid,
        newer.c.winner == "ask",
        newer.c.id > conflicts.c.id,
    )
    waits = sa.exists().where(
        links.c.pair_id == conflicts.c.pair_id, links.c.uid == conflicts.c.uid, links.c.quarantine == ASKED
    )
    is_open = sa.or_(conflicts.c.winner != "ask", sa.and_(waits, ~asked_again))
    query = _COLUMNS.where(conflicts.c.pair_id == pair_id, conflicts.c.resolved_at.is_(None), is_open)
    query = query.order_by(conflicts.c.id)
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
