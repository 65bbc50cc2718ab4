"""What each device fetched last, and the event that tries it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "add_device_check"
down_revision = "add_task_lists"


def upgrade() -> None:
    op.create_table(
        "fetches",
        sa.Column("device_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("calendar_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=True),
        sa.Column("fetched_at", sa.BigInteger(), nullable=True),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["calendar_id"], ["calendars.id"], name=op.f("fk_fetches_calendar_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"], name=op.f("fk_fetches_device_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("device_id", "calendar_id", name=op.f("pk_fetches")),
    )
    op.create_index(op.f("ix_fetches_calendar_id"), "fetches", ["calendar_id"])
    op.create_table(
        "device_tests",
        sa.Column("device_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("calendar_id", sa.BigInteger(), nullable=False),
        sa.Column("href", sa.String(length=255), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("fetched_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["calendar_id"], ["calendars.id"], name=op.f("fk_device_tests_calendar_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["device_id"], ["devices.id"], name=op.f("fk_device_tests_device_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("device_id", name=op.f("pk_device_tests")),
    )
    op.create_index(op.f("ix_device_tests_calendar_id"), "device_tests", ["calendar_id"])
