"""Calendar object resources: exactly the bytes that were PUT."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

import sqlalchemy as sa


class Expected(Enum):
    """What a writer says about the version it knows, when it is not an etag."""

    ANY = "any"
    ABSENT = "absent"


ANY = Expected.ANY
ABSENT = Expected.ABSENT


@dataclass(frozen=True, slots=True)
class StoredObject:
    """``etag`` is strong and quoted. ``first_at``/``last_at`` are aware UTC bounds of all its occurrences."""

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


def put(
    conn: sa.Connection,
    calendar_id: int,
    href: str,
    data: bytes,
    *,
    actor: str,
    now: dt.datetime,
    expected: str | Expected = ANY,
) -> StoredObject:
    """Store these bytes. The very bytes that are there already change nothing: no revision, no history (R38).

    Raises ObjectChanged if ``expected`` does not hold, InvalidCalendarData, NotFound for an unknown calendar.
    """
    raise NotImplementedError


def delete(
    conn: sa.Connection,
    calendar_id: int,
    href: str,
    *,
    actor: str,
    now: dt.datetime,
    expected: str | Expected = ANY,
) -> None:
    """Leave a tombstone. Raises NotFound, or ObjectChanged if an etag was expected and does not hold."""
    raise NotImplementedError


def get(conn: sa.Connection, calendar_id: int, href: str) -> StoredObject | None:
    raise NotImplementedError


def by_uid(conn: sa.Connection, calendar_id: int, uid: str) -> StoredObject | None:
    raise NotImplementedError


def hrefs(conn: sa.Connection, calendar_id: int) -> list[tuple[str, str]]:
    """(href, etag) of every object, by href."""
    raise NotImplementedError


def many(conn: sa.Connection, calendar_id: int, hrefs: Iterable[str]) -> list[StoredObject]:
    """Those of them that exist, by href."""
    raise NotImplementedError


def every(conn: sa.Connection, calendar_id: int) -> Iterator[StoredObject]:
    """All, by href, read as they are asked for."""
    raise NotImplementedError


def in_range(
    conn: sa.Connection,
    calendar_id: int,
    start: dt.datetime | None,
    end: dt.datetime | None,
    component: str | None = None,
) -> list[StoredObject]:
    """Those whose bounds touch [start, end); None is open. What has no time always matches."""
    raise NotImplementedError
