"""Occurrences by time. Nothing is listed yet: what is there already is listed little by little, by whoever keeps house."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "add_occurrences"
down_revision = "add_object_properties"

_BEGINNING, _FOREVER = "-62135596800000000", "253402300799000000"  # the first and the last second, since 1970


def upgrade() -> None:
    op.create_table(
        "occurrences",
        sa.Column("calendar_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("href", sa.String(length=255), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("start_at", sa.BigInteger(), nullable=False),
        sa.Column("end_at", sa.BigInteger(), nullable=False),
        sa.Column("length", sa.SmallInteger(), nullable=False),
        sa.Column("floating", sa.Boolean(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=True),
        sa.Column("answers", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(
            ["calendar_id", "href"],
            ["objects.calendar_id", "objects.href"],
            name=op.f("fk_occurrences_calendar_id_href"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("calendar_id", "href", "number", name=op.f("pk_occurrences")),
    )
    op.create_index(
        op.f("ix_occurrences_calendar_id_length_start_at"), "occurrences", ["calendar_id", "length", "start_at"]
    )
    for name, nowhere in (("listed_from", _FOREVER), ("listed_until", _BEGINNING)):
        op.add_column("objects", sa.Column(name, sa.BigInteger(), server_default=sa.text(nowhere), nullable=False))
        op.create_index(op.f(f"ix_objects_calendar_id_{name}"), "objects", ["calendar_id", name])
