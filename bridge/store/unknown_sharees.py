"""Addresses that a calendar was shared with and that are nobody's here: its owner sees them as invalid."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa

from bridge.policy.access import GIVEN, Access
from bridge.store.dialects import insert
from bridge.store.tables import unknown_sharees as table


@dataclass(frozen=True, slots=True)
class UnknownSharee:
    """``address`` is as its owner gave it, ``common_name`` what they call who has it."""

    address: str
    common_name: str
    access: Access


def put(
    conn: sa.Connection, calendar_id: int, address: str, *, common_name: str, access: str, now: dt.datetime
) -> bool:
    """False: it was written down so already."""
    told = {"common_name": common_name, "access": access}
    if UnknownSharee(address, common_name, GIVEN[access]) in of_calendar(conn, calendar_id):
        return False
    conn.execute(
        insert(conn, table)
        .values(calendar_id=calendar_id, address=address, created_at=now, **told)
        .on_conflict_do_update(index_elements=["calendar_id", "address"], set_=told)
    )
    return True


def remove(conn: sa.Connection, calendar_id: int, address: str) -> bool:
    """False: it was not there."""
    gone = sa.delete(table).where(table.c.calendar_id == calendar_id, table.c.address == address)
    return bool(conn.execute(gone).rowcount)


def of_calendar(conn: sa.Connection, calendar_id: int) -> list[UnknownSharee]:
    """By address."""
    rows = conn.execute(sa.select(table).where(table.c.calendar_id == calendar_id).order_by(table.c.address))
    return [UnknownSharee(row.address, row.common_name, GIVEN[row.access]) for row in rows]
