"""A web server with a feed, and a reader of it."""

import pytest

from bridge.providers.ics.feed import Fetcher
from bridge.providers.ics.provider import IcsProvider
from bridge.providers.pace import Limits, Paces
from tests.contracts.bench import KeptTokens
from tests.support.feeds import FeedServer


@pytest.fixture
def server():
    running = FeedServer()
    yield running
    running.close()


@pytest.fixture
def provider():
    made = IcsProvider(Fetcher(allow_private=True), paces=Paces(Limits()))
    yield made
    made.close()


@pytest.fixture
def subscribe(server, provider):
    """The account of a path, and its remote."""

    def to(path="/feed.ics", username="", password=""):
        tokens = KeptTokens(provider.grant(url=f"{server.base}{path}", username=username, password=password))
        account = provider.account(tokens)
        remote = account.remote(None)
        remote.tokens, remote.account = tokens, account
        return remote

    return to
