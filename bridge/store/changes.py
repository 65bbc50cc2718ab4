"""A calendar's revision: the one thing that every reader of "what is new" asks for (DESIGN §2).

A transaction that changes a calendar bumps its revision once, and every row it touches carries that number. ctag, sync token,
feed etag and the pairs' cursors are all this number; "what is new" is always ``WHERE revision > ?`` on an index.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa

from bridge.errors import NotFound, SyncTokenInvalid
from bridge.store import pairs, push_subscriptions
from bridge.store.prepared import Prepared
from bridge.store.session import notes
from bridge.store.tables import calendars, objects, tombstones
from bridge.store.tables import pairs as pairs_table


@dataclass(frozen=True, slots=True)
class Changed:
    """What became of one href. A UID may stand twice: deleted under its old href and alive under a new one."""

    href: str
    uid: str
    revision: int
    deleted: bool
    etag: str = ""
    """Of what is deleted there is none."""


def lock(conn: sa.Connection, *calendar_ids: int) -> bool:
    """Let no one else change these calendars until the transaction ends: what is read from now on stays true.

    Returns whether what was read before may be true no more; on SQLite, which has one writer, it always is. Raises NotFound.
    On PostgreSQL everybody takes calendars by ascending id, and a calendar before the row of one of its pairs, or two
    transactions wait for each other: name all that are needed in one call.
    """
    locked = [_lock(conn, each) for each in sorted(calendar_ids)]
    return any(locked) and not stays_true(conn)


def stays_true(conn: sa.Connection) -> bool:
    """Whether what a writing transaction has read stays true until it ends, whether or not the calendar is locked."""
    return conn.dialect.name == "sqlite"


def _lock(conn: sa.Connection, calendar_id: int) -> bool:
    """False: it was locked already."""
    noted = notes(conn)
    if ("locked", calendar_id) in noted:
        return False
    if _LOCK.first(conn, {"id_": calendar_id}) is None:
        raise NotFound(f"there is no calendar {calendar_id}")
    noted["locked", calendar_id] = True
    return True


def bump(
    conn: sa.Connection, calendar_id: int, *, actor: str, now: dt.datetime, properties: bool = False, more: int = 0
) -> int:
    """The revision that this transaction gives to what it changes in the calendar: made by the first call, then the same.

    Locks the calendar, so revisions become visible in their order and without gaps. Makes the calendar's realtime pairs due,
    but for the one that is itself the ``actor`` ("pair:3"): it knows. Devices that have asked for it will be told, that
    members have changed or, with ``properties``, that the calendar's own have. By so many bytes ``more`` its objects take up,
    which goes into the same statement. Raises NotFound.
    """
    noted = notes(conn)
    revision: int | None = noted.get(("revision", calendar_id))
    if revision is None:
        row = conn.execute(_BUMP, {"id_": calendar_id, "now_": now, "more": more}).one_or_none()
        if row is None:
            raise NotFound(f"there is no calendar {calendar_id}")
        revision = row.revision
        noted["revision", calendar_id] = revision
        noted["watched", calendar_id] = row.watched
        noted["locked", calendar_id] = True
    elif more:
        conn.execute(_GROW, {"id_": calendar_id, "more": more})
    if noted["watched", calendar_id] and ("told", calendar_id, properties) not in noted:
        push_subscriptions.mark_calendar(conn, calendar_id, properties=properties, now=now)
        noted["told", calendar_id, properties] = True
    if ("woken", calendar_id, actor) not in noted:
        pairs.wake_calendar(conn, calendar_id, now=now, but=_number_of_pair(actor))
        noted["woken", calendar_id, actor] = True
    return revision


@dataclass(frozen=True, slots=True)
class Position:
    """How far somebody has read a calendar's changes, in the order of ``page``.

    With an ``href`` all of that revision is still to come that stands behind it, ``deleted`` or alive. Who began with nothing
    when the calendar was at revision ``fresh`` is told of no deletion up to that one, whatever became of its tombstone.
    """

    revision: int
    deleted: bool = False
    href: str = ""
    fresh: int = 0


def since(conn: sa.Connection, calendar_id: int, revision: int) -> list[Changed]:
    """What changed after ``revision``, oldest change first, deletions first within one revision.

    Each href stands once, with its latest state. Deletions are listed even if ``revision`` is 0: an initial synchronisation
    is ``objects.hrefs`` (RFC 6578 §3.4 lists no deleted members then, D-11). Raises SyncTokenInvalid if the revision lies
    under the floor or in the future (the database is an older backup), NotFound.
    """
    return page(conn, calendar_id, Position(revision))


def page(
    conn: sa.Connection,
    calendar_id: int,
    after: Position,
    limit: int | None = None,
    *,
    known: tuple[int, int] | None = None,
) -> list[Changed]:
    """The next ``limit`` changes behind a position: see ``since``, also for what it raises.

    ``known`` are the calendar's floor and revision, for who has read them in the same snapshot.
    """
    between = bool(after.href or after.fresh)
    bound = {"calendar_id": calendar_id} if between else {"calendar_id": calendar_id, "revision": after.revision}
    if limit is None and not between:
        rows = _SINCE.rows(conn, bound)
    else:
        rows = conn.execute((_listed(after) if between else _SINCE.statement).limit(limit), bound).all()
    floor, last = known or _state(conn, calendar_id)
    complete = max(after.revision - bool(after.href), after.fresh)  # of its revision some tombstones may be unread
    if after.revision < 0 or complete < floor or max(after.revision, after.fresh) > last:
        raise SyncTokenInvalid(f"revision {after.revision} is not between {floor} and {last}")
    return [Changed(href, uid, revision, bool(deleted), etag) for href, uid, revision, deleted, etag in rows]


def _state(conn: sa.Connection, calendar_id: int) -> tuple[int, int]:
    """Behind the rows, or a compaction in between might have taken some of them unnoticed."""
    row = _STATE.first(conn, {"calendar_id": calendar_id})
    if row is None:
        raise NotFound(f"there is no calendar {calendar_id}")
    floor, revision = row
    return floor, revision


def _listed(after: Position | None) -> sa.Select[tuple[str, str, int, int, str]]:
    """None: behind a whole revision, which is bound as ``revision``."""
    alive, gone = (
        sa.select(
            table.c.href, table.c.uid, table.c.revision, sa.literal(int(deleted)).label("deleted"), etag.label("etag")
        ).where(
            table.c.calendar_id == sa.bindparam("calendar_id"),
            *(
                [table.c.revision > sa.bindparam("revision")]
                if after is None
                else _behind(after, table, deleted=deleted)
            ),
        )
        for table, deleted, etag in ((objects, False, objects.c.etag), (tombstones, True, sa.literal("")))
    )
    both = sa.union_all(alive, gone).subquery()
    return sa.select(both).order_by(both.c.revision, both.c.deleted.desc(), both.c.href)


def _behind(after: Position, table: sa.Table, *, deleted: bool) -> list[sa.ColumnElement[bool]]:
    conditions = [table.c.revision > after.revision]
    if after.href and (after.deleted or not deleted):  # otherwise all deletions of that revision have been read
        rest = table.c.href > after.href if after.deleted == deleted else sa.true()
        conditions = [table.c.revision >= after.revision, sa.or_(table.c.revision > after.revision, rest)]
    if deleted and after.fresh:
        conditions.append(table.c.revision > after.fresh)
    return conditions


def compact(conn: sa.Connection, calendar_id: int, before: dt.datetime) -> int:
    """Drop tombstones older than ``before`` and raise the floor to the last of them. Returns how many went.

    What a pair has not planned yet is kept however old it is: a pair that lost a deletion would bring the event back.
    Raises NotFound.
    """
    lock(conn, calendar_id)
    floor = conn.scalar(
        sa.select(sa.func.max(tombstones.c.revision)).where(
            tombstones.c.calendar_id == calendar_id, tombstones.c.deleted_at < before
        )
    )
    if floor is None:
        return 0
    planned = conn.scalar(
        sa.select(sa.func.min(pairs_table.c.hub_cursor)).where(pairs_table.c.calendar_id == calendar_id)
    )
    if planned is not None:
        floor = min(floor, planned)
    gone = conn.execute(
        sa.delete(tombstones).where(tombstones.c.calendar_id == calendar_id, tombstones.c.revision <= floor)
    ).rowcount
    conn.execute(
        sa.update(calendars).where(calendars.c.id == calendar_id, calendars.c.floor < floor).values(floor=floor)
    )
    return gone


# Built once: "what is new" is what everybody asks, all day, and every write begins with the other two.
_SINCE = Prepared(_listed(None))
_STATE = Prepared(
    sa.select(calendars.c.floor, calendars.c.revision).where(calendars.c.id == sa.bindparam("calendar_id"))
)
_LOCK = Prepared(sa.select(calendars.c.id).where(calendars.c.id == sa.bindparam("id_")).with_for_update(key_share=True))
_GROW = (
    sa.update(calendars)
    .where(calendars.c.id == sa.bindparam("id_"))
    .values(size=calendars.c.size + sa.bindparam("more", type_=sa.BigInteger))
)
_BUMP = _GROW.values(revision=calendars.c.revision + 1, modified_at=sa.bindparam("now_")).returning(
    calendars.c.revision, calendars.c.watched
)


def _number_of_pair(actor: str) -> int | None:
    kind, _, number = actor.partition(":")
    return int(number) if kind == "pair" and number.isdecimal() else None
