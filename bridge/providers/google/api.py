"""The Calendar API v3, and the Tasks API v1, by Google's client library: where they are, who asks, what refusals mean.

The library's bundled discovery documents are used, so building the clients needs no network (G-02). Nothing here retries: whether
and when to ask again is the sync's to decide.
"""

from __future__ import annotations

import datetime as dt
import functools
import json
import re
import threading
import weakref
from collections.abc import Mapping, Sequence
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

import httplib2
from google_auth_httplib2 import AuthorizedHttp
from googleapiclient import discovery, discovery_cache
from googleapiclient.errors import BatchError, HttpError
from googleapiclient.http import BatchHttpRequest, HttpRequest

from bridge.errors import (
    DuplicateKey,
    Gone,
    NeedsReconnect,
    ProviderError,
    QuotaUsedUp,
    Refused,
    Throttled,
    Unreachable,
)
from bridge.providers.google.oauth import StoredCredentials
from bridge.providers.google.once import HttpOnce
from bridge.providers.http import error_for, retry_after
from bridge.providers.pace import Limits, Pace

TIMEOUT = 30
"""Seconds until an answer counts as lost."""

LIMITS = Limits(per_minute=570, writes_per_minute=300)
"""A little under what one person may ask in a minute (G-99). How many writes one calendar bears is not told: five a second."""

QUOTA_WAIT = 3600.0
"""Seconds to leave an account alone after "Calendar usage limits exceeded." (G-92, R33)."""

BATCH = 50
"""Requests that are sent as one: a thousand are documented, fifty is what is known to be good (G-100)."""

_CALENDAR_ROOT = "https://www.googleapis.com/"

_HELD = re.compile(r"/(?:calendars|lists)/([^/]+)/(?:events|tasks)(/.*)?$")

_RATE = frozenset({"rateLimitExceeded", "userRateLimitExceeded"})  # G-91: 403 and 429 mean the same
_QUOTA = frozenset({"quotaExceeded", "dailyLimitExceeded"})  # G-92


@functools.cache
def _document(root: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(discovery_cache.get_static_doc("calendar", "v3"))
    document["rootUrl"] = f"{root}/"  # batches are sent to rootUrl + batchPath (G-02)
    document["baseUrl"] = f"{root}/calendar/v3/"
    return document


@functools.cache
def _tasks_document(root: str) -> dict[str, Any]:
    """Google has the two APIs at different hosts (G-01); any other service has both where it was said to be."""
    document: dict[str, Any] = json.loads(discovery_cache.get_static_doc("tasks", "v1"))
    if f"{root}/" != _CALENDAR_ROOT:  # a token goes to the service that gave it, and nowhere else
        document["rootUrl"] = document["baseUrl"] = f"{root}/"
    return document


@functools.cache
def _resource(root: str) -> Any:
    return discovery.build_from_document(_document(root), http=httplib2.Http())


@functools.cache
def _tasks_resource(root: str) -> Any:
    return discovery.build_from_document(_tasks_document(root), http=httplib2.Http())


@functools.cache
def _collection(root: str, name: str) -> Any:
    """A part of an API, such as ``events``: built once, for that takes as long as many requests.

    It only makes requests, which any thread may do; each is sent by the thread's own connection.
    """
    resource = _tasks_resource(root) if name in ("tasks", "tasklists") else _resource(root)
    return getattr(resource, name)()


class CalendarApi:
    """One account's way to the APIs: tasks go by the same token, connections and pace as events.

    May be shared by threads: httplib2's connections are not, so each has its own. They are closed when
    nobody holds it any more. Every request waits for its turn in the account's ``pace`` (R33).
    """

    def __init__(self, api_url: str, credentials: StoredCredentials, pace: Pace | None = None) -> None:
        self._root = api_url.rstrip("/").removesuffix("/calendar/v3").rstrip("/")
        self._resource = _resource(self._root)
        self._credentials = credentials
        self._pace = pace or Pace(LIMITS)
        self._local = threading.local()
        self._connections: list[httplib2.Http] = []
        weakref.finalize(self, _close, self._connections)

    @property
    def events(self) -> Any:
        return _collection(self._root, "events")

    @property
    def calendar_list(self) -> Any:
        return _collection(self._root, "calendarList")

    @property
    def channels(self) -> Any:
        return _collection(self._root, "channels")

    @property
    def tasks(self) -> Any:
        return _collection(self._root, "tasks")

    @property
    def task_lists(self) -> Any:
        return _collection(self._root, "tasklists")

    def execute(
        self, request: HttpRequest, *, if_match: str = "", listing: bool = False, once: bool = False
    ) -> dict[str, Any]:
        """Send one request, under ``If-Match`` if an etag is given (G-05, G-53). An answer without a body is ``{}``.

        The token is renewed here and not by the transport, so that a grant which can't be kept is not taken for a network that
        is down. A 410 means a lost cursor to a ``listing``, to everything else a deleted event: its reason may be missing (G-35).
        """
        if if_match:
            request.headers["If-Match"] = if_match
        if not self._credentials.valid:
            self._credentials.refresh()
        try:
            return self._send(request, listing=listing, once=once)
        except NeedsReconnect:  # 401: a token may end before its time, the grant still being good (G-12, G-90)
            self._credentials.refresh()
            return self._send(request, listing=listing, once=once)

    def _send(self, request: HttpRequest, *, listing: bool, once: bool) -> dict[str, Any]:
        with self._pace.turn(writes_to=written(request.method, request.uri)):
            if not once:
                return self._sent(request, self._http(), listing=listing)
            http = self._authorized(HttpOnce(timeout=TIMEOUT))
            try:
                return self._sent(request, http, listing=listing)
            finally:
                http.close()

    def _sent(self, request: HttpRequest, http: AuthorizedHttp, *, listing: bool) -> dict[str, Any]:
        try:
            answer = request.execute(http=http, num_retries=0)
        except HttpError as refusal:
            raise error_of(int(refusal.resp.status), refusal.content, refusal.resp, listing=listing) from None
        except (httplib2.HttpLib2Error, HTTPException, OSError, ValueError) as error:  # ValueError: no JSON (R7)
            http.close()  # whatever state the connection is in, it is not used again
            raise Unreachable(f"Google did not answer ({type(error).__name__})") from None
        return answer if isinstance(answer, dict) else {}

    def many(self, requests: Sequence[HttpRequest]) -> list[dict[str, Any] | ProviderError]:
        """Send up to ``BATCH`` requests as one; what each was answered, in their order. They run in any order (G-100).

        Raises Unreachable where it is unknown what was carried out; any other error says that nothing was.
        """
        if not self._credentials.valid:
            self._credentials.refresh()
        try:
            return self._send_many(requests)
        except NeedsReconnect:
            self._credentials.refresh()
            return self._send_many(requests)

    def _send_many(self, requests: Sequence[HttpRequest]) -> list[dict[str, Any] | ProviderError]:
        answers: dict[str, dict[str, Any] | ProviderError] = {}

        def answered(id: str, answer: Any, refusal: HttpError | None) -> None:
            if refusal is None:
                answers[id] = answer if isinstance(answer, dict) else {}
            else:
                answers[id] = error_of(int(refusal.resp.status), refusal.content, refusal.resp)

        batch = self._resource.new_batch_http_request(callback=answered)
        for number, request in enumerate(requests):
            batch.add(request, request_id=str(number))
        try:
            with self._pace.turn(len(requests), writes_to=written(requests[0].method, requests[0].uri)):
                batch.execute(
                    http=self._http()
                )  # parts that meet 401 are sent again by the library, under a renewed token
            told = [answers[str(number)] for number in range(len(requests))]
        except BatchError:
            raise Unreachable("Google's answer is no batch") from None
        except HttpError as refusal:
            _unless_carried_out(batch)
            raise error_of(int(refusal.resp.status), refusal.content, refusal.resp) from None
        except NeedsReconnect:  # the renewal for the parts that met 401
            _unless_carried_out(batch)
            raise
        except (httplib2.HttpLib2Error, HTTPException, OSError, ValueError, LookupError, TypeError) as error:
            self._http().close()
            raise Unreachable(f"Google did not answer ({type(error).__name__})") from None
        for each in told:
            if isinstance(each, ProviderError):
                self._pace.heed(each)
        return told

    def _http(self) -> AuthorizedHttp:
        if not hasattr(self._local, "http"):
            http = httplib2.Http(timeout=TIMEOUT)
            self._connections.append(http)
            self._local.http = self._authorized(http)
        return self._local.http

    def _authorized(self, http: httplib2.Http) -> AuthorizedHttp:
        http.follow_redirects = False
        return AuthorizedHttp(self._credentials, http=http, refresh_status_codes=())


def written(method: str, url: str) -> str:
    """The calendar whose events, or the list whose tasks, a request changes; "" if none (asking to be notified writes nothing)."""
    held = _HELD.search(urlsplit(url).path)
    return held[1] if method != "GET" and held and held[2] != "/watch" else ""


def _unless_carried_out(batch: BatchHttpRequest) -> None:
    """The refusal of a second sending says nothing of what the first has done. Raises Unreachable."""
    # the library hands nothing on before it has everything
    if any(answer.status < 300 for answer, _ in batch._responses.values()):  # noqa: SLF001
        raise Unreachable("Google carried out a part of the batch and told no more")


def _close(connections: list[httplib2.Http]) -> None:
    for http in connections:
        http.close()


def error_of(status: int, body: bytes, headers: Mapping[str, str], *, listing: bool = False) -> ProviderError:
    """What an answer other than 2xx means (G-88…G-98). Google's own message may name an event, so it goes nowhere."""
    reason = _reason(body)
    message = f"Google answered {status}" + (f" {reason}" if reason else "")
    wait = _wait(headers)
    if reason in _QUOTA and status in (403, 429):
        return QuotaUsedUp(message, status=status, code=reason, retry_after=max(wait or 0.0, QUOTA_WAIT))
    if reason in _RATE and status == 403:
        return Throttled(message, status=status, code=reason, retry_after=wait)
    if status == 409:
        kind = Unreachable if reason == "conflict" else DuplicateKey  # G-95: "conflict" asks to try again
        return kind(message, status=status, code=reason)
    if status == 410 and not listing:
        return Gone(message, status=status, code=reason)
    if status == 404 and listing:  # the calendar itself: no event is gone because it cannot be seen any more
        return Refused(message, status=status, code=reason)
    return error_for(status, code=reason, message=message, wait=wait)


def _reason(body: bytes) -> str:
    try:
        error = json.loads(body)["error"]
        return str(error["errors"][0]["reason"])
    except (ValueError, KeyError, IndexError, TypeError):
        return ""


def _wait(headers: Mapping[str, str]) -> float | None:
    value = headers.get("retry-after")
    try:
        now = parsedate_to_datetime(headers.get("date", ""))  # a date is counted from the service's own clock
    except (TypeError, ValueError):
        now = dt.datetime.max.replace(tzinfo=dt.UTC)
    return retry_after(value, now=now)
