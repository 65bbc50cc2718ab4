"""Consents under way: secret, short-lived, used once."""

import datetime as dt

import pytest
import sqlalchemy as sa

from bridge.store import oauth_flows, tables
from bridge.store.oauth_flows import OAuthFlow

HOUR = dt.timedelta(hours=1)


@pytest.fixture
def flow(database, alice, vault, t0):
    flow = OAuthFlow("state-1", alice.id, "google", True, "the PKCE verifier")
    with database.write() as conn:
        oauth_flows.begin(conn, vault, flow, expires_at=t0 + HOUR)
    return flow


def test_a_flow_is_taken_once(database, vault, flow, t0):
    with database.write() as conn:
        assert oauth_flows.take(conn, vault, "another", now=t0) is None
        assert oauth_flows.take(conn, vault, "state-1", now=t0) == flow
        assert oauth_flows.take(conn, vault, "state-1", now=t0) is None


def test_a_flow_expires(database, vault, flow, t0):
    with database.write() as conn:
        assert oauth_flows.take(conn, vault, "state-1", now=t0 + HOUR) is None


def test_what_the_provider_remembers_is_sealed(database, flow):
    with database.read() as conn:
        assert b"verifier" not in conn.scalar(sa.select(tables.oauth_flows.c.flow))


def test_old_flows_are_pruned(database, flow, t0):
    with database.write() as conn:
        assert oauth_flows.prune(conn, t0) == 0
        assert oauth_flows.prune(conn, t0 + HOUR) == 1
