"""What the two databases spell differently."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite


def insert(conn: sa.Connection, table: sa.Table) -> postgresql.Insert | sqlite.Insert:
    """An INSERT that knows ``on_conflict_do_update`` and ``on_conflict_do_nothing``, alike on both."""
    return postgresql.insert(table) if conn.dialect.name == "postgresql" else sqlite.insert(table)
