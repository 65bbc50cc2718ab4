"""Our CalDAV server beside stock Radicale, over HTTP, on the same events, asked in turns.

Each server runs as it does in production, on a port of its own; one client asks over a connection that stays open. The same
question goes to both in turns, so that whatever else the machine does meets both. ``BENCH_SIZES`` says how many events:
"1000,10000" unless it does. Stock Radicale is left out above 10,000, where a poll takes it ten seconds.
"""

import contextlib
import os
import statistics
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.benchmarks.dav import servers
from tests.benchmarks.dav.client import Client
from tests.benchmarks.dav.questions import questions

BUDGET = 2.0  # seconds of waiting for one question and server
FEWEST, MOST = 3, 400
TURN = 0.1  # seconds before it is the other's turn
LARGEST_OF_STOCK = 10_000


@dataclass
class Asked:
    waits: list = field(default_factory=list)  # seconds
    cpu: float = 0.0

    @property
    def is_enough(self):
        return len(self.waits) >= FEWEST and (sum(self.waits) >= BUDGET or len(self.waits) >= MOST)


def run():
    for size in map(int, os.environ.get("BENCH_SIZES", "1000,10000").split(",")):
        with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
            running = [stack.enter_context(servers.bridge(Path(folder), size))]
            if size <= LARGEST_OF_STOCK:
                running.append(stack.enter_context(servers.radicale(Path(folder), size)))
            print(
                f"\nCalDAV over {size:,} events, one client: ms until the answer is there (p50), and of processor time"
            )
            print(f"  {'':20}{'ours':>9}{'p95':>9}{'p99':>9}{'cpu':>8}{'Radicale':>11}{'cpu':>10}{'ratio':>9}")
            _compare(running, size)
            for server in running:
                print(f"  memory of {server.name} at the end: {server.memory():.0f} MB")


def _compare(running, size):
    clients = [Client(server) for server in running]
    for several in zip(*(questions(client, size) for client in clients), strict=True):
        asked = [Asked() for _ in running]
        for client, question in zip(clients, several, strict=True):
            question.ask(client)  # caches are filled: a server is not started for each question
        while not all(each.is_enough for each in asked):
            for server, client, question, figures in zip(running, clients, several, asked, strict=True):
                if not figures.is_enough:
                    _turn(server, client, question, figures)
        print(f"  {several[0].name:20}{_row(asked)}")


def _turn(server, client, question, figures):
    before, began = server.cpu(), time.perf_counter()
    while time.perf_counter() - began < TURN and not figures.is_enough:
        question.ask(client)
        figures.waits.append(client.took)
    figures.cpu += server.cpu() - before


def _row(asked):
    ours, *others = asked
    p50 = statistics.median(ours.waits) * 1000
    text = f"{p50:9.2f}{_percentile(ours, 95)}{_percentile(ours, 99)}{ours.cpu / len(ours.waits) * 1000:8.2f}"
    for stock in others:
        theirs = statistics.median(stock.waits) * 1000
        text += f"{theirs:11.2f}{stock.cpu / len(stock.waits) * 1000:10.2f}{theirs / p50:8.0f}×"
    return text


def _percentile(asked, share):
    """Of few answers there is none."""
    if len(asked.waits) < 20:
        return f"{'–':>9}"
    return f"{statistics.quantiles(asked.waits, n=100)[share - 1] * 1000:9.2f}"
