"""Which of an account's calendars are lists of to-dos."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "add_task_lists"
down_revision = "add_parts"


def upgrade() -> None:
    op.add_column(
        "remote_calendars", sa.Column("component", sa.String(length=8), nullable=False, server_default="VEVENT")
    )
