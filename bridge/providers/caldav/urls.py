"""Where requests, and with them the password, may go.

The rule: https, or plain http to this machine itself. A server may send us on (by a redirect, or by an absolute href, as iCloud
does to pNN-caldav.icloud.com) to the same host, to a host below it, or to one with the same parent domain, always by https. An
address anywhere else is not followed: whoever means it connects with that address.
"""

from __future__ import annotations

import ipaddress
from urllib.parse import quote, unquote_to_bytes, urljoin, urlsplit, urlunsplit

from bridge.errors import Refused, UsageError

_SAFE = "!$&'()*+,;=:@-._~"
_PORTS = {"https": 443, "http": 80}
_GENERIC = {"ac", "co", "com", "edu", "gob", "gov", "gv", "mil", "ne", "net", "nom", "or", "org", "sch"}
"""Labels under which a country registers names: co.uk is nobody's own domain."""


def typed(text: str) -> str:
    """The address that a person typed, https unless it says otherwise. Raises UsageError; a password in it is not repeated."""
    url = text.strip() if "://" in text else f"https://{text.strip()}"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if (
        not host
        or parts.scheme not in _PORTS
        or port == 0
        or any(not sign.isprintable() or sign == " " for sign in url)
    ):
        raise UsageError("that is no address of a CalDAV server; it looks like https://cal.example.org/")
    if parts.username is not None or parts.password is not None:
        raise UsageError("leave user name and password out of the address")
    if parts.scheme == "http" and not is_loopback(host):
        raise UsageError("the address must begin with https: the password would travel in the clear")
    return normal(urlunsplit((parts.scheme, parts.netloc, parts.path, "", "")))


def normal(url: str) -> str:
    """One spelling for what is the same: case of scheme and host, the port that goes without saying, percent encoding."""
    parts = urlsplit(url)
    scheme, host = parts.scheme.lower(), (parts.hostname or "").lower()
    netloc = f"[{host}]" if ":" in host else host
    if parts.port is not None and parts.port != _PORTS.get(scheme):
        netloc += f":{parts.port}"
    segments = (quote(unquote_to_bytes(segment), safe=_SAFE) for segment in (parts.path or "/").split("/"))
    return urlunsplit((scheme, netloc, "/".join(segments), "", ""))


def joined(base: str, href: str) -> str:
    """An href of an answer as an absolute address. Raises Refused where it must not be followed."""
    try:
        url = normal(urljoin(base, href.strip()))
    except ValueError:
        raise Refused("the server names an address that cannot be read") from None
    if not trusted(base, url):
        raise Refused(f"the server leads on to {urlsplit(url).hostname}, which is not followed", code="foreign-address")
    return url


def path(url: str) -> str:
    """The path of a normal address: what names an object on its server."""
    return urlsplit(url).path


def origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def trusted(here: str, there: str) -> bool:
    """Whether the server at ``here`` may send us, password and all, to ``there``."""
    if origin(here) == origin(there):
        return True
    one, other = urlsplit(here).hostname or "", urlsplit(there).hostname or ""
    return urlsplit(there).scheme == "https" and (one == other or _related(one, other))


def _related(one: str, other: str) -> bool:
    if _is_address(one) or _is_address(other):
        return False
    if other.endswith(f".{one}") and _ones_own(one):
        return True
    parent = one.partition(".")[2]
    return _ones_own(parent) and other.endswith(f".{parent}")


def _ones_own(domain: str) -> bool:
    """Whether a domain can be somebody's: example.com and example.co.uk, but neither com nor co.uk."""
    labels = domain.split(".")
    if len(labels) < 2 or not all(labels):
        return False
    return not (len(labels) == 2 and len(labels[1]) == 2 and labels[0] in _GENERIC)


def is_loopback(host: str) -> bool:
    return host == "localhost" or (_is_address(host) and ipaddress.ip_address(host).is_loopback)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
