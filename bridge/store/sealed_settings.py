"""What an installation keeps secret for itself, sealed by the vault, by name; what is none is in ``settings``."""

from __future__ import annotations

import sqlalchemy as sa

from bridge.store.dialects import insert
from bridge.store.tables import sealed_settings
from bridge.store.vault import Vault


def get(conn: sa.Connection, vault: Vault, name: str) -> str | None:
    """Raises UsageError if it does not open."""
    value = conn.scalar(sa.select(sealed_settings.c.value).where(sealed_settings.c.name == name))
    return None if value is None else vault.open(value)


def keep_first(conn: sa.Connection, vault: Vault, name: str, value: str) -> None:
    """Keep it unless there is one: of several processes that start at once, the first one's stands."""
    conn.execute(insert(conn, sealed_settings).values(name=name, value=vault.seal(value)).on_conflict_do_nothing())


def replace(conn: sa.Connection, vault: Vault, name: str, value: str) -> None:
    sealed = vault.seal(value)
    conn.execute(
        insert(conn, sealed_settings)
        .values(name=name, value=sealed)
        .on_conflict_do_update(index_elements=["name"], set_={"value": sealed})
    )
