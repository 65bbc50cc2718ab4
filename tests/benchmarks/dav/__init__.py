"""Our CalDAV server beside stock Radicale, over HTTP, on the same events, asked in turns.

Each server runs as it does in production, on a port of its own; one client asks over a connection that stays open.
``BENCH_SIZES`` says how many events: "1000,10000" unless it does. Stock Radicale is left out above 10,000, where a poll takes
it ten seconds.
"""

import contextlib
import os
import tempfile
from functools import partial
from pathlib import Path

from tests.benchmarks.dav import asking, servers
from tests.benchmarks.dav.questions import questions

LARGEST_OF_STOCK = 10_000


def run():
    for size in map(int, os.environ.get("BENCH_SIZES", "1000,10000").split(",")):
        with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
            running = [stack.enter_context(servers.bridge(Path(folder), size))]
            if size <= LARGEST_OF_STOCK:
                running.append(stack.enter_context(servers.radicale(Path(folder), size)))
            print(
                f"\nCalDAV over {size:,} events, one client: ms until the answer is there (p50), and of processor time;"
                " MB that it took at most"
            )
            print(
                f"  {'':20}{'ours':>9}{'p95':>9}{'p99':>9}{'cpu':>8}{'MB':>6}{'Radicale':>11}{'cpu':>10}{'MB':>6}{'ratio':>9}"
            )
            for name, asked in asking.in_turns(running, [partial(questions, size=size)] * len(running)):
                print(f"  {name:20}{_row(*asked)}", flush=True)
            for server in running:
                print(f"  memory of {server.name} at the end: {server.memory():.0f} MB")


def _row(ours, *others):
    text = f"{ours.p50:9.2f}{asking.shown(ours.percentile(95))}{asking.shown(ours.percentile(99))}"
    text += f"{ours.cpu_each:8.2f}{ours.more:6.1f}"
    for stock in others:
        text += f"{stock.p50:11.2f}{stock.cpu_each:10.2f}{stock.more:6.1f}{stock.p50 / ours.p50:8.0f}×"
    return text
