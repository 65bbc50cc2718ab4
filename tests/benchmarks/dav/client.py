"""A device on a connection that stays open, as cheap as Python can make one: what is measured is the server."""

import base64
import re
import socket
import time

from tests.benchmarks.dav.servers import PERSON

HOME = f"/{PERSON}/calendar/"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class Client:
    """Calls give (status, body). ``took`` is how long the last answer was waited for, in seconds."""

    def __init__(self, server, person=PERSON):
        self._server = server
        self._who = base64.b64encode(f"{person}:{server.password}".encode()).decode()
        self._socket = None
        self.took = 0.0

    def __call__(self, method, path, body="", **headers):
        data = body.encode()
        kind = "text/calendar; charset=utf-8" if method == "PUT" else "application/xml; charset=utf-8"
        lines = [
            f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{self._server.port}", f"Authorization: Basic {self._who}",
            f"Content-Length: {len(data)}", *([f"Content-Type: {kind}"] if data else []),
            *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items()), "", "",
        ]  # fmt: skip
        return self.send("\r\n".join(lines).encode() + data)

    def send(self, request):
        began = time.perf_counter()
        try:
            answer = self._exchange(request)
        except (ConnectionError, OSError):  # it does not keep connections
            self.close()
            began = time.perf_counter()
            answer = self._exchange(request)
        self.took = time.perf_counter() - began
        return answer

    def _exchange(self, request):
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._server.port))
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(request)
        got = b""
        while b"\r\n\r\n" not in got:
            got += self._more()
        head, _, body = got.partition(b"\r\n\r\n")
        found = _LENGTH.search(head)
        parts, left = [body], (int(found[1]) if found else 0) - len(body)
        while left > 0:
            part = self._more()
            parts.append(part)
            left -= len(part)
        if b"\r\nconnection: close" in head.lower() or head.startswith(b"HTTP/1.0"):
            self.close()
        return int(head[9:12]), b"".join(parts)

    def _more(self):
        got = self._socket.recv(1 << 18)
        if not got:
            raise ConnectionError
        return got

    def close(self):
        if self._socket is not None:
            self._socket.close()
            self._socket = None
