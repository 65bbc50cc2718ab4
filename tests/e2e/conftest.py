"""A world: the hub served by its own command, both simulated services, one person connected to all, and their phone."""

import json
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest

from bridge.cli.demo import consent
from bridge.sandbox.server import Sandbox
from tests.contracts import google_bench, graph_bench
from tests.e2e.caldav_side import CalDavSide
from tests.e2e.service_sides import GoogleSide, GraphSide
from tests.e2e.dates import FROM, TO
from tests.support.hub import Hub, wait_for


class World:
    def __init__(self, sandbox, hub, sides):
        self.sandbox, self.hub, self.sides = sandbox, hub, sides

    def seen(self, name):
        return self.sides[name].occurrences(FROM, TO)

    def settle(self, expected, *, seconds=30):
        """Wait until all three show exactly what is expected; then one more cycle of each pair must write nothing."""
        wanted = sorted(expected.values())
        for name in self.sides:
            wait_for(lambda name=name: self.seen(name) == wanted or Differs(self.seen(name), wanted), seconds=seconds)
        before = self.writes()
        for outcome in self.cycle():
            assert outcome["hub_writes"] == outcome["remote_writes"] == 0, outcome
        assert self.writes() == before
        assert {name: self.seen(name) for name in self.sides} == dict.fromkeys(self.sides, wanted)

    def cycle(self):
        """One cycle of each pair, behind whatever the worker is doing right now."""

        def run():
            done = self.hub.run("sync", "now", "--json")
            if "right now by another process" in done.stdout:
                return None
            assert done.returncode == 0, done.stdout + done.stderr + self.hub.log.read_text()
            return json.loads(done.stdout)

        return wait_for(run)

    def writes(self):
        return {one.name: one.meter.writes for one in (self.sandbox.google, self.sandbox.microsoft)}

    def mails(self):
        return sum(len(one.meter.mails) for one in (self.sandbox.google, self.sandbox.microsoft))


class Differs:
    """Falsy, and says in a failed wait what is missing and what is too much."""

    def __init__(self, seen, wanted):
        self.missing = sorted(set(wanted) - set(seen))
        self.extra = sorted(set(seen) - set(wanted)) or len(seen) - len(wanted)

    def __bool__(self):
        return False

    def __repr__(self):
        return f"missing {self.missing}, too much {self.extra}"


@pytest.fixture
def world(tmp_path):
    with ExitStack() as stack:
        sandbox = stack.enter_context(Sandbox())
        google = stack.enter_context(google_bench.open_bench(sandbox))
        graph = stack.enter_context(graph_bench.open_bench(sandbox))
        hub = stack.enter_context(Hub(tmp_path / "data", CALDAV_BRIDGE_SANDBOX__PORT=str(urlsplit(sandbox.url).port)))
        hub.command("user", "add", "alex", "--email", "alex@example.com")
        for provider in ("google", "microsoft"):
            consent(hub.command("account", "connect", "alex", provider, "--sandbox")["url"])
        device = hub.command("device", "add", "alex", "phone")
        phone = CalDavSide(**device)
        stack.callback(phone.close)
        yield World(sandbox, hub, {"caldav": phone, "google": GoogleSide(google), "graph": GraphSide(graph)})
