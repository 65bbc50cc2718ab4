"""People: the owners of everything else."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from bridge.errors import AlreadyExists, NotFound, UsageError
from bridge.store import push_subscriptions
from bridge.store.dialects import insert
from bridge.store.prepared import Prepared
from bridge.store.tables import principals


@dataclass(frozen=True, slots=True)
class Principal:
    """``password_hash`` is for the portal (None: no sign-in there). ``properties`` are the home collection's."""

    id: int
    name: str
    email: str
    password_hash: str | None
    properties: Mapping[str, Any]
    created_at: dt.datetime


def add(conn: sa.Connection, name: str, email: str, *, now: dt.datetime, password_hash: str | None = None) -> Principal:
    """Raises AlreadyExists, and UsageError for a name that cannot be a path segment."""
    if not 0 < len(name) <= 64 or "/" in name or name.startswith(".") or not name.isprintable():
        raise UsageError("a user name has 1 to 64 printable characters, no slash, and does not begin with a dot")
    if len(email) > 320:
        raise UsageError("an e-mail address has at most 320 characters")
    row = conn.execute(
        insert(conn, principals)
        .values(name=name, email=email, password_hash=password_hash, properties={}, created_at=now)
        .on_conflict_do_nothing()
        .returning(principals)
    ).first()
    if row is None:
        raise AlreadyExists(f"there is a user {name!r} already")
    return Principal(*row)


def called(name: str, properties: Mapping[str, Any]) -> str:
    """What they call themselves, else the name they sign in with."""
    given = properties.get("D:displayname")
    return given if isinstance(given, str) and given.strip() else name


def by_id(conn: sa.Connection, principal_id: int) -> Principal | None:
    row = conn.execute(sa.select(principals).where(principals.c.id == principal_id)).first()
    return None if row is None else Principal(*row)


_BY_NAME = Prepared(sa.select(principals).where(principals.c.name == sa.bindparam("name")))


def by_name(conn: sa.Connection, name: str) -> Principal | None:
    row = _BY_NAME.first(conn, {"name": name})
    return None if row is None else Principal(*row)


def by_email(conn: sa.Connection, email: str) -> Principal | None:
    """The only one with this address, in whatever case; None if there are several, for none of them is meant."""
    rows = conn.execute(sa.select(principals).where(sa.func.lower(principals.c.email) == email.lower()).limit(2)).all()
    return Principal(*rows[0]) if len(rows) == 1 else None


def among(conn: sa.Connection, names: Collection[str]) -> list[str]:
    """Which of these names are somebody's."""
    return list(conn.execute(sa.select(principals.c.name).where(principals.c.name.in_(names))).scalars())


def every(conn: sa.Connection) -> list[Principal]:
    """By name."""
    return [Principal(*row) for row in conn.execute(sa.select(principals).order_by(principals.c.name))]


def lock(conn: sa.Connection, *principal_ids: int) -> None:
    """Let nobody make or share a calendar into these homes until the transaction ends.

    In one order for all, or two who share with each other at once would wait for each other. Each new row that refers to one
    of them waits, too: so a calendar, if any, is locked before (``changes.lock``).
    """
    rows = sa.select(principals.c.id).where(principals.c.id.in_(principal_ids)).order_by(principals.c.id)
    conn.execute(rows.with_for_update())


def set_email(conn: sa.Connection, principal_id: int, email: str) -> None:
    """Raises NotFound."""
    _update(conn, principal_id, email=email)


def set_password_hash(conn: sa.Connection, principal_id: int, password_hash: str | None) -> None:
    """Raises NotFound."""
    _update(conn, principal_id, password_hash=password_hash)


def set_properties(conn: sa.Connection, principal_id: int, properties: Mapping[str, Any], *, now: dt.datetime) -> None:
    """Replace all of them. Raises NotFound."""
    _update(conn, principal_id, properties=dict(properties))
    push_subscriptions.mark_home(conn, principal_id, now=now, properties_at=0)


def delete(conn: sa.Connection, principal_id: int) -> None:
    """The person with everything that is theirs. Raises NotFound."""
    if not conn.execute(sa.delete(principals).where(principals.c.id == principal_id)).rowcount:
        raise NotFound(f"there is no user {principal_id}")


def _update(conn: sa.Connection, principal_id: int, **values: Any) -> None:
    if not conn.execute(sa.update(principals).where(principals.c.id == principal_id).values(values)).rowcount:
        raise NotFound(f"there is no user {principal_id}")
