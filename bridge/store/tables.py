"""All tables. What grows with people leads its key with the collection, the pair or the principal (DESIGN §6).

Instants are aware UTC (``Instant``): a naive one is refused at the door (R27). A collection's ``revision`` is bumped once
by every transaction that changes it; each row that a reader may ask "what is new" of carries the revision of its last
change, so the answer is always ``WHERE revision > ?``.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)


class Instant(sa.types.TypeDecorator[dt.datetime]):
    """An aware UTC instant, kept as integer microseconds since 1970: compared and indexed alike on every database."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: sa.Dialect) -> int | None:  # noqa: ARG002 - the hook's signature
        return None if value is None else micros(value)

    def process_result_value(self, value: Any | None, dialect: sa.Dialect) -> dt.datetime | None:  # noqa: ARG002
        return None if value is None else instant(value)


def micros(at: dt.datetime) -> int:
    """An instant as it is kept. Raises ValueError for a naive one."""
    if at.tzinfo is None:
        raise ValueError("an instant must be aware")
    return (at - _EPOCH) // _MICROSECOND


def instant(kept: int) -> dt.datetime:
    """The other way round."""
    return _EPOCH + dt.timedelta(microseconds=kept)


JSON = sa.JSON(none_as_null=True)
"""Where a value may be missing: None is SQL's NULL, not JSON's."""


def _id() -> sa.Column[int]:
    # SQLite numbers rows by itself only in a column that is exactly INTEGER, and gives the id of a deleted row again unless
    # the table says sqlite_autoincrement: then an old sync token or history's "pair:3" would name something else
    return sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True)


def _of(table: str, name: str | None = None, *, key: bool = False) -> sa.Column[int]:
    return sa.Column(
        name or f"{table.removesuffix('s')}_id",
        sa.BigInteger,
        sa.ForeignKey(f"{table}.id", ondelete="CASCADE"),
        primary_key=key,
        nullable=False,
        autoincrement=False,
    )


# --- people and their devices --------------------------------------------------------------------------------------

principals = sa.Table(
    "principals",
    metadata,
    _id(),
    sa.Column("name", sa.String(64), nullable=False, unique=True),  # the first segment of every path
    sa.Column("email", sa.String(320), nullable=False),
    sa.Column("password_hash", sa.String(255)),  # portal sign-in; phones have passwords of their own
    sa.Column("properties", sa.JSON, nullable=False, default=dict),  # of the home collection
    sa.Column("created_at", Instant, nullable=False),
    sqlite_autoincrement=True,
)

devices = sa.Table(
    "devices",
    metadata,
    _id(),
    _of("principals"),
    sa.Column("label", sa.String(100), nullable=False),
    sa.Column("password_hash", sa.String(255), nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("last_used_at", Instant),
    sa.Column("last_address", sa.String(64)),
    sa.Column("last_agent", sa.String(255)),
    sa.Column("revoked_at", Instant),
    sa.UniqueConstraint("principal_id", "label"),
    sqlite_autoincrement=True,
)

setup_links = sa.Table(
    "setup_links",
    metadata,
    _of("devices", key=True),
    sa.Column("digest", sa.String(64), nullable=False, unique=True),  # SHA-256 of the link's secret
    sa.Column("password", sa.LargeBinary, nullable=False),  # sealed by the vault
    sa.Column("expires_at", Instant, nullable=False),
)

fetches = sa.Table(
    "fetches",
    metadata,
    _of("devices", key=True),
    _of("calendars", key=True),
    sa.Column(
        "revision", sa.BigInteger
    ),  # what the device was told last; None: it has only asked whether there is news
    sa.Column("fetched_at", Instant),
    sa.Column("asked_at", Instant, nullable=False),
    sa.Index(None, "calendar_id"),
)

device_tests = sa.Table(
    "device_tests",
    metadata,
    _of("devices", key=True),
    _of("calendars"),
    sa.Column("href", sa.String(255), nullable=False),
    sa.Column("revision", sa.BigInteger, nullable=False),  # at which the event was put there
    sa.Column("made_at", Instant, nullable=False),
    sa.Column("fetched_at", Instant),  # when the device took the event itself
    sa.Index(None, "calendar_id"),
)

login_failures = sa.Table(
    "login_failures",
    metadata,
    sa.Column("subject", sa.String(400), primary_key=True),  # "address:203.0.113.9" or "account:alice"
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("blocked_until", Instant),
    sa.Column("last_at", Instant, nullable=False),
)

# --- the hub -------------------------------------------------------------------------------------------------------

calendars = sa.Table(
    "calendars",
    metadata,
    _id(),
    _of("principals"),
    sa.Column("slug", sa.String(255), nullable=False),  # the second segment of its path
    sa.Column("properties", sa.JSON, nullable=False, default=dict),  # Radicale's meta: "tag", "D:displayname", …
    sa.Column("revision", sa.BigInteger, nullable=False, default=0),
    sa.Column("floor", sa.BigInteger, nullable=False, default=0),  # tombstones up to here are compacted
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("modified_at", Instant, nullable=False),
    # whose word counts where both sides changed the same: newest, hub, ask, or the remote side of "pair:N"
    sa.Column("truth", sa.String(32), nullable=False, server_default="newest"),
    sa.Column("home_pair_id", sa.BigInteger),  # of events made here; None: its first pair that may be written
    sa.Column("size", sa.BigInteger, nullable=False, server_default="0"),  # of its objects, in bytes
    sa.Column("watched", sa.Boolean, nullable=False, server_default=sa.false()),  # a device has asked to be told
    sa.UniqueConstraint("principal_id", "slug"),
    sqlite_autoincrement=True,
)

objects = sa.Table(
    "objects",
    metadata,
    _of("calendars", key=True),
    sa.Column("href", sa.String(255), primary_key=True),
    sa.Column("uid", sa.String(1024), nullable=False),
    sa.Column("component", sa.String(32), nullable=False),  # VEVENT, VTODO, VJOURNAL, …
    sa.Column("data", sa.LargeBinary, nullable=False),  # exactly the bytes that were PUT
    sa.Column("etag", sa.String(80), nullable=False),  # strong, with its quotes
    sa.Column("revision", sa.BigInteger, nullable=False),
    sa.Column("modified_at", Instant, nullable=False),
    sa.Column("first_at", Instant),  # where its first occurrence begins; None: it has no time
    sa.Column("last_at", Instant),  # where its last occurrence ends; None: never, or it has no time
    sa.Column("schedule_tag", sa.String(80)),  # RFC 6638 §3.2.10; None: its etag
    # from when until when all its occurrences are in their table: at first nowhere, so who forgets them is only slow
    sa.Column("listed_from", Instant, nullable=False, server_default=sa.text("253402300799000000")),
    sa.Column("listed_until", Instant, nullable=False, server_default=sa.text("-62135596800000000")),
    sa.UniqueConstraint("calendar_id", "uid"),
    sa.Index(None, "calendar_id", "revision"),
    sa.Index(None, "calendar_id", "first_at", "last_at"),
    sa.Index(None, "calendar_id", "listed_from"),
    sa.Index(None, "calendar_id", "listed_until"),
)

occurrences = sa.Table(
    "occurrences",
    metadata,
    sa.Column("calendar_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("href", sa.String(255), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("start_at", Instant, nullable=False),  # of what has no zone its clock time, as if that were UTC
    sa.Column("end_at", Instant, nullable=False),
    sa.Column("length", sa.SmallInteger, nullable=False),  # class of how long it lasts: bridge.store.occurrences
    sa.Column("floating", sa.Boolean, nullable=False),  # it has no zone
    sa.Column("kind", sa.String(16)),  # BUSY, BUSY-TENTATIVE; None: it takes nobody's time
    sa.Column("answers", JSON),  # of those who have declined, or may come: a participation status by address
    sa.ForeignKeyConstraint(["calendar_id", "href"], ["objects.calendar_id", "objects.href"], ondelete="CASCADE"),
    sa.Index(None, "calendar_id", "length", "start_at"),
)

object_properties = sa.Table(
    "object_properties",
    metadata,
    sa.Column("calendar_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("href", sa.String(255), primary_key=True),
    sa.Column("properties", sa.JSON, nullable=False),  # as those of calendars
    sa.ForeignKeyConstraint(["calendar_id", "href"], ["objects.calendar_id", "objects.href"], ondelete="CASCADE"),
)

itip_outbox = sa.Table(
    "itip_outbox",
    metadata,
    _id(),
    _of("principals"),  # in whose name
    sa.Column("uid", sa.String(1024), nullable=False),  # of their meeting that it is about
    sa.Column("recipient", sa.String(320), nullable=False),
    sa.Column("method", sa.String(8), nullable=False),  # REQUEST, CANCEL, REPLY
    sa.Column("data", sa.LargeBinary, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("not_before", Instant),
    sa.Column("first", sa.Boolean, nullable=False, server_default=sa.false()),  # nothing has gone out to them about it
    sa.Index(None, "principal_id", "uid", "recipient"),
    sa.Index(None, "not_before"),
    sqlite_autoincrement=True,
)

reply_addresses = sa.Table(
    "reply_addresses",
    metadata,
    sa.Column("token", sa.String(32), primary_key=True),  # between "+" and "@"
    _of("principals"),  # the organizer
    sa.Column("uid", sa.String(1024), nullable=False),
    sa.Column("recipient", sa.String(320), nullable=False),  # whose answers come there
    sa.Column("created_at", Instant, nullable=False),
    sa.UniqueConstraint("principal_id", "uid", "recipient"),
)

attachments = sa.Table(
    "attachments",
    metadata,
    sa.Column("managed_id", sa.String(64), primary_key=True),  # nobody can guess it (RFC 8607 §4.2)
    _of("principals"),
    sa.Column("name", sa.String(255), nullable=False),
    sa.Column("media_type", sa.String(255), nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("data", sa.LargeBinary, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("unused_since", Instant),  # None: an object refers to it
    sa.Index(None, "principal_id"),
    sa.Index(None, "unused_since"),
)

attachment_uses = sa.Table(
    "attachment_uses",
    metadata,
    sa.Column(
        "managed_id", sa.String(64), sa.ForeignKey("attachments.managed_id", ondelete="CASCADE"), primary_key=True
    ),
    _of("calendars", key=True),
    sa.Column("uid", sa.String(1024), primary_key=True),
    sa.Index(None, "calendar_id", "uid"),
)

feeds = sa.Table(
    "feeds",
    metadata,
    _id(),
    _of("principals"),
    sa.Column("name", sa.String(100), nullable=False),
    sa.Column("digest", sa.String(64), nullable=False, unique=True),  # of the secret in its address
    sa.Column("shows", sa.String(8), nullable=False),  # full, titles, busy
    sa.Column("past_days", sa.Integer, nullable=False),
    sa.Column("future_days", sa.Integer, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("fetched_at", Instant),
    sa.Column("agent", sa.String(255)),
    sa.Column("narrowed", sa.JSON(none_as_null=True)),  # [past days, future days] that it was cut to, to stay small
    sa.Column("hint", sa.String(8), nullable=False, server_default=sa.text("''")),  # how its secret begins
    sa.Column("changed_at", Instant),  # its address, or which calendars it has; None: not since it was made
    sa.Column("left_out", sa.Integer, nullable=False, server_default="0"),  # objects, when it was last fetched
    sa.UniqueConstraint("principal_id", "name"),
    sqlite_autoincrement=True,
)

feed_calendars = sa.Table(
    "feed_calendars",
    metadata,
    _of("feeds", key=True),
    _of("calendars", key=True),
    sa.Column("place", sa.Integer, nullable=False),  # its order in the feed
    sa.Index(None, "calendar_id"),
)

former_feeds = sa.Table(
    "former_feeds",
    metadata,
    sa.Column("digest", sa.String(64), primary_key=True),  # an address that is good no more, and says so
    sa.Column("ended_at", Instant, nullable=False),
)

tombstones = sa.Table(
    "tombstones",
    metadata,
    _of("calendars", key=True),
    sa.Column("href", sa.String(255), primary_key=True),
    sa.Column("uid", sa.String(1024), nullable=False),
    sa.Column("revision", sa.BigInteger, nullable=False),
    sa.Column("deleted_at", Instant, nullable=False),
    sa.Index(None, "calendar_id", "revision"),
    sa.Index(None, "calendar_id", "uid"),
)

history = sa.Table(
    "history",
    metadata,
    _of("calendars", key=True),
    sa.Column("revision", sa.BigInteger, primary_key=True),
    sa.Column("href", sa.String(255), primary_key=True),
    sa.Column("uid", sa.String(1024), nullable=False),
    sa.Column("data", sa.LargeBinary),  # None: deleted at this revision
    sa.Column("actor", sa.String(400), nullable=False),  # "device:7", "pair:3", "cli", …
    sa.Column("at", Instant, nullable=False),
    sa.Index(None, "calendar_id", "uid", "revision"),
    sa.Index(None, "at"),
)

# --- accounts and pairs --------------------------------------------------------------------------------------------

accounts = sa.Table(
    "accounts",
    metadata,
    _id(),
    _of("principals"),
    sa.Column("provider", sa.String(16), nullable=False),  # "google", "microsoft", "caldav", "ics"
    sa.Column("sandbox", sa.Boolean, nullable=False, default=False),
    sa.Column("subject", sa.String(320), nullable=False),  # the service's own stable id of the person
    sa.Column("email", sa.String(320), nullable=False),
    sa.Column("grant", sa.LargeBinary, nullable=False),  # sealed by the vault
    sa.Column("needs_reconnect", sa.Boolean, nullable=False, default=False),
    sa.Column("refresh_lease_owner", sa.String(64)),
    sa.Column("refresh_lease_until", Instant),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("closed_until", Instant),  # the circuit: until then nothing of this account is asked for (R33)
    sa.Column("closed_reason", sa.Text),  # in plain words
    sa.Column("strains", sa.Integer, nullable=False, server_default="0"),  # refusals for want of patience, in a row
    sa.UniqueConstraint("principal_id", "provider", "sandbox", "subject"),
    sqlite_autoincrement=True,
)

oauth_flows = sa.Table(
    "oauth_flows",
    metadata,
    sa.Column("state", sa.String(64), primary_key=True),
    _of("principals"),
    sa.Column("provider", sa.String(16), nullable=False),
    sa.Column("sandbox", sa.Boolean, nullable=False, default=False),
    sa.Column("flow", sa.LargeBinary, nullable=False),  # sealed: it holds the PKCE verifier
    sa.Column("expires_at", Instant, nullable=False),
)

remote_calendars = sa.Table(
    "remote_calendars",
    metadata,
    _id(),
    _of("accounts"),
    sa.Column("remote_id", sa.String(1024), nullable=False),
    sa.Column("name", sa.String(1024), nullable=False),
    sa.Column("color", sa.String(16), nullable=False, default=""),
    sa.Column("zone", sa.String(64), nullable=False, default=""),
    sa.Column("writable", sa.Boolean, nullable=False),
    sa.Column("is_primary", sa.Boolean, nullable=False),
    sa.Column(
        "owner", sa.String(320), nullable=False, server_default=sa.text("''")
    ),  # the address its events are organised by
    sa.Column("component", sa.String(8), nullable=False, server_default="VEVENT"),  # VTODO: it is a list of to-dos
    sa.UniqueConstraint("account_id", "remote_id"),
    sqlite_autoincrement=True,
)

pairs = sa.Table(
    "pairs",
    metadata,
    _id(),
    _of("calendars"),
    _of("remote_calendars"),
    sa.Column("direction", sa.String(8), nullable=False, default="both"),  # both, pull, push
    sa.Column("interval_seconds", sa.Integer),  # None: manual; where realtime, it is the safety poll (R30)
    sa.Column("realtime", sa.Boolean, nullable=False, default=True),  # a webhook or a local change makes it due at once
    sa.Column("phase", sa.String(8), nullable=False, default="pairing"),  # pairing, steady
    sa.Column("hub_cursor", sa.BigInteger, nullable=False, default=0),  # the hub's revision up to which was planned
    sa.Column("remote_cursor", sa.Text),  # None: a complete listing is due
    sa.Column("generation", sa.Integer, nullable=False, default=0),  # of the complete listing under way or last done
    sa.Column("listing", sa.Boolean, nullable=False, default=True),  # a complete listing is under way
    sa.Column("parked", JSON),  # the guard's summary of a plan that waits for its owner (R6)
    sa.Column("approved", sa.Boolean, nullable=False, default=False),
    sa.Column("due_at", Instant),  # None: only when somebody says so
    sa.Column("lease_owner", sa.String(64)),
    sa.Column("lease_until", Instant),
    sa.Column("failures", sa.Integer, nullable=False, default=0),  # cycles failed in a row
    sa.Column("last_attempt_at", Instant),
    sa.Column("last_success_at", Instant),
    sa.Column("last_error", sa.Text),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("projection", JSON),  # what the remote is shown of events whose home is elsewhere; None: all of it
    sa.Column("invitations", sa.Boolean, nullable=False, server_default=sa.true()),  # guests are told to it, where home
    sa.Column(
        "cycles", sa.BigInteger, nullable=False, server_default="0"
    ),  # begun so far: the number of the present one
    sa.Column("idle", sa.Integer, nullable=False, server_default="0"),  # cycles in a row that found nothing new
    sa.Column("audited_at", Instant),  # when both sides were last compared whole (R42)
    sa.Column("divergences", sa.Integer),  # objects that differed then
    sa.UniqueConstraint("remote_calendar_id"),  # two pairs on one remote would chase each other (R19)
    sa.Index(None, "due_at"),
    sa.Index(None, "calendar_id"),
    sqlite_autoincrement=True,
)

channels = sa.Table(
    "channels",
    metadata,
    sa.Column("id", sa.String(255), primary_key=True),
    _of("pairs"),
    sa.Column("resource", sa.String(1024), nullable=False),
    sa.Column("secret", sa.String(128), nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("expires_at", Instant, nullable=False),
    sa.Index(None, "pair_id"),
)

# --- a pair's memory -----------------------------------------------------------------------------------------------

links = sa.Table(
    "links",
    metadata,
    _of("pairs", key=True),
    sa.Column("uid", sa.String(1024), primary_key=True),  # of the hub's object, or the name of a part of it
    sa.Column("remote_id", sa.String(1024)),  # None while its creation is an open intent
    sa.Column("creation_key", sa.String(64)),  # None: it came from the remote
    sa.Column("version", sa.String(255)),  # of the remote object that the remote base was read from
    sa.Column("hub_base", JSON),  # both bases through the lens, as they were when both sides agreed
    sa.Column("remote_base", JSON),
    sa.Column("dirty", sa.Boolean, nullable=False, default=False),  # plan it again whatever the cursors say
    sa.Column("quarantine", sa.Text),  # why this one is left alone (R32)
    sa.Column("attempts", sa.Integer, nullable=False, default=0),
    sa.Column("retry_at", Instant),
    sa.Column("decision", sa.String(8)),  # the owner's answer to a conflict: hub, remote; until the next plan
    sa.Column("part_of", sa.String(1024)),  # the object's UID, where this is one occurrence of it
    sa.Index(None, "pair_id", "remote_id", unique=True),
    sa.Index(None, "pair_id", "creation_key"),
    sa.Index(None, "pair_id", "part_of"),
    sa.Index("ix_links_dirty", "pair_id", sqlite_where=sa.text("dirty"), postgresql_where=sa.text("dirty")),
)

inbox = sa.Table(
    "inbox",
    metadata,
    _of("pairs", key=True),
    sa.Column("id", sa.String(1024), primary_key=True),  # a RemoteItem's id
    sa.Column("series", sa.String(1024), nullable=False),
    sa.Column("version", sa.String(255), nullable=False),
    sa.Column("payload", JSON),  # None: removed
    sa.Column("modified_at", Instant),  # by the service's own clock; an earlier one is a replay (M-27)
    sa.Column("certain", sa.Boolean, nullable=False, default=True),  # of a removal
    sa.Column("generation", sa.Integer, nullable=False),
    sa.Column("pending", sa.Boolean, nullable=False),  # not planned yet
    sa.Index(None, "pair_id", "series"),
    sa.Index(
        "ix_inbox_pending", "pair_id", "series", sqlite_where=sa.text("pending"), postgresql_where=sa.text("pending")
    ),
)

outbox = sa.Table(
    "outbox",
    metadata,
    _of("pairs", key=True),
    sa.Column("uid", sa.String(1024), primary_key=True),  # at most one open intent a link
    sa.Column("kind", sa.String(8), nullable=False),  # create, update, delete
    sa.Column("target", JSON),  # the ObjectFields the remote shall have
    sa.Column("hub_base", JSON),  # the hub's side it was planned from: its base once this is answered
    sa.Column("attempts", sa.Integer, nullable=False, default=0),  # how often it may have reached the service
    sa.Column("not_before", Instant),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("backfill", sa.Boolean, nullable=False, server_default=sa.false()),  # of a first sync: edits go before it
    sa.Column("after", sa.String(1024)),  # the UID whose creation must have succeeded before this is sent
    sa.Column("undo_to", sa.BigInteger, nullable=False, server_default="0"),  # the hub's revision before this change
)

conflicts = sa.Table(
    "conflicts",
    metadata,
    _id(),
    _of("pairs"),
    sa.Column("uid", sa.String(1024), nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("winner", sa.String(8), nullable=False),  # hub, remote; ask: the owner is to say
    sa.Column("resolved_at", Instant),
    sa.Column("hub", JSON),  # what the hub had, by path
    sa.Column("remote", JSON),  # and what the remote had
    sa.Index(None, "pair_id", "resolved_at"),
    sqlite_autoincrement=True,
)

homes = sa.Table(
    "homes",
    metadata,
    _of("calendars", key=True),
    sa.Column("uid", sa.String(1024), primary_key=True),
    _of("pairs"),  # the one pair that carries this object's guests to its provider (R1)
    sa.Index(None, "pair_id"),
)

# --- devices that are told ------------------------------------------------------------------------------------------

shares = sa.Table(
    "shares",
    metadata,
    _id(),
    _of("calendars"),
    _of("principals"),  # who sees it in their own home
    sa.Column("access", sa.String(8), nullable=False),  # "read", "write"
    sa.Column(
        "slug", sa.String(255)
    ),  # the second segment of its path there; None: it has none, for it is not accepted
    sa.Column("properties", sa.JSON, nullable=False, default=dict),  # what they have set; null: what they have removed
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("accepted_at", Instant),  # None: they see nothing of it
    sa.Column("declined_at", Instant),  # None, like accepted_at: they have not answered
    sa.Column(
        "summary", sa.String(255), nullable=False, server_default=sa.text("''")
    ),  # what its owner calls it to them
    sa.UniqueConstraint("calendar_id", "principal_id"),
    sa.UniqueConstraint("principal_id", "slug"),
    sqlite_autoincrement=True,
)

unknown_sharees = sa.Table(
    "unknown_sharees",
    metadata,
    _of("calendars", key=True),
    sa.Column("address", sa.String(320), primary_key=True),  # as its owner gave it, and nobody's here
    sa.Column("common_name", sa.String(255), nullable=False),
    sa.Column("access", sa.String(8), nullable=False),  # "read", "write"
    sa.Column("created_at", Instant, nullable=False),
)

notifications = sa.Table(
    "notifications",
    metadata,
    _id(),
    _of("principals"),  # who is told
    # what it is about; None: a share that is no more
    sa.Column("share_id", sa.BigInteger, sa.ForeignKey("shares.id", ondelete="CASCADE")),
    sa.Column("kind", sa.String(32), nullable=False),  # "invite-notification", "invite-reply"
    sa.Column("facts", sa.JSON, nullable=False),
    sa.Column("told_at", Instant, nullable=False),
    sa.UniqueConstraint("principal_id", "share_id", "kind"),
    sa.Index(None, "share_id"),
    sqlite_autoincrement=True,
)

delegates = sa.Table(
    "delegates",
    metadata,
    _of("principals", key=True),  # whose calendars they are
    _of("principals", "delegate_id", key=True),
    sa.Column("access", sa.String(8), nullable=False),  # "read", "write"
    sa.Column("created_at", Instant, nullable=False),
    sa.Index(None, "delegate_id"),
)

push_subscriptions = sa.Table(
    "push_subscriptions",
    metadata,
    _id(),
    sa.Column("token", sa.String(64), nullable=False, unique=True),  # the last segment of its registration URL
    _of("principals"),  # who is told
    sa.Column("device_id", sa.BigInteger, sa.ForeignKey("devices.id", ondelete="CASCADE")),
    # of which collection: a calendar, or the home of a person
    sa.Column("calendar_id", sa.BigInteger, sa.ForeignKey("calendars.id", ondelete="CASCADE")),
    sa.Column("home_id", sa.BigInteger, sa.ForeignKey("principals.id", ondelete="CASCADE")),
    sa.Column("digest", sa.String(64), nullable=False),  # of the push resource, which identifies the device
    sa.Column("endpoint", sa.LargeBinary, nullable=False),  # the push resource and its keys, sealed by the vault
    sa.Column("host", sa.String(255), nullable=False),  # of the push service
    sa.Column("content", sa.Boolean, nullable=False),  # it wants to hear of changed members
    sa.Column("property_depth", sa.SmallInteger),  # and of changed properties, that deep; None: not of them
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("expires_at", Instant, nullable=False),
    # changes so far, and how many of them it was told of
    sa.Column("content_news", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("content_told", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("property_news", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("property_told", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("due_at", Instant),  # None: there is nothing to tell; while a worker has it, when its lease ends
    sa.Column("quiet_until", Instant),  # bursts are one message: not before then
    sa.Column("failures", sa.Integer, nullable=False, server_default="0"),  # in a row
    sa.Column("told_at", Instant),
    sa.UniqueConstraint("calendar_id", "principal_id", "digest"),
    sa.UniqueConstraint("home_id", "principal_id", "digest"),
    sa.Index(None, "due_at"),
    sa.Index(None, "principal_id"),
    sa.Index(None, "device_id"),
    sqlite_autoincrement=True,
)

# --- what was done, to be seen and undone ---------------------------------------------------------------------------

cycles = sa.Table(
    "cycles",
    metadata,
    _of("pairs", key=True),
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("started_at", Instant, nullable=False),
    sa.Column("finished_at", Instant),  # None: it is under way, or its process died
    sa.Column("counts", sa.JSON, nullable=False),
    sa.Column("undone_at", Instant),
)

journal = sa.Table(
    "journal",
    metadata,
    _of("pairs", key=True),
    sa.Column("cycle", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("uid", sa.String(1024), primary_key=True),
    sa.Column("side", sa.String(8), primary_key=True),  # hub, remote: which was written to
    sa.Column("kind", sa.String(8), nullable=False),  # create, update, delete
    sa.Column("undo_to", sa.BigInteger, nullable=False),  # the hub's revision before this change
    sa.Column("approved", sa.Boolean, nullable=False),  # its owner had said yes: it does not count for the guard
    sa.Column("at", Instant, nullable=False),
    sa.Index(None, "pair_id", "at"),
)

notices = sa.Table(
    "notices",
    metadata,
    _id(),
    sa.Column("principal_id", sa.BigInteger, sa.ForeignKey("principals.id", ondelete="CASCADE")),  # None: the admin
    sa.Column("kind", sa.String(32), nullable=False),
    sa.Column("subject", sa.String(255), nullable=False),  # "account:3", "pair:7"
    sa.Column("detail", sa.JSON, nullable=False),  # ids and counts, never contents
    sa.Column("raised_at", Instant, nullable=False),
    sa.Column("sent_at", Instant),
    sa.Column("cleared_at", Instant),
    sa.Index(
        "ix_notices_open",
        "kind",
        "subject",
        unique=True,
        sqlite_where=sa.text("cleared_at IS NULL"),
        postgresql_where=sa.text("cleared_at IS NULL"),
    ),
    sa.Index(None, "principal_id"),
    sqlite_autoincrement=True,
)

audit = sa.Table(
    "audit",
    metadata,
    _id(),
    sa.Column("principal_id", sa.BigInteger),
    sa.Column("at", Instant, nullable=False),
    sa.Column("actor", sa.String(400), nullable=False),
    sa.Column("action", sa.String(64), nullable=False),
    sa.Column("detail", sa.JSON, nullable=False, default=dict),  # ids and counts, never contents
    sa.Index(None, "principal_id", "at"),
    sqlite_autoincrement=True,
)

settings = sa.Table(
    "settings",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("value", sa.JSON, nullable=False),
)

sealed_settings = sa.Table(
    "sealed_settings",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("value", sa.LargeBinary, nullable=False),  # sealed by the vault
)
