"""What a device was told of a calendar last: from it follows what it does not know yet."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa

from bridge.store.dialects import upsert
from bridge.store.tables import fetches, history


@dataclass(frozen=True, slots=True)
class Fetch:
    """``revision`` is the calendar's when the device last took its changes; None: it has only asked whether there are any."""

    device_id: int
    calendar_id: int
    revision: int | None
    fetched_at: dt.datetime | None
    asked_at: dt.datetime


def fetched(conn: sa.Connection, device_id: int, calendar_id: int, revision: int, *, now: dt.datetime) -> None:
    """The device was given everything up to this revision."""
    row = {"device_id": device_id, "calendar_id": calendar_id, "revision": revision, "fetched_at": now, "asked_at": now}
    conn.execute(_FETCHED[conn.dialect.name], row)


def asked(conn: sa.Connection, device_id: int, calendar_id: int, *, now: dt.datetime) -> None:
    """The device was told at which revision the calendar is, and nothing more."""
    row = {"device_id": device_id, "calendar_id": calendar_id, "asked_at": now}
    conn.execute(_ASKED[conn.dialect.name], row)


_FETCHED, _ASKED = upsert(fetches), upsert(fetches, "asked_at")


def of_device(conn: sa.Connection, device_id: int) -> dict[int, Fetch]:
    """By calendar."""
    rows = conn.execute(sa.select(fetches).where(fetches.c.device_id == device_id))
    return {row.calendar_id: Fetch(*row) for row in rows}


def forget(conn: sa.Connection, device_id: int) -> None:
    """A device that comes in anew begins anew."""
    conn.execute(sa.delete(fetches).where(fetches.c.device_id == device_id))


def unknown_to(conn: sa.Connection, calendar_id: int, revision: int, *, actor: str) -> tuple[int, dt.datetime | None]:
    """How many objects somebody else than the ``actor`` changed after ``revision``, and when the first of them was.

    A device knows what it wrote itself. As far as history reaches.
    """
    row = conn.execute(
        sa.select(sa.func.count(history.c.href.distinct()), sa.func.min(history.c.at)).where(
            history.c.calendar_id == calendar_id, history.c.revision > revision, history.c.actor != actor
        )
    ).one()
    return row[0], row[1]
