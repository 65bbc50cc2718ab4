"""Graph over HTTP: its headers, its links, its batches, and what its errors mean (M-16, M-18, M-79, M-80).

Nothing is retried here but a request whose access token was refused: the engine knows when to come back. An error tells
status and code, never contents or tokens.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import httpx

from bridge.errors import CursorLost, DuplicateKey, Gone, NeedsReconnect, ProviderError, Refused, Throttled, Unreachable
from bridge.providers.graph.oauth import AccessTokens
from bridge.providers.http import error_for, retry_after
from bridge.providers.pace import Limits, Pace
from bridge.sync.patience import TRIES, stumbles

PREFER = 'IdType="ImmutableId", outlook.body-content-type="text"'
"""On every request: ids that survive a move (M-30), and bodies as text, which is what the hub holds (M-63)."""

BATCH = 20  # M-79
LIMITS = Limits(per_minute=950, at_once=4, parts_at_once=4)
"""A little under what one app may ask of one mailbox in a minute, and no more at the same time than it may (M-77, M-79)."""

TIMEOUT = httpx.Timeout(30, connect=10)
"""Seconds until an answer counts as lost."""
BATCH_TIMEOUT = httpx.Timeout(120, connect=10)
"""The same for a batch: its requests may wait for one another."""

FEW = 3
"""So many parts of a batch may be in trouble of their own; of more it is the service's."""

NOT_OFFERED = {404, 405, 501}
"""How a service without some call of Graph's answers it."""
LOOPBACK = {"127.0.0.1", "localhost", "::1"}

NO_SUCH_ID = {"errorinvalididmalformed", "errorinvalidid"}
LOST = {"syncstatenotfound", "syncstateinvalid", "resyncrequired"}


Found = dict[str, Any] | ProviderError | None
"""What one of many was answered: None if it is not there, an error if Graph answers others and stumbles over this one."""


def escape(id: str) -> str:
    """An opaque id as one segment of a path (M-01)."""
    return quote(id, safe="")


@dataclass(frozen=True)
class Api:
    """Graph at ``url`` (with its version) for one account. Every request waits for its turn in the account's ``pace`` (R33)."""

    http: httpx.Client
    url: str
    tokens: AccessTokens
    pace: Pace = field(default_factory=lambda: Pace(LIMITS))

    def get(self, path: str, *, prefer: str = "", **query: str) -> dict[str, Any]:
        return self._json("GET", self._address(path, query), prefer=prefer)

    def follow(self, link: str, *, prefer: str = "") -> dict[str, Any]:
        """GET a nextLink or deltaLink verbatim (M-16). The same Prefer again (M-21)."""
        return self._json("GET", link, prefer=prefer)

    def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return self._json("POST", self._address(path), body=body)

    def patch(self, path: str, body: Mapping[str, Any], *, etag: str = "") -> dict[str, Any]:
        return self._json("PATCH", self._address(path), body=body, etag=etag)

    def delete(self, path: str, *, etag: str = "") -> None:
        self._json("DELETE", self._address(path), etag=etag)

    def many(self, paths: Sequence[str]) -> list[Found]:
        """GET many paths by ``$batch``, answers in their order."""
        found: list[Found] = []
        for first in range(0, len(paths), BATCH):
            part = paths[first : first + BATCH]
            try:
                found += self._batch(part)
            except (Gone, Refused) as missing:
                if missing.status not in NOT_OFFERED:
                    raise
                found += [self._single(path) for path in part]
        return found

    def chain(self, path: str, bodies: Sequence[Mapping[str, Any]]) -> list[dict[str, Any] | ProviderError]:
        """POST bodies, one after the other, by one ``$batch``: what each was answered, up to the first that failed.

        A mailbox takes four requests at a time, ours or another's (M-77), so in a batch each waits for the one before it
        (M-79); what stands behind a failure is not carried out. Raises Unreachable where nobody knows what was done.
        """
        requests: list[dict[str, Any]] = [
            {
                "id": str(number),
                "method": "POST",
                "url": path,
                "headers": {"Content-Type": "application/json", "Prefer": PREFER},
                "body": body,
                **({"dependsOn": [str(number - 1)]} if number else {}),
            }
            for number, body in enumerate(bodies)
        ]
        whole = self._json("POST", self._address("/$batch"), body={"requests": requests}, count=len(bodies))
        answers = {str(each.get("id")): each for each in entries(whole, "responses")}
        told: list[dict[str, Any] | ProviderError] = []
        for number in range(len(bodies)):
            answer = answers.get(str(number)) or {"status": 504}
            status, content = answer["status"], answer.get("body") or {}
            if status < 300:
                told.append(content)
                continue
            told.append(self.pace.heed(_error(status, content, httpx.Headers(answer.get("headers") or {}))))
            break
        return told

    def renew(self) -> None:
        """Get another access token: a part of a batch was refused for it."""
        self.tokens.instead_of(self.tokens.current())

    def owns(self, link: str) -> bool:
        """Whether a link stays at our Graph: a token is never sent elsewhere."""
        here, there = urlsplit(self.url), urlsplit(self._here(link))
        return (here.scheme, here.netloc) == (there.scheme, there.netloc)

    def _here(self, link: str) -> str:
        """A link by our own name of this machine, if it is by another one: an emulator may know itself as localhost."""
        here, there = urlsplit(self.url), urlsplit(link)
        same = {here.hostname, there.hostname} <= LOOPBACK and (here.scheme, here.port) == (there.scheme, there.port)
        return there._replace(netloc=here.netloc).geturl() if same and here.netloc != there.netloc else link

    def _single(self, path: str) -> dict[str, Any] | None:
        try:
            return self._json("GET", f"{self.url}{path}")
        except Gone:
            return None

    def _batch(self, paths: Sequence[str]) -> list[Found]:
        """What had no answer is asked for again, and not the others: of many parts one may always be lost (R33)."""
        found: dict[int, Found] = {}
        waiting: Sequence[int] = range(len(paths))
        for tries_left in reversed(range(TRIES)):
            try:
                answers = self._parts([paths[each] for each in waiting])
            except Unreachable as lost:
                if not (tries_left and lost.passing):
                    raise
                continue
            troubles: dict[int, ProviderError] = {}
            for number, answer in zip(waiting, answers, strict=True):
                if isinstance(answer, ProviderError):
                    troubles[number] = answer
                else:
                    found[number] = answer
            if not troubles:
                break
            if not tries_left and len(troubles) <= FEW and all(map(stumbles, troubles.values())):
                found |= troubles
                break
            worst = self.pace.heed(
                max(troubles.values(), key=_patience)
            )  # whoever asks for most patience speaks for all
            if not (tries_left and isinstance(worst, Unreachable) and worst.passing):
                raise worst
            waiting = list(troubles)
        return [found[number] for number in range(len(paths))]

    def _parts(self, paths: Sequence[str]) -> list[dict[str, Any] | ProviderError | None]:
        requests = [
            {"id": str(number), "method": "GET", "url": path, "headers": {"Prefer": PREFER}}
            for number, path in enumerate(paths)
        ]
        whole = self._json("POST", self._address("/$batch"), body={"requests": requests}, count=len(paths))
        answers = {str(each["id"]): each for each in entries(whole, "responses")}
        told: list[dict[str, Any] | ProviderError | None] = []
        for number in range(len(paths)):
            answer = answers.get(str(number)) or {"status": 504}
            status, body = answer["status"], answer.get("body") or {}
            if status < 400:
                told.append(body)
                continue
            error = _error(status, body, httpx.Headers(answer.get("headers") or {}))
            told.append(None if isinstance(error, Gone) else error)
        return told

    def _address(self, path: str, query: Mapping[str, str] | None = None) -> str:
        return f"{self.url}{path}" + (f"?{encoded(query)}" if query else "")

    def _json(
        self,
        method: str,
        url: str,
        *,
        body: Mapping[str, Any] | None = None,
        etag: str = "",
        prefer: str = "",
        count: int = 1,
    ) -> dict[str, Any]:
        if not self.owns(url):
            raise Refused("a link led away from Graph and was not followed")
        url = self._here(url)
        headers = {"Prefer": f"{PREFER}, {prefer}" if prefer else PREFER, "Accept": "application/json"}
        if etag:
            headers["If-Match"] = etag
        token = self.tokens.current()
        answer = self._send(method, url, body, headers, token, count=count)
        if answer.status_code == 401:
            token = self.tokens.instead_of(token)
            answer = self._send(method, url, body, headers, token, count=count)
        if answer.status_code >= 400 or 300 <= answer.status_code < 400:
            raise self.pace.heed(_error(answer.status_code, _body(answer), answer.headers))
        return _body(answer)

    def _send(
        self,
        method: str,
        url: str,
        body: Mapping[str, Any] | None,
        headers: Mapping[str, str],
        token: str,
        *,
        count: int,
    ) -> httpx.Response:
        signed = {**headers, "Authorization": f"Bearer {token}"}
        timeout = BATCH_TIMEOUT if url.endswith("/$batch") else TIMEOUT
        try:
            with self.pace.turn(count):
                return self.http.request(method, url, json=body, headers=signed, timeout=timeout)
        except httpx.TransportError as error:
            raise Unreachable(f"Graph did not answer ({type(error).__name__})") from None


def _patience(error: ProviderError) -> tuple[bool, float]:
    return (True, error.retry_after or 0.0) if isinstance(error, Throttled) else (False, 0.0)


def entries(answer: Mapping[str, Any], name: str = "value") -> list[dict[str, Any]]:
    """What a page of a listing lists. Without a list it is no page: whatever answered, nothing is known (R7)."""
    found = answer.get(name)
    if not isinstance(found, list):
        raise Unreachable("Graph's answer is not a listing")
    return found


def encoded(query: Mapping[str, str]) -> str:
    """A query string with OData's own signs left readable."""
    return urlencode(query, safe="$(),'/:=;", quote_via=quote)


def _body(answer: httpx.Response) -> dict[str, Any]:
    if not answer.content:
        return {}
    try:
        value = answer.json()
    except (json.JSONDecodeError, UnicodeDecodeError):
        if answer.status_code < 400:
            raise Unreachable("Graph's answer is not JSON", status=answer.status_code) from None
        return {}
    return value if isinstance(value, dict) else {}


def _error(status: int, body: Mapping[str, Any], headers: httpx.Headers) -> ProviderError:
    """By status first, then by code whatever its case, never by the message (M-80)."""
    error = body.get("error")
    code = str(error.get("code") or "") if isinstance(error, dict) else ""
    message = f"Graph answered {status} {code}".rstrip()
    if status == 409 and code.lower() == "errorduplicatetransactionid":
        return DuplicateKey(message, status=status, code=code)
    if status == 410 or code.lower() in LOST:
        return CursorLost(message, status=status, code=code)
    if code.lower() in NO_SUCH_ID:
        return Gone(message, status=status, code=code)
    if status == 401:
        return NeedsReconnect(message, status=status, code=code)
    return error_for(
        status, code=code, message=message, wait=retry_after(headers.get("Retry-After"), now=_date(headers))
    )


def _date(headers: httpx.Headers) -> dt.datetime:
    """The service's own clock, which an absolute Retry-After refers to; without one, there is nothing to wait for."""
    try:
        return parsedate_to_datetime(headers["Date"])
    except (KeyError, TypeError, ValueError):
        return dt.datetime.max.replace(tzinfo=dt.UTC)
