"""What Alembic runs: the steps, in the transaction that ``upgrade`` has begun."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context

from bridge.store.tables import Instant, metadata


def render(kind: str, item: Any, _autogen: object) -> str | Literal[False]:
    """A step says what the database holds; tables.py may call it something else one day."""
    return "sa.BigInteger()" if kind == "type" and isinstance(item, Instant) else False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite alters a table by making it anew
    render_item=render,
    transactional_ddl=True,  # SQLite can, too, now that its transactions are ours (session)
)
context.run_migrations()
