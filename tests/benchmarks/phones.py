"""Phones in use: two hundred of two hundred people, each on a connection that stays open.

Seven of ten requests are polls, the others sync, fetch, write and search (``dav.phone``). Each phone knows what it has written,
and one wrong answer ends the benchmark. At first eight ask at a time, then all of them as fast as they are answered. Then ten
times as many phones ask the same server: more than it can answer, so it has to keep some waiting or send them away (503 with
Retry-After), and must neither answer wrongly nor grow without bound.

Then stock Radicale, for half as long each: the same two hundred phones with the same events.

``BENCH_PHONES`` says how many ("200"), ``BENCH_SECONDS`` for how long each time ("20").
"""

import contextlib
import os
import shutil
import statistics
import tempfile
from pathlib import Path

from bridge.services import devices
from tests.benchmarks.dav import filling, servers, wires
from tests.benchmarks.dav.client import Client
from tests.benchmarks.dav.phone import SHARES, Phone, Tally
from tests.benchmarks.dav.questions import ETAGS, require

EVENTS = 200
"""In the calendar of each of the first phones."""

FEW_EVENTS = 20
"""In those of the others."""

AT_ONCE = 8
"""Phones that ask in the same moment, at first: two hundred that always do are a crowd whose waits say how many they are."""

TIMES = 10
MOST_GROWTH = 300
"""MB that the server may have taken when all is over."""


def run():
    count = int(os.environ.get("BENCH_PHONES", "200"))
    seconds = float(os.environ.get("BENCH_SECONDS", "20"))
    with tempfile.TemporaryDirectory() as folder:
        _ours(Path(folder), count, seconds)
    with tempfile.TemporaryDirectory() as folder:
        _stock(Path(folder), count, seconds / 2)


def _ours(folder, count, seconds):
    first = [f"phone{number}" for number in range(count)]
    others = [f"phone{number}" for number in range(count, count * TIMES)]

    def fill(database):
        filling.people(database, first, EVENTS)
        filling.people(database, others, FEW_EVENTS)
        return {name: devices.add(database, name, "phone", now=filling.NOW).password for name in first + others}

    with servers.filled_bridge(folder, fill) as (hub, passwords):
        server = servers.Server("caldav-bridge", hub.port, "", hub.processes[0].pid)
        phones = _phones(first, EVENTS, passwords, exact=True)
        before = server.memory()
        _measure(server, "ours", phones, seconds, at_once=AT_ONCE)
        _measure(server, "ours", phones, seconds)
        phones += _phones(others, FEW_EVENTS, passwords, exact=True)
        _measure(server, "ours", phones, seconds)
        require(server.memory() < before + MOST_GROWTH, f"it grew from {before:.0f} to {server.memory():.0f} MB")


def _stock(folder, count, seconds):
    names = [f"phone{number}" for number in range(count)]
    store = folder / "collections"
    for name, collection in zip(names, _filled(folder, store, names), strict=True):
        require(len(list(collection.glob("*.ics"))) == EVENTS, name)
    with servers.serving_radicale(folder, store, names, connections=2 * count) as server:
        phones = _phones(names, EVENTS, dict.fromkeys(names, "secret"), exact=False)
        _measure(server, "Radicale", phones, seconds, at_once=AT_ONCE)
        _measure(server, "Radicale", phones, seconds)


def _filled(folder, store, names):
    """Everybody's calendar with what Radicale remembers of each event: it has read one calendar, and the others are its copies.

    To read them all would take it minutes, once; that is not what is measured.
    """
    first = servers.lay_collection(store, names[0], EVENTS)
    with (
        servers.serving_radicale(folder / "warm", store, names) as server,
        contextlib.closing(Client(server, names[0])) as client,
    ):
        status, _ = client("PROPFIND", f"/{names[0]}/calendar/", ETAGS, Depth="1")
        require(status == 207, status)
    yield first
    for name in names[1:]:
        yield Path(shutil.copytree(first, first.parents[1] / name / "calendar"))


def _phones(names, events, passwords, *, exact):
    return [Phone(name, passwords[name], events, exact=exact, seed=name) for name in names]


def _measure(server, name, phones, seconds, at_once=None):
    tally = Tally()
    for phone in phones:
        phone.tally, phone.answers = tally, 0
    memory, cpu = server.memory(), server.cpu()
    driven = wires.drive(server.port, phones, seconds, at_once=at_once)
    cpu, count = server.cpu() - cpu, sum(map(len, tally.waits.values()))
    silent = sum(not phone.answers for phone in driven.waiting)
    print(
        f"\n{name}, {len(phones):,} phones, {at_once or len(phones):,} at once, for {driven.seconds:.0f} s:"
        f" {driven.answers / driven.seconds:.0f} answers a second,"
        f" {cpu / max(1, count) * 1000:.2f} ms of processor time each; asking took {driven.own_cpu:.0%} of a core"
    )
    print(
        f"  told 503 {tally.refused:,} times, {tally.refused_without_a_time:,} without Retry-After; connections that ended"
        f" without an answer {tally.broken:,}; other errors {dict(tally.errors)}; wrong answers 0"
    )
    print(
        f"  still waiting 10 s after the end {len(driven.waiting):,}, of which {silent:,} had never an answer;"
        f" memory {memory:.0f} MB before, {server.memory():.0f} MB behind it"
    )
    print(f"  {'ms':14}{'answers':>9}{'p50':>9}{'p95':>9}{'p99':>9}{'longest':>9}")
    for kind in SHARES:
        _row(kind, tally.waits[kind])
    _row("all", [wait for waits in tally.waits.values() for wait in waits])


def _row(kind, waits):
    if len(waits) < 20:
        print(f"  {kind:14}{len(waits):9,}")
        return
    cuts = statistics.quantiles(waits, n=100, method="inclusive")
    shown = "".join(f"{wait * 1000:9.1f}" for wait in (cuts[49], cuts[94], cuts[98], max(waits)))
    print(f"  {kind:14}{len(waits):9,}{shown}", flush=True)
