"""Properties that clients made up for objects (dead properties, RFC 4918 §4).

Hardly any object has some, so they stand apart: whoever asks for none of them does not come here. They go with their object by
the foreign key, and a new version of it keeps them. No history has them, and no revision tells of them (decision 0037).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import sqlalchemy as sa

from bridge.store import changes
from bridge.store.dialects import upsert
from bridge.store.tables import object_properties

_MOST_NAMED = 500
"""SQLite takes a limited number of parameters."""

_STORE = upsert(object_properties)


def of(conn: sa.Connection, calendar_id: int, hrefs: Collection[str] | None = None) -> dict[str, Mapping[str, Any]]:
    """By href, of those that have any: one query, however many are asked for. None: of all objects."""
    query = sa.select(object_properties.c.href, object_properties.c.properties).where(
        object_properties.c.calendar_id == calendar_id
    )
    if hrefs is not None and len(hrefs) <= _MOST_NAMED:
        query = query.where(object_properties.c.href.in_(hrefs))
    return {row.href: row.properties for row in conn.execute(query)}


def replace(conn: sa.Connection, calendar_id: int, href: str, properties: Mapping[str, Any]) -> None:
    """Make these the properties of an object that is there. Raises NotFound for the calendar."""
    changes.lock(conn, calendar_id)
    if properties:
        row = {"calendar_id": calendar_id, "href": href, "properties": dict(properties)}
        conn.execute(_STORE[conn.dialect.name], row)
    else:
        conn.execute(
            sa.delete(object_properties).where(
                object_properties.c.calendar_id == calendar_id, object_properties.c.href == href
            )
        )
