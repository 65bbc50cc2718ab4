"""Calendars that others see in their own homes, and people who look after those of others."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "add_sharing"
down_revision = "add_setup_links"


def upgrade() -> None:
    op.create_table(
        "shares",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("calendar_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("principal_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("access", sa.String(length=8), nullable=False),
        sa.Column("slug", sa.String(length=255), nullable=False),
        sa.Column("properties", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("accepted_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["calendar_id"], ["calendars.id"], name=op.f("fk_shares_calendar_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["principal_id"], ["principals.id"], name=op.f("fk_shares_principal_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shares")),
        sa.UniqueConstraint("calendar_id", "principal_id", name=op.f("uq_shares_calendar_id_principal_id")),
        sa.UniqueConstraint("principal_id", "slug", name=op.f("uq_shares_principal_id_slug")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "delegates",
        sa.Column("principal_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("delegate_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("access", sa.String(length=8), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["principal_id"], ["principals.id"], name=op.f("fk_delegates_principal_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["delegate_id"], ["principals.id"], name=op.f("fk_delegates_delegate_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("principal_id", "delegate_id", name=op.f("pk_delegates")),
    )
    op.create_index(op.f("ix_delegates_delegate_id"), "delegates", ["delegate_id"])
