"""The journal: which cycle did what to which object, so that it can be seen and undone. Never what an event says."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa

from bridge.errors import NotFound
from bridge.store.dialects import insert
from bridge.store.tables import cycles, journal
from bridge.sync.ledger import Done


@dataclass(frozen=True, slots=True)
class Cycle:
    """One cycle that did something. ``finished_at`` None: it is under way, or its process died. ``counts`` by kind and side."""

    pair_id: int
    number: int
    started_at: dt.datetime
    finished_at: dt.datetime | None
    counts: Mapping[str, Any]
    undone_at: dt.datetime | None


def note(conn: sa.Connection, pair_id: int, cycle: int, entries: Collection[Done], *, now: dt.datetime) -> None:
    """Note what this cycle has done; of one object and side only the last, to be undone to where the first began."""
    if not entries:
        return
    begun = insert(conn, cycles).values(pair_id=pair_id, number=cycle, started_at=now, counts={})
    conn.execute(begun.on_conflict_do_nothing())
    statement = insert(conn, journal)
    new = statement.excluded
    statement = statement.on_conflict_do_update(
        index_elements=["pair_id", "cycle", "uid", "side"],
        set_={"kind": new.kind, "approved": new.approved, "at": new.at},
    )
    rows = {(each.uid, each.side): {"pair_id": pair_id, "cycle": cycle, "at": now, **asdict(each)} for each in entries}
    conn.execute(statement, list(rows.values()))


def finish(conn: sa.Connection, pair_id: int, cycle: int, counts: Mapping[str, Any], *, now: dt.datetime) -> None:
    """The cycle has come to its end; one that did nothing has no row."""
    ended = sa.update(cycles).where(cycles.c.pair_id == pair_id, cycles.c.number == cycle)
    conn.execute(ended.values(finished_at=now, counts=dict(counts)))


def deletions(conn: sa.Connection, pair_id: int, since: dt.datetime) -> int:
    """Deletions since then that no owner had approved (R6)."""
    query = sa.select(sa.func.count()).where(
        journal.c.pair_id == pair_id, journal.c.at >= since, journal.c.kind == "delete", ~journal.c.approved
    )
    return conn.scalar(query) or 0


def cycle(conn: sa.Connection, pair_id: int, number: int) -> Cycle:
    """Raises NotFound."""
    row = conn.execute(_CYCLES.where(cycles.c.pair_id == pair_id, cycles.c.number == number)).first()
    if row is None:
        raise NotFound(f"pair {pair_id} has no cycle {number} that changed anything")
    return Cycle(*row)


def latest(conn: sa.Connection, pair_id: int, *, limit: int) -> list[Cycle]:
    """Newest first."""
    query = _CYCLES.where(cycles.c.pair_id == pair_id).order_by(cycles.c.number.desc()).limit(limit)
    return [Cycle(*row) for row in conn.execute(query)]


def entries(conn: sa.Connection, pair_id: int, number: int) -> list[Done]:
    """What one cycle did, by UID."""
    query = (
        sa.select(journal.c.uid, journal.c.side, journal.c.kind, journal.c.undo_to, journal.c.approved)
        .where(journal.c.pair_id == pair_id, journal.c.cycle == number)
        .order_by(journal.c.uid, journal.c.side)
    )
    return [Done(*row) for row in conn.execute(query)]


def last_entry(conn: sa.Connection, pair_id: int, number: int) -> dt.datetime | None:
    """When a cycle did its last thing: the end of one that never came to it."""
    query = sa.select(sa.func.max(journal.c.at)).where(journal.c.pair_id == pair_id, journal.c.cycle == number)
    found: dt.datetime | None = conn.scalar(query)
    return found


def undone(conn: sa.Connection, pair_id: int, number: int, *, now: dt.datetime) -> None:
    """Note that its owner has taken it back."""
    conn.execute(sa.update(cycles).where(cycles.c.pair_id == pair_id, cycles.c.number == number).values(undone_at=now))


def prune(conn: sa.Connection, before: dt.datetime) -> int:
    """Forget what was done before: history has lost its versions, too. Returns how many rows went."""
    gone = conn.execute(sa.delete(journal).where(journal.c.at < before)).rowcount
    return gone + conn.execute(sa.delete(cycles).where(cycles.c.started_at < before)).rowcount


_CYCLES: sa.Select[Any] = sa.select(*(cycles.c[name] for name in Cycle.__slots__))
