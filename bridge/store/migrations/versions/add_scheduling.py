"""Schedule tags, and what goes to people elsewhere by mail."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "add_scheduling"
down_revision = "add_attachments"


def upgrade() -> None:
    op.add_column("objects", sa.Column("schedule_tag", sa.String(length=80), nullable=True))
    op.create_table(
        "itip_outbox",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("principal_id", sa.BigInteger(), nullable=False),
        sa.Column("calendar_id", sa.BigInteger(), nullable=False),
        sa.Column("uid", sa.String(length=1024), nullable=False),
        sa.Column("recipient", sa.String(length=320), nullable=False),
        sa.Column("method", sa.String(length=8), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("not_before", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["principal_id"], ["principals.id"], name=op.f("fk_itip_outbox_principal_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["calendar_id"], ["calendars.id"], name=op.f("fk_itip_outbox_calendar_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_itip_outbox")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_itip_outbox_calendar_id_uid_recipient"), "itip_outbox", ["calendar_id", "uid", "recipient"]
    )
    op.create_index(op.f("ix_itip_outbox_not_before"), "itip_outbox", ["not_before"])
