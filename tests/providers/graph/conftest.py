"""The simulated Graph with an account that is connected to it."""

import datetime as dt
import json

import pytest

from bridge.sandbox.server import Sandbox
from tests.contracts.graph_bench import open_bench
from tests.contracts.receiver import NotificationReceiver


@pytest.fixture(scope="session")
def sandbox():
    with Sandbox() as running:
        yield running


@pytest.fixture
def bench(sandbox):
    with open_bench(sandbox) as opened:
        yield opened


@pytest.fixture
def now():
    return dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


@pytest.fixture
def sent(bench):
    """Every write that reached Graph's front door: (method, path, JSON body)."""
    seen = []
    client = bench.remote.listing.events.api.http

    def note(request):
        if request.method != "GET" and "/v1.0/me/" in request.url.path:
            seen.append((request.method, request.url.path, json.loads(request.content) if request.content else None))

    client.event_hooks["request"].append(note)
    return seen


@pytest.fixture
def receiver():
    server = NotificationReceiver()
    yield server
    server.close()
