"""Links by which a new device is set up: one a device, gone with its first sign-in or when it is too old."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa

from bridge.store.dialects import insert
from bridge.store.tables import devices, principals, setup_links
from bridge.store.vault import Vault


@dataclass(frozen=True, slots=True)
class SetupLink:
    """``password`` is the device's, in the clear; at rest it is sealed."""

    device_id: int
    username: str
    label: str
    password: str
    expires_at: dt.datetime


def put(
    conn: sa.Connection, vault: Vault, device_id: int, digest: str, password: str, *, expires_at: dt.datetime
) -> None:
    """The device's link from now on; the one before is good no more."""
    values = {"digest": digest, "password": vault.seal(password), "expires_at": expires_at}
    conn.execute(
        insert(conn, setup_links)
        .values(device_id=device_id, **values)
        .on_conflict_do_update(index_elements=["device_id"], set_=values)
    )


def get(conn: sa.Connection, vault: Vault, digest: str, *, now: dt.datetime) -> SetupLink | None:
    """The link of this digest; None if there is none, it is too old, or its device was revoked. Raises UsageError (the key)."""
    row = conn.execute(
        sa.select(devices.c.id, principals.c.name, devices.c.label, setup_links.c.password, setup_links.c.expires_at)
        .join_from(setup_links, devices)
        .join(principals)
        .where(setup_links.c.digest == digest, setup_links.c.expires_at > now, devices.c.revoked_at.is_(None))
    ).first()
    return None if row is None else SetupLink(row[0], row[1], row[2], vault.open(row[3]), row[4])


def remove(conn: sa.Connection, device_id: int, *, password_hash: str | None = None) -> None:
    """Wipe the device's link. With ``password_hash`` only while that is its password: else the link is newer than it."""
    query = sa.delete(setup_links).where(setup_links.c.device_id == device_id)
    if password_hash is not None:
        same = sa.exists().where(devices.c.id == device_id, devices.c.password_hash == password_hash)
        query = query.where(same)
    conn.execute(query)


def prune(conn: sa.Connection, now: dt.datetime) -> int:
    """Wipe those that are too old. Returns how many."""
    return conn.execute(sa.delete(setup_links).where(setup_links.c.expires_at <= now)).rowcount
