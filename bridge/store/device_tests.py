"""The event that tries a device: put into a calendar, to be seen there and deleted there."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass

import sqlalchemy as sa

from bridge.store.dialects import upsert
from bridge.store.tables import device_tests


@dataclass(frozen=True, slots=True)
class DeviceTest:
    """``revision`` is the calendar's at which the event came; ``fetched_at`` when the device took it."""

    device_id: int
    calendar_id: int
    href: str
    revision: int
    made_at: dt.datetime
    fetched_at: dt.datetime | None = None


_SAVE = upsert(device_tests)


def save(conn: sa.Connection, test: DeviceTest) -> None:
    """In place of the device's former one."""
    conn.execute(_SAVE[conn.dialect.name], asdict(test))


def of_device(conn: sa.Connection, device_id: int) -> DeviceTest | None:
    row = conn.execute(sa.select(device_tests).where(device_tests.c.device_id == device_id)).first()
    return None if row is None else DeviceTest(*row)


def before(conn: sa.Connection, made_at: dt.datetime) -> list[DeviceTest]:
    """Those older than that."""
    rows = conn.execute(sa.select(device_tests).where(device_tests.c.made_at < made_at))
    return [DeviceTest(*row) for row in rows]


def fetched(conn: sa.Connection, device_id: int, href: str, *, now: dt.datetime) -> None:
    """The device has it now; only the first time counts."""
    conn.execute(
        sa.update(device_tests)
        .where(
            device_tests.c.device_id == device_id,
            device_tests.c.href == href,
            device_tests.c.fetched_at.is_(None),
        )
        .values(fetched_at=now)
    )


def remove(conn: sa.Connection, device_id: int) -> None:
    conn.execute(sa.delete(device_tests).where(device_tests.c.device_id == device_id))
