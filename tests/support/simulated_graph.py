"""A started sandbox seen from outside: a client with a token in one person's mailbox, and the bodies that tests write."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from bridge.sandbox.graph import Microsoft
from bridge.sandbox.graph.oauth import Asked

SCOPES = ("openid", "profile", "offline_access", "User.Read", "Calendars.ReadWrite", "MailboxSettings.Read")
BERLIN = "W. Europe Standard Time"
PROPERTY = "String {66f5a359-4659-4830-9070-00047ec6ac6e} Name CdbUid"


def tokens(microsoft: Microsoft, person: str = "alex@example.com", scopes: tuple[str, ...] = SCOPES) -> dict[str, Any]:
    """Consent and exchange in one go."""
    with microsoft.lock:
        code = microsoft.authority.code(Asked("app", scopes, "http://localhost/cb"), microsoft.box(person).person)
        form = {
            "client_id": "app",
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": "http://localhost/cb",
        }
        return microsoft.authority.token(form, issuer=microsoft.base_url)


def client(microsoft: Microsoft, person: str = "alex@example.com", scopes: tuple[str, ...] = SCOPES) -> httpx.Client:
    """A client that asks for immutable ids, as the bridge does."""
    token = tokens(microsoft, person, scopes)["access_token"]
    headers = {"Authorization": f"Bearer {token}", "Prefer": 'IdType="ImmutableId"'}
    return httpx.Client(base_url=f"{microsoft.base_url}/v1.0/", headers=headers, timeout=20, verify=False)


def at(day: str, time: str = "09:00", zone: str = BERLIN) -> dict[str, str]:
    """A dateTimeTimeZone."""
    return {"dateTime": f"{day}T{time}:00", "timeZone": zone}


def body(day: str = "2026-03-10", start: str = "09:00", end: str = "10:00", **more: Any) -> dict[str, Any]:
    """An event of one hour."""
    return {"subject": "Review", "start": at(day, start), "end": at(day, end), **more}


def series(
    day: str = "2026-03-02", ends: dict[str, Any] | None = None, pattern: dict[str, Any] | None = None, **more: Any
) -> Any:
    """A weekly series; 2 March 2026 is a Monday."""
    weekly = {"type": "weekly", "interval": 1, "daysOfWeek": ["monday"], "firstDayOfWeek": "monday"}
    limits = {"startDate": day, **(ends or {"type": "numbered", "numberOfOccurrences": 5})}
    return body(day, recurrence={"pattern": pattern or weekly, "range": limits}, **more)


def made(api: httpx.Client, what: dict[str, Any]) -> dict[str, Any]:
    """Created, or the test fails with the reason."""
    answer = api.post("me/events", json=what)
    assert answer.status_code == 201, answer.text
    return answer.json()


def code(answer: httpx.Response) -> tuple[int, str]:
    """Status and Graph's code."""
    return answer.status_code, answer.json()["error"]["code"]


def occurrences(
    api: httpx.Client, master: str, start: str = "2026-01-01", end: str = "2027-01-01"
) -> list[dict[str, Any]]:
    """All of a series in a window."""
    answer = api.get(f"me/events/{master}/instances", params={"startDateTime": start, "endDateTime": end, "$top": 500})
    assert answer.status_code == 200, answer.text
    return answer.json()["value"]


def rounds(api: httpx.Client, url: str, **headers: str) -> tuple[list[dict[str, Any]], str, list[int]]:
    """Follow a round to its end: everything in it, the deltaLink, and the sizes of its pages."""
    found: list[dict[str, Any]] = []
    sizes = []
    while True:
        answer = api.get(url, headers=headers)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert ("@odata.nextLink" in page) != ("@odata.deltaLink" in page)
        found += page["value"]
        sizes.append(len(page["value"]))
        if "@odata.deltaLink" in page:
            return found, page["@odata.deltaLink"], sizes
        url = page["@odata.nextLink"]


class Receiver:
    """Somebody who takes notifications. ``reply`` decides what a validation gets: (status, type, text)."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.paths: list[str] = []
        self.reply: Callable[[str], tuple[int, str, str]] = lambda token: (200, "text/plain", token)
        self.status: Callable[[], int] = lambda: 202
        self.arrived = threading.Condition()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                token = parse_qs(urlsplit(self.path).query).get("validationToken")
                status, kind, text = receiver.reply(token[0]) if token else (receiver.status(), "text/plain", "")
                with receiver.arrived:
                    if not token:
                        receiver.bodies.append(content)
                        receiver.paths.append(self.path)
                    receiver.arrived.notify_all()
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/hook"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def wait(self, count: int) -> list[bytes]:
        """What came, once there are that many."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.bodies) >= count, 5), f"{len(self.bodies)} of {count} arrived"
            return list(self.bodies)

    def close(self) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()


@contextlib.contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver while it is needed."""
    receiver = Receiver()
    try:
        yield receiver
    finally:
        receiver.close()
