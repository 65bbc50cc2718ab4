"""Put the same questions to servers in turns, and keep how long each was waited for.

In turns, so that whatever else the machine does meets all of them.
"""

import statistics
import time
from dataclasses import dataclass, field

from tests.benchmarks.dav.client import Client

BUDGET = 2.0  # seconds of waiting for one question and server
FEWEST, MOST = 3, 5000
TURN = 0.1  # seconds before it is another's turn


@dataclass
class Asked:
    """What one question was answered with by one server. ``waits`` are seconds; ``more`` is the MB it took for that at most."""

    waits: list = field(default_factory=list)
    cpu: float = 0.0
    more: float = 0.0

    @property
    def is_enough(self):
        return len(self.waits) >= FEWEST and (sum(self.waits) >= BUDGET or len(self.waits) >= MOST)

    @property
    def p50(self):
        """In ms, as are the others."""
        return statistics.median(self.waits) * 1000

    @property
    def cpu_each(self):
        return self.cpu / len(self.waits) * 1000

    def percentile(self, share):
        """None: of so few answers there is none."""
        return None if len(self.waits) < 20 else statistics.quantiles(self.waits, n=100)[share - 1] * 1000


def in_turns(servers, questions):
    """Yield (name, an Asked for each server). ``questions`` are those for each server, in the same order."""
    clients = [Client(server) for server in servers]
    for several in zip(*(ask(client) for ask, client in zip(questions, clients, strict=True)), strict=True):
        asked = [Asked() for _ in servers]
        before = [server.memory() for server in servers]
        for server in servers:
            server.forget_peak()
        for client, question in zip(clients, several, strict=True):
            question.ask(client)  # caches are filled: a server is not started for each question
        while not all(each.is_enough for each in asked):
            for server, client, question, figures in zip(servers, clients, several, asked, strict=True):
                if not figures.is_enough:
                    _turn(server, client, question, figures)
        for server, figures, had in zip(servers, asked, before, strict=True):
            figures.more = max(0.0, server.peak() - had)
        yield several[0].name, asked
    for client in clients:
        client.close()


def _turn(server, client, question, figures):
    before, began = server.cpu(), time.perf_counter()
    while time.perf_counter() - began < TURN and not figures.is_enough:
        question.ask(client)
        figures.waits.append(client.took)
    figures.cpu += server.cpu() - before


def beside(servers, columns, questions):
    """Print a table of two of ours: p50, p95 and cpu of each, and the second's p50 divided by the first's."""
    print(f"  {'':20}" + "".join(f"{column:>13}{'p95':>9}{'cpu':>8}" for column in columns) + f"{'ratio':>9}")
    for name, asked in in_turns(servers, questions):
        print(
            f"  {name:20}"
            + "".join(f"{each.p50:13.2f}{shown(each.percentile(95))}{each.cpu_each:8.2f}" for each in asked)
            + f"{asked[1].p50 / asked[0].p50:8.2f}×",
            flush=True,
        )
    for column, server in zip(columns, servers, strict=True):
        print(f"  memory at the end, {column}: {server.memory():.0f} MB")


def shown(figure):
    return f"{'–':>9}" if figure is None else f"{figure:9.2f}"
