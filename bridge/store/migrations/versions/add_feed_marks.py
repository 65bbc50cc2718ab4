"""How a feed's owner knows its address again, when the feed itself changed, and what it leaves out."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "add_feed_marks"
down_revision = "add_first_messages"


def upgrade() -> None:
    op.add_column("feeds", sa.Column("hint", sa.String(length=8), server_default=sa.text("''"), nullable=False))
    op.add_column("feeds", sa.Column("changed_at", sa.BigInteger(), nullable=True))
    op.add_column("feeds", sa.Column("left_out", sa.Integer(), server_default="0", nullable=False))
