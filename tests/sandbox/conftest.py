"""One started sandbox for all tests of the simulated Google and of the common ground, reset before each."""

import datetime as dt

import pytest

from bridge.sandbox.server import Sandbox
from tests.support.simulated_google import client, raw

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


@pytest.fixture(scope="session")
def _running():
    with Sandbox() as running:
        yield running


@pytest.fixture
def world(_running):
    _running.reset()
    _running.clock.freeze(NOW)
    yield _running
    _running.faults.clear()


@pytest.fixture
def google(world):
    return world.google


@pytest.fixture
def alex(google):
    with client(google) as service:
        yield service


@pytest.fixture
def sam(google):
    with client(google, "sam@example.com") as service:
        yield service


@pytest.fixture
def http(google):
    with raw(google) as plain:
        yield plain


@pytest.fixture
def events(alex):
    return alex.events()
