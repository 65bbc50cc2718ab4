"""Draft the next migration from the difference between tables.py and the newest one; then read it and put it right."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from alembic import command

from bridge.store import migrations
from bridge.store.session import connect


def main(name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        database = connect(f"sqlite:///{Path(folder) / 'draft.db'}")
        migrations.upgrade(database)
        with database.migrating() as conn:
            command.revision(migrations.config(conn), name, autogenerate=True, rev_id=name)
        database.close()


if __name__ == "__main__":
    main(sys.argv[1])
