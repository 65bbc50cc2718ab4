"""Shares that somebody is asked to accept, and the notifications by which they are asked and answer."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "add_invitations"
down_revision = "meetings_are_a_persons"


def upgrade() -> None:
    # what was shared before was accepted at once, and stays so: its accepted_at and slug are there
    with op.batch_alter_table("shares", table_kwargs={"sqlite_autoincrement": True}) as shares:
        shares.alter_column("slug", existing_type=sa.String(length=255), nullable=True)
        shares.add_column(sa.Column("declined_at", sa.BigInteger(), nullable=True))
        shares.add_column(sa.Column("summary", sa.String(length=255), server_default=sa.text("''"), nullable=False))
    op.create_table(
        "unknown_sharees",
        sa.Column("calendar_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("address", sa.String(length=320), nullable=False),
        sa.Column("common_name", sa.String(length=255), nullable=False),
        sa.Column("access", sa.String(length=8), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["calendar_id"], ["calendars.id"], name=op.f("fk_unknown_sharees_calendar_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("calendar_id", "address", name=op.f("pk_unknown_sharees")),
    )
    op.create_table(
        "notifications",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("principal_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("share_id", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("told_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["principal_id"], ["principals.id"], name=op.f("fk_notifications_principal_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["share_id"], ["shares.id"], name=op.f("fk_notifications_share_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notifications")),
        sa.UniqueConstraint(
            "principal_id", "share_id", "kind", name=op.f("uq_notifications_principal_id_share_id_kind")
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_notifications_share_id"), "notifications", ["share_id"])
