"""Every exchange that a sandbox in this process has with whoever asks it, looked at before the answer leaves.

It stands before the sandbox as a whole, on the way of the bytes: what the sandbox makes of them is not asked. Which answers a
fault replaced is the one thing that it must be told, and ``Faults.take`` tells.
"""

from __future__ import annotations

import io
import threading
from collections import Counter
from collections.abc import Iterable
from contextlib import contextmanager
from typing import Any
from unittest import mock
from urllib.parse import parse_qs
from wsgiref.types import StartResponse, WSGIEnvironment

from bridge.sandbox.faults import Fault, Faults
from bridge.sandbox.server import Sandbox
from tests.traffic import google, graph
from tests.traffic.exchange import Exchange, NoJson, parsed

SERVICES = {"google": google, "microsoft": graph}
BRIDGE = "caldav-bridge"
"""The OAuth client that the bridge signs in as, here and in the stand-in settings; no test's own hands do."""


class Recording:
    """``calls`` by service, and how many of them were the bridge's; ``fresh`` are the violations that nobody has taken yet."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._here = threading.local()
        self._bridge_tokens: set[str] = set()
        self.calls: Counter[str] = Counter()
        self.by_bridge: Counter[str] = Counter()
        self.violations = 0
        self.fresh: list[str] = []

    def take(self) -> list[str]:
        """What has been found since the last time."""
        with self._lock:
            found, self.fresh = self.fresh, []
        return found

    @contextmanager
    def watching(self):
        """As long as it lasts, every sandbox of this process is watched."""
        answer, strike = Sandbox.__call__, Faults.take

        def watched(sandbox: Sandbox, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
            return self._watched(lambda inner: answer(sandbox, environ, inner), environ, start)

        def struck(faults: Faults, method: str, path: str) -> Fault | None:
            fault = strike(faults, method, path)
            if fault is not None and (fault.drop or fault.status) and hasattr(self._here, "struck"):
                self._here.struck.append((method, path))
            return fault

        with mock.patch.object(Sandbox, "__call__", watched), mock.patch.object(Faults, "take", struck):
            yield self

    def _watched(self, answer: Any, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        path, _, query = str(environ["RAW_URI"]).partition("?")
        mount = path.lstrip("/").partition("/")[0]
        if mount not in SERVICES:
            return answer(start)
        body = environ["wsgi.input"].read()
        environ["wsgi.input"] = io.BytesIO(body)
        asked = {
            name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name.startswith("HTTP_")
        } | {"content-type": environ.get("CONTENT_TYPE", "")}
        told: list[Any] = []

        def started(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            told[:] = [int(status.split(maxsplit=1)[0]), {name.lower(): value for name, value in headers}]
            return start(status, headers, *more)

        self._here.struck = []
        chunks: list[bytes] = []
        try:
            iterable = answer(started)
            try:
                chunks = list(iterable)
            finally:
                getattr(iterable, "close", lambda: None)()
        finally:
            prefix = f"/{mount}"
            exchange = Exchange(
                method=environ["REQUEST_METHOD"],
                path=path.removeprefix(prefix),
                query=query,
                headers=asked,
                body=body,
                status=told[0] if told else None,
                answer_headers=told[1] if told else {},
                answer=b"".join(chunks),
                strict=asked.get("authorization", "").removeprefix("Bearer ") in self._bridge_tokens,
                mount=prefix,
                struck=frozenset((method, where.removeprefix(prefix)) for method, where in self._here.struck),
            )
            del self._here.struck
            self._look(mount, exchange)
        return chunks

    def _look(self, mount: str, exchange: Exchange) -> None:
        if exchange.path.endswith("/token"):
            self._note_token(exchange)
        service = SERVICES[mount]
        try:
            calls = service.calls(exchange)
            found = service.violations(exchange)
        except Exception as error:  # noqa: BLE001 - a validator that breaks must be seen, and the exchange go on
            calls, found = 1, [f"{exchange.method} {exchange.path}: the validator broke: {error!r}"]
        with self._lock:
            self.calls[mount] += calls
            self.by_bridge[mount] += calls if exchange.strict else 0
            self.violations += len(found)
            self.fresh += [f"{mount}: {each}" for each in found]

    def _note_token(self, exchange: Exchange) -> None:
        form = parse_qs(exchange.body.decode("latin-1"))
        if form.get("client_id") != [BRIDGE] or exchange.status != 200:
            return
        try:
            answer = parsed(exchange.answer)
        except NoJson:
            return
        if isinstance(answer, dict) and isinstance(answer.get("access_token"), str):
            with self._lock:
                self._bridge_tokens.add(answer["access_token"])
