"""Which objects of a calendar match a query: by an index of occurrences or of UIDs where it can tell, by their text where not."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa

from bridge.store import objects
from bridge.store.objects import StoredObject
from radicale_plugins.filters import Query


def matching(conn: sa.Connection, calendar_id: int, asked: Query) -> Iterator[StoredObject]:
    """By href. To be used up within the transaction."""
    if asked.is_of_uids:
        uids = filter(asked.may_be, objects.uids(conn, calendar_id))
        return filter(asked.matches, objects.of_uids(conn, calendar_id, uids))
    if not asked.is_of_events_in_time:
        candidates = objects.in_range(conn, calendar_id, asked.start, asked.end, asked.component)
        return (each for each in candidates if asked.matches(each))
    found, unsure = objects.occurring(conn, calendar_id, asked.start, asked.end, floating=asked.floating)
    certain = asked.is_of_nothing_else
    return (each for each in found if (certain and each.href not in unsure) or asked.matches(each))
