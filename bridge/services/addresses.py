"""Under which address people and services reach this server."""

from __future__ import annotations

import errno
import ipaddress
from urllib.parse import urlsplit

from bridge.outside import is_public
from bridge.services.context import Context
from bridge.store import settings as remembered

_NAME = "server_url"
_INSIDE = (
    ".localhost",
    ".local",
    ".lan",
    ".home",
    ".home.arpa",
    ".internal",
    ".intranet",
    ".private",
    ".corp",
    ".test",
)


def listening(host: str, port: int) -> str:
    """The address of a server that listens there. One that listens everywhere is on this machine under 127.0.0.1, too."""
    named = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - names it, binds nothing
    return f"http://[{named}]:{port}" if ":" in named else f"http://{named}:{port}"


def not_free(host: str, port: int, error: OSError) -> str:
    """Why nothing can listen there, in words."""
    reason = f"port {port} is taken" if error.errno == errno.EADDRINUSE else error.strerror or str(error)
    return f"cannot listen on {host}: {reason}"


def remember(context: Context, url: str) -> None:
    """Note where the server listens, so that commands run beside it print the right address."""
    with context.database.write() as conn:
        remembered.put(conn, _NAME, url)


def public_url(context: Context) -> str:
    """The base address without a trailing slash: the setting, else where the server last listened, else the default."""
    server = context.settings.server
    if server.public_url is not None:
        return server.public_url
    with context.database.read() as conn:
        url = remembered.get(conn, _NAME)
    return str(url) if url else listening(server.host, server.port)


def is_loopback(url: str) -> bool:
    return urlsplit(url).hostname in ("127.0.0.1", "localhost", "::1")


def is_inside(url: str) -> bool:
    """Whether it says by itself that the internet does not reach it: an address or a name of a private network."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return "." not in host or host.endswith(_INSIDE)
    return not is_public(host)


def push_url(context: Context, provider: str, service_url: str | None) -> str | None:
    """Where a service shall send its notifications, or None if it could not reach or would not accept us (G-81, M-71).

    A public service wants https; a simulated one on this machine takes what it gets; one without an address sends none.
    """
    if service_url is None:
        return None
    url = public_url(context)
    if urlsplit(url).scheme == "https" or (is_loopback(url) and is_loopback(service_url)):
        return f"{url}/push/{provider}"
    return None
