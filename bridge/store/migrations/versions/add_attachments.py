"""Attachments that the server keeps, and how much each calendar takes up."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "add_attachments"
down_revision = "add_device_check"


def upgrade() -> None:
    op.create_table(
        "attachments",
        sa.Column("managed_id", sa.String(length=64), nullable=False),
        sa.Column("principal_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("media_type", sa.String(length=255), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("unused_since", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["principal_id"], ["principals.id"], name=op.f("fk_attachments_principal_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("managed_id", name=op.f("pk_attachments")),
    )
    op.create_index(op.f("ix_attachments_principal_id"), "attachments", ["principal_id"])
    op.create_index(op.f("ix_attachments_unused_since"), "attachments", ["unused_since"])
    op.create_table(
        "attachment_uses",
        sa.Column("managed_id", sa.String(length=64), nullable=False),
        sa.Column("calendar_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("uid", sa.String(length=1024), nullable=False),
        sa.ForeignKeyConstraint(
            ["managed_id"], ["attachments.managed_id"], name=op.f("fk_attachment_uses_managed_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["calendar_id"], ["calendars.id"], name=op.f("fk_attachment_uses_calendar_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("managed_id", "calendar_id", "uid", name=op.f("pk_attachment_uses")),
    )
    op.create_index(op.f("ix_attachment_uses_calendar_id_uid"), "attachment_uses", ["calendar_id", "uid"])
    op.add_column("calendars", sa.Column("size", sa.BigInteger(), nullable=False, server_default="0"))
    op.execute(
        "UPDATE calendars SET size = coalesce("
        "(SELECT sum(length(objects.data)) FROM objects WHERE objects.calendar_id = calendars.id), 0)"
    )
