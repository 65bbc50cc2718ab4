"""Links: which object of the hub is which of the remote, and what both last agreed on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator
from itertools import islice
from typing import Any, TypeVar

import sqlalchemy as sa

from bridge.ical.fields import ObjectFields, from_json, to_json
from bridge.store.dialects import insert
from bridge.store.tables import links, objects, outbox, pairs, remote_calendars
from bridge.sync.ledger import Link
from bridge.sync.parts import split

T = TypeVar("T")

DIRTY = sa.text("links.dirty")
"""In the very words of the partial index, or SQLite would not use it."""

AT_ONCE = 500
"""Values in one IN (…): well under what both databases allow in one statement."""


def in_chunks(values: Iterable[T]) -> Iterator[list[T]]:
    rest = iter(values)
    while chunk := list(islice(rest, AT_ONCE)):
        yield chunk


def fields_or_none(value: Any) -> ObjectFields | None:
    return None if value is None else from_json(value)


def json_or_none(fields: ObjectFields | None) -> dict[str, Any] | None:
    return None if fields is None else to_json(fields)


def _link(row: sa.RowMapping) -> Link:
    values = {name: row[name] for name in Link.__slots__}
    bases = {name: fields_or_none(row[name]) for name in ("hub_base", "remote_base")}
    return Link(**(values | bases))


def count(conn: sa.Connection, pair_id: int) -> int:
    """Objects that both sides have agreed on, in parts or whole, be the remote's object still there or not."""
    objects_ = sa.func.count(sa.distinct(sa.func.coalesce(links.c.part_of, links.c.uid)))
    query = sa.select(objects_).where(links.c.pair_id == pair_id, links.c.remote_base.is_not(None))
    return conn.scalar(query) or 0


def parts(conn: sa.Connection, pair_id: int, uids: Collection[str]) -> dict[str, list[str]]:
    """By the UID of an object the names of its parts; none of those that are linked as one."""
    found: dict[str, list[str]] = {}
    for chunk in in_chunks(uids):
        query = sa.select(links.c.part_of, links.c.uid).where(links.c.pair_id == pair_id, links.c.part_of.in_(chunk))
        for whole, name in conn.execute(query):
            found.setdefault(whole, []).append(name)
    return {whole: sorted(names) for whole, names in found.items()}


def quarantined(conn: sa.Connection, pair_id: int) -> list[Link]:
    """What is left alone, and why (R32)."""
    query = sa.select(links).where(links.c.pair_id == pair_id, links.c.quarantine.is_not(None)).order_by(links.c.uid)
    return [_link(row) for row in conn.execute(query).mappings()]


def by_uid(conn: sa.Connection, pair_id: int, uids: Collection[str]) -> dict[str, Link]:
    return {link.uid: link for link in _where(conn, pair_id, links.c.uid, uids)}


def by_remote_id(conn: sa.Connection, pair_id: int, ids: Collection[str]) -> dict[str, Link]:
    return {link.remote_id: link for link in _where(conn, pair_id, links.c.remote_id, ids) if link.remote_id}


def by_creation_key(conn: sa.Connection, pair_id: int, keys: Collection[str]) -> dict[str, Link]:
    return {link.creation_key: link for link in _where(conn, pair_id, links.c.creation_key, keys) if link.creation_key}


def _where(conn: sa.Connection, pair_id: int, column: sa.Column[Any], values: Collection[str]) -> Iterator[Link]:
    for chunk in in_chunks(values):
        query = sa.select(links).where(links.c.pair_id == pair_id, column.in_(chunk))
        yield from (_link(row) for row in conn.execute(query).mappings())


def every_uid(conn: sa.Connection, pair_id: int) -> list[str]:
    return list(conn.scalars(sa.select(links.c.uid).where(links.c.pair_id == pair_id).order_by(links.c.uid)))


def unlinked(conn: sa.Connection, pair_id: int, calendar_id: int) -> list[str]:
    """UIDs of the calendar's events, or to-dos, that no link of this pair names: such as its remote side holds."""
    linked = sa.exists().where(links.c.pair_id == pair_id, links.c.uid == objects.c.uid)
    held = sa.select(remote_calendars.c.component).join(pairs).where(pairs.c.id == pair_id).scalar_subquery()
    query = sa.select(objects.c.uid).where(objects.c.calendar_id == calendar_id, objects.c.component == held, ~linked)
    return list(conn.scalars(query.order_by(objects.c.uid)))


def orphaned(conn: sa.Connection, pair_id: int, calendar_id: int) -> list[str]:
    """UIDs of links whose object is not in the calendar."""
    there = sa.exists().where(objects.c.calendar_id == calendar_id, objects.c.uid == links.c.uid)
    query = sa.select(links.c.uid).where(links.c.pair_id == pair_id, links.c.hub_base.is_not(None), ~there)
    return list(conn.scalars(query.order_by(links.c.uid)))


def to_plan_again(conn: sa.Connection, pair_id: int, now: dt.datetime) -> list[str]:
    """Marked dirty, and not to be left alone for longer; but for those whose creation is still open."""
    creating = sa.exists().where(outbox.c.pair_id == pair_id, outbox.c.uid == links.c.uid, outbox.c.kind == "create")
    due = sa.or_(links.c.retry_at.is_(None), links.c.retry_at <= now)
    query = sa.select(links.c.uid).where(links.c.pair_id == pair_id, DIRTY, due, ~creating)
    return sorted(conn.scalars(query))


def plan_all_again(conn: sa.Connection, pair_id: int) -> None:
    """How the pair is kept has changed: look at every object that both sides have agreed on."""
    open_ = sa.exists().where(outbox.c.pair_id == links.c.pair_id, outbox.c.uid == links.c.uid)
    settled = sa.and_(links.c.pair_id == pair_id, sa.or_(links.c.remote_base.is_not(None), open_))
    conn.execute(sa.update(links).where(settled).values(dirty=True, retry_at=None))


def settled(conn: sa.Connection, pair_id: int) -> list[str]:
    """UIDs of what both sides have agreed on."""
    query = sa.select(links.c.uid).where(links.c.pair_id == pair_id, links.c.remote_base.is_not(None))
    return list(conn.scalars(query.order_by(links.c.uid)))


def save(conn: sa.Connection, pair_id: int, saved: Iterable[Link]) -> None:
    """Insert or replace."""
    rows = [{"pair_id": pair_id, **_row(link)} for link in saved]
    if rows:
        conn.execute(upsert(conn, links, keys=("pair_id", "uid"), values=(*Link.__slots__, "part_of")), rows)


_UPSERTS: dict[tuple[str, str], sa.Insert] = {}


def upsert(conn: sa.Connection, table: sa.Table, *, keys: tuple[str, ...], values: tuple[str, ...]) -> sa.Insert:
    """INSERT, or replace the ``values`` of the row with these keys. Built once: that takes longer than to run it."""
    name = (conn.dialect.name, table.name)
    if name not in _UPSERTS:
        statement = insert(conn, table)
        replaced = {value: statement.excluded[value] for value in values if value not in keys}
        _UPSERTS[name] = statement.on_conflict_do_update(index_elements=keys, set_=replaced)
    return _UPSERTS[name]


def _row(link: Link) -> dict[str, Any]:
    values = {name: getattr(link, name) for name in Link.__slots__}
    whole, key = split(link.uid)
    values["part_of"] = whole if key else None
    return values | {"hub_base": json_or_none(link.hub_base), "remote_base": json_or_none(link.remote_base)}


def drop(conn: sa.Connection, pair_id: int, uids: Collection[str]) -> None:
    for chunk in in_chunks(uids):
        conn.execute(sa.delete(links).where(links.c.pair_id == pair_id, links.c.uid.in_(chunk)))
