"""Devices that are told of changes, and secrets of the installation."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "add_push_subscriptions"
down_revision = "add_scheduling"


def upgrade() -> None:
    op.create_table(
        "sealed_settings",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_sealed_settings")),
    )
    op.create_table(
        "push_subscriptions",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("token", sa.String(length=64), nullable=False),
        sa.Column("principal_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("device_id", sa.BigInteger(), nullable=True),
        sa.Column("calendar_id", sa.BigInteger(), nullable=True),
        sa.Column("home_id", sa.BigInteger(), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("endpoint", sa.LargeBinary(), nullable=False),
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.Column("content", sa.Boolean(), nullable=False),
        sa.Column("property_depth", sa.SmallInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("content_news", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("content_told", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("property_news", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("property_told", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("quiet_until", sa.BigInteger(), nullable=True),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("told_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["calendar_id"], ["calendars.id"], name=op.f("fk_push_subscriptions_calendar_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["device_id"], ["devices.id"], name=op.f("fk_push_subscriptions_device_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["home_id"], ["principals.id"], name=op.f("fk_push_subscriptions_home_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["principal_id"], ["principals.id"], name=op.f("fk_push_subscriptions_principal_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_push_subscriptions")),
        sa.UniqueConstraint(
            "calendar_id", "principal_id", "digest", name=op.f("uq_push_subscriptions_calendar_id_principal_id_digest")
        ),
        sa.UniqueConstraint(
            "home_id", "principal_id", "digest", name=op.f("uq_push_subscriptions_home_id_principal_id_digest")
        ),
        sa.UniqueConstraint("token", name=op.f("uq_push_subscriptions_token")),
        sqlite_autoincrement=True,
    )
    for column in ("device_id", "due_at", "principal_id"):
        op.create_index(op.f(f"ix_push_subscriptions_{column}"), "push_subscriptions", [column])
    op.add_column("calendars", sa.Column("watched", sa.Boolean(), nullable=False, server_default=sa.false()))
