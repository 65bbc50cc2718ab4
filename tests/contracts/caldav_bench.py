"""The bench of the CalDAV provider at a stock Radicale; ``opened`` serves the benches at other servers, too."""

from __future__ import annotations

import datetime as dt
import tempfile
from contextlib import contextmanager
from pathlib import Path

from bridge.errors import Unmappable
from bridge.providers.caldav.provider import CaldavProvider
from tests.contracts.bench import KeptTokens
from tests.support.caldav_hands import Hands
from tests.support.caldav_server import PASSWORD, USER, radicale

PUSHES = False
BATCHES = True
PART_TROUBLES = {
    "refused": {"status": 403},
    "busy": {"status": 429, "headers": {"Retry-After": "7"}},
    "down": {"status": 503},
    "answer lost": {"drop": True, "phase": "after"},
}


def clock():
    return dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


class CaldavBench(Hands):
    revives = True
    refusal = Unmappable
    remembers = False
    by_name = True
    forgets = True
    forgets_listings = False

    def __init__(self, server, client, provider):
        super().__init__(client, server.make_calendar("work", displayname="Work", color="#FF8800FF"))
        self.server = server
        grant = provider.grant(url=server.url, username=USER, password=PASSWORD)
        self.account = provider.account(KeptTokens(grant))
        (self.calendar,) = self.account.calendars()
        self.remote = self.account.remote(self.calendar)

    def page_size(self, size):
        self.remote.listing.page_size = size

    def forget_cursors(self):
        self.server.screws.forget_tokens()

    @contextmanager
    def trouble(self, kind):
        self.server.screws.trouble = kind
        yield
        self.server.screws.trouble = None

    def strike_creation(self, number, kind):
        """Several are under way at a time: so it is the one with this number's key (``test_batches.key``)."""
        name = rf"/{number - 1:032}\.ics$"
        self.server.screws.faults.inject(method="PUT", path=name, **PART_TROUBLES[kind])

    def wait_over(self):
        self.remote._collection._api.pace._rest_until = float("-inf")

    def requests(self):
        return self.server.screws.requests

    def writes(self):
        return self.server.screws.writes

    def mails(self):
        return 0


@contextmanager
def opened(start, bench=CaldavBench):
    provider = CaldavProvider(clock=clock)
    try:
        with tempfile.TemporaryDirectory() as folder, start(Path(folder)) as server, server.hands() as client:
            yield bench(server, client, provider)
    finally:
        provider.close()


@contextmanager
def open_bench(sandbox):
    with opened(radicale) as bench:
        yield bench
