"""The tables, as they were on the first day."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "create_tables"
down_revision = None

# SQLite numbers rows only in a column that is exactly INTEGER
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("principal_id", sa.BigInteger(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(length=400), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_audit_principal_id_at", "audit", ["principal_id", "at"])

    op.create_table(
        "login_failures",
        sa.Column("subject", sa.String(length=400), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("blocked_until", sa.BigInteger(), nullable=True),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("subject", name="pk_login_failures"),
    )
    op.create_table(
        "principals",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("password_hash", sa.String(length=255), nullable=True),
        sa.Column("properties", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_principals"),
        sa.UniqueConstraint("name", name="uq_principals_name"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "settings",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_settings"),
    )
    op.create_table(
        "accounts",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("principal_id", sa.BigInteger(), nullable=False),
        sa.Column("provider", sa.String(length=16), nullable=False),
        sa.Column("sandbox", sa.Boolean(), nullable=False),
        sa.Column("subject", sa.String(length=320), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("grant", sa.LargeBinary(), nullable=False),
        sa.Column("needs_reconnect", sa.Boolean(), nullable=False),
        sa.Column("refresh_lease_owner", sa.String(length=64), nullable=True),
        sa.Column("refresh_lease_until", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["principal_id"], ["principals.id"], name="fk_accounts_principal_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_accounts"),
        sa.UniqueConstraint(
            "principal_id", "provider", "sandbox", "subject", name="uq_accounts_principal_id_provider_sandbox_subject"
        ),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "calendars",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("principal_id", sa.BigInteger(), nullable=False),
        sa.Column("slug", sa.String(length=255), nullable=False),
        sa.Column("properties", sa.JSON(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("floor", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("modified_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["principal_id"], ["principals.id"], name="fk_calendars_principal_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_calendars"),
        sa.UniqueConstraint("principal_id", "slug", name="uq_calendars_principal_id_slug"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "devices",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("principal_id", sa.BigInteger(), nullable=False),
        sa.Column("label", sa.String(length=100), nullable=False),
        sa.Column("password_hash", sa.String(length=255), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("last_used_at", sa.BigInteger(), nullable=True),
        sa.Column("last_address", sa.String(length=64), nullable=True),
        sa.Column("last_agent", sa.String(length=255), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["principal_id"], ["principals.id"], name="fk_devices_principal_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_devices"),
        sa.UniqueConstraint("principal_id", "label", name="uq_devices_principal_id_label"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "oauth_flows",
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("principal_id", sa.BigInteger(), nullable=False),
        sa.Column("provider", sa.String(length=16), nullable=False),
        sa.Column("sandbox", sa.Boolean(), nullable=False),
        sa.Column("flow", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["principal_id"], ["principals.id"], name="fk_oauth_flows_principal_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("state", name="pk_oauth_flows"),
    )
    op.create_table(
        "history",
        sa.Column("calendar_id", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("href", sa.String(length=255), nullable=False),
        sa.Column("uid", sa.String(length=1024), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=True),
        sa.Column("actor", sa.String(length=400), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["calendar_id"], ["calendars.id"], name="fk_history_calendar_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("calendar_id", "revision", "href", name="pk_history"),
    )
    op.create_index("ix_history_at", "history", ["at"])
    op.create_index("ix_history_calendar_id_uid_revision", "history", ["calendar_id", "uid", "revision"])

    op.create_table(
        "objects",
        sa.Column("calendar_id", sa.BigInteger(), nullable=False),
        sa.Column("href", sa.String(length=255), nullable=False),
        sa.Column("uid", sa.String(length=1024), nullable=False),
        sa.Column("component", sa.String(length=32), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("etag", sa.String(length=80), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("modified_at", sa.BigInteger(), nullable=False),
        sa.Column("first_at", sa.BigInteger(), nullable=True),
        sa.Column("last_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["calendar_id"], ["calendars.id"], name="fk_objects_calendar_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("calendar_id", "href", name="pk_objects"),
        sa.UniqueConstraint("calendar_id", "uid", name="uq_objects_calendar_id_uid"),
    )
    op.create_index("ix_objects_calendar_id_first_at_last_at", "objects", ["calendar_id", "first_at", "last_at"])
    op.create_index("ix_objects_calendar_id_revision", "objects", ["calendar_id", "revision"])

    op.create_table(
        "remote_calendars",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("remote_id", sa.String(length=1024), nullable=False),
        sa.Column("name", sa.String(length=1024), nullable=False),
        sa.Column("color", sa.String(length=16), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("writable", sa.Boolean(), nullable=False),
        sa.Column("is_primary", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_remote_calendars_account_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_remote_calendars"),
        sa.UniqueConstraint("account_id", "remote_id", name="uq_remote_calendars_account_id_remote_id"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "tombstones",
        sa.Column("calendar_id", sa.BigInteger(), nullable=False),
        sa.Column("href", sa.String(length=255), nullable=False),
        sa.Column("uid", sa.String(length=1024), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("deleted_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["calendar_id"], ["calendars.id"], name="fk_tombstones_calendar_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("calendar_id", "href", name="pk_tombstones"),
    )
    op.create_index("ix_tombstones_calendar_id_revision", "tombstones", ["calendar_id", "revision"])
    op.create_index("ix_tombstones_calendar_id_uid", "tombstones", ["calendar_id", "uid"])

    op.create_table(
        "pairs",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("calendar_id", sa.BigInteger(), nullable=False),
        sa.Column("remote_calendar_id", sa.BigInteger(), nullable=False),
        sa.Column("direction", sa.String(length=8), nullable=False),
        sa.Column("interval_seconds", sa.Integer(), nullable=True),
        sa.Column("realtime", sa.Boolean(), nullable=False),
        sa.Column("conflict_policy", sa.String(length=8), nullable=False),
        sa.Column("phase", sa.String(length=8), nullable=False),
        sa.Column("hub_cursor", sa.BigInteger(), nullable=False),
        sa.Column("remote_cursor", sa.Text(), nullable=True),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("listing", sa.Boolean(), nullable=False),
        sa.Column("parked", sa.JSON(), nullable=True),
        sa.Column("approved", sa.Boolean(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("lease_owner", sa.String(length=64), nullable=True),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_attempt_at", sa.BigInteger(), nullable=True),
        sa.Column("last_success_at", sa.BigInteger(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["calendar_id"], ["calendars.id"], name="fk_pairs_calendar_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["remote_calendar_id"], ["remote_calendars.id"], name="fk_pairs_remote_calendar_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_pairs"),
        sa.UniqueConstraint("remote_calendar_id", name="uq_pairs_remote_calendar_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_pairs_calendar_id", "pairs", ["calendar_id"])
    op.create_index("ix_pairs_due_at", "pairs", ["due_at"])

    op.create_table(
        "channels",
        sa.Column("id", sa.String(length=255), nullable=False),
        sa.Column("pair_id", sa.BigInteger(), nullable=False),
        sa.Column("resource", sa.String(length=1024), nullable=False),
        sa.Column("secret", sa.String(length=128), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["pair_id"], ["pairs.id"], name="fk_channels_pair_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_channels"),
    )
    op.create_index("ix_channels_pair_id", "channels", ["pair_id"])

    op.create_table(
        "conflicts",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("pair_id", sa.BigInteger(), nullable=False),
        sa.Column("uid", sa.String(length=1024), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("winner", sa.String(length=8), nullable=False),
        sa.Column("lost", sa.JSON(), nullable=False),
        sa.Column("resolved_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["pair_id"], ["pairs.id"], name="fk_conflicts_pair_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_conflicts"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_conflicts_pair_id_resolved_at", "conflicts", ["pair_id", "resolved_at"])

    op.create_table(
        "inbox",
        sa.Column("pair_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.String(length=1024), nullable=False),
        sa.Column("series", sa.String(length=1024), nullable=False),
        sa.Column("version", sa.String(length=255), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=True),
        sa.Column("modified_at", sa.BigInteger(), nullable=True),
        sa.Column("certain", sa.Boolean(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("pending", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["pair_id"], ["pairs.id"], name="fk_inbox_pair_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("pair_id", "id", name="pk_inbox"),
    )
    op.create_index("ix_inbox_pair_id_series", "inbox", ["pair_id", "series"])
    op.create_index(
        "ix_inbox_pending",
        "inbox",
        ["pair_id", "series"],
        sqlite_where=sa.text("pending"),
        postgresql_where=sa.text("pending"),
    )

    op.create_table(
        "links",
        sa.Column("pair_id", sa.BigInteger(), nullable=False),
        sa.Column("uid", sa.String(length=1024), nullable=False),
        sa.Column("remote_id", sa.String(length=1024), nullable=True),
        sa.Column("creation_key", sa.String(length=64), nullable=True),
        sa.Column("version", sa.String(length=255), nullable=True),
        sa.Column("hub_base", sa.JSON(), nullable=True),
        sa.Column("remote_base", sa.JSON(), nullable=True),
        sa.Column("dirty", sa.Boolean(), nullable=False),
        sa.Column("quarantine", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("retry_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["pair_id"], ["pairs.id"], name="fk_links_pair_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("pair_id", "uid", name="pk_links"),
    )
    op.create_index(
        "ix_links_dirty", "links", ["pair_id"], sqlite_where=sa.text("dirty"), postgresql_where=sa.text("dirty")
    )
    op.create_index("ix_links_pair_id_creation_key", "links", ["pair_id", "creation_key"])
    op.create_index("ix_links_pair_id_remote_id", "links", ["pair_id", "remote_id"], unique=True)

    op.create_table(
        "outbox",
        sa.Column("pair_id", sa.BigInteger(), nullable=False),
        sa.Column("uid", sa.String(length=1024), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("target", sa.JSON(), nullable=True),
        sa.Column("hub_base", sa.JSON(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("not_before", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["pair_id"], ["pairs.id"], name="fk_outbox_pair_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("pair_id", "uid", name="pk_outbox"),
    )
