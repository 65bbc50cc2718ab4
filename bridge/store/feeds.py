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
    """``digest`` is of the secret in its address. ``narrowed``: the past and future days it was cut to, to stay small."""

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


def add(
    conn: sa.Connection,
    principal_id: int,
    name: str,
    digest: str,
    calendar_ids: Sequence[int],
    *,
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


def set_digest(conn: sa.Connection, feed: Feed, digest: str, *, now: dt.datetime) -> None:
    """Give it another address; the old one says that it has gone."""
    _end(conn, feed.digest, now)
    conn.execute(sa.update(feeds).where(feeds.c.id == feed.id).values(digest=digest))


def delete(conn: sa.Connection, feed: Feed, *, now: dt.datetime) -> None:
    _end(conn, feed.digest, now)
    conn.execute(sa.delete(feeds).where(feeds.c.id == feed.id))


def _end(conn: sa.Connection, digest: str, now: dt.datetime) -> None:
    conn.execute(insert(conn, former_feeds).values(digest=digest, ended_at=now).on_conflict_do_nothing())


def fetched(conn: sa.Connection, feed_id: int, *, agent: str, narrowed: Sequence[int] | None, now: dt.datetime) -> None:
    """Note who came last. Call it once a while, not with every request."""
    values = {"fetched_at": now, "agent": agent.replace("\0", "")[:255], "narrowed": narrowed and list(narrowed)}
    conn.execute(sa.update(feeds).where(feeds.c.id == feed_id).values(values))
