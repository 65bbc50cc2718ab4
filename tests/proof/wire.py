"""The bridge's requests, one by one: each may meet a fault, and is a place where the process may die.

Drops, refusals and cut answers happen in the sandbox, or before the CalDAV server, and go over the wire; what only a client
can see, a timeout, is raised in its place. The hands of the people do not come by here.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from unittest import mock
from urllib.parse import urlsplit

import httplib2
import httpx
import requests

from tests.proof.boundaries import here

API = r"^/(google/(calendar|batch)|microsoft/v1\.0)/"
BATCH = "/microsoft/v1.0/$batch"
WRITES = ("POST", "PATCH", "PUT", "DELETE")
CUT = b'{"value": [{"id": "AAM'
"""An answer that breaks off: no JSON (R7)."""
DAV_CUT = b'<?xml version="1.0"?><multistatus xmlns="DAV:"><response><href>/alex/ca'
DAV_EMPTY = b'<multistatus xmlns="DAV:"/>'
LISTED = ("PROPFIND", "REPORT")
"""What is answered with a multistatus: there a half and an empty one can be told from the whole."""
REFUSED = {
    "429": {"status": 429, "headers": {"Retry-After": "7"}, "body": {"error": {"code": "TooManyRequests"}}},
    "500": {"status": 500},
    "503": {"status": 503, "headers": {"Retry-After": "2"}},
    "rate": {"status": 403, "body": {"error": {"code": 403, "errors": [{"reason": "rateLimitExceeded"}]}}},
    "401": {"status": 401, "body": {"error": {"code": "InvalidAuthenticationToken"}}},
    "412": {"status": 412, "body": {"error": {"code": "ErrorIrresolvableConflict"}}},
}
KINDS = (
    "dropped before",
    "dropped after",
    "timeout before",
    "timeout after",
    "429 before",
    "500 before",
    "500 after",
    "503 before",
    "rate before",
    "401 before",
    "412 before",
    "cut after",
    "empty after",
    "cursor lost before",
    "replay after",
)
"""Each strikes once, before the request is carried out or after."""


@dataclass
class Plan:
    """What shall go wrong: by the number of the request, the kind of the fault."""

    faults: dict[int, str] = field(default_factory=dict)


@dataclass
class Wire:
    """``struck`` counts the faults that happened, by kind; ``requests`` all that the bridge has asked."""

    sandbox: object
    dav: object
    struck: Counter[str] = field(default_factory=Counter)
    requests: int = 0
    plan: Plan | None = None
    number: int = 0
    told: dict[str, dict] = field(default_factory=dict)
    """Entries of earlier delta rounds, by id as they were first told: what a replay brings again (M-27)."""
    with_guests: list[str] = field(default_factory=list)
    """What was to be written to the CalDAV server with people in it."""

    @contextmanager
    def during(self, plan):
        """A cycle of the bridge."""
        self.plan, self.number = plan, 0
        try:
            yield
        finally:
            self.plan = None
            self.sandbox.faults.clear()
            self.dav.server.screws.faults.clear()

    def before(self, method, url):
        """The fault this request meets, if any. Raises Crash, and TimeoutError for one before its effect."""
        if self.plan is None:
            return None
        here("before a request")
        self.number += 1
        self.requests += 1
        kind = self.plan.faults.get(self.number)
        path = urlsplit(url).path
        dav = url.startswith(self.dav.server.url)
        if kind is None or not (_meant_for_dav(kind, method) if dav else self._meant(kind, method, path, url)):
            return None
        self.struck[kind] += 1
        what, _, phase = kind.rpartition(" ")
        if dav:
            self._strike_dav(what, phase, method)
            return kind
        if what in REFUSED:
            # the parts of a batch come by the same door (M-79): there one of them is refused, not the whole
            where = API if path == BATCH else f"^{re.escape(path)}"
            method = ".*" if path == BATCH else method
            self.sandbox.faults.inject(method=method, path=where, phase=phase, **REFUSED[what])
        elif what == "dropped":
            self.sandbox.faults.inject(method=method, path=f"^{re.escape(path)}", phase=phase, drop=True)
        elif what == "cut":
            self.sandbox.faults.inject(method=method, path=f"^{re.escape(path)}", phase=phase, status=200, body=CUT)
        elif what == "empty":
            self.sandbox.faults.inject(method=method, path=f"^{re.escape(path)}", phase=phase, status=200, body={})
        elif what == "cursor lost":
            self.sandbox.google.expire_sync_tokens()
            self.sandbox.microsoft.lose_sync_state()
        elif kind == "timeout before":
            raise TimeoutError
        return kind

    def _strike_dav(self, what, phase, method):
        screws = self.dav.server.screws
        strike = partial(screws.faults.inject, method=method, phase=phase)
        if what in REFUSED:
            strike(**REFUSED[what])
        elif what == "dropped":
            strike(drop=True)
        elif what in ("cut", "empty"):
            strike(status=207, body=DAV_CUT if what == "cut" else DAV_EMPTY)
        elif what == "cursor lost":
            screws.forget_tokens()
        elif (what, phase) == ("timeout", "before"):
            raise TimeoutError

    def after(self, kind):
        """The answer is there, but nobody has read it. Raises Crash, and TimeoutError for one after its effect."""
        if self.plan is None:
            return
        here("behind a request")
        if kind == "timeout after":
            raise TimeoutError

    def read(self, kind, url, content):
        """The answer as the bridge gets to see it: of Graph's delta rounds, with entries that were told before."""
        if self.plan is None or "/delta" not in url or "microsoft" not in url:
            return content
        try:
            page = json.loads(content)
            entries = page["value"]
        except (ValueError, KeyError):
            return content
        old = [self.told[id] for id in sorted(self.told)][-3:] if kind == "replay after" else []
        for entry in entries:
            if "@removed" not in entry:
                self.told.setdefault(entry["id"], entry)
        if not old:
            return content
        gone = {entry["id"] for entry in entries if "@removed" in entry}
        page["value"] = [entry for entry in old if entry["id"] not in gone] + entries
        return json.dumps(page).encode()

    def sent(self, request):
        """Whom a server that schedules would mail (R1)."""
        if str(request.url).startswith(self.dav.server.url) and re.search(
            rb"^(ATTENDEE|ORGANIZER)", request.content, re.MULTILINE
        ):
            self.with_guests.append(str(request.url))

    def _meant(self, kind, method, path, url):
        if not re.search(API, path):
            return kind.startswith(("dropped", "timeout", "500", "503"))  # signing in
        if kind.startswith("rate"):
            return path.startswith("/google/")  # it is how Google says it (G-91)
        if kind.startswith("412"):
            return method in ("PATCH", "PUT", "DELETE") or path == BATCH
        if kind.startswith("empty"):
            return (method == "GET" and "/events" in path) or "/delta" in url
        if kind.startswith("replay"):
            return "/delta" in url and bool(self.told)
        return True


def _meant_for_dav(kind, method):
    what, _, _ = kind.rpartition(" ")
    if what in ("rate", "replay"):
        return False  # that is how Google says it (G-91), and what Graph does (M-27)
    if what == "412":
        return method in ("PUT", "DELETE")
    if what in ("cut", "empty"):
        return method in LISTED
    return True  # a 401, too: it puts an end to the consent, until the person has typed the password once more


@contextmanager
def tapped(wire):
    """All three HTTP clients of the bridge go by this wire."""
    httpx_send, httplib2_send = httpx.HTTPTransport.handle_request, httplib2.Http.request
    requests_send = requests.adapters.HTTPAdapter.send

    def by_httpx(self, request):
        url = str(request.url)
        try:
            kind = wire.before(request.method, url)
            wire.sent(request)
        except TimeoutError:
            raise httpx.ConnectTimeout("", request=request) from None
        answer = httpx_send(self, request)
        if wire.plan is None:
            return answer
        content = answer.read()  # nothing is left on the connection, whoever dies now
        answer.close()
        try:
            wire.after(kind)
        except TimeoutError:
            raise httpx.ReadTimeout("", request=request) from None
        headers = [(k, v) for k, v in answer.headers.raw if k.lower() not in (b"content-length", b"content-encoding")]
        return httpx.Response(answer.status_code, headers=headers, content=wire.read(kind, url, content))

    def by_httplib2(self, uri, method="GET", *args, **kwargs):
        kind = wire.before(method, uri)
        answer = httplib2_send(self, uri, method, *args, **kwargs)
        wire.after(kind)
        return answer

    def by_requests(self, request, **kwargs):
        try:
            kind = wire.before(request.method, request.url)
            answer = requests_send(self, request, **kwargs)
            wire.after(kind)
        except TimeoutError:
            raise requests.Timeout from None
        return answer

    with (
        mock.patch.object(httpx.HTTPTransport, "handle_request", by_httpx),
        mock.patch.object(httplib2.Http, "request", by_httplib2),
        mock.patch.object(requests.adapters.HTTPAdapter, "send", by_requests),
    ):
        yield wire
