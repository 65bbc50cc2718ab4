"""A feed over HTTP: one conditional GET, its redirects followed, its body within limits.

Whatever is not a complete answer with status 200 raises: it says nothing about what the calendar holds (R7). An error names
the host, never the address: a feed's address is its password.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus

import httpx

from bridge.errors import Throttled, Unreadable, UsageError
from bridge.outside import Resolve, public_addresses, system_resolve, trust
from bridge.providers.http import retry_after
from bridge.providers.ics.following import Validators

MAX_BYTES = 32 * 1024 * 1024
"""Of the body, unpacked."""
TIMEOUT = httpx.Timeout(20, connect=10)
TOTAL_SECONDS = 50.0
"""For all of it, redirects too: within a worker's lease, however slowly a server drips."""
REDIRECTS = 5
LONGEST_WAIT = 24 * 3600.0
"""Seconds that a Retry-After is believed: a feed is somebody's web site, not a service we know."""
ACCEPT = "text/calendar, text/plain;q=0.5, */*;q=0.1"

_SCHEMES = {"webcal": "https", "webcals": "https", "http": "http", "https": "https"}
_HOST = re.compile(rb"[a-z0-9._-]+|[0-9a-f:.]+")  # a name (IDNA) or an address, as httpx writes them
_PERMANENT = {HTTPStatus.MOVED_PERMANENTLY, HTTPStatus.PERMANENT_REDIRECT}
_WORDS = {
    401: "wants a user name and password, or other ones",
    403: "refuses access",
    404: "has nothing at this address",
    410: "says that it has been taken away for good",
}
_NO_FEED = "this is not the address of a feed: it begins with https://, http:// or webcal://"


@dataclass(frozen=True, slots=True)
class Location:
    """Where a feed is and how one signs in there; all of it is secret but the host.

    ``moved`` is where it has moved for good (301, 308), "" if it has not.
    """

    url: str
    username: str = ""
    password: str = ""
    moved: str = ""

    @property
    def host(self) -> str:
        """To be shown."""
        return httpx.URL(self.url).host

    def to_grant(self) -> str:
        held = {name: getattr(self, name) for name in Location.__slots__ if getattr(self, name)}
        return json.dumps(held, sort_keys=True)

    @classmethod
    def from_grant(cls, grant: str) -> Location:
        return cls(**json.loads(grant))


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete body. ``charset`` as the server declared it, or ""; ``moved`` as in ``Location``."""

    body: bytes
    charset: str
    validators: Validators
    moved: str


def locate(url: str, username: str = "", password: str = "") -> Location:
    """The normal form of what a person pastes. A name and password in the address are taken out of it.

    Raises UsageError, which does not repeat the address.
    """
    try:
        parsed = httpx.URL(url.strip())
    except (httpx.InvalidURL, ValueError):
        raise UsageError(_NO_FEED) from None
    scheme = _SCHEMES.get(parsed.scheme)
    if scheme is None or not _HOST.fullmatch(parsed.raw_host):
        raise UsageError(_NO_FEED)
    if not username:
        username, password = parsed.username, parsed.password
    plain = parsed.copy_with(scheme=scheme, userinfo=b"", fragment=None, raw_path=parsed.raw_path)
    return Location(str(plain), username, password)


class Fetcher:
    """Holds the TLS settings; every fetch has a connection of its own.

    Connections are not kept: a pool knows them by address, and two hosts may share one, each with a certificate of its own.
    ``allow_private`` lets feeds lie anywhere; then names are resolved by the system or by its proxy.
    """

    def __init__(
        self,
        *,
        allow_private: bool,
        resolve: Resolve = system_resolve,
        stopwatch: Callable[[], float] = time.monotonic,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self.allow_private = allow_private
        self._resolve = resolve
        self._stopwatch = stopwatch
        self._max_bytes = max_bytes
        self._http = httpx.Client(
            timeout=TIMEOUT,
            follow_redirects=False,
            verify=trust(),
            trust_env=allow_private,
            limits=httpx.Limits(max_keepalive_connections=0),
            headers={"User-Agent": "caldav-bridge", "Accept": ACCEPT},
        )

    def close(self) -> None:
        self._http.close()

    def get(self, where: Location, validators: Validators) -> Answer | None:
        """The feed, or None if it has not changed. Raises Throttled and Unreadable."""
        deadline = self._stopwatch() + TOTAL_SECONDS
        home, url, moved = httpx.URL(where.url), httpx.URL(where.moved or where.url), where.moved
        permanent = True
        for _ in range(REDIRECTS + 1):
            auth = httpx.BasicAuth(where.username, where.password) if where.username and _same(url, home) else None
            response = self._send(url, validators, auth)
            try:
                target = _target(url, response)
                if target is None:
                    return self._answered(where, response, validators, moved, deadline=deadline)
            except httpx.HTTPError as error:
                raise Unreadable(f"the answer of {url.host} broke off ({type(error).__name__})") from None
            finally:
                response.close()
            permanent = permanent and response.status_code in _PERMANENT
            moved = str(target) if permanent else moved
            url = target
        raise Unreadable(f"the feed at {where.host} leads from one address to the next without an end")

    def _send(self, url: httpx.URL, validators: Validators, auth: httpx.Auth | None) -> httpx.Response:
        """To a judged address of this host. Tried one after the other: a host may be up on IPv4 only."""
        host, port = url.raw_host.decode("ascii"), url.port or (443 if url.scheme == "https" else 80)
        targets = [host] if self.allow_private else public_addresses(host, port, self._resolve)
        failure: httpx.HTTPError | None = None
        for target in targets:
            headers = {**validators.headers(), "Host": url.netloc.decode("ascii")}
            # the certificate is checked against this name, not against the address
            named = {} if target == host else {"sni_hostname": host}
            request = self._http.build_request("GET", url.copy_with(host=target), headers=headers, extensions=named)
            try:
                return self._http.send(request, auth=auth, stream=True)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                failure = error
            except httpx.HTTPError as error:
                failure = error
                break
        lost = isinstance(failure, httpx.TimeoutException | httpx.NetworkError)
        words = "does not answer" if lost else "does not answer as a web server should"
        raise Unreadable(f"{url.host} {words} ({type(failure).__name__})") from None

    def _answered(
        self,
        where: Location,
        response: httpx.Response,
        validators: Validators,
        moved: str,
        *,
        deadline: float,
    ) -> Answer | None:
        status = response.status_code
        if status == HTTPStatus.NOT_MODIFIED and validators != Validators():
            return None
        if status != HTTPStatus.OK:
            raise _refusal(where.host, response)
        fresh = Validators(_plain(response.headers.get("ETag", "")), _plain(response.headers.get("Last-Modified", "")))
        return Answer(self._body(where.host, response, deadline), response.charset_encoding or "", fresh, moved)

    def _body(self, host: str, response: httpx.Response, deadline: float) -> bytes:
        body = bytearray()
        for chunk in response.iter_bytes(64 * 1024):
            body += chunk
            if len(body) > self._max_bytes:
                raise Unreadable(f"the feed at {host} is larger than {self._max_bytes // 1024 // 1024} MiB")
            if self._stopwatch() > deadline:
                raise Unreadable(f"the feed at {host} does not come to an end within {TOTAL_SECONDS:.0f} seconds")
        return bytes(body)


def _plain(value: str) -> str:
    """A header that can be sent back; of another kind none."""
    return value if value.isascii() and value.isprintable() and len(value) <= 1024 else ""


def _same(one: httpx.URL, other: httpx.URL) -> bool:
    """Whether both are of one origin: a password is never sent elsewhere."""
    return (one.scheme, one.host, one.port) == (other.scheme, other.host, other.port)


def _target(url: httpx.URL, response: httpx.Response) -> httpx.URL | None:
    """Where the answer sends us, or None if it is no redirect."""
    if response.status_code not in {301, 302, 303, 307, 308}:
        return None
    try:
        target = url.join(response.headers.get("Location", ""))
    except (httpx.InvalidURL, ValueError):
        target = httpx.URL()
    scheme = _SCHEMES.get(target.scheme)
    if scheme is None or not _HOST.fullmatch(target.raw_host) or "Location" not in response.headers:
        raise Unreadable(f"{url.host} sends us to an address that is none", status=response.status_code)
    return target.copy_with(scheme=scheme, userinfo=b"", fragment=None)


def _refusal(host: str, response: httpx.Response) -> Unreadable | Throttled:
    status = response.status_code
    wait = _wait(response)
    if status == HTTPStatus.TOO_MANY_REQUESTS or (status >= 500 and wait is not None):
        return Throttled(f"{host} asks for patience", status=status, retry_after=wait)
    words = _WORDS.get(status, "is in trouble" if status >= 500 else "does not give the calendar")
    return Unreadable(f"the feed at {host} {words} (HTTP {status})", status=status)


def _wait(response: httpx.Response) -> float | None:
    """Seconds by its Retry-After; a date there is read by the server's own clock."""
    try:
        clock = parsedate_to_datetime(response.headers.get("Date", "")).astimezone(dt.UTC)
    except (TypeError, ValueError, OverflowError):
        clock = dt.datetime.max.replace(tzinfo=dt.UTC)  # without one no date can be understood: it counts as past
    wait = retry_after(response.headers.get("Retry-After"), now=clock)
    return None if wait is None else min(wait, LONGEST_WAIT)
