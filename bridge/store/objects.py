"""Calendar object resources (RFC 4791 §4.1): exactly the bytes that were PUT, and what is known about them by index."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from enum import Enum
from typing import Any

import sqlalchemy as sa

from bridge.errors import InvalidCalendarData, NotFound, ObjectChanged, UsageError
from bridge.ical import busy, unrolled
from bridge.ical.attachments import managed_ids
from bridge.ical.objects import CalendarObject, can_be_kept, parse
from bridge.store import attachments, changes, history, occurrences
from bridge.store.dialects import upsert
from bridge.store.prepared import Prepared
from bridge.store.tables import calendars, objects, tombstones


class Expected(Enum):
    """What a writer says about the version it knows, when that is not an etag."""

    ANY = "any"
    ABSENT = "absent"


ANY = Expected.ANY
"""Write over whatever is there."""

ABSENT = Expected.ABSENT
"""Only if nothing is there (If-None-Match: *)."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object as it is in the hub. ``first_at`` and ``last_at`` are aware UTC bounds of all its occurrences.

    ``last_at`` None: it never ends; ``first_at`` None: it has no time at all. ``etag`` is strong and has its quotes.
    ``schedule_tag`` None: it is the etag.
    """

    calendar_id: int
    href: str
    uid: str
    component: str
    data: bytes
    etag: str
    revision: int
    modified_at: dt.datetime
    first_at: dt.datetime | None
    last_at: dt.datetime | None
    schedule_tag: str | None = None


_NAMES = [each.name for each in fields(StoredObject)]
_PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9@._-]{0,199}")

# Built once: SQLAlchemy takes longer to make such a statement than SQLite to run it.
_COLUMNS = [objects.c[name] for name in StoredObject.__slots__]
_BY_HREF = Prepared(
    sa.select(*_COLUMNS).where(
        objects.c.calendar_id == sa.bindparam("calendar_id"), objects.c.href == sa.bindparam("href")
    )
)
_BY_UID = Prepared(
    sa.select(*_COLUMNS).where(
        objects.c.calendar_id == sa.bindparam("calendar_id"), objects.c.uid == sa.bindparam("uid")
    )
)
_HREFS = Prepared(
    sa.select(objects.c.href, objects.c.etag)
    .where(objects.c.calendar_id == sa.bindparam("calendar_id"))
    .order_by(objects.c.href)
)
_MANY = sa.select(*_COLUMNS).where(
    objects.c.calendar_id == sa.bindparam("calendar_id"), objects.c.href.in_(sa.bindparam("names", expanding=True))
)
_UIDS = Prepared(sa.select(objects.c.uid).where(objects.c.calendar_id == sa.bindparam("calendar_id")))
_OF_UIDS = sa.select(*_COLUMNS).where(
    objects.c.calendar_id == sa.bindparam("calendar_id"), objects.c.uid.in_(sa.bindparam("names", expanding=True))
)
_TEXTS = sa.select(objects.c.data).where(objects.c.calendar_id == sa.bindparam("calendar_id")).order_by(objects.c.href)
_STORE = upsert(objects)
_BURY = upsert(tombstones)
_REMOVE = sa.delete(objects).where(
    objects.c.calendar_id == sa.bindparam("calendar_id"), objects.c.href == sa.bindparam("href")
)
_UNBURY = sa.delete(tombstones).where(
    tombstones.c.calendar_id == sa.bindparam("calendar_id"), tombstones.c.href == sa.bindparam("href")
)


def put(
    conn: sa.Connection,
    calendar_id: int,
    href: str,
    data: bytes,
    *,
    actor: str,
    now: dt.datetime,
    expected: str | Expected = ANY,
    quietly: bool = False,
    parsed: CalendarObject | None = None,
) -> StoredObject:
    """Store these bytes. The very bytes that are there already change nothing: no revision, no history, no etag (R38).

    ``parsed`` is what ``parse`` makes of them, for who has read them already.
    ``quietly``: the schedule tag stays, for only answers of others have come (RFC 6638 §3.2.10).

    Locks the calendar before it looks, so between the check of ``expected`` and the write nobody else gets in (R36).
    Raises ObjectChanged if ``expected`` does not hold; InvalidCalendarData if the object is none, or its UID is another
    href's or not the one this href has (RFC 4791 §5.3.2.1); UsageError for an impossible href; NotFound for the calendar.
    """
    _check_href(href)
    changes.lock(conn, calendar_id)
    stored = get(conn, calendar_id, href)
    _check(stored, expected)
    if stored is not None and stored.data == data:
        return stored
    parsed = parsed or parse(data)
    _check_names(parsed.uid, parsed.component)
    if stored is None:
        holder = by_uid(conn, calendar_id, parsed.uid)
        if holder is not None:
            raise InvalidCalendarData("no-uid-conflict", f"{holder.href} has this UID")
    elif stored.uid != parsed.uid:
        raise InvalidCalendarData("no-uid-conflict", f"{href} has another UID")
    first_at, last_at = busy.bounds(parsed)
    old = b"" if stored is None else stored.data
    revision = changes.bump(conn, calendar_id, actor=actor, now=now, more=len(data) - len(old))
    tag = (stored.schedule_tag or stored.etag) if quietly and stored is not None else None
    new = StoredObject(
        calendar_id, href, parsed.uid, parsed.component, data, etag_of(data), revision, now, first_at, last_at, tag
    )
    listed = unrolled.of(parsed, first_at, last_at, now=now, reach=unrolled.NEAR)
    row = {**_row(new), "listed_from": listed.since, "listed_until": listed.until}
    conn.execute(_STORE[conn.dialect.name], row)
    occurrences.write(conn, calendar_id, href, listed, is_new=stored is None)
    if stored is None:
        conn.execute(_UNBURY, {"calendar_id": calendar_id, "href": href})
    history.record(conn, history.Version(calendar_id, revision, href, new.uid, data, actor, now))
    _refer(conn, calendar_id, parsed.uid, old, data, now=now)
    return new


def _row(stored: StoredObject) -> dict[str, Any]:
    """As ``dataclasses.asdict`` has it, which takes as long as the statement."""
    return {name: getattr(stored, name) for name in _NAMES}


def _refer(conn: sa.Connection, calendar_id: int, uid: str, old: bytes, new: bytes, *, now: dt.datetime) -> None:
    """Which attachments the object needs."""
    referred = managed_ids(new)
    if referred != managed_ids(old):
        attachments.refer(conn, calendar_id, uid, referred, now=now)


def delete(
    conn: sa.Connection,
    calendar_id: int,
    href: str,
    *,
    actor: str,
    now: dt.datetime,
    expected: str | Expected = ANY,
) -> None:
    """Delete the object and leave a tombstone with the revision. Its versions stay in history.

    Raises ObjectChanged if an etag is expected and does not hold, otherwise NotFound if nothing is there.
    """
    changes.lock(conn, calendar_id)
    stored = get(conn, calendar_id, href)
    _check(stored, expected)
    if stored is None:
        raise NotFound(f"there is no {href} in calendar {calendar_id}")
    revision = changes.bump(conn, calendar_id, actor=actor, now=now, more=-len(stored.data))
    conn.execute(_REMOVE, {"calendar_id": calendar_id, "href": href})
    tombstone = {
        "calendar_id": calendar_id,
        "href": href,
        "uid": stored.uid,
        "revision": revision,
        "deleted_at": now,
    }
    conn.execute(_BURY[conn.dialect.name], tombstone)
    history.record(conn, history.Version(calendar_id, revision, href, stored.uid, None, actor, now))
    _refer(conn, calendar_id, stored.uid, stored.data, b"", now=now)


def deliver(
    conn: sa.Connection, calendar_id: int, href: str, component: str, data: bytes, *, actor: str, now: dt.datetime
) -> None:
    """Put a message into an inbox: it is no calendar object, several may be about one, and none replaces another.

    So its href stands for its UID. Raises NotFound for the calendar.
    """
    changes.lock(conn, calendar_id)
    revision = changes.bump(conn, calendar_id, actor=actor, now=now, more=len(data))
    new = StoredObject(calendar_id, href, href, component, data, etag_of(data), revision, now, None, None)
    nowhere = {"listed_from": unrolled.UNKNOWN.since, "listed_until": unrolled.UNKNOWN.until}
    conn.execute(_STORE[conn.dialect.name], {**_row(new), **nowhere})


def older_than(conn: sa.Connection, calendar_id: int, before: dt.datetime) -> list[str]:
    """The hrefs of those that nobody has changed since."""
    old = objects.c.calendar_id == calendar_id, objects.c.modified_at < before
    return list(conn.scalars(sa.select(objects.c.href).where(*old).order_by(objects.c.href)))


def of_person(conn: sa.Connection, principal_id: int, uid: str) -> list[StoredObject]:
    """The objects with this UID in all of a person's own calendars."""
    query = (
        sa.select(*_COLUMNS)
        .join(calendars, objects.c.calendar_id == calendars.c.id)
        .where(calendars.c.principal_id == principal_id, objects.c.uid == uid, ~calendars.c.slug.startswith("."))
        .order_by(calendars.c.id)
    )
    return [StoredObject(*row) for row in conn.execute(query)]


def get(conn: sa.Connection, calendar_id: int, href: str) -> StoredObject | None:
    row = _BY_HREF.first(conn, {"calendar_id": calendar_id, "href": href})
    return None if row is None else StoredObject(*row)


def by_uid(conn: sa.Connection, calendar_id: int, uid: str) -> StoredObject | None:
    row = _BY_UID.first(conn, {"calendar_id": calendar_id, "uid": uid})
    return None if row is None else StoredObject(*row)


def hrefs(conn: sa.Connection, calendar_id: int) -> list[tuple[str, str]]:
    """(href, etag) of every object, by href. Reads no data."""
    return [(href, etag) for href, etag in _HREFS.rows(conn, {"calendar_id": calendar_id})]


def many(conn: sa.Connection, calendar_id: int, hrefs: Iterable[str]) -> list[StoredObject]:
    """Those of them that exist, in no order (calendar-multiget, RFC 4791 §7.9)."""
    return _in_portions(conn, _MANY, calendar_id, hrefs)


def _in_portions(
    conn: sa.Connection, statement: sa.Select[Any], calendar_id: int, names: Iterable[str]
) -> list[StoredObject]:
    found: list[StoredObject] = []
    wanted = list(dict.fromkeys(names))
    for start in range(0, len(wanted), 500):  # SQLite takes a limited number of parameters
        rows = conn.execute(statement, {"calendar_id": calendar_id, "names": wanted[start : start + 500]})
        found.extend(StoredObject(*row) for row in rows)
    return found


def uids(conn: sa.Connection, calendar_id: int) -> list[str]:
    """Of every object, in no order. Read from an index alone."""
    return [uid for (uid,) in _UIDS.rows(conn, {"calendar_id": calendar_id})]


def of_uids(conn: sa.Connection, calendar_id: int, uids: Iterable[str]) -> list[StoredObject]:
    """Those of them that exist, by href."""
    found = _in_portions(conn, _OF_UIDS, calendar_id, uids)
    return sorted(found, key=lambda stored: stored.href)


def every(conn: sa.Connection, calendar_id: int) -> Iterator[StoredObject]:
    """All of them by href, a few hundred in memory at a time: use it up within the transaction."""
    rows = conn.execute(
        sa.select(*_COLUMNS).where(objects.c.calendar_id == calendar_id).order_by(objects.c.href),
        execution_options={"yield_per": 500},
    )
    return (StoredObject(*row) for row in rows)


def texts(conn: sa.Connection, calendar_id: int) -> Iterator[bytes]:
    """The bytes of all of them by href, as ``every`` hands them out."""
    return iter(conn.scalars(_TEXTS, {"calendar_id": calendar_id}, execution_options={"yield_per": 500}))


def in_range(
    conn: sa.Connection,
    calendar_id: int,
    start: dt.datetime | None,
    end: dt.datetime | None,
    component: str | None = None,
) -> list[StoredObject]:
    """Those that may have an occurrence in [start, end), by their bounds alone; None is open. What has no time always matches.

    A first, indexed sieve: a series may still have a gap just there (RFC 4791 §9.9 has the exact rule).
    """
    query = sa.select(*_COLUMNS).where(objects.c.calendar_id == calendar_id)
    if component is not None:
        query = query.where(objects.c.component == component)
    timed = query.where(objects.c.first_at.is_not(None))
    if end is not None:
        timed = timed.where(objects.c.first_at < end)
    if start is not None:
        timed = timed.where(
            sa.or_(
                objects.c.last_at.is_(None),
                objects.c.last_at > start,
                sa.and_(objects.c.last_at == objects.c.first_at, objects.c.first_at >= start),  # lasts no time
            )
        )
    # two searches instead of one with OR and ORDER BY, for which SQLite would walk through the whole calendar
    rows = conn.execute(sa.union_all(timed, query.where(objects.c.first_at.is_(None))))
    return sorted((StoredObject(*row) for row in rows), key=lambda stored: stored.href)


def occurring(
    conn: sa.Connection,
    calendar_id: int,
    start: dt.datetime | None,
    end: dt.datetime | None,
    *,
    floating: dt.tzinfo,
) -> tuple[list[StoredObject], frozenset[str]]:
    """The events that have an occurrence in [start, end), and some that only their text can tell of: their hrefs stand beside."""
    found = occurrences.find(conn, calendar_id, start, end, floating=floating)
    return sorted(many(conn, calendar_id, found.sure | found.unsure), key=lambda stored: stored.href), found.unsure


def free_href(conn: sa.Connection, calendar_id: int, uid: str) -> str:
    """A name for a new object: its UID, as clients do, unless that cannot be a path or somebody has it."""
    plain = f"{uid}.ics"
    if _PLAIN_NAME.fullmatch(uid) and get(conn, calendar_id, plain) is None:
        return plain
    return f"{hashlib.sha256(uid.encode()).hexdigest()[:32]}.ics"


def etag_of(data: bytes) -> str:
    """Strong (RFC 9110 §8.8.1): the same for the same bytes, wherever and whenever they were stored."""
    return f'"{hashlib.sha256(data).hexdigest()[:32]}"'


def _check(stored: StoredObject | None, expected: str | Expected) -> None:
    if expected is ANY:
        return
    if expected is ABSENT:
        if stored is not None:
            raise ObjectChanged(f"{stored.href} exists already")
    elif stored is None or stored.etag != expected:
        raise ObjectChanged("the object is not the version that was expected")


def _check_href(href: str) -> None:
    """One path segment that both databases can hold: PostgreSQL has no NUL in its text."""
    if not 0 < len(href) <= 255 or "/" in href or "\0" in href or href in (".", ".."):
        raise UsageError("the name of a calendar object must be 1 to 255 characters without a slash")


def _check_names(uid: str, component: str) -> None:
    if not can_be_kept(uid):
        raise InvalidCalendarData("valid-calendar-object-resource", "the UID is longer than 1,024 bytes")
    if len(component) > 32:
        raise InvalidCalendarData("supported-calendar-component", "the component's name is longer than 32 characters")
