"""Between litmus and the server: what litmus puts as a text becomes a to-do that has the text as its description.

litmus stores text files, which a calendar must refuse (RFC 4791 §5.3.2.1), and then asks nothing further. So the body of a PUT
and that of the answer to a GET are translated, and whatever follows from their length; methods, paths, statuses, all other
headers and all XML go through as they are. It speaks real HTTP on both sides and knows nothing of the server.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import icalendar

_OURS = frozenset({"connection", "transfer-encoding", "content-length", "accept-encoding", "expect"})
"""Headers that each connection has of its own, and those that say how a body is sent."""


def as_object(text: str, uid: str) -> bytes:
    todo = icalendar.Todo()
    todo.add("uid", uid)
    todo["DTSTAMP"] = icalendar.vText("20260101T000000Z")
    todo.add("description", text)
    calendar = icalendar.Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", "-//caldav-bridge//litmus//EN")
    calendar.add_component(todo)
    return calendar.to_ical()


def as_text(data: bytes) -> str:
    return str(_todo(data)["DESCRIPTION"])


def _todo(data: bytes) -> icalendar.Component:
    return icalendar.Calendar.from_ical(data).walk("VTODO")[0]


@contextmanager
def opened(url: str) -> Iterator[str]:
    """The address that stands for ``url`` as long as this is open."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("_To", (_Translator,), {"upstream": urlsplit(url).netloc}))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Translator(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    upstream: str

    def __getattr__(self, name: str) -> Callable[[], None]:
        """Whatever the method."""
        if name.startswith("do_"):
            return self._forward
        raise AttributeError(name)

    def log_message(self, *_: Any) -> None:
        pass

    def _forward(self) -> None:
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _OURS}
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.command == "PUT":
            headers["Content-Type"] = "text/calendar; charset=utf-8"
            body = as_object(body.decode(), self._uid())
        reply, content = self._ask(self.command, headers, body)
        if self.command == "GET" and reply.status == 200:
            content = as_text(content).encode()
        self.send_response_only(reply.status, reply.reason)
        for name, value in reply.getheaders():
            if name.lower() not in _OURS:
                self.send_header(name, value)
        length = reply.getheader("Content-Length", "0") if self.command == "HEAD" else str(len(content))
        self.send_header("Content-Length", length)
        self.end_headers()
        with suppress(BrokenPipeError):  # litmus does not wait for what it has heard enough of
            self.wfile.write(content)

    def _uid(self) -> str:
        """What is there keeps its UID, as with anybody who edits it."""
        asked = {name: value for name, value in self.headers.items() if name in ("Authorization", "Host")}
        reply, content = self._ask("GET", asked, b"")
        return str(_todo(content)["UID"]) if reply.status == 200 else str(uuid4())

    def _ask(self, method: str, headers: dict[str, str], body: bytes) -> tuple[HTTPResponse, bytes]:
        connection = HTTPConnection(self.upstream, timeout=30)
        connection.putrequest(method, self.path, skip_host="Host" in headers, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name, value)
        if body or "Content-Length" in self.headers:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        reply = connection.getresponse()
        content = reply.read()
        connection.close()
        return reply, content
