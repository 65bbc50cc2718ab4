"""A person's phones and tablets, each with a password of its own that can be revoked without troubling the others."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass

import sqlalchemy as sa

from bridge.errors import AlreadyExists, NotFound, UsageError
from bridge.store import push_subscriptions
from bridge.store.dialects import insert
from bridge.store.prepared import Prepared
from bridge.store.session import Database
from bridge.store.tables import Instant, devices, instant, login_failures, principals


@dataclass(frozen=True, slots=True)
class Device:
    id: int
    principal_id: int
    label: str
    password_hash: str
    created_at: dt.datetime
    last_used_at: dt.datetime | None
    last_address: str | None
    last_agent: str | None
    revoked_at: dt.datetime | None


WAITS = sa.exists().where(
    login_failures.c.subject.in_([sa.bindparam("here"), sa.bindparam("there")]),
    login_failures.c.blocked_until > sa.bindparam("now", type_=Instant()),
)
# Built once: every request of every device begins with it.
_UNHINDERED = Prepared(
    sa.select(devices.c.id, devices.c.password_hash, devices.c.last_used_at)
    .join(principals)
    .where(principals.c.name == sa.bindparam("principal"), devices.c.revoked_at.is_(None), ~WAITS)
)


def add(conn: sa.Connection, principal_id: int, label: str, password_hash: str, *, now: dt.datetime) -> Device:
    """Let a device in; one that was revoked comes back under its old row with the new password.

    Raises AlreadyExists if a device of that label is in, UsageError for a label that is empty or too long.
    """
    if not 0 < len(label) <= 100 or not label.isprintable():
        raise UsageError("a device's label has 1 to 100 printable characters")
    values = {"password_hash": password_hash, "created_at": now}
    fresh = {"last_used_at": None, "last_address": None, "last_agent": None, "revoked_at": None}
    row = conn.execute(
        insert(conn, devices)
        .values(principal_id=principal_id, label=label, **values)
        .on_conflict_do_update(
            index_elements=["principal_id", "label"], set_=values | fresh, where=devices.c.revoked_at.is_not(None)
        )
        .returning(devices)
    ).first()
    if row is None:
        raise AlreadyExists(f"there is a device {label!r} already")
    return Device(*row)


@dataclass(frozen=True, slots=True)
class Key:
    """What a device signs in with."""

    id: int
    password_hash: str
    last_used_at: dt.datetime | None


def key_of(password_hash: str) -> str:
    """What stands for a password's hash where that itself is not to be seen: which password somebody signed in with."""
    return hashlib.sha256(password_hash.encode()).hexdigest()


def unhindered(database: Database, principal: str, subjects: tuple[str, str], *, now: dt.datetime) -> list[Key]:
    """Those that may sign in; none where one of the two subjects has to wait (``store.login_failures``).

    One glance; none, too, if the database is not to be reached.
    """
    here, there = subjects
    rows = database.glance(_UNHINDERED, {"principal": principal, "here": here, "there": there, "now": now})
    return [Key(id_, password_hash, None if used is None else instant(used)) for id_, password_hash, used in rows or ()]


def by_id(conn: sa.Connection, device_id: int) -> Device | None:
    row = conn.execute(sa.select(devices).where(devices.c.id == device_id)).first()
    return None if row is None else Device(*row)


def of_principal(conn: sa.Connection, principal_id: int, *, revoked: bool = False) -> list[Device]:
    """Those that may sign in, in the order they came; with ``revoked`` the others too."""
    query = sa.select(devices).where(devices.c.principal_id == principal_id).order_by(devices.c.id)
    if not revoked:
        query = query.where(devices.c.revoked_at.is_(None))
    return [Device(*row) for row in conn.execute(query)]


def used(conn: sa.Connection, device_id: int, *, now: dt.datetime, address: str, agent: str) -> None:
    """Note when, from where and by what program it was used last. Call it once a while, not with every request."""
    conn.execute(
        sa.update(devices)
        .where(devices.c.id == device_id)
        .values(last_used_at=now, last_address=_text(address, 64), last_agent=_text(agent, 255))
    )


def renew(conn: sa.Connection, device_id: int, password_hash: str) -> None:
    """Another password from now on; with it the device has not signed in yet."""
    conn.execute(
        sa.update(devices).where(devices.c.id == device_id).values(password_hash=password_hash, last_used_at=None)
    )


def revoke(conn: sa.Connection, device_id: int, *, now: dt.datetime) -> None:
    """Its password is good no more, and it is told nothing more; the row stays, for history names it. Raises NotFound."""
    revoked_at = sa.func.coalesce(devices.c.revoked_at, sa.literal(now, devices.c.revoked_at.type))
    changed = conn.execute(sa.update(devices).where(devices.c.id == device_id).values(revoked_at=revoked_at))
    if not changed.rowcount:
        raise NotFound(f"there is no device {device_id}")
    push_subscriptions.remove_device(conn, device_id)


def _text(told: str, length: int) -> str:
    """What a client says of itself, made fit for a column: PostgreSQL has no NUL in its text."""
    return told.replace("\0", "")[:length]
