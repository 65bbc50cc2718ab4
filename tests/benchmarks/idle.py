"""Fifty people with two Google and two Microsoft calendars each, all at rest, on one worker: what a round costs.

Everything is settled first by ``sync now``. Then a worker runs for a few rounds of a safety poll that is shorter than in
production, so that rounds can be counted: what is asked per pair and round is the same.
"""

import os
import sqlite3
import tempfile
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from bridge import config
from bridge.sandbox.server import Sandbox
from bridge.services import connecting, logs, pairing, principals, syncing
from bridge.services.context import open_context
from bridge.store import calendars
from tests.contracts import google_bench, graph_bench
from tests.support.hub import Hub, wait_for

PEOPLE = 50
ROUNDS = 3
INTERVAL = 60
EVENTS = {"google": (40, 15), "microsoft": (60, 10)}
"""In the main and in the second calendar of each."""


def run(people=None, rounds=ROUNDS):
    people = people or int(os.environ.get("BENCH_PEOPLE", PEOPLE))
    with Sandbox() as sandbox, tempfile.TemporaryDirectory() as folder:
        port = str(urlsplit(sandbox.url).port)
        hub = Hub(Path(folder) / "data", CALDAV_BRIDGE_SANDBOX__PORT=port)
        hub.parts = [["web"]]  # the services call it before they promise to
        with hub:
            count = _settled(hub.data, sandbox, people)
            _measure(hub, sandbox, count, rounds)


def _settled(data, sandbox, people):
    """Everybody connected and every pair without anything left to do; how many pairs."""
    logs.configure(config.Log(level="error"))
    settings = config.load(data)
    context = open_context(
        settings.model_copy(
            update={
                "sandbox": settings.sandbox.model_copy(update={"port": urlsplit(sandbox.url).port}),
                "sync": settings.sync.model_copy(update={"interval_seconds": INTERVAL}),
            }
        )
    )
    began = time.monotonic()
    for number in range(people):
        _move_in(context, sandbox, f"person{number}", f"person{number}@example.com")
    every = [one.pair.id for one in pairing.every(context)]
    for _ in range(6):
        done = [syncing.run_now(context, pair) for pair in every]
        assert not any(one.error for one in done), [one for one in done if one.error]
        if not any(one.hub_writes or one.remote_writes for one in done):
            break
    else:
        raise AssertionError("they do not come to rest")
    with context.database.read() as conn:
        objects = conn.exec_driver_sql("SELECT count(*) FROM objects").scalar()
    context.close()
    print(
        f"{people} people, {len(every)} pairs, {objects} objects in the hub: settled in {time.monotonic() - began:.0f} s"
    )
    return len(every)


def _move_in(context, sandbox, name, email):
    sandbox.google.add_person(email, zone="Europe/Vienna")
    sandbox.microsoft.add_person(email)
    second = sandbox.google.add_calendar(email, "Club").id
    sandbox.microsoft.box(email).add_calendar("Team", "lightBlue")
    for where, count in zip((None, second), EVENTS["google"], strict=True):
        sandbox.google.seed(email, count, calendar=where)
    for where, count in zip((None, "Team"), EVENTS["microsoft"], strict=True):
        sandbox.microsoft.seed(email, count, calendar=where)
    principals.add(context.database, name, email, now=context.now())
    for provider, decide in (("google", google_bench.decide), ("microsoft", graph_bench.decide)):
        url = connecting.begin(context, name, provider, sandbox=True)
        scopes = dict(httpx.URL(url).params)["scope"].split()
        form = {"decision": "allow", "person": email, "scope": scopes}
        connecting.finish(context, provider, decide(url, **form))
    for account, known in pairing.calendars_of(context, name)[1]:
        other = next(one for one in known if not one.calendar.primary)
        with context.database.write() as conn:
            slug = f"{account.provider}-second"
            calendars.create(conn, account.principal_id, slug, properties={}, now=context.now())
        pairing.add(context, f"{name}/{slug}", str(other.id), direction="both", how_often="realtime")


def _measure(hub, sandbox, pairs, rounds):
    """Everything falls due as the worker starts; then each pair at its interval."""
    services, data = (sandbox.google, sandbox.microsoft), hub.data
    worker = hub._spawn("worker")
    try:
        _wait_for_cycles(data, _cycles(data), 2, seconds=900)  # channels come with the first round, and one more look
        before, cpu = _cycles(data), _cpu(worker.pid)
        for service in services:
            service.meter.reset()
        began = time.monotonic()
        _wait_for_cycles(data, before, rounds, seconds=rounds * INTERVAL * 4 + 600)
        cpu, seconds = _cpu(worker.pid) - cpu, time.monotonic() - began
        cycles = sum(_cycles(data).values()) - sum(before.values())
    finally:
        worker.terminate()
        worker.wait()
    asked = Counter()
    for service in services:
        for route, count in service.meter.routes.items():
            asked[service.name, _kind(route)] += count
    print(
        f"idle: {cycles} cycles of {pairs} pairs in {seconds:.0f} s (every {INTERVAL} s): {cpu:.2f} CPU seconds,"
        f" {1000 * cpu / cycles:.1f} ms a cycle, {cpu / seconds:.1%} of a core"
    )
    for (service, kind), count in sorted(asked.items()):
        print(f"  {service}: {kind} {count}, {count / (cycles / 2):.2f} for each cycle of its pairs")
    for service in services:
        assert asked[service.name, "sync"] <= cycles / 2 * 1.02 + 2, dict(service.meter.routes)
        assert asked[service.name, "write"] == 0, dict(service.meter.routes)


def _kind(route):
    if "watch" in route or "channels" in route or "subscriptions" in route:
        return "notifications"
    if "token" in route:
        return "tokens"
    return "sync" if route.startswith("GET ") else "write"


def _cycles(data):
    with closing(sqlite3.connect(f"file:{data / 'bridge.db'}?mode=ro", uri=True, timeout=30)) as database:
        return dict(database.execute("SELECT id, cycles FROM pairs"))


def _wait_for_cycles(data, before, count, *, seconds):
    """Until each pair has run so many cycles more."""
    wait_for(lambda: all(now >= before[id] + count for id, now in _cycles(data).items()), seconds=seconds, every=0.5)


def _cpu(pid):
    """Processor seconds of a running process (man proc: utime and stime)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
