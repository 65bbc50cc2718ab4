"""Consents that have been asked for and not answered yet."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa

from bridge.store.vault import Vault


@dataclass(frozen=True, slots=True)
class OAuthFlow:
    """``memory`` is the provider's, to finish with (``Consent.memory``)."""

    state: str
    principal_id: int
    provider: str
    sandbox: bool
    memory: str


def begin(conn: sa.Connection, vault: Vault, flow: OAuthFlow, *, expires_at: dt.datetime) -> None:
    raise NotImplementedError


def take(conn: sa.Connection, vault: Vault, state: str, *, now: dt.datetime) -> OAuthFlow | None:
    """The flow of this state, once; None if it is unknown, taken or too old."""
    raise NotImplementedError


def prune(conn: sa.Connection, now: dt.datetime) -> int:
    """Forget those that are too old. Returns how many."""
    raise NotImplementedError
