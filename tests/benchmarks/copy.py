"""Two CalDAV servers of others, and the calendar of one copied to the other: by the bridge, and by vdirsyncer.

Both servers are stock Radicale. Each program gets a pair of its own: A holds the events, and has read them; B has an empty
calendar. The programs run as from cron, a process each time: ``caldav-bridge sync now`` goes from A to the hub and from there
to B, ``vdirsyncer sync`` from A to B. Then nothing is new; then a hundred events of A are changed. At the end B has to hold what A
holds. ``BENCH_EVENTS`` says how many events: 1,000 unless it does, for each PUT to Radicale takes longer the more there are.

The events have no guests: the bridge does not write those to another server, vdirsyncer does.
"""

import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import icalendar

from tests.benchmarks.dav import mix, servers
from tests.benchmarks.dav.client import HOME, Client
from tests.benchmarks.dav.questions import ETAGS, href, require
from tests.support.hub import Hub

EVENTS = 1_000
CHANGES = 100
_REQUEST = re.compile(r"\b([A-Z]+) request for ")
_event = partial(mix.event, guests=False)


@dataclass(frozen=True)
class Remote:
    """One of the two servers, and where it keeps its log and the events."""

    server: servers.Server
    log: Path
    collection: Path

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.port}/"

    def asked(self):
        """How often so far, by method."""
        return Counter(_REQUEST.findall(self.log.read_text()))


def run():
    size = int(os.environ.get("BENCH_EVENTS", EVENTS))
    with tempfile.TemporaryDirectory() as folder:
        full = _read_once(Path(folder) / "full", size)
        print(f"\n{size:,} events from one Radicale to another; cpu: the program's, and that of both servers")
        print(f"  {'':16}{'':20}{'seconds':>9}{'cpu':>8}{'servers':>9}{'memory':>9}  asked A; asked B")
        for name, program in (("caldav-bridge", _Bridge), ("vdirsyncer", _Vdirsyncer)):
            home = Path(folder) / name
            with _remote(home / "a", full) as a, _remote(home / "b", None) as b:
                _play(name, program(home, a, b), a, b, size)


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
def _remote(folder, full):
    store = folder / "collections"
    if full is None:
        collection = servers.lay_collection(store, servers.PERSON, 0)
    else:
        collection = store / "collection-root" / servers.PERSON / "calendar"
        shutil.copytree(full, collection)
    # its log at this level names each request
    with servers.serving_radicale(folder, store, [servers.PERSON], level="info") as server:
        yield Remote(server, folder / "radicale.log", collection)


def _play(name, program, a, b, size):
    _show(name, "setting up", _Timed(a, b, program.set_up))
    first = _Timed(a, b, program.sync)
    _show(name, "first sync", first)
    _hold_the_same(a, b, size)
    for what in ("nothing new", "nothing new, again"):  # the first one may look at what has just been written
        _show(name, what, idle := _Timed(a, b, program.sync))
        require(not idle.asked_b["PUT"] and not idle.asked_a["PUT"], "it wrote though nothing was new")
    with contextlib.closing(Client(a.server)) as client:
        for number in range(CHANGES):
            status, _ = client("PUT", href(number), _event(number, size, "Edited"))
            require(status in (200, 201, 204), status)
    _show(name, f"{CHANGES} changes", changed := _Timed(a, b, program.sync))
    require(changed.asked_b["PUT"] == CHANGES, changed.asked_b)
    _hold_the_same(a, b, size)


class _Timed:
    """What it took to do something: of the program, of the servers, and how often they were asked."""

    def __init__(self, a, b, do):
        before_a, before_b, spent = a.asked(), b.asked(), a.server.cpu() + b.server.cpu()
        began = time.monotonic()
        usages = list(do())
        self.seconds = time.monotonic() - began
        self.cpu = sum(usage.ru_utime + usage.ru_stime for usage in usages)
        self.memory = max(usage.ru_maxrss for usage in usages) / 1024
        self.of_servers = a.server.cpu() + b.server.cpu() - spent
        self.asked_a, self.asked_b = a.asked() - before_a, b.asked() - before_b


def _show(name, what, timed):
    print(
        f"  {name:16}{what:20}{timed.seconds:9.1f}{timed.cpu:8.2f}{timed.of_servers:9.1f}{timed.memory:6.0f} MB"
        f"  {_named(timed.asked_a)}; {_named(timed.asked_b)}",
        flush=True,
    )


def _named(asked):
    return ", ".join(f"{method} {count:,}" for method, count in sorted(asked.items())) or "nothing"


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
        yield self._run("sync", "now")

    def _run(self, *arguments, stdin=""):
        return _usage([sys.executable, "-m", "bridge.server", *arguments], stdin, self._hub.environ)


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
        return _usage([program, "-c", self._configuration, command], "y\n" * 20, os.environ)


def _usage(command, stdin, environ):
    """Run it to its end: what it used of the machine."""
    with tempfile.TemporaryFile("w+") as told, tempfile.TemporaryFile("w+") as given:
        given.write(stdin)
        given.seek(0)
        process = subprocess.Popen(command, env=environ, stdin=given, stdout=told, stderr=told)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        told.seek(0)
        require(process.returncode == 0, told.read()[-2000:])
    return usage


def _hold_the_same(a, b, size):
    held = [dict(_described(path) for path in remote.collection.glob("*.ics")) for remote in (a, b)]
    require(len(held[0]) == size, len(held[0]))
    missing = [uid for uid in held[0] if held[1].get(uid) != held[0][uid]]
    first = missing[:1]
    require(held[0] == held[1], (len(held[1]), len(missing), [(side.get(uid)) for uid in first for side in held]))


def _described(path):
    """(uid, what people see of it): the same event may be written in other words on the other side."""
    calendar = icalendar.Calendar.from_ical(path.read_bytes())
    events = calendar.walk("VEVENT")
    return str(events[0]["UID"]), sorted(map(_seen, events))


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
