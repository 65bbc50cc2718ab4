"""One person, connected to all services, and a bridge that may meet faults, die at any boundary, and start again."""

from __future__ import annotations

import datetime as dt
import random
import re
import secrets
import shutil
import tempfile
import traceback
import uuid
from collections import Counter, defaultdict
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from unittest import mock
from urllib.parse import urlsplit

import httpx
import sqlalchemy as sa
import structlog

from bridge.config import Sandbox as SandboxSettings
from bridge.config import Settings
from bridge.providers.caldav import listing as caldav_listing
from bridge.providers.google.remote import GoogleRemote
from bridge.providers.graph import remote as graph_remote
from bridge.providers.graph.listing import Listing
from bridge.services import connecting, principals, syncing
from bridge.services.context import open_context
from bridge.services.providers import DIRECT, Providers
from bridge.store import calendars, migrations, pairs, tables
from bridge.store.session import connect
from tests.proof import caldav_side
from tests.proof import sides as places
from tests.proof.boundaries import Boundaries, Crash, watched
from tests.proof.drafts import NOW, lineage
from tests.proof.wire import Plan, Wire, tapped
from tests.support import databases, simulated_graph
from tests.support.bridged import AGREE, PERSON, running

TICK = dt.timedelta(milliseconds=5)
LEASE = dt.timedelta(seconds=61)
PATIENCE = dt.timedelta(hours=25)
"""Longer than anything that failed or was refused waits until it is tried again."""


class Broken(AssertionError):
    """An invariant does not hold."""


@dataclass
class Tally:
    """What has happened in all lives of this process."""

    steps: int = 0
    edits: Counter[str] = field(default_factory=Counter)
    cycles: int = 0
    idle_cycles: int = 0
    requests: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    crashes: Counter[str] = field(default_factory=Counter)
    rests: int = 0
    quarantined: Counter[str] = field(default_factory=Counter)
    objects: int = 0
    parked: int = 0
    reconnects: int = 0
    mails: int = 0
    calls: int = 0
    """Of the simulated services, everybody's, as far as they were held against the vendors' schemas."""

    def add(self, other):
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)


@dataclass
class Since:
    """What people have done to one lineage since all was last at rest: where, and the last title; whether it was deleted."""

    places: set[str] = field(default_factory=set)
    title: str | None = None
    gone: bool = False


@dataclass
class Truth:
    """What people have done, by lineage: what the invariants compare the places with."""

    made: Counter[int] = field(default_factory=Counter)
    """Objects that somebody made: added, copied, split off."""
    gone: Counter[int] = field(default_factory=Counter)
    """Objects that somebody deleted, or that may have been emptied."""
    pristine: dict[int, list] = field(default_factory=dict)
    """What an object showed where it was made, as long as nobody has touched it since."""
    words: dict[str, int] = field(default_factory=dict)
    """Words that the hub must know: they were written there, or a whole cycle has read them."""
    unread: dict[tuple[str, str], list] = field(default_factory=lambda: defaultdict(list))
    """Words written elsewhere that no cycle has read yet, by place and object."""
    touched: dict[int, set] = field(default_factory=lambda: defaultdict(set))
    """Where an object was written to by people."""
    foreign: set[int] = field(default_factory=set)
    """Meetings that somebody else organises."""
    since: dict[int, Since] = field(default_factory=lambda: defaultdict(Since))
    homes: dict[int, str] = field(default_factory=dict)
    """Where an object belongs: only there guests are invited. What was made in the hub belongs to the first account."""
    guests: dict[int, set] = field(default_factory=lambda: defaultdict(set))
    """Addresses that stand in ATTENDEE lines of the hub."""


class World:
    def __init__(self, sandbox, dav, folder, seed, tally):
        self.sandbox, self.dav, self.folder, self.tally = sandbox, dav, folder, tally
        self.random = random.Random(seed)
        self.truth = Truth()
        self.story = []
        self.serial = 0
        self.lineages = 0
        self.pairs, self.clients = {}, {}
        self.mails_of_bridge = []
        self.wire = Wire(sandbox, dav)
        self.last_deletions = 0

    # --- names

    def word(self):
        self.serial += 1
        return f"w{self.serial}"

    def uid(self):
        self.serial += 1
        return f"phone-{self.serial}"

    def new_lineage(self):
        self.lineages += 1
        return self.lineages

    def now(self):
        """Each look at the clock is a little later than the one before."""
        return self.sandbox.clock.advance(TICK)

    def pass_by(self, delta):
        self.sandbox.clock.advance(delta)
        self.sign_in()

    def sign_in(self):
        tokens = {
            "google": self.sandbox.google.token(PERSON, client_id="hands"),
            "microsoft": simulated_graph.tokens(self.sandbox.microsoft)["access_token"],
        }
        for name, token in tokens.items():
            self.clients[name].headers["Authorization"] = f"Bearer {token}"

    def side(self, name):
        return next(each for each in self.sides if each.name == name)

    def connect(self, provider):
        if provider in DIRECT:
            return connecting.connect_directly(self.context, "alex", provider, **self.dav.sign_in())
        url = connecting.begin(self.context, "alex", provider, sandbox=True)
        return connecting.finish(self.context, provider, AGREE[provider](url))

    # --- the bridge

    def cycle(self, provider, *, faults=None, die_at=None):
        """One cycle with these faults, in which the process may die. Its outcome; None if it died."""
        boundaries = Boundaries(die_at)
        meters = {side.name: side.service.meter for side in self.sides if side.meetings}
        mailed = {name: len(meter.mails) for name, meter in meters.items()}
        struck = self.wire.struck.copy()
        outcome = None
        self.tally.cycles += 1
        with self.wire.during(Plan(faults or {})):
            try:
                if die_at is None:
                    outcome = syncing.run_now(self.context, self.pairs[provider])
                else:
                    with watched(boundaries):
                        outcome = syncing.run_now(self.context, self.pairs[provider])
            except Crash as crash:
                self.tally.crashes[str(crash)] += 1
                self._start_again()
        met = self.wire.struck - struck
        self.tally.faults += met
        for name, meter in meters.items():
            self.mails_of_bridge += [(name, mail) for mail in meter.mails[mailed[name] :]]
        self.story.append(f"cycle {provider}: {_told(outcome)}" + (f" met {dict(met)}" if met else ""))
        if outcome is not None and outcome.error is None and not outcome.parked:
            self._read(provider)
        if outcome is not None and "caldav-bridge itself" in (outcome.error or ""):
            raise Broken(f"an error of ours ended a cycle of {provider}: {ERRORS[-1]}")
        return outcome

    def cycle_to(self, provider, die_at):
        """One cycle that dies at this boundary, None: at none; the boundaries it came by."""
        with watched(Boundaries(die_at)) as boundaries, self.wire.during(Plan()):
            try:
                syncing.run_now(self.context, self.pairs[provider])
            except Crash:
                self._start_again()
        return boundaries

    def _start_again(self):
        """A new process: nothing is left in memory, and the lease runs out."""
        self.context.providers.close()
        providers = Providers(self.context.settings, self.now, self.sandbox.clock.sleep)
        self.context = replace(self.context, providers=providers)
        self.pass_by(LEASE)

    def _read(self, provider):
        """What people wrote there has come to the hub."""
        for key in [key for key in self.truth.unread if self.side(key[0]).provider == provider]:
            self.truth.words |= dict(self.truth.unread.pop(key))

    def parts(self):
        """Of what a place has in parts, by their names there: the object that they are parts of (R-29)."""
        links = tables.links.c
        with self.context.database.read() as conn:
            query = sa.select(links.remote_id, links.part_of)
            found = dict(
                map(tuple, conn.execute(query.where(links.part_of.is_not(None), links.remote_id.is_not(None))))
            )
        graph = self.side("graph")
        return found | {graph.ref(id): whole for id, whole in found.items() if id.startswith("AAk")}

    def rest(self, *, at_most=14):
        """Cycle all pairs, without faults, until nothing is written, nothing waits and nothing fails."""
        self.sandbox.faults.clear()
        calm = 0
        for _ in range(at_most):
            outcomes = {provider: self.cycle(provider) for provider in self.pairs}
            for provider, outcome in outcomes.items():
                self._help(provider, outcome)
            busy = any(each.error or each.parked or each.hub_writes or each.remote_writes for each in outcomes.values())
            calm = 0 if busy else calm + 1
            if calm == 2:
                self.tally.rests += 1
                return
            self.pass_by(PATIENCE)
        raise Broken("the calendars do not come to rest")

    def _help(self, provider, outcome):
        """What only the owner can do."""
        if outcome.parked:
            self.tally.parked += 1
            with self.context.database.write() as conn:
                pairs.approve(conn, self.pairs[provider], now=self.now())
        if "connect it again" in (outcome.error or ""):
            self.tally.reconnects += 1
            self.connect(provider)


def _told(outcome):
    if outcome is None:
        return "died"
    parts = [f"{outcome.hub_writes} here, {outcome.remote_writes} there"]
    parts += [outcome.error] if outcome.error else []
    return ", ".join([*parts, *(["parked"] if outcome.parked else [])])


# --- opening


ERRORS = []
"""Tracebacks that the bridge has logged."""


def _keep_errors(_logger, _method, event):
    if event.get("exc_info"):
        ERRORS.append(traceback.format_exc())
    raise structlog.DropEvent


@dataclass
class House:
    """What all lives of a process share: one running sandbox and CalDAV server, and an empty database with its key."""

    sandbox: object
    dav: object
    template: Path


@contextmanager
def opened_house():
    structlog.configure(processors=[_keep_errors])
    with ExitStack() as stack:
        template = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        sandbox = stack.enter_context(running())
        dav = stack.enter_context(caldav_side.running(template))
        database = connect(f"sqlite:///{template / 'bridge.db'}")
        migrations.upgrade(database)
        database.close()
        yield House(sandbox, dav, template)
    structlog.reset_defaults()


@contextmanager
def opened(house, seed, tally):
    """A new life: everything that is drawn by lot in it, ids and tokens too, follows from ``seed``."""
    sandbox = house.sandbox
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        world = World(sandbox, house.dav, folder, seed, tally)
        stack.enter_context(_drawn_by(random.Random(f"ids of {seed}")))
        sandbox.reset()
        house.dav.reset()
        sandbox.clock.freeze(NOW)
        data = folder / "data"
        data.mkdir(mode=0o700)
        shutil.copy(house.template / "bridge.db", data / "bridge.db")
        databases.lay(data)
        settings = Settings(data=data, sandbox=SandboxSettings(port=urlsplit(sandbox.url).port))
        world.context = open_context(settings, now=world.now, sleep=sandbox.clock.sleep)
        stack.callback(lambda: world.context.close())  # noqa: PLW0108 - a crash makes it another one
        for name, base in (("google", "google/calendar/v3/"), ("microsoft", "microsoft/v1.0/")):
            client = httpx.Client(base_url=f"{sandbox.url}/{base}", timeout=30, verify=False)
            world.clients[name] = stack.enter_context(client)
        world.clients["microsoft"].headers["Prefer"] = 'IdType="ImmutableId"'
        world.sign_in()
        size = world.random.choice([3, 7, 100])
        stack.enter_context(mock.patch.object(GoogleRemote, "page_size", size))
        stack.enter_context(mock.patch.object(graph_remote, "Listing", partial(Listing, page_size=size)))
        stack.enter_context(mock.patch.object(caldav_listing, "BATCH", size))
        house.dav.become(world.random)
        stack.enter_context(tapped(world.wire))
        principals.add(world.context.database, "alex", PERSON, now=world.now())
        sandbox.google.add_calendar(PERSON, "Elsewhere", zone="Europe/Vienna")
        sandbox.microsoft.box(PERSON).add_calendar("Elsewhere", "auto")
        with world.context.database.read() as conn:
            world.calendar = calendars.get(conn, "alex", "calendar").id
        world.sides = [side(world) for side in places.SIDES]
        for provider in [side.provider for side in world.sides if side.provider]:
            world.pairs[provider] = world.connect(provider).pair_id
            world.cycle(provider)
        try:
            yield world
        finally:
            tally.requests += world.wire.requests


@contextmanager
def _drawn_by(lot):
    with (
        mock.patch.object(secrets, "choice", lot.choice),
        mock.patch.object(secrets, "token_bytes", lambda n=32: lot.randbytes(n or 32)),
        mock.patch.object(secrets, "token_hex", lambda n=32: lot.randbytes(n or 32).hex()),
        mock.patch.object(uuid, "uuid4", side_effect=lambda: uuid.UUID(int=lot.getrandbits(128), version=4)),
    ):
        yield


def words_in(text):
    return set(re.findall(r"\bw\d+\b", text))


def by_lineage(shown):
    """What a place shows, by lineage."""
    found = defaultdict(list)
    for start, end, title in shown:
        found[lineage(title)].append((start, end, title))
    return {name: sorted(each) for name, each in found.items()}
