"""A waiting message is about a person's meeting, in whichever of their calendars that is, and outlives the calendar."""

from __future__ import annotations

from alembic import op

revision = "meetings_are_a_persons"
down_revision = "add_feed_marks"


def upgrade() -> None:
    op.drop_index(op.f("ix_itip_outbox_calendar_id_uid_recipient"), "itip_outbox")
    with op.batch_alter_table("itip_outbox", table_kwargs={"sqlite_autoincrement": True}) as batch:
        batch.drop_constraint(op.f("fk_itip_outbox_calendar_id"), type_="foreignkey")
        batch.drop_column("calendar_id")
    op.create_index(
        op.f("ix_itip_outbox_principal_id_uid_recipient"), "itip_outbox", ["principal_id", "uid", "recipient"]
    )
