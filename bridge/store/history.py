"""Every version of every object, with who and when: written by ``objects``, read to show and restore (R35)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, fields

import sqlalchemy as sa

from bridge.store.dialects import upsert
from bridge.store.tables import history


@dataclass(frozen=True, slots=True)
class Version:
    """``data`` is None where the object was deleted at this revision. ``actor`` is "device:7", "pair:3", "cli", …"""

    calendar_id: int
    revision: int
    href: str
    uid: str
    data: bytes | None
    actor: str
    at: dt.datetime


_COLUMNS = [each.name for each in fields(Version)]
_RECORD = upsert(history)


def record(conn: sa.Connection, version: Version) -> None:
    """Keep a version. Within one transaction only an href's last state is one: nobody ever saw those before it."""
    row = {name: getattr(version, name) for name in _COLUMNS}  # asdict would take as long as the statement
    conn.execute(_RECORD[conn.dialect.name], row)


def of_object(conn: sa.Connection, calendar_id: int, uid: str) -> list[Version]:
    """All versions of one object, newest first, under whatever hrefs it had."""
    rows = conn.execute(
        sa.select(history)
        .where(history.c.calendar_id == calendar_id, history.c.uid == uid)
        .order_by(history.c.revision.desc(), history.c.data.is_(None), history.c.href)
    )
    return [Version(*row) for row in rows]


def beginning(conn: sa.Connection, calendar_id: int, prefix: str, *, limit: int) -> list[str]:
    """UIDs that begin so, letter by letter."""
    begins = sa.func.substr(history.c.uid, 1, len(prefix)) == prefix
    query = sa.select(history.c.uid).distinct().where(history.c.calendar_id == calendar_id, begins)
    return list(conn.scalars(query.order_by(history.c.uid).limit(limit)))


def recent(
    conn: sa.Connection, calendar_id: int, *, since: dt.datetime | None = None, before: int | None = None, limit: int
) -> list[Version]:
    """What was done in a calendar lately, newest first: about ``limit`` versions, for what one transaction did stays whole.

    ``before`` is the last revision of the page before this one; an empty page is the end.
    """
    wanted = [history.c.calendar_id == calendar_id]
    if since is not None:
        wanted.append(history.c.at >= since)
    if before is not None:
        wanted.append(history.c.revision < before)
    revisions = sa.select(history.c.revision).where(*wanted).order_by(history.c.revision.desc())
    lowest = conn.scalar(revisions.offset(limit - 1).limit(1))
    if lowest is not None:
        wanted.append(history.c.revision >= lowest)
    rows = conn.execute(
        sa.select(history).where(*wanted).order_by(history.c.revision.desc(), history.c.data.is_(None), history.c.href)
    )
    return [Version(*row) for row in rows]


def replaced_by(conn: sa.Connection, version: Version) -> Version | None:
    """The object's version before this one, as far as history reaches; one without data if it had been deleted."""
    row = conn.execute(
        sa.select(history)
        .where(
            history.c.calendar_id == version.calendar_id,
            history.c.uid == version.uid,
            history.c.revision < version.revision,
        )
        .order_by(history.c.revision.desc(), history.c.data.is_(None), history.c.href)
        .limit(1)
    ).first()
    return None if row is None else Version(*row)


def by_actor(conn: sa.Connection, calendar_id: int, href: str, revision: int, *, actor: str) -> dt.datetime | None:
    """When that actor first changed or deleted the href after ``revision``; None: not yet."""
    found: dt.datetime | None = conn.scalar(
        sa.select(sa.func.min(history.c.at)).where(
            history.c.calendar_id == calendar_id,
            history.c.revision > revision,
            history.c.href == href,
            history.c.actor == actor,
        )
    )
    return found


def at_revision(conn: sa.Connection, calendar_id: int, revision: int) -> list[Version]:
    """What one transaction did, by href."""
    rows = conn.execute(
        sa.select(history)
        .where(history.c.calendar_id == calendar_id, history.c.revision == revision)
        .order_by(history.c.href)
    )
    return [Version(*row) for row in rows]


def prune(conn: sa.Connection, before: dt.datetime) -> int:
    """Drop versions that were replaced or deleted before ``before``. Returns how many rows went.

    The retention time counts from when a version stopped being the present one, not from when it was written: an event of
    two years ago that was deleted today can be restored tomorrow. So an object's present version always stays.
    """
    newer = history.alias()
    replaced = sa.exists().where(
        newer.c.calendar_id == history.c.calendar_id,
        newer.c.uid == history.c.uid,
        newer.c.revision > history.c.revision,
        newer.c.at < before,
    )
    return conn.execute(
        sa.delete(history).where(history.c.at < before, sa.or_(history.c.data.is_(None), replaced))
    ).rowcount
