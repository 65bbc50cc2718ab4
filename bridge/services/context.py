"""What every use case needs at hand: the settings, the database, the vault, the providers and the clock."""

from __future__ import annotations

import datetime as dt
import os
import time
from collections.abc import Callable
from dataclasses import dataclass

from bridge.config import Settings
from bridge.errors import UsageError
from bridge.services.providers import Providers
from bridge.store import migrations, session, vault
from bridge.store.session import Database
from bridge.store.vault import Vault


def utc_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


@dataclass(frozen=True, slots=True)
class Context:
    """Opened once a process and handed down; ``now`` is the only clock below it."""

    settings: Settings
    database: Database
    vault: Vault
    providers: Providers
    now: Callable[[], dt.datetime] = utc_now

    def close(self) -> None:
        """Let go of all connections; the process ends, or another one takes over."""
        self.providers.close()
        self.database.close()


def open_context(
    settings: Settings,
    *,
    now: Callable[[], dt.datetime] = utc_now,
    sleep: Callable[[float], None] = time.sleep,
) -> Context:
    """Open the data directory: make it on the first start, bring the database to today's schema, read the keys.

    Raises UsageError when the directory, the database or the keys cannot be used.
    """
    try:
        settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"the data directory {settings.data} cannot be made: {error.strerror}") from None
    if not os.access(settings.data, os.R_OK | os.W_OK | os.X_OK):
        raise UsageError(f"the data directory {settings.data} must be readable and writable")
    database = session.connect(settings.resolved_database_url)
    migrations.upgrade(database)
    keys = settings.key
    opened = (
        vault.from_keys(keys.get_secret_value()) if keys is not None else vault.from_file(settings.data / "vault.key")
    )
    return Context(settings, database, opened, Providers(settings, now, sleep), now)
