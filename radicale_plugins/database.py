"""Where the plugins find the database, and the clock, when they run under plain Radicale."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from radicale import config

from bridge.store import migrations
from bridge.store.session import Database, connect


def utc_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def open_configured(configuration: config.Configuration, section: str) -> Database:
    """Open what ``database_url`` of the section says, else that of ``[storage]``, else SQLite in ``filesystem_folder``.

    An empty database gets its tables here, an older one is brought up to date.
    """
    url = configuration.get(section, "database_url")
    if not url and section != "storage" and "database_url" in configuration.options("storage"):
        url = configuration.get("storage", "database_url")
    if not url:
        folder = Path(configuration.get("storage", "filesystem_folder"))
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        url = f"sqlite:///{folder / 'radicale.db'}"
    database = connect(url)
    migrations.upgrade(database)
    return database
