"""How many polls a second a server answers, for one client that asks without a pause, and for eight.

One process asks over connections that stay open where the server keeps them; it sends bytes made beforehand and looks at an
answer's status, length and token alone. What it takes of a core is printed: the server has the rest of the machine.

Ours runs with one web process and with two (``BENCH_PROCESSES`` names one number instead);
beside it stock Radicale. All have a calendar of 1,000 events. And the floor, in as many processes: an application that says some
bytes and does nothing else (``dav.floor``).
"""

import base64
import contextlib
import itertools
import os
import statistics
import tempfile
from pathlib import Path

from tests.benchmarks.dav import floor, mix, servers, wires
from tests.benchmarks.dav.client import HOME, Client
from tests.benchmarks.dav.questions import CHANGES, CTAG, LISTING, href, require, sync, token_of

SIZE = 1_000
CLIENTS = (1, 8)
WARM, SECONDS = 1.0, 4.0
_ROUND = "########"
"""Where a request has this it has another number each time, so that no server has the answer ready."""


def run():
    print(
        f"\nThroughput over {SIZE:,} events: answers a second; ms until the answer is there; ms of processor time for one"
    )
    print(f"  {'':22}{'':20}{'clients':>8}{'a second':>10}{'p50':>9}{'p95':>9}{'p99':>9}{'cpu':>8}{'asking':>9}")
    for processes in _processes():
        with tempfile.TemporaryDirectory() as folder, servers.bridge(Path(folder), SIZE, processes=processes) as server:
            _measure(server, f"ours, web processes {processes}")
        with floor.serving(processes) as server:
            poll = _request(server, "PROPFIND", HOME, CTAG, "0")
            _load(server, f"the floor, {processes}", "600 bytes", poll, floor.BODY)
    with tempfile.TemporaryDirectory() as folder, servers.radicale(Path(folder), SIZE) as server:
        _measure(server, "Radicale")


def _processes():
    if named := os.environ.get("BENCH_PROCESSES"):
        return [int(named)]
    return [1, 2]


def _measure(server, name):
    with contextlib.closing(Client(server)) as client:
        _, answer = client("REPORT", HOME, sync(""))
        for number in range(CHANGES):
            status, _ = client("PUT", href(number), mix.event(number, SIZE, "Edited"))
            require(status in (200, 201, 204), status)
        before, (_, answer) = token_of(answer), client("REPORT", HOME, sync(""))
    questions = {
        "ctag poll": ("PROPFIND", HOME, CTAG, "0"),
        "sync, nothing new": ("REPORT", HOME, sync(token_of(answer)), "1"),
        "home listing": ("PROPFIND", HOME.rpartition("calendar")[0], LISTING, "1"),
        f"sync, {CHANGES} changes": ("REPORT", HOME, f"{sync(before)}<!-- {_ROUND} -->", "1"),
    }
    for question, asked in questions.items():
        _load(server, name, question, _request(server, *asked), token_of(answer).encode())


def _load(server, name, question, request, expected):
    for clients in CLIENTS:
        askers = [_Asker(request, expected) for _ in range(clients)]
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
    """The same question again and again, in other words where there is a place for them; the first answer says how long all are."""

    rounds = itertools.count()

    def __init__(self, request, expected):
        self.waits = []
        self._request, self._expected, self._length = request, expected, None
        self._changes = _ROUND.encode() in request

    def next(self):
        if not self._changes:
            return self._request
        return self._request.replace(_ROUND.encode(), b"%08d" % next(self.rounds), 1)

    def answered(self, status, head, body, took):
        self._length = self._length or len(body)
        require(status == 207 and len(body) == self._length and self._expected in body, (head, body[:300]))
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
