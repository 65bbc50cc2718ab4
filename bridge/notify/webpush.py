"""Web Push: a message that only the device can read, sent through a push service that knows us by our key.

RFC 8030 is the request, RFC 8291 its encryption (http-ece), RFC 8292 the signature (py-vapid). A push resource is a
capability: whoever knows it can write to that device. So neither it nor a key ever stands in a log, an error or a repr.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import datetime as dt
import json
import re
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import http_ece
import httpx
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from py_vapid import jwt

from bridge.errors import Unreachable, Unreadable, UsageError
from bridge.outside import Allowed, Resolve, addresses_of, is_public, system_resolve, trust

LONGEST_RESOURCE = 2048
TIMEOUT = httpx.Timeout(10, connect=5)
TOTAL = dt.timedelta(seconds=20)
"""For all of an answer's head, however slowly it drips."""
TIME_TO_LIVE = dt.timedelta(days=1)
"""How long a push service keeps a message for a device that is away; until then it has polled anyway."""
TOKEN_LIFE = dt.timedelta(hours=12)
"""Of a signature: RFC 8292 §2 allows 24 hours, and not all clocks are right."""
RECORD_SIZE = 4096

_HOST = re.compile(rb"[a-z0-9._-]+|[0-9a-f:.]+")  # a name (IDNA) or an address, as httpx writes them


def base64url(data: bytes) -> str:
    """Without padding, as all of Web Push has it."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_base64url(text: str) -> bytes:
    """Raises ValueError."""
    stripped = text.strip().rstrip("=")
    try:
        return base64.b64decode(stripped + "=" * (-len(stripped) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeError):
        raise ValueError("not base64url") from None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A device's push resource and the keys to write to it. All of it is secret but the host."""

    resource: str = field(repr=False)
    public_key: bytes = field(repr=False)
    auth_secret: bytes = field(repr=False)

    @classmethod
    def of(cls, resource: str, public_key: str, auth_secret: str) -> Endpoint:
        """From what a client sends. Raises UsageError, which does not repeat it."""
        try:
            url = httpx.URL(resource.strip())
        except (httpx.InvalidURL, ValueError):
            raise UsageError("the push resource is no URL") from None
        if len(resource) > LONGEST_RESOURCE or url.scheme not in ("https", "http") or not _HOST.fullmatch(url.raw_host):
            raise UsageError("the push resource is no https URL")
        if url.userinfo:
            raise UsageError("the push resource holds a password")
        try:
            key, secret = from_base64url(public_key), from_base64url(auth_secret)
            ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), key)
        except ValueError:
            raise UsageError("the subscription's keys are none") from None
        if len(key) != 65 or len(secret) != 16:  # RFC 8291 §3.1 and §3.2
            raise UsageError("the subscription's keys have the wrong length")
        return cls(str(url.copy_with(fragment=None)), key, secret)

    @property
    def host(self) -> str:
        """To be shown."""
        return httpx.URL(self.resource).host

    def to_text(self) -> str:
        """To be sealed."""
        return json.dumps([self.resource, base64url(self.public_key), base64url(self.auth_secret)])

    @classmethod
    def from_text(cls, text: str) -> Endpoint:
        resource, key, secret = json.loads(text)
        return cls(resource, from_base64url(key), from_base64url(secret))


@dataclass(frozen=True, slots=True)
class Signer:
    """The application server's key (VAPID). ``contact`` is a mailto: or https: URL, or "" for none."""

    key: ec.EllipticCurvePrivateKey = field(repr=False)
    contact: str = ""

    @property
    def public_key(self) -> str:
        """As the transports property has it: uncompressed, in base64url."""
        point = serialization.PublicFormat.UncompressedPoint
        return base64url(self.key.public_key().public_bytes(serialization.Encoding.X962, point))

    def authorization(self, origin: str, now: dt.datetime) -> str:
        """The header for requests to that origin (RFC 8292 §3)."""
        claims: dict[str, str | int] = {"aud": origin, "exp": int((now + TOKEN_LIFE).timestamp())}
        if self.contact:
            claims["sub"] = self.contact
        return f"vapid t={jwt.sign(claims, self.key)}, k={self.public_key}"


def new_key() -> str:
    """A P-256 key as a secret to be kept: its 32 octets in base64url."""
    number = ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value
    return base64url(number.to_bytes(32, "big"))


def key_from(text: str) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(from_base64url(text), "big"), ec.SECP256R1())


def encrypt(message: bytes, to: Endpoint, *, key: ec.EllipticCurvePrivateKey | None = None, salt: bytes = b"") -> bytes:
    """An aes128gcm body (RFC 8291 §4, RFC 8188): one record, from a key and a salt that are used once.

    Both are given by tests alone, for the example in RFC 8291 §5.
    """
    body: bytes = http_ece.encrypt(
        message,
        salt=salt or None,
        private_key=key or ec.generate_private_key(ec.SECP256R1()),
        dh=to.public_key,
        auth_secret=to.auth_secret,
        rs=RECORD_SIZE,
        version="aes128gcm",
    )
    return body


@dataclass(frozen=True, slots=True)
class Answer:
    """What a push service said: a status and its Retry-After, as it came. Its body is not read."""

    status: int
    retry_after: str


class Client:
    """Sends to push services, each judged anew at each sending; any number of threads may use it.

    ``allowed`` are trusted though they lie in a private network, and over plain http too: the admin has named them.
    """

    def __init__(self, allowed: Allowed, *, resolve: Resolve = system_resolve, total: dt.timedelta = TOTAL) -> None:
        self._allowed = allowed
        self._resolve = resolve
        self._total = total
        self._http = httpx.Client(
            timeout=TIMEOUT,
            follow_redirects=False,
            verify=trust(),
            trust_env=False,  # a proxy would resolve the name again
            limits=httpx.Limits(max_keepalive_connections=0),  # a pool knows hosts by address, and two may share one
            headers={"User-Agent": "caldav-bridge"},
        )

    def close(self) -> None:
        self._http.close()

    def judge(self, to: Endpoint) -> list[str]:
        """The addresses that may be connected to. Raises Unreadable if there is none, or the name cannot be found."""
        url = httpx.URL(to.resource)
        host = url.raw_host.decode("ascii")
        port = url.port or (443 if url.scheme == "https" else 80)
        judged = [
            each
            for each in addresses_of(host, port, self._resolve)
            if self._allowed.holds(host, each) or (url.scheme == "https" and is_public(each))
        ]
        if not judged:
            raise Unreadable(f"{host} is no push service on the public internet, and [push] allow does not name it")
        return judged

    def send(self, message: bytes, to: Endpoint, signer: Signer, *, topic: str, now: dt.datetime) -> Answer:
        """One POST (RFC 8030 §5). ``topic`` replaces what has not been delivered of the same topic (§5.4).

        Raises Unreachable without an answer, and Unreadable for a place where nothing is sent.
        """
        url = httpx.URL(to.resource)
        origin = f"{url.scheme}://{url.netloc.decode('ascii')}"
        headers = {
            "Host": url.netloc.decode("ascii"),
            "TTL": str(int(TIME_TO_LIVE.total_seconds())),
            "Urgency": "normal",
            "Topic": topic,
            "Content-Encoding": "aes128gcm",
            "Content-Type": 'application/xml; charset="UTF-8"',  # of what is inside, as the draft wants it
            "Authorization": signer.authorization(origin, now),
        }
        body = encrypt(message, to)
        failure = ""
        for address in self.judge(to)[:3]:  # a host may be up on IPv4 only
            target = url.copy_with(host=address)
            # the certificate is checked against the name, not against the address
            watch = _Watch(self._total)
            extensions = {"sni_hostname": url.raw_host.decode("ascii"), "trace": watch.trace}
            request = self._http.build_request("POST", target, content=body, headers=headers, extensions=extensions)
            try:
                with watch:
                    response = self._http.send(request, stream=True)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                failure = type(error).__name__
                continue
            except httpx.HTTPError as error:
                failure = type(error).__name__
                break
            try:
                return Answer(response.status_code, response.headers.get("Retry-After", ""))
            finally:
                response.close()
        raise Unreachable(f"{url.host} does not answer ({failure})")


class _Watch:
    """Ends a connection when its time is up: the timeouts of httpx begin anew with every octet that comes."""

    def __init__(self, total: dt.timedelta) -> None:
        self._timer = threading.Timer(total.total_seconds(), self._end)
        self._timer.daemon = True
        self._stream: Any = None

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """An extension of httpcore by that name."""
        if event in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            self._stream = info["return_value"]

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def _end(self) -> None:
        if self._stream is not None:
            with contextlib.suppress(OSError):
                self._stream.get_extra_info("socket").shutdown(socket.SHUT_RDWR)
