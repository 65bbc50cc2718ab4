"""Many connections from one process, as cheap as Python can make them: what is measured is the server.

Each wire belongs to an asker, which is anything with

    next() -> bytes                                the next request, whole
    answered(status, head, body, took) -> float    what came, and after how many seconds; for how long it waits before it asks on
    broken(took) -> float                          the connection ended without an answer

and has one request under way at a time. What an asker raises ends everything: a wrong answer is no figure.
"""

import heapq
import itertools
import re
import select
import socket
import time
from collections import deque
from dataclasses import dataclass

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_READ, _WRITE = select.EPOLLIN, select.EPOLLOUT


@dataclass(frozen=True)
class Driven:
    """``waiting`` askers had no answer to their last request when patience ended. ``own_cpu`` is ours, a share of a core."""

    seconds: float
    answers: int
    waiting: list
    own_cpu: float


def drive(port, askers, seconds, patience=10.0, at_once=None):
    """Each asks as soon as it has its answer, for so long; then what is under way is waited for, and counted no more.

    With ``at_once`` no more than so many have a request under way, and take turns.
    """
    epoll = select.epoll()
    wires = [_Wire(port, asker, epoll) for asker in askers]
    by_number, pauses, answers = {}, [], 0
    at_once = at_once or len(wires)
    idle = deque(wires)
    order = itertools.count()
    began, own = time.perf_counter(), time.process_time()
    end = began + seconds
    try:
        busy, counted, spent = 0, None, 0.0
        while True:
            now = time.perf_counter()
            if now >= end and counted is None:
                counted, spent = answers, time.process_time() - own
            if now >= end and (not busy or now >= end + patience):
                break
            while pauses and pauses[0][0] <= now:
                idle.append(heapq.heappop(pauses)[2])
            while idle and busy < at_once and now < end:
                idle.popleft().ask(by_number)
                busy += 1
            until = pauses[0][0] if pauses and now < end else end if now < end else end + patience
            for number, event in epoll.poll(max(0.0, until - now)):
                wire = by_number[number]
                pause = wire.ready(event)
                if pause is None:
                    continue
                answers += 1
                busy -= 1
                if pause:
                    heapq.heappush(pauses, (time.perf_counter() + pause, next(order), wire))
                else:
                    idle.append(wire)
                if idle and time.perf_counter() < end:
                    idle.popleft().ask(by_number)
                    busy += 1
        waiting = [wire.asker for wire in wires if wire.under_way]
    finally:
        for wire in wires:
            wire.close()
        epoll.close()
    return Driven(seconds, counted, waiting, spent / seconds)


class _Wire:
    def __init__(self, port, asker, epoll):
        self.asker = asker
        self.under_way = False
        self._port, self._epoll = port, epoll
        self._socket = None
        self._used = False  # there was an answer on this connection
        self._got, self._whole = b"", None
        self._request, self._began = b"", 0.0

    def ask(self, by_number):
        self._by_number = by_number
        self._request = self.asker.next()
        self._began = time.perf_counter()
        self.under_way = True
        self._send() if self._socket is not None else self._open()

    def _open(self):
        self._socket = new = socket.socket()
        new.setblocking(False)
        new.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        new.connect_ex(("127.0.0.1", self._port))
        self._used = False
        self._by_number[new.fileno()] = self
        self._epoll.register(new.fileno(), _WRITE)

    def _send(self):
        """All at once: a request is smaller than any socket's buffer, and the one before has been answered."""
        self._got, self._whole = b"", None
        try:
            sent = self._socket.send(self._request)
        except OSError:  # the server has closed it meanwhile; the next look at the wire finds that out
            return
        if sent != len(self._request):
            raise RuntimeError("a request was cut short by its own socket")

    def ready(self, event):
        """The asker's pause behind an answer or a broken connection; None: it is still to come."""
        if event & _WRITE and not event & (select.EPOLLERR | select.EPOLLHUP):
            self._epoll.modify(self._socket.fileno(), _READ)
            self._send()
            return None
        try:
            got = self._socket.recv(1 << 18)
        except BlockingIOError:
            return None
        except OSError:
            got = b""
        if not got:
            return self._ended()
        self._got += got
        if self._whole is None:
            head = self._got.find(b"\r\n\r\n")
            if head < 0:
                return None
            found = _LENGTH.search(self._got, 0, head + 2)
            self._body = head + 4
            self._whole = self._body + (int(found[1]) if found else 0)
        return self._answered() if len(self._got) >= self._whole else None

    def _answered(self):
        took = time.perf_counter() - self._began
        head, body = self._got[: self._body], self._got[self._body :]
        self.under_way, self._used = False, True
        if head.startswith(b"HTTP/1.0") or b"\r\nconnection: close" in head.lower():
            self.close()
        return self.asker.answered(int(head[9:12]), head, body, took)

    def _ended(self):
        """An idle connection may end, and one that was idle just now: a device then opens another and asks again.

        A PUT is not sent twice: it may have been carried out.
        """
        again = self.under_way and self._used and not self._got and not self._request.startswith(b"PUT")
        self.close()
        if again:
            self._open()
        if again or not self.under_way:
            return None
        self.under_way = False
        return self.asker.broken(time.perf_counter() - self._began)

    def close(self):
        if self._socket is not None:
            self._by_number.pop(self._socket.fileno(), None)
            self._socket.close()
            self._socket = None
