"""Services' promises to call us, by the id under which they will."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa

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
    raise NotImplementedError


def get(conn: sa.Connection, channel_id: str) -> PairChannel | None:
    raise NotImplementedError


def of_pair(conn: sa.Connection, pair_id: int) -> list[PairChannel]:
    """The one that lives longest first."""
    raise NotImplementedError


def due(conn: sa.Connection, now: dt.datetime) -> list[PairChannel]:
    """Those past half their life: to be renewed now (R30)."""
    raise NotImplementedError


def remove(conn: sa.Connection, channel_id: str) -> None:
    """One that is unknown is removed already."""
    raise NotImplementedError
