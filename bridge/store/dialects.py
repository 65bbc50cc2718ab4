"""What the two databases spell differently."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite


def insert(conn: sa.Connection, table: sa.Table) -> postgresql.Insert | sqlite.Insert:
    """An INSERT that knows ``on_conflict_do_update`` and ``on_conflict_do_nothing``, alike on both."""
    return postgresql.insert(table) if conn.dialect.name == "postgresql" else sqlite.insert(table)


def upsert(table: sa.Table, *only: str) -> Mapping[str, sa.Executable]:
    """Put a row in the place of the one with its key, by the dialect's name: built once, for what is written often.

    The whole row, or the columns ``only``; the others stay as they are then.
    """
    made: dict[str, sa.Executable] = {}
    for name, new in (("postgresql", postgresql.insert(table)), ("sqlite", sqlite.insert(table))):
        others = {
            column.name: new.excluded[column.name]
            for column in table.c
            if not column.primary_key and (not only or column.name in only)
        }
        made[name] = new.on_conflict_do_update(index_elements=list(table.primary_key), set_=others)
    return made
