"""Where a person may send this server: addresses on the public internet, unless the admin allows more.

What a person names is fetched by the server, which stands where that person does not: beside databases, routers and cloud
metadata. So a name is resolved here, every address of it is judged, and the connection then goes to the judged address
itself. Resolving once to judge and once more to connect would let a name change its mind in between (DNS rebinding).
"""

from __future__ import annotations

import functools
import ipaddress
import os
import socket
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import httpx

from bridge.errors import Unreadable

Resolve = Callable[[str, int], Sequence[str]]
"""From a host name (ASCII) and a port to its addresses, best first. Raises OSError."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_UNICAST = ipaddress.IPv6Network("2000::/3")
"""All that IANA has given out of IPv6 for the internet. Beside it lie old and local ways to the inside (fec0::/10, ::/96,
64:ff9b:1::/48, ::ffff:0:0:0/96), not all of which ``is_global`` knows."""


def trust() -> ssl.SSLContext:
    """Whom certificates may come from: the public authorities, or those of SSL_CERT_FILE and SSL_CERT_DIR.

    Connections share it, for to read them all takes longer than many a request.
    """
    return _trust(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))


@functools.cache
def _trust(_file: str | None, _folder: str | None) -> ssl.SSLContext:
    return httpx.create_ssl_context()


def system_resolve(host: str, port: int) -> Sequence[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


def addresses_of(host: str, port: int, resolve: Resolve) -> list[str]:
    """Raises Unreadable for a name that cannot be found."""
    try:
        return list(resolve(host, port))
    except (OSError, UnicodeError):
        raise Unreadable(f"the name {host} cannot be found") from None


def public_addresses(host: str, port: int, resolve: Resolve) -> list[str]:
    """Those addresses of a host that lie on the public internet. Raises Unreadable if there is none."""
    public = [each for each in addresses_of(host, port, resolve) if is_public(each)]
    if not public:
        raise Unreadable(
            f"{host} lies in a private network, where this server does not look for people"
            " unless [ics] allow_private = true stands in its config.toml"
        )
    return public


@dataclass(frozen=True, slots=True)
class Allowed:
    """Hosts and networks that the admin trusts, private ones too. A host is meant whatever its addresses are."""

    hosts: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()

    @classmethod
    def of(cls, named: Sequence[str]) -> Allowed:
        """From what an admin writes: ``ntfy.lan``, ``10.1.2.3``, ``10.0.0.0/8``. Raises ValueError for a broken network."""
        hosts, networks = set(), []
        for each in (one.strip().lower() for one in named):
            try:
                networks.append(ipaddress.ip_network(each, strict=False))
            except ValueError:
                if not each or "/" in each or ":" in each:
                    raise ValueError(f"{each!r} is neither a host's name nor an address or network") from None
                hosts.add(each.rstrip("."))
        return cls(frozenset(hosts), tuple(networks))

    def holds(self, host: str, address: str) -> bool:
        """Whether this address of this host is trusted."""
        if host.lower().rstrip(".") in self.hosts:
            return True
        try:
            ip = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(ip in network for network in self.networks)


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public internet, seen through what carries IPv4 inside IPv6."""
    try:
        parsed = _inner(ipaddress.ip_address(address))
    except ValueError:
        return False
    return parsed.is_global and not parsed.is_multicast and (parsed.version == 4 or parsed in _UNICAST)


def _inner(address: Address) -> Address:
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else address)
