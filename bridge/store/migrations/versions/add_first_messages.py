"""Whether a waiting message is the first to its recipient about a meeting."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "add_first_messages"
down_revision = "add_sharing"


def upgrade() -> None:
    op.add_column("itip_outbox", sa.Column("first", sa.Boolean(), server_default=sa.false(), nullable=False))
