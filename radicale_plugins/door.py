"""What a request must be before anything looks at it: bad input ends here, with a status and no traceback."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from collections.abc import Sequence
from http import client
from typing import Any

from bridge.errors import UsageError
from radicale_plugins import dav

Environ = dict[str, Any]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_DEPTHS = frozenset({"0", "1", "infinity"})
_CHUNKED = "caldav_bridge.chunked"  # in the environment: how much of a body without a length may be read
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_SEGMENT = 255  # a slug's and an href's column


def admit(environ: Environ, *, max_content_length: int, trusted_proxies: Sequence[Network]) -> Environ:
    """The environment as the application may rely on it. Raises dav.Refusal.

    The path is decoded UTF-8 here, where PEP 3333 hands over bytes in Latin-1's clothes.
    """
    environ = dict(environ)
    environ["PATH_INFO"] = _path(environ.get("PATH_INFO", ""))
    depth = environ.get("HTTP_DEPTH", "").strip().lower()
    if depth and depth not in _DEPTHS:
        raise dav.Refusal(dav.text(client.BAD_REQUEST, "Depth is 0, 1 or infinity."))
    if depth:
        environ["HTTP_DEPTH"] = depth
    _limit_body(environ, max_content_length)
    _basic(environ)
    _origin(environ, trusted_proxies)
    return environ


def _path(raw: str) -> str:
    try:
        path = raw.encode("latin-1").decode("utf-8")
    except UnicodeError:
        raise dav.Refusal(dav.text(client.BAD_REQUEST, "The path is not UTF-8.")) from None
    check_path(path)
    return path


def check_path(path: str) -> None:
    """What no path of ours can be, whether it is asked for or referred to. Raises dav.Refusal."""
    if _CONTROL.search(path):
        raise dav.Refusal(dav.text(client.BAD_REQUEST, "The path holds control characters."))
    segments = path.split("/")
    if "." in segments or ".." in segments:
        raise dav.Refusal(dav.text(client.BAD_REQUEST, "The path points outside itself."))
    if any(len(segment) > _SEGMENT for segment in segments):
        raise dav.Refusal(dav.text(client.REQUEST_URI_TOO_LONG, "A name in the path is too long."))


def _limit_body(environ: Environ, limit: int) -> None:
    """A body that is announced too long is not read; one sent in chunks (macOS does) will be read up to the limit."""
    announced = environ.get("CONTENT_LENGTH") or ""
    if announced:
        if not (announced.isascii() and announced.isdigit()):
            raise dav.Refusal(dav.text(client.BAD_REQUEST, "Content-Length is no number."))
        if int(announced[:20]) > limit:
            raise dav.Refusal(dav.text(client.REQUEST_ENTITY_TOO_LARGE, "The request's body is too large."))
    elif "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower():
        environ[_CHUNKED] = limit


def read_up_to(stream: Any, limit: int) -> bytes:
    parts: list[bytes] = []
    while limit > 0 and (part := stream.read(min(limit, 65536))):
        parts.append(part)
        limit -= len(part)
    return b"".join(parts)


def read_body(environ: Environ) -> bytes:
    """The whole body, once it is known who sends it: a stranger who dawdles must not hold a thread.

    Raises dav.Refusal when the client hung up in the middle of it, or sends more than it may.
    """
    if (limit := environ.get(_CHUNKED)) is not None:
        body = read_up_to(environ["wsgi.input"], limit + 1)
        if len(body) > limit:
            raise dav.Refusal(dav.text(client.REQUEST_ENTITY_TOO_LARGE, "The request's body is too large."))
        return body
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body = read_up_to(environ["wsgi.input"], length) if length else b""
    if len(body) < length:
        raise dav.Refusal(dav.text(client.BAD_REQUEST, "The request's body is shorter than announced."))
    return body


def _basic(environ: Environ) -> None:
    """Credentials that cannot be read are none; the scheme's name is compared without case (RFC 7617 §2).

    Radicale decodes them by the *body's* charset; so it gets to see the media type alone.
    """
    environ["CONTENT_TYPE"] = environ.get("CONTENT_TYPE", "").partition(";")[0].strip()
    scheme, _, credentials = environ.pop("HTTP_AUTHORIZATION", "").strip().partition(" ")
    if scheme.lower() != "basic":
        return
    try:
        decoded = base64.b64decode(credentials.strip(), validate=True)
    except (binascii.Error, ValueError):
        return
    if b":" in decoded and b"\0" not in decoded:
        environ["HTTP_AUTHORIZATION"] = f"Basic {credentials.strip()}"


def _origin(environ: Environ, trusted: Sequence[Network]) -> None:
    """Believe X-Forwarded-For and a path prefix from a trusted proxy only; then from right to left, up to the first stranger."""
    if not _is_in(environ.get("REMOTE_ADDR", ""), trusted):
        environ.pop("HTTP_X_SCRIPT_NAME", None)
        return
    for hop in reversed(environ.get("HTTP_X_FORWARDED_FOR", "").split(",")):
        address = hop.strip().strip("[]")
        try:
            ipaddress.ip_address(address)
        except ValueError:
            return
        environ["REMOTE_ADDR"] = address
        if not _is_in(address, trusted):
            return


def _is_in(address: str, networks: Sequence[Network]) -> bool:
    if not networks:
        return False
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(ip in network for network in networks)


def networks(names: Sequence[str]) -> tuple[Network, ...]:
    """Addresses and networks as an admin writes them. Raises UsageError."""
    try:
        return tuple(ipaddress.ip_network(name, strict=False) for name in names)
    except ValueError as error:
        raise UsageError(f"trusted_proxies: {error}") from None
