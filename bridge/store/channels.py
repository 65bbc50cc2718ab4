"""Services' promises to call us, by the id under which they will (G-83, M-70: channel and subscription)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from bridge.store.dialects import insert
from bridge.store.tables import channels
from bridge.sync.ports import Channel


@dataclass(frozen=True, slots=True)
class PairChannel:
    """``secret`` is what a genuine call carries: compare it in constant time (R31)."""

    pair_id: int
    channel: Channel
    secret: str
    created_at: dt.datetime


def add(conn: sa.Connection, pair_id: int, channel: Channel, *, secret: str, now: dt.datetime) -> None:
    """Keep a new channel, or one that was renewed under its old id."""
    row = {
        "pair_id": pair_id,
        "resource": channel.resource,
        "secret": secret,
        "created_at": now,
        "expires_at": channel.expires,
    }
    conn.execute(
        insert(conn, channels).values(id=channel.id, **row).on_conflict_do_update(index_elements=["id"], set_=row)
    )


def get(conn: sa.Connection, channel_id: str) -> PairChannel | None:
    """None for an id that anybody may have made up."""
    row = conn.execute(sa.select(channels).where(channels.c.id == channel_id)).first()
    return None if row is None else _channel(row)


def of_pair(conn: sa.Connection, pair_id: int) -> list[PairChannel]:
    """The one that lives longest first: while one is renewed there are two."""
    query = sa.select(channels).where(channels.c.pair_id == pair_id).order_by(channels.c.expires_at.desc())
    return [_channel(row) for row in conn.execute(query)]


def let_lapse(conn: sa.Connection, channel_id: str) -> None:
    """It is to be renewed at once, as if it were past half its life (``pairs.without_fresh_channel``)."""
    long_ago = dt.datetime.fromtimestamp(0, dt.UTC)
    conn.execute(sa.update(channels).where(channels.c.id == channel_id).values(created_at=long_ago))


def remove(conn: sa.Connection, channel_id: str) -> None:
    """One that is unknown is removed already."""
    conn.execute(sa.delete(channels).where(channels.c.id == channel_id))


def _channel(row: sa.Row[Any]) -> PairChannel:
    return PairChannel(row.pair_id, Channel(row.id, row.resource, row.expires_at), row.secret, row.created_at)
