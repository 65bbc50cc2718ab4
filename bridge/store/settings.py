"""What the hub remembers about itself: JSON values by name. What an admin sets is in ``bridge.config``."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from bridge.store.dialects import insert
from bridge.store.tables import settings


def get(conn: sa.Connection, name: str, default: Any = None) -> Any:
    row = conn.execute(sa.select(settings.c.value).where(settings.c.name == name)).first()
    return default if row is None else row.value


def put(conn: sa.Connection, name: str, value: Any) -> None:
    conn.execute(
        insert(conn, settings)
        .values(name=name, value=value)
        .on_conflict_do_update(index_elements=["name"], set_={"value": value})
    )


def remove(conn: sa.Connection, name: str) -> None:
    """One that is not set is removed already."""
    conn.execute(sa.delete(settings).where(settings.c.name == name))
