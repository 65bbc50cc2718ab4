"""CalDAV over HTTP: who signs in how, where redirects may lead, and what errors mean.

Nothing is retried here: the engine knows when to come back. An error tells status and precondition, never contents or
passwords.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx

from bridge.errors import Gone, ProviderError, Refused, Unreachable
from bridge.outside import trust
from bridge.providers.caldav import urls, xml
from bridge.providers.caldav.xml import Multistatus
from bridge.providers.http import error_for, retry_after
from bridge.providers.pace import Limits, Pace

TIMEOUT = httpx.Timeout(30, connect=10)
"""Seconds until an answer counts as lost."""

LIMITS = Limits(at_once=4)
"""Somebody's own server: no rate is known, but it is not to be swamped."""

LARGEST = 256 * 1024 * 1024
"""Octets of an answer; more of it is no calendar's."""

REDIRECTS = 5
MOVED = frozenset({301, 302, 307, 308})


def connections() -> httpx.Client:
    """Connections for any number of accounts. It keeps no cookies: a session of one person must not answer another's request."""
    jar = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
    return httpx.Client(timeout=TIMEOUT, follow_redirects=False, cookies=jar, verify=trust())


class Credentials(httpx.Auth):
    """A name and a password: Basic at once, for servers that know nothing else; Digest where only that is taken (Baïkal)."""

    def __init__(self, username: str, password: str) -> None:
        self._basic = httpx.BasicAuth(username, password)
        self._digest = httpx.DigestAuth(username, password)
        self._by_digest = False

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        if not self._by_digest:
            answer = yield next(self._basic.auth_flow(request))
            offered = [value.lower() for value in answer.headers.get_list("WWW-Authenticate")]
            if answer.status_code != 401 or not offered or not all(value.startswith("digest") for value in offered):
                return
            self._by_digest = True
            del request.headers["Authorization"]
        yield from self._digest.auth_flow(request)


@dataclass(frozen=True, slots=True)
class Answer:
    """``url`` is where it came from, behind all redirects. ``framed``: its end was told, so that it is whole."""

    url: str
    status: int
    headers: httpx.Headers
    body: bytes = field(repr=False)
    framed: bool


@dataclass(frozen=True)
class Api:
    """One person at CalDAV servers that belong together."""

    http: httpx.Client
    credentials: Credentials = field(repr=False)
    pace: Pace = field(default_factory=lambda: Pace(LIMITS), repr=False)

    def propfind(self, url: str, *names: str, depth: int = 0) -> tuple[str, Multistatus]:
        """The address that answered, and what it said."""
        answer = self.send("PROPFIND", url, xml.propfind(*names), {"Depth": str(depth)})
        return answer.url, xml.multistatus(answer.status, answer.body)

    def report(self, url: str, body: bytes, *, depth: int) -> Multistatus:
        answer = self.send("REPORT", url, body, {"Depth": str(depth)})
        return xml.multistatus(answer.status, answer.body)

    def send(self, method: str, url: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
        """A request and its answer, whichever redirects lead there. Raises ProviderError for all but 2xx."""
        kind = {"Content-Type": "application/xml; charset=utf-8"} if body else {}
        sent = {**kind, **(headers or {})}
        answer = self._once(method, url, body, sent)
        for _ in range(REDIRECTS):
            location = answer.headers.get("Location")
            if answer.status not in MOVED or not location:
                break
            answer = self._once(method, urls.joined(answer.url, location), body, sent)
        if not 200 <= answer.status < 300:
            raise self.pace.heed(_error(answer))
        return answer

    def _once(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        try:
            with (
                self.pace.turn(),
                self.http.stream(method, url, content=body, headers=headers, auth=self.credentials) as response,
            ):
                received = bytearray()
                for chunk in response.iter_bytes():
                    received += chunk
                    if len(received) > LARGEST:
                        raise Refused("the server's answer is too large", code="too-large")
        except httpx.RequestError as error:
            why = "its certificate is not trusted" if "CERTIFICATE_VERIFY" in str(error) else type(error).__name__
            raise Unreachable(f"the CalDAV server did not answer ({why})") from None
        except httpx.InvalidURL:
            raise Refused("the server names an address that cannot be read") from None
        framed = "Content-Length" in response.headers or "Transfer-Encoding" in response.headers
        return Answer(url, response.status_code, response.headers, bytes(received), framed)


def _error(answer: Answer) -> ProviderError:
    status, code = answer.status, xml.precondition(answer.body)
    message = f"the CalDAV server answered {status} {code}".rstrip()
    if status == 410:
        return Gone(message, status=status, code=code)
    if status == 507:  # there is no room for this one; smaller ones, and what is deleted, may still go through
        return Refused(message, status=status, code=code or "insufficient-storage")
    wait = retry_after(answer.headers.get("Retry-After"), now=_date(answer.headers))
    return error_for(status, code=code, message=message, wait=wait)


def _date(headers: httpx.Headers) -> dt.datetime:
    """The server's own clock, which an absolute Retry-After refers to; without one, there is nothing to wait for."""
    try:
        return parsedate_to_datetime(headers["Date"])
    except (KeyError, TypeError, ValueError):
        return dt.datetime.max.replace(tzinfo=dt.UTC)
