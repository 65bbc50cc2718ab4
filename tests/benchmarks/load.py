"""How many polls a second a server answers, for one client that asks without a pause, and for eight.

One process asks over connections that stay open where the server keeps them; it sends bytes made beforehand and looks at an
answer's status, length and token alone. What it takes of a core is printed: the server has the rest of the machine.

Ours runs with one web process and with two (``BENCH_PROCESSES`` names one number instead);
beside it stock Radicale. All have a calendar of 1,000 events.
"""

import base64
import contextlib
import os
import statistics
import tempfile
from pathlib import Path

from tests.benchmarks.dav import servers, wires
from tests.benchmarks.dav.client import HOME, Client
from tests.benchmarks.dav.questions import CTAG, LISTING, require, sync, token_of

SIZE = 1_000
CLIENTS = (1, 8)
WARM, SECONDS = 1.0, 4.0


def run():
    print(
        f"\nThroughput over {SIZE:,} events: answers a second; ms until the answer is there; ms of processor time for one"
    )
    print(f"  {'':22}{'':20}{'clients':>8}{'a second':>10}{'p50':>9}{'p95':>9}{'p99':>9}{'cpu':>8}{'asking':>9}")
    for processes in _processes():
        with tempfile.TemporaryDirectory() as folder, servers.bridge(Path(folder), SIZE, processes=processes) as server:
            _measure(server, f"ours, web processes {processes}")
    with tempfile.TemporaryDirectory() as folder, servers.radicale(Path(folder), SIZE) as server:
        _measure(server, "Radicale")


def _processes():
    if named := os.environ.get("BENCH_PROCESSES"):
        return [int(named)]
    return [1, 2]


def _measure(server, name):
    with contextlib.closing(Client(server)) as client:
        _, answer = client("REPORT", HOME, sync(""))
    questions = {
        "ctag poll": ("PROPFIND", HOME, CTAG, "0"),
        "sync, nothing new": ("REPORT", HOME, sync(token_of(answer)), "1"),
        "home listing": ("PROPFIND", HOME.rpartition("calendar")[0], LISTING, "1"),
    }
    for question, (method, path, body, depth) in questions.items():
        request = _request(server, method, path, body, depth)
        for clients in CLIENTS:
            askers = [_Asker(request, token_of(answer)) for _ in range(clients)]
            wires.drive(server.port, askers, WARM)
            for asker in askers:
                asker.waits.clear()
            before = server.cpu()
            driven = wires.drive(server.port, askers, SECONDS)
            cpu = server.cpu() - before
            require(not driven.waiting, f"{len(driven.waiting)} without an answer")
            _show(name, question, clients, driven, cpu, [wait for asker in askers for wait in asker.waits])


def _request(server, method, path, body, depth):
    who = base64.b64encode(f"{servers.PERSON}:{server.password}".encode()).decode()
    data = body.encode()
    lines = [
        f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{server.port}", f"Authorization: Basic {who}", f"Depth: {depth}",
        "Content-Type: application/xml; charset=utf-8", f"Content-Length: {len(data)}", "", "",
    ]  # fmt: skip
    return "\r\n".join(lines).encode() + data


class _Asker:
    """The same question again and again; the first answer says how long all others have to be."""

    def __init__(self, request, token):
        self.waits = []
        self._request, self._token, self._length = request, token.encode(), None

    def next(self):
        return self._request

    def answered(self, status, head, body, took):
        self._length = self._length or len(body)
        require(status == 207 and len(body) == self._length and self._token in body, (head, body[:300]))
        self.waits.append(took)
        return 0

    def broken(self, took):
        raise AssertionError(f"the connection was closed after {took:.1f} s without an answer")


def _show(name, question, clients, driven, cpu, waits):
    percentiles = statistics.quantiles(waits, n=100, method="inclusive") if len(waits) > 20 else None
    p50, p95, p99 = (f"{percentiles[share - 1] * 1000:9.2f}" if percentiles else f"{'–':>9}" for share in (50, 95, 99))
    print(
        f"  {name:22}{question:20}{clients:8}{driven.answers / driven.seconds:10.0f}{p50}{p95}{p99}"
        f"{cpu / len(waits) * 1000:8.2f}{driven.own_cpu:9.0%}",
        flush=True,
    )
