"""Feeds that people give the address of to others."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "add_feeds"
down_revision = "add_push_subscriptions"


def upgrade() -> None:
    op.create_table(
        "feeds",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("principal_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("shows", sa.String(length=8), nullable=False),
        sa.Column("past_days", sa.Integer(), nullable=False),
        sa.Column("future_days", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("fetched_at", sa.BigInteger(), nullable=True),
        sa.Column("agent", sa.String(length=255), nullable=True),
        sa.Column("narrowed", sa.JSON(none_as_null=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["principal_id"], ["principals.id"], name=op.f("fk_feeds_principal_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feeds")),
        sa.UniqueConstraint("digest", name=op.f("uq_feeds_digest")),
        sa.UniqueConstraint("principal_id", "name", name=op.f("uq_feeds_principal_id_name")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "feed_calendars",
        sa.Column("feed_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("calendar_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["calendar_id"], ["calendars.id"], name=op.f("fk_feed_calendars_calendar_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["feed_id"], ["feeds.id"], name=op.f("fk_feed_calendars_feed_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("feed_id", "calendar_id", name=op.f("pk_feed_calendars")),
    )
    op.create_index(op.f("ix_feed_calendars_calendar_id"), "feed_calendars", ["calendar_id"])
    op.create_table(
        "former_feeds",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_former_feeds")),
    )
