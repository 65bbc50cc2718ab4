"""Consents that have been asked for and not answered yet (RFC 6749 §4.1: ``state`` ties the answer to the question)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa

from bridge.store.tables import oauth_flows
from bridge.store.vault import Vault


@dataclass(frozen=True, slots=True)
class OAuthFlow:
    """``memory`` is what the provider needs to finish (``Consent.memory``); at rest it is sealed: it holds the PKCE verifier."""

    state: str
    principal_id: int
    provider: str
    sandbox: bool
    memory: str


def begin(conn: sa.Connection, vault: Vault, flow: OAuthFlow, *, expires_at: dt.datetime) -> None:
    conn.execute(
        sa.insert(oauth_flows).values(
            state=flow.state,
            principal_id=flow.principal_id,
            provider=flow.provider,
            sandbox=flow.sandbox,
            flow=vault.seal(flow.memory),
            expires_at=expires_at,
        )
    )


def take(conn: sa.Connection, vault: Vault, state: str, *, now: dt.datetime) -> OAuthFlow | None:
    """The flow of this state, and only once; None if it is unknown, taken or too old."""
    row = conn.execute(sa.delete(oauth_flows).where(oauth_flows.c.state == state).returning(oauth_flows)).first()
    if row is None or row.expires_at <= now:
        return None
    return OAuthFlow(row.state, row.principal_id, row.provider, row.sandbox, vault.open(row.flow))


def prune(conn: sa.Connection, now: dt.datetime) -> int:
    """Forget those that are too old. Returns how many."""
    return conn.execute(sa.delete(oauth_flows).where(oauth_flows.c.expires_at <= now)).rowcount
