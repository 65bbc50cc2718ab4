"""The simulated Google Calendar as its clients see it: Google's own library against it, and a receiver for its messages."""

from __future__ import annotations

import copy
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from typing import Any, Self

import httpx
import pytest
from google.oauth2.credentials import Credentials
from googleapiclient.discovery import build_from_document
from googleapiclient.errors import HttpError

from bridge.outside import trust
from bridge.sandbox.google import Google

ZONE = "Europe/Vienna"


TASKS = "https://www.googleapis.com/auth/tasks"


@cache
def _document(api: str) -> str:
    return (files("googleapiclient.discovery_cache") / "documents" / f"{api}.json").read_text()


@contextmanager
def client(google: Google, person: str = "alex@example.com", *scopes: str) -> Iterator[Any]:
    """Google's client library, pointed here by its discovery document so that batches come too (G-02)."""
    document = copy.deepcopy(json.loads(_document("calendar.v3")))
    document["rootUrl"] = f"{google.base_url}/"
    document["baseUrl"] = f"{google.base_url}/calendar/v3/"
    service = build_from_document(document, credentials=Credentials(google.token(person, *scopes)))
    try:
        yield service
    finally:
        service.close()


@contextmanager
def tasks_client(google: Google, person: str = "alex@example.com", *scopes: str) -> Iterator[Any]:
    """The same for Google Tasks, whose paths stand whole in its document (G-01)."""
    document = json.loads(_document("tasks.v1"))
    document["rootUrl"] = document["baseUrl"] = f"{google.base_url}/"
    service = build_from_document(document, credentials=Credentials(google.token(person, *(scopes or (TASKS,)))))
    try:
        yield service
    finally:
        service.close()


@contextmanager
def raw(google: Google, person: str = "alex@example.com") -> Iterator[httpx.Client]:
    """A plain HTTP client at ``…/calendar/v3/`` with that person's token."""
    headers = {"Authorization": f"Bearer {google.token(person)}"}
    with httpx.Client(base_url=f"{google.base_url}/calendar/v3/", headers=headers, timeout=10, verify=trust()) as http:
        yield http


def refused(call: Any) -> tuple[int, str]:
    """Status and reason with which a call of Google's library, or a function, is refused."""
    with pytest.raises(HttpError) as caught:
        call.execute() if hasattr(call, "execute") else call()
    return caught.value.resp.status, caught.value.error_details[0]["reason"] if caught.value.error_details else ""


def timed(start: str, end: str, **more: Any) -> dict[str, Any]:
    """An event between two wall times in Vienna, "2026-03-23T09:00"."""
    return {
        "summary": "Review",
        "start": {"dateTime": f"{start}:00", "timeZone": ZONE},
        "end": {"dateTime": f"{end}:00", "timeZone": ZONE},
        **more,
    }


def all_day(first: str, end: str, **more: Any) -> dict[str, Any]:
    """An all-day event; ``end`` is exclusive (G-57)."""
    return {"summary": "Trip", "start": {"date": first}, "end": {"date": end}, **more}


def weekly(**more: Any) -> dict[str, Any]:
    """Five Mondays at nine across the change to summer time, 29 March 2026."""
    return timed("2026-03-16T09:00", "2026-03-16T10:00", recurrence=["RRULE:FREQ=WEEKLY;COUNT=5"], **more)


@dataclass(frozen=True)
class Received:
    headers: dict[str, str]
    body: bytes
    path: str


class Receiver:
    """An HTTP server that keeps what was posted to it and answers as told, by default 200."""

    def __init__(self, answers: Callable[[int], int] = lambda _number: 200) -> None:
        self.messages: list[Received] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                receiver.messages.append(Received({k.lower(): v for k, v in self.headers.items()}, body, self.path))
                self.send_response(answers(len(receiver.messages)))
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
