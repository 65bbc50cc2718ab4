"""What undoing, homes, projections, notices, the audit of consistency and the circuit breaker remember."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "add_undo_and_homes"
down_revision = "create_tables"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("calendars", sa.Column("truth", sa.String(length=32), nullable=False, server_default="newest"))
    op.add_column("calendars", sa.Column("home_pair_id", sa.BigInteger()))
    op.add_column("accounts", sa.Column("closed_until", sa.BigInteger()))
    op.add_column("accounts", sa.Column("closed_reason", sa.Text()))
    op.add_column("accounts", sa.Column("strains", sa.Integer(), nullable=False, server_default="0"))
    op.add_column(
        "remote_calendars", sa.Column("owner", sa.String(length=320), nullable=False, server_default=sa.text("''"))
    )
    op.add_column("links", sa.Column("decision", sa.String(length=8)))
    op.add_column("outbox", sa.Column("backfill", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("outbox", sa.Column("after", sa.String(length=1024)))
    op.add_column("outbox", sa.Column("undo_to", sa.BigInteger(), nullable=False, server_default="0"))
    _pairs()
    _conflicts()
    _homes_and_journal()
    _notices()


def _pairs() -> None:
    """Whose word counts is the calendar's to say, no longer each pair's: a pair that was the truth stays it."""
    op.execute(
        "UPDATE calendars SET truth = 'hub' WHERE id IN (SELECT calendar_id FROM pairs WHERE conflict_policy = 'hub')"
    )
    op.execute(
        "UPDATE calendars SET truth = (SELECT 'pair:' || MIN(pairs.id) FROM pairs WHERE pairs.calendar_id = calendars.id"
        " AND pairs.conflict_policy = 'remote') WHERE id IN (SELECT calendar_id FROM pairs WHERE conflict_policy = 'remote')"
    )
    op.drop_column("pairs", "conflict_policy")
    op.add_column("pairs", sa.Column("projection", sa.JSON()))
    op.add_column("pairs", sa.Column("invitations", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.add_column("pairs", sa.Column("cycles", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("pairs", sa.Column("idle", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("pairs", sa.Column("audited_at", sa.BigInteger()))
    op.add_column("pairs", sa.Column("divergences", sa.Integer()))


def _conflicts() -> None:
    """Both versions instead of the one that gave way."""
    op.add_column("conflicts", sa.Column("hub", sa.JSON()))
    op.add_column("conflicts", sa.Column("remote", sa.JSON()))
    op.execute("UPDATE conflicts SET remote = lost WHERE winner = 'hub'")
    op.execute("UPDATE conflicts SET hub = lost WHERE winner = 'remote'")
    op.drop_column("conflicts", "lost")


def _homes_and_journal() -> None:
    op.create_table(
        "homes",
        sa.Column("calendar_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("uid", sa.String(length=1024), nullable=False),
        sa.Column("pair_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["calendar_id"], ["calendars.id"], name="fk_homes_calendar_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["pair_id"], ["pairs.id"], name="fk_homes_pair_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("calendar_id", "uid", name="pk_homes"),
    )
    op.create_index("ix_homes_pair_id", "homes", ["pair_id"])
    op.create_table(
        "cycles",
        sa.Column("pair_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger()),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("undone_at", sa.BigInteger()),
        sa.ForeignKeyConstraint(["pair_id"], ["pairs.id"], name="fk_cycles_pair_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("pair_id", "number", name="pk_cycles"),
    )
    op.create_table(
        "journal",
        sa.Column("pair_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("cycle", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("uid", sa.String(length=1024), nullable=False),
        sa.Column("side", sa.String(length=8), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("undo_to", sa.BigInteger(), nullable=False),
        sa.Column("approved", sa.Boolean(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["pair_id"], ["pairs.id"], name="fk_journal_pair_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("pair_id", "cycle", "uid", "side", name="pk_journal"),
    )
    op.create_index("ix_journal_pair_id_at", "journal", ["pair_id", "at"])


def _notices() -> None:
    op.create_table(
        "notices",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("principal_id", sa.BigInteger()),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("raised_at", sa.BigInteger(), nullable=False),
        sa.Column("sent_at", sa.BigInteger()),
        sa.Column("cleared_at", sa.BigInteger()),
        sa.ForeignKeyConstraint(
            ["principal_id"], ["principals.id"], name="fk_notices_principal_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_notices"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_notices_open",
        "notices",
        ["kind", "subject"],
        unique=True,
        sqlite_where=sa.text("cleared_at IS NULL"),
        postgresql_where=sa.text("cleared_at IS NULL"),
    )
    op.create_index("ix_notices_principal_id", "notices", ["principal_id"])
