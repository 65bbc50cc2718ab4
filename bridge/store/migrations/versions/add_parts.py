"""Links of single occurrences, for objects that a remote cannot hold as one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "add_parts"
down_revision = "add_undo_and_homes"


def upgrade() -> None:
    op.add_column("links", sa.Column("part_of", sa.String(length=1024)))
    op.create_index(op.f("ix_links_pair_id_part_of"), "links", ["pair_id", "part_of"])
