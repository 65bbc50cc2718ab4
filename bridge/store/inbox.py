"""The inbox: a replica of the remote calendar, item by item, and what of it has not been planned yet.

Items of one object share their ``series``, which is the id of its single or master. A removed object is one row without a
payload until that is planned.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from operator import itemgetter
from typing import Any

import sqlalchemy as sa

from bridge.store.dialects import insert
from bridge.store.links import in_chunks
from bridge.store.tables import inbox, links
from bridge.sync.ledger import Replica
from bridge.sync.ports import RemoteItem, Removal

PENDING = sa.text("inbox.pending")
"""In the very words of the partial index, or SQLite would not use it."""


def keep(conn: sa.Connection, pair_id: int, items: Iterable[RemoteItem], *, generation: int) -> None:
    """Take items in. One whose version is known is no news, such as the echo of our own write (R20, S-04).

    Nor is a state from before the one that is known: services replay, and lag behind our own writes (M-27).
    """
    latest = {item.id: item for item in items}  # a page may show an item twice: the later counts (M-27)
    rows = [_row(pair_id, item, generation, pending=True) for item in latest.values()]
    if not rows:
        return
    statement = insert(conn, inbox)
    new = statement.excluded
    replayed = sa.and_(inbox.c.payload.is_not(None), inbox.c.modified_at > new.modified_at)
    news = sa.or_(inbox.c.version != new.version, inbox.c.payload.is_(None))
    values: dict[str, sa.ColumnElement[Any]] = {
        name: sa.case((replayed, inbox.c[name]), else_=new[name])
        for name in ("series", "version", "payload", "modified_at", "certain")
    }
    values["pending"] = sa.or_(inbox.c.pending, sa.and_(news, sa.func.coalesce(~replayed, sa.true())))
    values["generation"] = new.generation
    conn.execute(statement.on_conflict_do_update(index_elements=["pair_id", "id"], set_=values), rows)


def _row(pair_id: int, item: RemoteItem, generation: int, *, pending: bool) -> dict[str, Any]:
    return {
        "pair_id": pair_id,
        "id": item.id,
        "series": item.series,
        "version": item.version,
        "payload": dict(item.payload),
        "modified_at": item.modified,
        "certain": True,
        "generation": generation,
        "pending": pending,
    }


def complete(conn: sa.Connection, pair_id: int, whole: Collection[str], items: Iterable[RemoteItem]) -> None:
    """Of these series the page has shown every item: an exception that it has not shown is one no more (G-66)."""
    shown = {item.id for item in items}
    for chunk in in_chunks(sorted(whole)):
        known = sa.select(inbox.c.id, inbox.c.series).where(inbox.c.pair_id == pair_id, inbox.c.series.in_(chunk))
        missing = {row.id: row.series for row in conn.execute(known) if row.id not in shown}
        for ids in in_chunks(sorted(missing)):
            conn.execute(sa.delete(inbox).where(inbox.c.pair_id == pair_id, inbox.c.id.in_(ids)))
        for masters in in_chunks(sorted(set(missing.values()))):
            masters_of = sa.and_(inbox.c.pair_id == pair_id, inbox.c.id.in_(masters))
            conn.execute(sa.update(inbox).where(masters_of).values(pending=True))


def take_removals(conn: sa.Connection, pair_id: int, removals: Iterable[Removal]) -> None:
    """Mark objects as removed. Of what is not known nothing is kept: the service tells that, too (M-23)."""
    for removal in removals:
        conn.execute(
            sa.update(inbox)
            .where(inbox.c.pair_id == pair_id, inbox.c.id == removal.id)
            .values(payload=None, pending=True, certain=removal.certain)
        )


def remove(conn: sa.Connection, pair_id: int, series: str, *, generation: int, certain: bool = True) -> None:
    """This object is no more, whether it was known or not; or, if that is not ``certain``, somebody has to look."""
    forget(conn, pair_id, [series])
    gone = _row(pair_id, RemoteItem(series, series, "", {}), generation, pending=True)
    gone |= {"payload": None, "certain": certain}
    conn.execute(sa.insert(inbox).values(gone))


def sweep(conn: sa.Connection, pair_id: int, *, generation: int) -> None:
    """Behind the last page of a complete listing: mark what it has not shown as removed, not certainly so (R5, R13).

    A missing exception of an object that was shown is an exception no more: that object is to be planned again.
    """
    stale = sa.and_(inbox.c.pair_id == pair_id, inbox.c.generation < generation)
    shown = inbox.alias()
    missing = sa.select(inbox.c.series).where(stale, inbox.c.id != inbox.c.series)
    conn.execute(
        sa.update(inbox)
        .where(
            inbox.c.pair_id == pair_id,
            inbox.c.generation == generation,
            inbox.c.id == inbox.c.series,
            inbox.c.series.in_(missing),
        )
        .values(pending=True)
    )
    alive = sa.exists().where(
        shown.c.pair_id == pair_id,
        shown.c.id == inbox.c.series,
        shown.c.generation == generation,
        shown.c.payload.is_not(None),
    )
    conn.execute(sa.delete(inbox).where(stale, inbox.c.id != inbox.c.series, alive))
    conn.execute(sa.delete(inbox).where(stale, inbox.c.payload.is_(None), ~inbox.c.pending))  # marks of ``bury``
    conn.execute(
        sa.update(inbox)
        .where(stale, inbox.c.id == inbox.c.series, inbox.c.payload.is_not(None))
        .values(payload=None, pending=True, certain=False)
    )


def refresh(
    conn: sa.Connection, pair_id: int, series: str, items: Sequence[RemoteItem], *, generation: int, pending: bool
) -> None:
    """These are all items of this object now."""
    rows = [_row(pair_id, item, generation, pending=pending) for item in items]
    mine = inbox.c.pair_id == pair_id
    # the pair twice: outside of the OR, SQLite would look through all that the pair has
    same = sa.or_(sa.and_(mine, inbox.c.series == series), sa.and_(mine, inbox.c.id.in_([row["id"] for row in rows])))
    conn.execute(sa.delete(inbox).where(same))
    conn.execute(sa.insert(inbox), rows)


def pending(conn: sa.Connection, pair_id: int) -> list[str]:
    """Objects to plan. A removal that is not certain waits until somebody has looked."""
    unsure = _unsure(pair_id)
    query = (
        sa.select(inbox.c.series).where(inbox.c.pair_id == pair_id, PENDING, inbox.c.series.not_in(unsure)).distinct()
    )
    return list(conn.scalars(query.order_by(inbox.c.series)))


def _unsure(pair_id: int) -> sa.Select[tuple[str]]:
    """Those that are removed, perhaps, and linked; what is not linked nobody misses."""
    linked = sa.exists().where(links.c.pair_id == pair_id, links.c.remote_id == inbox.c.id)
    return sa.select(inbox.c.id).where(
        inbox.c.pair_id == pair_id, PENDING, inbox.c.payload.is_(None), ~inbox.c.certain, linked
    )


_REMOVED = (  # built once: every round of a cycle asks for it, mostly in vain
    sa.select(inbox.c.id).where(
        inbox.c.pair_id == sa.bindparam("pair_id"),
        PENDING,
        inbox.c.payload.is_(None),
        inbox.c.certain == sa.bindparam("certain"),
        sa.exists().where(links.c.pair_id == sa.bindparam("pair_id"), links.c.remote_id == inbox.c.id),
    )
)


def removed(conn: sa.Connection, pair_id: int, *, certain: bool) -> list[str]:
    """Ids of linked objects that the service says are no more."""
    return sorted(conn.scalars(_REMOVED, {"pair_id": pair_id, "certain": certain}))


def unknown(conn: sa.Connection, pair_id: int, ids: Collection[str]) -> set[str]:
    """Those of which nothing is held."""
    held: set[str] = set()
    for chunk in in_chunks(sorted(ids)):
        held |= set(conn.scalars(sa.select(inbox.c.id).where(inbox.c.pair_id == pair_id, inbox.c.id.in_(chunk))))
    return set(ids) - held


def replicas(conn: sa.Connection, pair_id: int, series: Collection[str]) -> dict[str, Replica]:
    found: dict[str, list[sa.RowMapping]] = {}
    for chunk in in_chunks(series):
        query = sa.select(inbox).where(inbox.c.pair_id == pair_id, inbox.c.series.in_(chunk))
        for row in sorted(conn.execute(query).mappings(), key=itemgetter("id")):
            found.setdefault(row["series"], []).append(row)
    return {name: _replica(name, rows) for name, rows in found.items()}


def _replica(series: str, rows: list[sa.RowMapping]) -> Replica:
    for row in rows:
        if row["id"] == series and row["payload"] is None:
            return Replica(series, removed=True, certain=row["certain"])
    items = tuple(
        RemoteItem(row["id"], row["series"], row["version"], row["payload"], row["modified_at"])
        for row in rows
        if row["payload"] is not None
    )
    return Replica(series, items)


def settle(conn: sa.Connection, pair_id: int, series: Collection[str]) -> None:
    """They have been planned; what is removed is forgotten."""
    for chunk in in_chunks(series):
        these = sa.and_(inbox.c.pair_id == pair_id, inbox.c.series.in_(chunk))
        gone = sa.select(inbox.c.id).where(these, inbox.c.id == inbox.c.series, inbox.c.payload.is_(None))
        conn.execute(sa.delete(inbox).where(inbox.c.pair_id == pair_id, inbox.c.series.in_(gone)))
        conn.execute(sa.update(inbox).where(these, inbox.c.pending).values(pending=False))


def plan_again(conn: sa.Connection, pair_id: int, series: Collection[str]) -> None:
    """They are news again, as when they were first seen."""
    for chunk in in_chunks(series):
        conn.execute(sa.update(inbox).where(inbox.c.pair_id == pair_id, inbox.c.series.in_(chunk)).values(pending=True))


def bury(conn: sa.Connection, pair_id: int, series: str, *, generation: int) -> None:
    """We have deleted it ourselves: a mark stays, so that the service's word of it is about something known."""
    forget(conn, pair_id, [series])
    gone = _row(pair_id, RemoteItem(series, series, "", {}), generation, pending=False) | {"payload": None}
    conn.execute(sa.insert(inbox).values(gone))


def forget(conn: sa.Connection, pair_id: int, series: Collection[str]) -> None:
    for chunk in in_chunks(series):
        conn.execute(sa.delete(inbox).where(inbox.c.pair_id == pair_id, inbox.c.series.in_(chunk)))
