"""What the benchmarks play on: a sandbox, a hub's data directory, a person connected to both services."""

import json
import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from urllib.parse import urlsplit

from bridge import config
from bridge.sandbox.server import Sandbox
from bridge.services import connecting, principals
from bridge.services.context import open_context
from tests.benchmarks import memory
from tests.contracts import google_bench, graph_bench

PERSON = "alex@example.com"


@contextmanager
def sandbox():
    with Sandbox() as running:
        yield running


def connect(data, running):
    """Make the person and connect both accounts; the pairs are due, nothing has been synced."""
    os.environ["CALDAV_BRIDGE_SANDBOX__PORT"] = str(urlsplit(running.url).port)
    context = open_context(config.load(data))
    principals.add(context.database, "alex", PERSON, now=context.now())
    for name, bench in (("google", google_bench), ("microsoft", graph_bench)):
        url = connecting.begin(context, "alex", name, sandbox=True)
        connecting.finish(context, name, bench.agree(url))
    context.close()


def sync_now(data, pair):
    """One cycle in a process of its own: its outcome, and that process's peak memory in MB."""
    command = [sys.executable, "-m", "bridge.server", "--data", str(data), "sync", "now", str(pair), "--json"]
    with tempfile.TemporaryFile("w+") as told:
        process = subprocess.Popen(command, stdout=told)
        _, peak = memory.ended(process)
        told.seek(0)
        out = told.read()
    assert process.returncode == 0, out
    (outcome,) = json.loads(out)
    return outcome, peak


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]
