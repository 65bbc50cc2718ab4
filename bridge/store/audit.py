"""Who did what: ids and counts, never contents."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from bridge.store.tables import audit

Detail = Mapping[str, int | str]

_IDENTIFIER = re.compile(r"[A-Za-z0-9._:@/+-]{0,64}")


@dataclass(frozen=True, slots=True)
class Record:
    id: int
    principal_id: int | None
    at: dt.datetime
    actor: str
    action: str
    detail: Detail


def record(
    conn: sa.Connection,
    action: str,
    *,
    actor: str,
    now: dt.datetime,
    principal_id: int | None = None,
    detail: Detail | None = None,
) -> None:
    """Add a record. ``detail`` has numbers and short identifiers; anything that could be prose is a ValueError.

    ``principal_id`` is whose calendars it was about. It outlives the person: no foreign key takes the record away.
    """
    for name, value in (detail or {}).items():
        if isinstance(value, str) and not _IDENTIFIER.fullmatch(value):
            raise ValueError(f"{name} must be a number or an identifier")
    conn.execute(
        sa.insert(audit).values(
            principal_id=principal_id, at=now, actor=actor, action=action, detail=dict(detail or {})
        )
    )


def of_principal(conn: sa.Connection, principal_id: int, *, limit: int = 100) -> list[Record]:
    """The newest first."""
    query = (
        sa.select(audit)
        .where(audit.c.principal_id == principal_id)
        .order_by(audit.c.at.desc(), audit.c.id.desc())
        .limit(limit)
    )
    return [Record(*row) for row in conn.execute(query)]


def latest(conn: sa.Connection, principal_id: int, action: str, *, of: Detail) -> Record | None:
    """The newest record of that action whose detail says what ``of`` says."""
    query = sa.select(audit).where(audit.c.principal_id == principal_id, audit.c.action == action)
    for row in conn.execute(query.order_by(audit.c.at.desc(), audit.c.id.desc())):
        found = Record(*row)
        if of.items() <= found.detail.items():
            return found
    return None


def details(conn: sa.Connection, principal_id: int | None, action: str) -> list[Detail]:
    """What all records of that action say, newest first."""
    query = sa.select(audit.c.detail).where(audit.c.principal_id == principal_id, audit.c.action == action)
    return list(conn.scalars(query.order_by(audit.c.at.desc(), audit.c.id.desc())))


def prune(conn: sa.Connection, before: dt.datetime) -> int:
    """Drop older records. Returns how many went."""
    return conn.execute(sa.delete(audit).where(audit.c.at < before)).rowcount
