"""Two CalDAV servers of others, and the calendar of one copied to the other: by the bridge, and by vdirsyncer.

Each program gets a pair of its own: A holds the events, and has read them; B has an empty calendar. The programs run as from
cron, a process each time: ``caldav-bridge sync now`` goes from A to the hub and from there to B, ``vdirsyncer sync`` from A to B.
Then nothing is new; then a hundred events of A are changed. At the end B has to hold what A holds.

At first the servers are stock Radicale with 1,000 events (``BENCH_EVENTS`` says how many), to which each PUT takes longer the more
there are. Then they are our own, with ten times as many: what a server costs is little there, and what is left is the programs'.

The events have no guests: the bridge does not write those to another server, vdirsyncer does.
"""

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from functools import partial
from pathlib import Path

import icalendar

from tests.benchmarks import memory
from tests.benchmarks.dav import mix, servers
from tests.benchmarks.dav.client import HOME, Client
from tests.benchmarks.dav.questions import ETAGS, href, require
from tests.support.hub import Hub

EVENTS = 1_000
TIMES = 10
"""As many events between our own servers."""
CHANGES = 100
_REQUEST = re.compile(r"\b([A-Z]+) request for ")
_event = partial(mix.event, guests=False)


def run():
    size = int(os.environ.get("BENCH_EVENTS", EVENTS))
    with tempfile.TemporaryDirectory() as folder:
        full = _read_once(Path(folder) / "full", size)
        _compare("one Radicale", size, Path(folder) / "radicale", partial(_radicale, full))
    with tempfile.TemporaryDirectory() as folder:
        _compare("one of ours", TIMES * size, Path(folder), partial(_ours, TIMES * size))


def _compare(what, size, folder, pair):
    print(
        f"\n{size:,} events from {what} to another; cpu: the program's, and that of both servers; cycles: without its start"
    )
    print(f"  {'':16}{'':20}{'seconds':>9}{'cycles':>8}{'cpu':>8}{'servers':>9}{'memory':>9}  asked A; asked B")
    for name, program in (("caldav-bridge", _Bridge), ("vdirsyncer", _Vdirsyncer)):
        home = folder / name
        (home / "program").mkdir(parents=True)
        with pair(home) as (a, b):
            _play(name, program(home / "program", a, b), a, b, size)


def _read_once(folder, size):
    """A filled collection and what Radicale keeps beside it once it has read it: the first to ask would wait for that."""
    collection = servers.lay_collection(folder / "collections", servers.PERSON, size, event=_event)
    with (
        servers.serving_radicale(folder, folder / "collections", [servers.PERSON]) as server,
        contextlib.closing(Client(server)) as client,
    ):
        status, _ = client("PROPFIND", HOME, ETAGS, Depth="1")
        require(status == 207, status)
    return collection


@contextlib.contextmanager
def _radicale(full, home):
    servers.lay_collection(home / "b" / "collections", servers.PERSON, 0)
    shutil.copytree(full, home / "a" / "collections" / "collection-root" / servers.PERSON / "calendar")
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(_one_radicale(home / each)) for each in "ab"]


@contextlib.contextmanager
def _one_radicale(folder):
    # its log at this level names each request
    with servers.serving_radicale(folder, folder / "collections", [servers.PERSON], level="info") as server:
        yield Remote(server, folder / "radicale.log")


@contextlib.contextmanager
def _ours(size, home):
    with contextlib.ExitStack() as stack:
        held = (home / "a", size), (home / "b", 0)
        yield [Remote(stack.enter_context(servers.bridge(folder, count, event=_event))) for folder, count in held]


class Remote:
    """One of the two servers. ``log`` names each request; None: they are not counted."""

    def __init__(self, server, log=None):
        self.server = server
        self.url = f"http://127.0.0.1:{server.port}/"
        self._log = log

    def asked(self):
        """How often so far, by method."""
        return Counter() if self._log is None else Counter(_REQUEST.findall(self._log.read_text()))

    def counts(self):
        return self._log is not None

    def held(self):
        """What people see of each event, by uid: the same event may be written in other words on the other side."""
        with contextlib.closing(Client(self.server)) as client:
            status, whole = client("GET", HOME)
        require(status == 200, status)
        found = {}
        for event in icalendar.Calendar.from_ical(whole).walk("VEVENT"):
            found.setdefault(str(event["UID"]), []).append(_seen(event))
        return {uid: sorted(several) for uid, several in found.items()}


def _play(name, program, a, b, size):
    _show(name, "setting up", _Timed(a, b, program.set_up))
    _show(name, "first sync", _Timed(a, b, program.sync))
    _hold_the_same(a, b, size)
    for what in ("nothing new", "nothing new, again"):  # the first one may look at what has just been written
        _show(name, what, idle := _Timed(a, b, program.sync))
        require(not idle.asked_b["PUT"] and not idle.asked_a["PUT"], "it wrote though nothing was new")
    with contextlib.closing(Client(a.server)) as client:
        for number in range(CHANGES):
            status, _ = client("PUT", href(number), _event(number, size, "Edited"))
            require(status in (200, 201, 204), status)
    _show(name, f"{CHANGES} changes", changed := _Timed(a, b, program.sync))
    require(changed.asked_b["PUT"] == CHANGES or not b.counts(), changed.asked_b)
    _hold_the_same(a, b, size)


class _Timed:
    """What it took to do something: of the program, of the servers, and how often they were asked."""

    def __init__(self, a, b, do):
        before_a, before_b, spent = a.asked(), b.asked(), a.server.cpu() + b.server.cpu()
        began = time.monotonic()
        runs = list(do())
        self.seconds = time.monotonic() - began
        self.cycles = sum(run.cycles for run in runs)
        self.cpu = sum(run.cpu for run in runs)
        self.memory = max(run.memory for run in runs)
        self.of_servers = a.server.cpu() + b.server.cpu() - spent
        self.asked_a, self.asked_b = a.asked() - before_a, b.asked() - before_b


def _show(name, what, timed):
    cycles = f"{timed.cycles:8.2f}" if timed.cycles else f"{'–':>8}"
    print(
        f"  {name:16}{what:20}{timed.seconds:9.1f}{cycles}{timed.cpu:8.2f}{timed.of_servers:9.1f}{timed.memory:6.0f} MB"
        f"  {_named(timed.asked_a)}; {_named(timed.asked_b)}",
        flush=True,
    )


def _named(asked):
    return ", ".join(f"{method} {count:,}" for method, count in sorted(asked.items())) or "–"


class _Bridge:
    """A hub of its own, whose person has an account at A and one at B; both are paired with the one calendar of theirs."""

    def __init__(self, folder, a, b):
        self._hub = Hub(folder / "hub", CALDAV_BRIDGE_LOG__LEVEL="warning")
        self._a, self._b = a, b

    def set_up(self):
        self._hub.data.mkdir(mode=0o700)
        yield self._run("user", "add", "alex", "--email", "alex@example.com")
        for remote in (self._a, self._b):
            account = ("account", "connect", "alex", "caldav", "--url", remote.url, "--username", servers.PERSON)
            yield self._run(*account, "--password-stdin", stdin=remote.server.password)

    def sync(self):
        yield self._run("sync", "now", "--json", tells_cycles=True)

    def _run(self, *arguments, stdin="", **options):
        return _Run([sys.executable, "-m", "bridge.server", *arguments], stdin, self._hub.environ, **options)


class _Vdirsyncer:
    CONFIGURATION = """
        [general]
        status_path = "{folder}/status"
        [pair copy]
        a = "a"
        b = "b"
        collections = [["copy", "calendar", "calendar"]]
        conflict_resolution = "a wins"
    """
    STORAGE = """
        [storage {name}]
        type = "caldav"
        url = "{url}{person}/"
        username = "{person}"
        password = "{password}"
    """

    def __init__(self, folder, a, b):
        self._configuration = folder / "configuration"
        parts = [self.CONFIGURATION.format(folder=folder)]
        for name, remote in (("a", a), ("b", b)):
            about = {"url": remote.url, "person": servers.PERSON, "password": remote.server.password}
            parts.append(self.STORAGE.format(name=name, **about))
        lines = "".join(parts).splitlines()
        self._configuration.write_text("\n".join(line.strip() for line in lines))

    def set_up(self):
        yield self._run("discover")

    def sync(self):
        yield self._run("sync")

    def _run(self, command):
        program = Path(sys.executable).with_name("vdirsyncer")
        return _Run([program, "-c", self._configuration, command], "y\n" * 20, os.environ)


class _Run:
    """A command to its end: seconds of the processor, MB at most, and the seconds that its cycles say they took."""

    def __init__(self, command, stdin, environ, *, tells_cycles=False):
        with tempfile.TemporaryFile("w+") as told, tempfile.TemporaryFile("w+") as given:
            given.write(stdin)
            given.seek(0)
            process = subprocess.Popen(command, env=environ, stdin=given, stdout=told, stderr=told)
            usage, self.memory = memory.ended(process)
            told.seek(0)
            said = told.read()
        require(process.returncode == 0, said[-2000:])
        self.cpu = usage.ru_utime + usage.ru_stime
        self.cycles = sum(each["seconds"] for each in json.loads(said)) if tells_cycles else 0.0


def _hold_the_same(a, b, size):
    held = [a.held(), b.held()]
    require(len(held[0]) == size, len(held[0]))
    missing = [uid for uid in held[0] if held[1].get(uid) != held[0][uid]]
    first = missing[:1]
    require(held[0] == held[1], (len(held[1]), len(missing), [(side.get(uid)) for uid in first for side in held]))


def _seen(event):
    times = [
        str(event.decoded("RECURRENCE-ID", "")),
        str(event.start),
        str(event.end),
    ]  # one day is no end, or the next day
    texts = [str(event.get(name, "")) for name in ("SUMMARY", "LOCATION", "DESCRIPTION")]
    rule = event["RRULE"].to_ical().decode() if "RRULE" in event else ""
    alarms = sorted(str(alarm.decoded("TRIGGER")) for alarm in event.walk("VALARM"))
    return [*times, rule, *texts, *alarms]
