"""The calendars that an account sees at its service, as they were listed last."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from bridge.store.dialects import insert
from bridge.store.tables import pairs, remote_calendars
from bridge.sync.ports import RemoteCalendar


@dataclass(frozen=True, slots=True)
class KnownCalendar:
    """``id`` is ours, ``calendar.id`` the service's."""

    id: int
    account_id: int
    calendar: RemoteCalendar


def remember(conn: sa.Connection, account_id: int, listed: Iterable[RemoteCalendar]) -> list[KnownCalendar]:
    """Take over a complete listing and return what is known now, as ``of_account`` does.

    One that is missing from the listing goes, unless it is paired: a listing deletes no link (R5).
    """
    seen: list[str] = []
    for calendar in listed:
        row = {
            "name": calendar.name[:1024],
            "color": calendar.color,
            "zone": calendar.zone,
            "writable": calendar.writable,
            "is_primary": calendar.primary,
            "owner": calendar.owner[:320],
            "component": calendar.component,
        }
        conn.execute(
            insert(conn, remote_calendars)
            .values(account_id=account_id, remote_id=calendar.id, **row)
            .on_conflict_do_update(index_elements=["account_id", "remote_id"], set_=row)
        )
        seen.append(calendar.id)
    conn.execute(
        sa.delete(remote_calendars).where(
            remote_calendars.c.account_id == account_id,
            remote_calendars.c.remote_id.not_in(seen),
            ~sa.exists().where(pairs.c.remote_calendar_id == remote_calendars.c.id),
        )
    )
    return of_account(conn, account_id)


def by_id(conn: sa.Connection, remote_calendar_id: int) -> KnownCalendar | None:
    row = conn.execute(sa.select(remote_calendars).where(remote_calendars.c.id == remote_calendar_id)).first()
    return None if row is None else _known(row)


def of_account(conn: sa.Connection, account_id: int) -> list[KnownCalendar]:
    """Calendars of events before lists of to-dos; the primary one of each first, then by name."""
    query = (
        sa.select(remote_calendars)
        .where(remote_calendars.c.account_id == account_id)
        .order_by(
            remote_calendars.c.component,
            remote_calendars.c.is_primary.desc(),
            remote_calendars.c.name,
            remote_calendars.c.id,
        )
    )
    return [_known(row) for row in conn.execute(query)]


def _known(row: sa.Row[Any]) -> KnownCalendar:
    calendar = RemoteCalendar(
        id=row.remote_id,
        name=row.name,
        writable=row.writable,
        primary=row.is_primary,
        color=row.color,
        zone=row.zone,
        owner=row.owner,
        component=row.component,
    )
    return KnownCalendar(row.id, row.account_id, calendar)
