"""Where guests elsewhere answer to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "add_reply_addresses"
down_revision = "add_feeds"


def upgrade() -> None:
    op.create_table(
        "reply_addresses",
        sa.Column("token", sa.String(length=32), nullable=False),
        sa.Column("principal_id", sa.BigInteger(), nullable=False),
        sa.Column("uid", sa.String(length=1024), nullable=False),
        sa.Column("recipient", sa.String(length=320), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["principal_id"], ["principals.id"], name=op.f("fk_reply_addresses_principal_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("token", name=op.f("pk_reply_addresses")),
        sa.UniqueConstraint(
            "principal_id", "uid", "recipient", name=op.f("uq_reply_addresses_principal_id_uid_recipient")
        ),
    )
