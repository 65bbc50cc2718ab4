"""Occurrences are listed ahead of the questions: the lists of series move on with time, and those of old events are made once.

Each calendar goes in small transactions, so that nobody who writes waits for long; no revision tells of it, for nothing changes
that anybody could see.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from bridge.errors import InvalidCalendarData, NotFound
from bridge.ical import objects as ical
from bridge.ical import unrolled
from bridge.store import changes, objects, occurrences, settings
from bridge.store.session import Database

_AT_ONCE = 50
_WORTHWHILE = dt.timedelta(days=30)  # so much further must a list reach to be written anew
_EDITION = "occurrences"


def keep_up(database: Database, calendar_ids: Sequence[int], *, now: dt.datetime) -> int:
    """Make anew what does not reach far enough. Returns how many lists were written."""
    with database.read() as conn:
        is_of_today = settings.get(conn, _EDITION) == unrolled.edition()
    if not is_of_today:
        for calendar_id in calendar_ids:
            with database.write() as conn:
                if _is_there(conn, calendar_id):
                    occurrences.forget(conn, calendar_id)
        with database.write() as conn:
            settings.put(conn, _EDITION, unrolled.edition())
    return sum(_calendar(database, each, now) for each in calendar_ids)


def _calendar(database: Database, calendar_id: int, now: dt.datetime) -> int:
    written, after = 0, ""
    while True:
        with database.read() as conn:
            reach = occurrences.stale(conn, calendar_id, now + unrolled.ENOUGH, after=after, limit=_AT_ONCE)
        if not reach:
            return written
        with database.write() as conn:
            if not _is_there(conn, calendar_id):
                return written
            written += _some(conn, calendar_id, reach, now)
        after = [*reach][-1]  # in the order of the database


def _is_there(conn: sa.Connection, calendar_id: int) -> bool:
    """Locked until the transaction ends, if it is."""
    try:
        changes.lock(conn, calendar_id)
    except NotFound:
        return False
    return True


def _some(conn: sa.Connection, calendar_id: int, reach: Mapping[str, dt.datetime], now: dt.datetime) -> int:
    written = 0
    for stored in objects.many(conn, calendar_id, reach):
        try:
            obj = ical.parse(stored.data)
        except InvalidCalendarData:  # kept by an older version: it is read when it is asked for
            continue
        listed = unrolled.of(obj, stored.first_at, stored.last_at, now=now)
        if listed != unrolled.UNKNOWN and listed.until - _WORTHWHILE >= reach[stored.href]:
            occurrences.write(conn, calendar_id, stored.href, listed)
            occurrences.mark(conn, calendar_id, stored.href, listed)
            written += 1
    return written
