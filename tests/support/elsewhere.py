"""A service in a few lines, over real HTTP: for answers that our own simulated services would not give."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Asked:
    """One request: the first value of each name in its query and form, the JSON of its body, its headers by lower-case names."""

    method: str
    path: str
    query: dict
    form: dict
    body: dict
    headers: dict


@dataclass
class Elsewhere:
    """``answer`` gets each request and gives (status, JSON value or None, headers)."""

    answer: Callable[[Asked], tuple]
    asked: list[Asked] = field(default_factory=list)

    def __enter__(self):
        here = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args):
                pass

            def handle_one(self):
                raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                parts = urlsplit(self.path)
                is_json = "json" in (self.headers.get("Content-Type") or "")
                asked = Asked(
                    self.command,
                    parts.path,
                    {name: values[0] for name, values in parse_qs(parts.query).items()},
                    {} if is_json else {name: values[0] for name, values in parse_qs(raw.decode()).items()},
                    json.loads(raw) if is_json and raw else {},
                    {name.lower(): text for name, text in self.headers.items()},
                )
                here.asked.append(asked)
                status, value, *headers = here.answer(asked)
                data = b"" if value is None else json.dumps(value).encode()
                self.send_response(status)
                for name, text in {"Content-Type": "application/json", **(headers[0] if headers else {})}.items():
                    self.send_header(name, text)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PATCH = do_DELETE = handle_one  # noqa: N815 - http.server finds them by name

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=[0.01], daemon=True).start()
        return self

    def __exit__(self, *error):
        self._server.shutdown()
        self._server.server_close()
