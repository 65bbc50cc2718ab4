"""A web server with feeds on it, over real HTTP, and the text of feeds."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Reply:
    """``promised`` is a Content-Length other than the body's own. With ``etag`` or ``modified`` it answers 304 to who has it."""

    body: bytes = b""
    status: int = 200
    type: str | None = "text/calendar; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)
    etag: str = ""
    modified: str = ""
    promised: int | None = None


class FeedServer:
    """``at`` is what stands at a path; ``asked`` are the requests so far: (path, headers)."""

    def __init__(self):
        self.at: dict[str, Reply] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                outer.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
                outer.answer(self, outer.at.get(self.path) or Reply(b"nothing here", 404, "text/plain"))

            def log_message(self, *arguments):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request, client_address):
                """Who breaks a connection off is no news here."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        self.base = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def answer(self, handler, reply):
        known = {handler.headers.get("If-None-Match"), handler.headers.get("If-Modified-Since")} - {None}
        unchanged = reply.status == 200 and known & ({reply.etag, reply.modified} - {""})
        handler.send_response(304 if unchanged else reply.status)
        named = {"ETag": reply.etag, "Last-Modified": reply.modified, "Content-Type": reply.type, **reply.headers}
        for name, value in named.items():
            if value:
                handler.send_header(name, value)
        if not unchanged:
            length = len(reply.body) if reply.promised is None else reply.promised
            handler.send_header("Content-Length", str(length))
        handler.end_headers()
        if not unchanged:
            handler.wfile.write(reply.body)

    def close(self):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def feed(*events, head=""):
    """The bytes of a feed: each event the text of its lines without BEGIN and END, ``head`` what stands before them."""
    rows = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//a club//EN", *head.strip().splitlines()]
    for event in events:
        rows += ["BEGIN:VEVENT", *event.strip().splitlines(), "END:VEVENT"]
    return "\r\n".join([*(row.strip() for row in rows if row.strip()), "END:VCALENDAR", ""]).encode()


def event(uid, start, title="Match", more=""):
    """One hour from ``start`` ("20260302T120000Z"), within its day."""
    end = f"{start[:9]}{int(start[9:11]) + 1:02}{start[11:]}"
    stamp = "DTSTAMP:20260101T000000Z"
    return "\n".join([f"UID:{uid}", stamp, f"DTSTART:{start}", f"DTEND:{end}", f"SUMMARY:{title}", more])
