"""The contract's bench, for what only Google does."""

import pytest

from bridge.sandbox.server import Sandbox
from tests.contracts import google_bench


@pytest.fixture(scope="session")
def sandbox():
    with Sandbox() as running:
        yield running


@pytest.fixture
def bench(sandbox):
    with google_bench.open_bench(sandbox) as opened:
        yield opened
