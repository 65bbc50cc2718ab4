"""Devices that are told when a collection changes (WebDAV-Push), and what each has not been told yet.

A change marks the subscriptions of its own collection in its own transaction, and costs nothing where there are none
(``calendars.watched``). A worker asks only for those that are due, by an index. A mark is a counter: what was told is the number
that was seen when the message was made, so a change under way meanwhile is news again, whoever dies when.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

from bridge.errors import NotFound
from bridge.store.dialects import insert
from bridge.store.session import notes
from bridge.store.tables import calendars, devices, principals
from bridge.store.tables import push_subscriptions as table

_QUIET = "push", "quiet"


@dataclass(frozen=True, slots=True)
class Watched:
    """A collection: a calendar by its id, or the home of a person."""

    kind: Literal["calendar", "home"]
    id: int

    def values(self) -> dict[str, int | None]:
        return (
            {"calendar_id": self.id, "home_id": None}
            if self.kind == "calendar"
            else {"calendar_id": None, "home_id": self.id}
        )

    def of(self) -> sa.ColumnElement[bool]:
        return (table.c.calendar_id if self.kind == "calendar" else table.c.home_id) == self.id


@dataclass(frozen=True, slots=True)
class Wish:
    """What a client registers. ``endpoint`` is sealed, ``digest`` identifies its push resource (``digest_of``)."""

    digest: str
    endpoint: bytes
    host: str
    content: bool
    property_depth: int | None
    expires_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Registered:
    token: str
    created: bool


@dataclass(frozen=True, slots=True)
class Due:
    """A subscription that this worker has until ``lease_until``; ``content_news`` and ``property_news`` are what it saw."""

    id: int
    watched: Watched
    endpoint: bytes
    host: str
    content: bool
    properties: bool
    content_news: int
    property_news: int
    failures: int
    lease_until: dt.datetime


def digest_of(resource: str) -> str:
    """A push resource is unguessable, so that its digest betrays nothing."""
    return hashlib.sha256(resource.encode()).hexdigest()


# --- registrations -------------------------------------------------------------------------------------------------


def register(
    conn: sa.Connection, watched: Watched, wish: Wish, *, principal_id: int, device_id: int | None, now: dt.datetime
) -> Registered:
    """Add a subscription, or bring the one of that push resource up to date. Raises NotFound for a calendar that is gone.

    What happened before is no news to it: a client asks for the collection's state when it registers.
    """
    if watched.kind == "calendar":
        watch = sa.update(calendars).where(calendars.c.id == watched.id, ~calendars.c.watched).values(watched=True)
        conn.execute(
            watch
        )  # from now on its changes are marked, and whoever is changing it right now waits or was first
        if conn.scalar(sa.select(calendars.c.id).where(calendars.c.id == watched.id)) is None:
            raise NotFound(f"there is no calendar {watched.id}")
    told = {
        "device_id": device_id, "endpoint": wish.endpoint, "host": wish.host, "content": wish.content,
        "property_depth": wish.property_depth, "expires_at": wish.expires_at,
    }  # fmt: skip
    mine = {**watched.values(), "principal_id": principal_id, "digest": wish.digest}
    known = sa.select(table.c.token).where(
        watched.of(), table.c.principal_id == principal_id, table.c.digest == wish.digest
    )
    existed = conn.scalar(known) is not None
    # a service that refused the old keys may take the new ones: what waits is tried at once
    fresh = {**told, "failures": 0, "due_at": sa.case((table.c.due_at.is_not(None), _instant(now)), else_=None)}
    token = conn.execute(
        insert(conn, table)
        .values(**mine, **told, token=secrets.token_urlsafe(24), created_at=now)
        .on_conflict_do_update(
            index_elements=["calendar_id" if watched.kind == "calendar" else "home_id", "principal_id", "digest"],
            set_=fresh,
        )
        .returning(table.c.token)
    ).scalar_one()
    return Registered(token, created=not existed)


def unregister(conn: sa.Connection, principal_id: int, token: str, *, now: dt.datetime) -> bool:
    """False: this person has none of that name any more."""
    mine = sa.delete(table).where(table.c.token == token, table.c.principal_id == principal_id)
    return any(expires_at > now for (expires_at,) in conn.execute(mine.returning(table.c.expires_at)))


def held(conn: sa.Connection, principal_id: int, watched: Watched, *, but: str) -> tuple[int, int]:
    """How many this person has, of this collection and of all, ``but`` that of one push resource."""
    of_this = sa.func.coalesce(sa.func.sum(sa.case((watched.of(), 1), else_=0)), 0)
    others = sa.or_(table.c.digest != but, ~sa.func.coalesce(watched.of(), sa.false()))
    row = conn.execute(sa.select(of_this, sa.func.count()).where(table.c.principal_id == principal_id, others)).one()
    return int(row[0]), int(row[1])


def remove(conn: sa.Connection, subscription_id: int) -> None:
    """One that is unknown is removed already."""
    conn.execute(sa.delete(table).where(table.c.id == subscription_id))


def remove_device(conn: sa.Connection, device_id: int) -> None:
    conn.execute(sa.delete(table).where(table.c.device_id == device_id))


def remove_from(conn: sa.Connection, principal_id: int, watched: Watched) -> None:
    """This person's devices are told nothing of it any more."""
    conn.execute(sa.delete(table).where(table.c.principal_id == principal_id, watched.of()))


def remove_all(conn: sa.Connection) -> int:
    """Every device has to register anew. Returns how many went."""
    return conn.execute(sa.delete(table)).rowcount


def prune(conn: sa.Connection, now: dt.datetime, *, principal_id: int | None = None) -> int:
    """Drop what has expired, of one person or of all. Returns how many went."""
    expired = sa.delete(table).where(table.c.expires_at <= now)
    if principal_id is not None:
        expired = expired.where(table.c.principal_id == principal_id)
    return conn.execute(expired).rowcount


# --- changes -------------------------------------------------------------------------------------------------------


def keep_quiet(conn: sa.Connection, subscription_ids: Collection[int]) -> None:
    """These are told nothing of what this transaction changes: their device made the change itself. Call it first."""
    notes(conn)[_QUIET] = frozenset(subscription_ids)


def mine(conn: sa.Connection, principal_id: int, *, device_id: int | None, tokens: Collection[str] | None) -> list[int]:
    """This person's registrations of these names; with None all of the device, or of the person if that is unknown."""
    query = sa.select(table.c.id).where(table.c.principal_id == principal_id)
    if tokens is not None:
        query = query.where(table.c.token.in_(tokens))
    elif device_id is not None:
        query = query.where(table.c.device_id == device_id)
    return list(conn.scalars(query))


def mark_calendar(conn: sa.Connection, calendar_id: int, *, properties: bool, now: dt.datetime) -> None:
    """A calendar's members have changed, or its own properties."""
    wanted = table.c.property_depth.is_not(None) if properties else table.c.content
    _mark(conn, sa.and_(table.c.calendar_id == calendar_id, wanted), properties=properties, now=now)


def mark_home(conn: sa.Connection, principal_id: int, *, now: dt.datetime, properties_at: int | None = None) -> None:
    """A calendar was made or deleted; or properties have changed, the home's own (at depth 0) or a calendar's (1)."""
    wanted = table.c.content if properties_at is None else table.c.property_depth >= properties_at
    _mark(conn, sa.and_(table.c.home_id == principal_id, wanted), properties=properties_at is not None, now=now)


def _mark(conn: sa.Connection, which: sa.ColumnElement[bool], *, properties: bool, now: dt.datetime) -> None:
    news = table.c.property_news if properties else table.c.content_news
    quiet: frozenset[int] = notes(conn).get(_QUIET, frozenset())
    if quiet:
        which = sa.and_(which, table.c.id.not_in(quiet))
    # what is due already stays due when it was; while a worker has it, that is when its lease ends
    due = sa.func.coalesce(table.c.due_at, _later(table.c.quiet_until, now))
    conn.execute(sa.update(table).where(which).values({news: news + 1, table.c.due_at: due}))


def _later(column: sa.Column[dt.datetime], now: dt.datetime) -> sa.ColumnElement[dt.datetime]:
    return sa.case((column > now, column), else_=_instant(now))


def _instant(at: dt.datetime) -> sa.BindParameter[dt.datetime]:
    return sa.literal(at, table.c.due_at.type)


# --- telling -------------------------------------------------------------------------------------------------------


def any_due(conn: sa.Connection, now: dt.datetime, *, but: Collection[str] = ()) -> bool:
    """Whether ``claim_due`` would find something: one look at an index, for the many ticks that find nothing."""
    return conn.execute(sa.select(table.c.id).where(_ready(now, but)).limit(1)).first() is not None


def _ready(now: dt.datetime, but: Collection[str]) -> sa.ColumnElement[bool]:
    return sa.and_(table.c.due_at <= now, table.c.expires_at > now, table.c.host.not_in(but))


def claim_due(
    conn: sa.Connection, *, now: dt.datetime, lease: dt.timedelta, limit: int, per_host: int, but: Collection[str] = ()
) -> list[Due]:
    """Take up to ``limit`` whose time has come, the longest due first, of one push service no more than ``per_host``.

    So one that is slow holds up nobody else; those in ``but`` have enough to do already. If the worker dies, they are due again
    when the lease ends.
    """
    turn = sa.func.row_number().over(partition_by=table.c.host, order_by=[table.c.due_at, table.c.id])
    ready = sa.select(table.c.id, turn.label("turn")).where(_ready(now, but)).subquery("ready")
    due = (
        sa.select(table.c.id)
        .where(table.c.due_at <= now, table.c.id.in_(sa.select(ready.c.id).where(ready.c.turn <= per_host)))
        .order_by(table.c.due_at, table.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    taken = sa.update(table).where(table.c.id.in_(due.scalar_subquery())).values(due_at=now + lease)
    return [_due(row) for row in conn.execute(taken.returning(*table.c))]


def _due(row: sa.Row[Any]) -> Due:
    watched = Watched("home", row.home_id) if row.calendar_id is None else Watched("calendar", row.calendar_id)
    return Due(
        row.id, watched, row.endpoint, row.host, row.content_news > row.content_told,
        row.property_news > row.property_told, row.content_news, row.property_news, row.failures, row.due_at,
    )  # fmt: skip


def told(conn: sa.Connection, due: Due, *, now: dt.datetime, quiet: dt.timedelta) -> None:
    """It has the message. What has changed since that was made is due when the quiet is over."""
    newer = sa.or_(table.c.content_news > due.content_news, table.c.property_news > due.property_news)
    _give_back(
        conn,
        due,
        content_told=due.content_news,
        property_told=due.property_news,
        failures=0,
        told_at=now,
        quiet_until=now + quiet,
        due_at=sa.case((newer, _instant(now + quiet)), else_=None),
    )


def failed(conn: sa.Connection, due: Due, *, again_at: dt.datetime) -> None:
    """It was not told: the same again, and all that comes meanwhile, not before then."""
    _give_back(conn, due, failures=due.failures + 1, due_at=again_at, quiet_until=again_at)


def _give_back(conn: sa.Connection, due: Due, **outcome: Any) -> None:
    """Unless the lease has ended, and another worker has it or it was registered anew."""
    conn.execute(sa.update(table).where(table.c.id == due.id, table.c.due_at == due.lease_until).values(**outcome))


# --- to be seen ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Shown:
    """``calendar`` is "" for a home. ``owner`` is whose collection it is."""

    user: str
    device: str | None
    owner: str
    calendar: str
    host: str
    created_at: dt.datetime
    expires_at: dt.datetime
    told_at: dt.datetime | None
    failures: int


def every(conn: sa.Connection, *, now: dt.datetime, user: str | None = None) -> list[Shown]:
    """Those that are good, of one person or of all, by person and collection."""
    owners = principals.alias("owners")
    query = (
        sa.select(
            principals.c.name, devices.c.label, owners.c.name, sa.func.coalesce(calendars.c.slug, ""),
            *(table.c[name] for name in ("host", "created_at", "expires_at", "told_at", "failures")),
        )
        .select_from(
            table.join(principals, principals.c.id == table.c.principal_id)
            .outerjoin(devices, devices.c.id == table.c.device_id)
            .outerjoin(calendars, calendars.c.id == table.c.calendar_id)
            .join(owners, owners.c.id == sa.func.coalesce(table.c.home_id, calendars.c.principal_id))
        )
        .where(table.c.expires_at > now)
        .order_by(principals.c.name, owners.c.name, calendars.c.slug, table.c.id)
    )  # fmt: skip
    if user is not None:
        query = query.where(principals.c.name == user)
    return [Shown(*row) for row in conn.execute(query)]


def counted(conn: sa.Connection, now: dt.datetime) -> tuple[int, int]:
    """How many are good, and how many of them could not be told last time."""
    failing = sa.func.coalesce(sa.func.sum(sa.case((table.c.failures > 0, 1), else_=0)), 0)
    row = conn.execute(sa.select(sa.func.count(), failing).where(table.c.expires_at > now)).one()
    return int(row[0]), int(row[1])
