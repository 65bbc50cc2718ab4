"""How everything stands, in a few grouped questions: what the notices, the metrics and the probe go by."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from bridge.store.links import in_chunks
from bridge.store.tables import accounts, calendars, conflicts, links, outbox, pairs, principals, remote_calendars

LASTING = 3
"""So many attempts make a quarantine worth telling: the first ones come within a quarter of an hour, and often help."""


@dataclass(frozen=True, slots=True)
class PairFigures:
    """``parked``: deletions here and there that wait for a yes, or None. ``account_email`` is how people know the account."""

    id: int
    principal_id: int
    user: str
    calendar: str
    account_id: int
    provider: str
    account_email: str
    interval_seconds: int | None
    realtime: bool
    created_at: dt.datetime
    last_attempt_at: dt.datetime | None
    last_success_at: dt.datetime | None
    parked: dict[str, Any] | None
    approved: bool
    divergences: int | None
    audited_at: dt.datetime | None

    @property
    def manual(self) -> bool:
        return self.interval_seconds is None and not self.realtime


def of_pairs(conn: sa.Connection) -> list[PairFigures]:
    query = (
        sa.select(
            pairs.c.id,
            calendars.c.principal_id,
            principals.c.name.label("user"),
            calendars.c.slug.label("calendar"),
            accounts.c.id.label("account_id"),
            accounts.c.provider,
            accounts.c.email.label("account_email"),
            *(pairs.c[name] for name in PairFigures.__slots__ if name in pairs.c and name not in ("id", "calendar")),
        )
        .join(calendars, calendars.c.id == pairs.c.calendar_id)
        .join(principals, principals.c.id == calendars.c.principal_id)
        .join(remote_calendars, remote_calendars.c.id == pairs.c.remote_calendar_id)
        .join(accounts, accounts.c.id == remote_calendars.c.account_id)
        .order_by(pairs.c.id)
    )
    return [PairFigures(**row) for row in conn.execute(query).mappings()]


def left_alone(conn: sa.Connection, pair_ids: Collection[int]) -> dict[int, int]:
    """Quarantined links a pair that will not mend by themselves soon. It reads the pairs' links: ask for few at a time."""
    lasting = sa.or_(links.c.retry_at.is_(None), links.c.attempts >= LASTING)
    return _counted(conn, links, pair_ids, links.c.quarantine.is_not(None), lasting)


def quarantined(conn: sa.Connection, pair_ids: Collection[int]) -> dict[int, int]:
    return _counted(conn, links, pair_ids, links.c.quarantine.is_not(None))


def linked(conn: sa.Connection, pair_ids: Collection[int]) -> dict[int, int]:
    """Objects that both sides have agreed on."""
    return _counted(conn, links, pair_ids, links.c.remote_base.is_not(None))


def waiting(conn: sa.Connection, pair_ids: Collection[int]) -> dict[int, int]:
    """Intents whose answer is open."""
    return _counted(conn, outbox, pair_ids)


def conflicting(conn: sa.Connection, pair_ids: Collection[int]) -> dict[int, int]:
    return _counted(conn, conflicts, pair_ids, conflicts.c.resolved_at.is_(None))


def paused_accounts(conn: sa.Connection, now: dt.datetime) -> int:
    query = sa.select(sa.func.count()).select_from(accounts).where(accounts.c.closed_until > now)
    return conn.scalar(query) or 0


def _counted(
    conn: sa.Connection, table: sa.Table, pair_ids: Collection[int], *where: sa.ColumnElement[bool]
) -> dict[int, int]:
    found: dict[int, int] = {}
    for chunk in in_chunks(sorted(pair_ids)):
        query = sa.select(table.c.pair_id, sa.func.count()).where(table.c.pair_id.in_(chunk), *where)
        found |= {row[0]: row[1] for row in conn.execute(query.group_by(table.c.pair_id))}
    return found
