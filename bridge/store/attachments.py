"""Attachments that are kept here (RFC 8607), and which objects refer to them.

Kept as long as an object refers to it, and after that as long as history can bring such an object back.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from bridge.store.dialects import insert
from bridge.store.tables import attachment_uses, attachments, calendars, shares


@dataclass(frozen=True, slots=True)
class Kept:
    """What is known of an attachment without its bytes. ``size`` in bytes; ``media_type`` as its uploader said."""

    managed_id: str
    principal_id: int
    name: str
    media_type: str
    size: int


_KEPT = sa.select(
    attachments.c.managed_id,
    attachments.c.principal_id,
    attachments.c.name,
    attachments.c.media_type,
    attachments.c.size,
)


def add(conn: sa.Connection, kept: Kept, data: bytes, *, now: dt.datetime) -> None:
    """Unused until an object refers to it."""
    conn.execute(
        sa.insert(attachments).values(
            managed_id=kept.managed_id,
            principal_id=kept.principal_id,
            name=kept.name,
            media_type=kept.media_type,
            size=kept.size,
            data=data,
            created_at=now,
            unused_since=now,
        )
    )


def get(conn: sa.Connection, managed_id: str) -> Kept | None:
    row = conn.execute(_KEPT.where(attachments.c.managed_id == managed_id)).first()
    return None if row is None else Kept(*row)


def data(conn: sa.Connection, managed_id: str) -> bytes:
    """Raises NoResultFound."""
    return bytes(conn.execute(sa.select(attachments.c.data).where(attachments.c.managed_id == managed_id)).scalar_one())


def refer(conn: sa.Connection, calendar_id: int, uid: str, managed_ids: Iterable[str], *, now: dt.datetime) -> None:
    """These and no others are what the object refers to. What is not kept here is passed over: it is somebody else's."""
    here = attachment_uses.c.calendar_id == calendar_id, attachment_uses.c.uid == uid
    before = set(conn.scalars(sa.select(attachment_uses.c.managed_id).where(*here)))
    wanted = set(managed_ids)
    after = set(
        conn.scalars(sa.select(attachments.c.managed_id).where(attachments.c.managed_id.in_(sorted(wanted))))
        if wanted
        else ()
    )
    for managed_id in sorted(after - before):
        row = {"managed_id": managed_id, "calendar_id": calendar_id, "uid": uid}
        conn.execute(insert(conn, attachment_uses).values(row).on_conflict_do_nothing())
    gone = sorted(before - after)
    if gone:
        conn.execute(sa.delete(attachment_uses).where(*here, attachment_uses.c.managed_id.in_(gone)))
    _mark(conn, before ^ after, now=now)


def _mark(conn: sa.Connection, managed_ids: Iterable[str], *, now: dt.datetime) -> None:
    used = sa.exists().where(attachment_uses.c.managed_id == attachments.c.managed_id)
    for managed_id in sorted(managed_ids):
        one = attachments.c.managed_id == managed_id
        conn.execute(sa.update(attachments).where(one, used).values(unused_since=None))
        conn.execute(
            sa.update(attachments).where(one, ~used, attachments.c.unused_since.is_(None)).values(unused_since=now)
        )


def is_used_in(conn: sa.Connection, managed_id: str, principal_id: int) -> bool:
    """Whether an object refers to it in a calendar that the person has, be it somebody else's."""
    shared = sa.select(shares.c.calendar_id).where(
        shares.c.principal_id == principal_id, shares.c.accepted_at.is_not(None)
    )
    query = (
        sa.select(sa.literal(1))
        .select_from(attachment_uses.join(calendars, attachment_uses.c.calendar_id == calendars.c.id))
        .where(
            attachment_uses.c.managed_id == managed_id,
            sa.or_(calendars.c.principal_id == principal_id, calendars.c.id.in_(shared)),
        )
    )
    return conn.execute(query.limit(1)).first() is not None


def used_bytes(conn: sa.Connection, principal_id: int) -> int:
    """What a person's attachments take up, those included that only history still refers to."""
    total = conn.scalar(sa.select(sa.func.sum(attachments.c.size)).where(attachments.c.principal_id == principal_id))
    return int(total or 0)


def prune(conn: sa.Connection, before: dt.datetime) -> int:
    """Drop what nothing has referred to since ``before``; what went with a whole calendar begins to count now.

    Returns how many went.
    """
    used = sa.exists().where(attachment_uses.c.managed_id == attachments.c.managed_id)
    conn.execute(sa.update(attachments).where(~used, attachments.c.unused_since.is_(None)).values(unused_since=before))
    return conn.execute(sa.delete(attachments).where(~used, attachments.c.unused_since < before)).rowcount
