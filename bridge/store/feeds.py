"""Feeds: which calendars somebody with the address may read, and how much of them. The address itself is not kept."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from bridge.errors import AlreadyExists
from bridge.store.dialects import insert
from bridge.store.tables import calendars, feed_calendars, feeds, former_feeds


@dataclass(frozen=True, slots=True)
class Feed:
    """``digest`` is of the secret in its address, and ``hint`` is how that begins.

    As it was last fetched: ``narrowed`` are the past and future days it was cut to, to stay small, ``left_out`` the objects
    that could not be read.
    """

    id: int
    principal_id: int
    name: str
    digest: str
    shows: str
    past_days: int
    future_days: int
    created_at: dt.datetime
    fetched_at: dt.datetime | None
    agent: str | None
    narrowed: list[int] | None
    hint: str
    changed_at: dt.datetime | None
    left_out: int


def add(
    conn: sa.Connection,
    principal_id: int,
    name: str,
    digest: str,
    calendar_ids: Sequence[int],
    *,
    hint: str,
    shows: str,
    past_days: int,
    future_days: int,
    now: dt.datetime,
) -> Feed:
    """Raises AlreadyExists."""
    row = conn.execute(
        insert(conn, feeds)
        .values(
            principal_id=principal_id,
            name=name,
            digest=digest,
            hint=hint,
            shows=shows,
            past_days=past_days,
            future_days=future_days,
            created_at=now,
        )
        .on_conflict_do_nothing()
        .returning(feeds)
    ).first()
    if row is None:
        raise AlreadyExists(f"there is a feed {name!r} already")
    conn.execute(
        sa.insert(feed_calendars),
        [{"feed_id": row.id, "calendar_id": each, "place": place} for place, each in enumerate(calendar_ids)],
    )
    return Feed(*row)


def by_digest(conn: sa.Connection, digest: str) -> Feed | None:
    row = conn.execute(sa.select(feeds).where(feeds.c.digest == digest)).first()
    return None if row is None else Feed(*row)


def is_former(conn: sa.Connection, digest: str) -> bool:
    """Whether it was a feed's once, and is good no more."""
    return conn.execute(sa.select(former_feeds.c.digest).where(former_feeds.c.digest == digest)).first() is not None


def of_principal(conn: sa.Connection, principal_id: int) -> list[Feed]:
    rows = conn.execute(sa.select(feeds).where(feeds.c.principal_id == principal_id).order_by(feeds.c.id))
    return [Feed(*row) for row in rows]


def calendars_of(conn: sa.Connection, feed_id: int) -> list[Any]:
    """(id, slug, revision, properties, modified_at) of its calendars, in its order; one that was deleted is gone."""
    return list(
        conn.execute(
            sa.select(
                calendars.c.id, calendars.c.slug, calendars.c.revision, calendars.c.properties, calendars.c.modified_at
            )
            .join(feed_calendars, feed_calendars.c.calendar_id == calendars.c.id)
            .where(feed_calendars.c.feed_id == feed_id)
            .order_by(feed_calendars.c.place)
        )
    )


def set_digest(conn: sa.Connection, feed: Feed, digest: str, *, hint: str, now: dt.datetime) -> None:
    """Give it another address; the old one says that it has gone."""
    _end(conn, feed.digest, now)
    changed = {"digest": digest, "hint": hint, "changed_at": now}
    conn.execute(sa.update(feeds).where(feeds.c.id == feed.id).values(changed))


def delete(conn: sa.Connection, feed_id: int, digest: str, *, now: dt.datetime) -> None:
    """Its address says from now on that it has gone."""
    _end(conn, digest, now)
    conn.execute(sa.delete(feeds).where(feeds.c.id == feed_id))


def part_with_calendar(conn: sa.Connection, calendar_id: int, *, now: dt.datetime) -> None:
    """Before a calendar goes: a feed of others goes on without it, one of nothing else ends.

    An empty feed would look as if all its events had been deleted.
    """
    of_it = sa.select(feed_calendars.c.feed_id).where(feed_calendars.c.calendar_id == calendar_id)
    rest = sa.select(feed_calendars.c.feed_id).where(
        feed_calendars.c.feed_id.in_(of_it), feed_calendars.c.calendar_id != calendar_id
    )
    conn.execute(sa.update(feeds).where(feeds.c.id.in_(rest)).values(changed_at=now))
    ending = sa.select(feeds.c.id, feeds.c.digest).where(feeds.c.id.in_(of_it), feeds.c.id.not_in(rest))
    for row in conn.execute(ending).all():
        delete(conn, row.id, row.digest, now=now)


def _end(conn: sa.Connection, digest: str, now: dt.datetime) -> None:
    conn.execute(insert(conn, former_feeds).values(digest=digest, ended_at=now).on_conflict_do_nothing())


def fetched(
    conn: sa.Connection, feed_id: int, *, agent: str, narrowed: Sequence[int] | None, left_out: int, now: dt.datetime
) -> None:
    """Note who came last, and what was not told. Call it once a while, not with every request."""
    values = {
        "fetched_at": now,
        "agent": agent.replace("\0", "")[:255],
        "narrowed": narrowed and list(narrowed),
        "left_out": left_out,
    }
    conn.execute(sa.update(feeds).where(feeds.c.id == feed_id).values(values))
