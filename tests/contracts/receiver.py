"""A small web server that takes the notifications of any service, as ``bridge.web.push`` would."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


class NotificationReceiver:
    """Notes (channel id, secret) of every change it is told of; handshakes are answered and not noted."""

    def __init__(self) -> None:
        self._told: dict[str, str] = {}
        self._news = threading.Condition()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                query = parse_qs(urlsplit(self.path).query)
                if "validationToken" in query:  # M-71
                    self._answer(200, query["validationToken"][0].encode())
                    return
                if channel := self.headers.get("X-Goog-Channel-ID"):  # G-82
                    if self.headers["X-Goog-Resource-State"] != "sync":  # G-83
                        receiver.note(channel, self.headers.get("X-Goog-Channel-Token", ""))
                else:
                    for notice in json.loads(body)["value"]:  # M-72
                        receiver.note(notice["subscriptionId"], notice.get("clientState", ""))
                self._answer(202, b"")

            def _answer(self, status, body):
                self.send_response(status)
                self.send_header("Content-Type", "text/plain")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}/push"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    def note(self, channel: str, secret: str) -> None:
        with self._news:
            self._told[channel] = secret
            self._news.notify_all()

    def wait_for(self, channel_id: str) -> str:
        with self._news:
            assert self._news.wait_for(lambda: channel_id in self._told, timeout=10), f"nothing came for {channel_id}"
            return self._told[channel_id]

    def seen(self) -> set[str]:
        with self._news:
            return set(self._told)

    def forget(self) -> None:
        with self._news:
            self._told.clear()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
