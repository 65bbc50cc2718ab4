"""A world: the hub served by its own command, both simulated services, one person connected to all, and their phone."""

import json
import time
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

import httpx

from bridge.cli.demo import consent
from bridge.outside import trust
from bridge.sandbox.server import Sandbox
from tests.e2e.caldav_side import CalDavSide
from tests.e2e.dates import FROM, TO
from tests.e2e.service_sides import GoogleSide, GraphSide
from tests.support import simulated_graph
from tests.support.hub import Hub, wait_for


class World:
    def __init__(self, sandbox, hub, sides):
        self.sandbox, self.hub, self.sides = sandbox, hub, sides

    def seen(self, name):
        return self.sides[name].shows(FROM, TO)

    def shows(self, expected, *, seconds=30):
        """Wait until all three show exactly what is expected."""
        wanted = sorted(expected.values())
        for name in self.sides:
            wait_for(lambda name=name: self.seen(name) == wanted or Differs(self.seen(name), wanted), seconds=seconds)

    def clear(self):
        """Her own hands take away what a story has left."""
        phone = self.sides["caldav"]
        while left := self.seen("caldav"):
            phone.remove(phone.find(left[0][2]))

        def gone():
            if any(self.seen(name) for name in self.sides):
                for pair in ("1", "2"):  # so much is deleted in an hour that its owner is asked (R6)
                    self.hub.run("pair", "approve", pair)
            return not any(self.seen(name) for name in self.sides)

        wait_for(gone, seconds=60, every=1)

    def settle(self, expected, *, seconds=30):
        """As ``shows``; then one more cycle of each pair must write nothing."""
        wanted = sorted(expected.values())
        self.shows(expected, seconds=seconds)
        before = self.at_rest()
        for outcome in self.cycle():
            assert outcome["hub_writes"] == outcome["remote_writes"] == 0, outcome
        assert self.writes() == before, f"{before} became {self.writes()}"
        for name in self.sides:
            assert self.seen(name) == wanted, f"{name}: {Differs(self.seen(name), wanted)}"

    def at_rest(self):
        """The writes so far; a request is counted a moment after its effect is seen."""

        def unchanged():
            before = self.writes()
            time.sleep(0.3)
            return before == self.writes()

        wait_for(unchanged)
        return self.writes()

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
        """Requests by which events were changed; channels and subscriptions come and go by themselves."""
        return {
            f"{one.name} {route}": count
            for one in (self.sandbox.google, self.sandbox.microsoft)
            for route, count in one.meter.routes.items()
            if not route.startswith("GET ") and "events" in route and not route.endswith("/watch")
        }

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


PERSON = "alex@example.com"


@contextmanager
def opened(folder, *, parts=(["serve"],), seeded=0, **environ):
    """``parts`` are the hub's processes, ``environ`` is for them; ``seeded`` events are in Google's calendar beforehand."""
    with ExitStack() as stack:
        sandbox = stack.enter_context(Sandbox())
        if seeded:
            sandbox.google.seed(PERSON, seeded)
        token = sandbox.google.token(PERSON, client_id="hands")
        google = stack.enter_context(
            httpx.Client(
                base_url=f"{sandbox.url}/google/calendar/v3/",
                headers={"Authorization": f"Bearer {token}"},
                timeout=30,
                verify=trust(),
            )
        )
        graph = stack.enter_context(simulated_graph.client(sandbox.microsoft))
        sides = {"google": GoogleSide(google), "graph": GraphSide(graph)}
        environ["CALDAV_BRIDGE_SANDBOX__PORT"] = str(urlsplit(sandbox.url).port)
        hub = Hub(folder / "data", **environ)
        hub.parts = list(parts)
        stack.enter_context(hub)
        hub.command("user", "add", "alex", "--email", PERSON)
        for provider in ("google", "microsoft"):
            consent(hub.command("account", "connect", "alex", provider, "--sandbox")["url"])
        made = hub.command("device", "add", "alex", "phone")
        phone = CalDavSide(made["url"], made["username"], made["password"])
        stack.callback(phone.close)
        yield World(sandbox, hub, {"caldav": phone, **sides})
