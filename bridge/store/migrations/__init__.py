"""The schema's way to the present: forward only, from an empty database or that of any earlier version.

One file in ``versions/`` a step, named by what it does; its revision is that name. ``python -m bridge.store.migrations
add_something`` drafts the next one from what tables.py says more than the newest step. A step spells out what it does and
imports nothing from tables.py, which will have moved on.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from bridge.errors import UsageError
from bridge.store.session import Database

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "add_occurrences"
"""The newest step. It is written down because every command asks for it at its start, and to find out means loading them all."""

_HOME = Path(__file__).parent
VERSIONS = _HOME / "versions"


def upgrade(database: Database, revision: str | None = None) -> None:
    """Bring the schema to this version's (or, for tests, to an earlier ``revision``), all steps or none.

    Several processes may start at once: one of them migrates, the others wait for it. Raises UsageError if the database
    was made by a newer version of this program.
    """
    with database.read() as conn:
        if _current(conn) == (revision or HEAD):
            return
    from alembic import command  # noqa: PLC0415 - as long to load as a whole command takes, and seldom needed

    with database.migrating() as conn:
        if (present := _current(conn)) not in (None, *revisions()):
            raise UsageError(
                f"the database was made by a newer version of caldav-bridge (its schema is {present!r}): install that one"
            )
        command.upgrade(config(conn), revision or "head")


@functools.cache
def revisions() -> tuple[str, ...]:
    """All of them, oldest first."""
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    return tuple(script.revision for script in ScriptDirectory.from_config(config()).walk_revisions())[::-1]


def config(conn: sa.Connection | None = None) -> Config:
    """Alembic's configuration, without a file; ``env.py`` finds the connection in it."""
    from alembic.config import Config  # noqa: PLC0415

    made = Config()
    made.set_main_option("script_location", str(_HOME).replace("%", "%%"))
    made.set_main_option("path_separator", "os")
    made.set_main_option("file_template", "%%(rev)s")
    made.attributes["connection"] = conn
    return made


def _current(conn: sa.Connection) -> str | None:
    if not sa.inspect(conn).has_table("alembic_version"):
        return None
    found: str | None = conn.scalar(sa.text("SELECT version_num FROM alembic_version"))
    return found
