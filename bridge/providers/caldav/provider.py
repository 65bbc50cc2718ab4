"""Any CalDAV server as a provider: signing in with address, name and password, and the account behind them."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httpx

from bridge.errors import NeedsReconnect, Refused, Unreachable, UsageError
from bridge.providers.caldav import discovery, urls
from bridge.providers.caldav.api import LIMITS, Api, Credentials, connections
from bridge.providers.caldav.remote import CaldavRemote
from bridge.providers.pace import Pace, Paces
from bridge.sync.ports import RemoteCalendar, TokenStore


@dataclass(frozen=True, slots=True)
class Grant:
    """What is sealed in the vault. ``addresses`` are those of the principal, lower case, the preferred one first."""

    principal: str
    username: str
    password: str = field(repr=False)
    addresses: tuple[str, ...] = ()

    def text(self) -> str:
        return json.dumps(
            {
                "principal": self.principal,
                "username": self.username,
                "password": self.password,
                "addresses": list(self.addresses),
            }
        )


def parse(text: str) -> Grant:
    """Raises NeedsReconnect for what is none."""
    try:
        value = json.loads(text)
        return Grant(value["principal"], value["username"], value["password"], tuple(value["addresses"]))
    except (ValueError, TypeError, KeyError):
        raise NeedsReconnect("the stored sign-in cannot be read") from None


class CaldavProvider:
    """``clock`` (aware UTC) stamps what is written; ``paces`` says how fast each account is asked (R33)."""

    name = "caldav"

    def __init__(self, *, clock: Callable[[], dt.datetime], paces: Paces | None = None) -> None:
        self._http = connections()
        self._paces = paces or Paces(LIMITS)
        self._clock = clock

    def grant(self, *, url: str, username: str, password: str) -> str:
        """Find the person's principal with what she typed. Raises UsageError in plain words, or Unreachable."""
        if not username or not password:
            raise UsageError("a CalDAV server wants a user name (--username) and a password")
        address = urls.typed(url)
        try:
            who = discovery.person(Api(self._http, Credentials(username, password)), address)
        except NeedsReconnect:
            raise UsageError(
                f"{urlsplit(address).hostname} does not take this user name and password"
                " (many services want an app password: docs/how-to/connect-caldav.md)"
            ) from None
        except Unreachable as silence:
            if silence.status:
                raise
            raise Unreachable(f"{silence}: check the address, {address}") from None
        except Refused as refused:
            raise UsageError(
                f"{refused}; docs/how-to/connect-caldav.md names the addresses of common services"
            ) from None
        return Grant(who.principal, username, password, who.addresses).text()

    def account(self, tokens: TokenStore, *, key: str = "") -> CaldavAccount:
        return CaldavAccount(self._http, tokens, self._clock, self._paces.of(key))

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()


class CaldavAccount:
    """A person at a CalDAV server. Her grant is read once: it changes only by connecting again."""

    def __init__(self, http: httpx.Client, tokens: TokenStore, clock: Callable[[], dt.datetime], pace: Pace) -> None:
        self._grant = parse(tokens.load())
        self._api = Api(http, Credentials(self._grant.username, self._grant.password), pace)
        self._clock = clock

    def identity(self) -> tuple[str, str]:
        """The principal's address, which is the same whatever was typed to find it, and an e-mail address (R15)."""
        return (
            self._grant.principal,
            self._owner() or f"{self._grant.username}@{urlsplit(self._grant.principal).hostname}",
        )

    def _owner(self) -> str:
        name = self._grant.username
        return next(iter(self._grant.addresses), name.lower() if "@" in name else "")

    def calendars(self) -> Sequence[RemoteCalendar]:
        who = discovery.details(self._api, self._grant.principal)
        return discovery.calendars(self._api, who, owner=self._owner())

    def remote(self, calendar: RemoteCalendar) -> CaldavRemote:
        if not urls.trusted(self._grant.principal, calendar.id):
            raise Refused("the calendar is not at the server that was signed in to", code="foreign-address")
        own = frozenset(self._grant.addresses)
        return CaldavRemote(self._api, calendar.id, own=own, clock=self._clock)
