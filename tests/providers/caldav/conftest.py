"""A stock Radicale and a Xandikos with one calendar each, a remote on it, and its owner's other client."""

import datetime as dt

import pytest

from tests.contracts.caldav_bench import CaldavBench, opened
from tests.support.caldav_server import radicale, xandikos

SERVERS = {"radicale": radicale, "xandikos": xandikos}


@pytest.fixture
def now():
    return dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


@pytest.fixture(params=SERVERS)
def bench(request):
    """At both servers."""
    with opened(SERVERS[request.param], CaldavBench) as made:
        yield made


@pytest.fixture
def at_xandikos():
    """At Xandikos, which writes properties in an order of its own."""
    with opened(xandikos, CaldavBench) as made:
        yield made


@pytest.fixture
def at_radicale():
    """At Radicale, which alters what it is given (D-02)."""
    with opened(radicale, CaldavBench) as made:
        yield made
