"""The schema's way to the present: forward only, from an empty database or that of any earlier version."""

from __future__ import annotations

from bridge.store.session import Database


def upgrade(database: Database) -> None:
    """Bring the schema to this version's. Safe when several processes start at once. Raises UsageError if it is newer."""
    raise NotImplementedError
