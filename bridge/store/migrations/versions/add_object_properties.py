"""Properties that clients made up for objects."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "add_object_properties"
down_revision = "add_invitations"


def upgrade() -> None:
    op.create_table(
        "object_properties",
        sa.Column("calendar_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("href", sa.String(length=255), nullable=False),
        sa.Column("properties", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["calendar_id", "href"],
            ["objects.calendar_id", "objects.href"],
            name=op.f("fk_object_properties_calendar_id_href"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("calendar_id", "href", name=op.f("pk_object_properties")),
    )
