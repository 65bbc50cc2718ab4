"""Feeds as a provider: an "account" is one feed, its address the grant."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from bridge.errors import UsageError
from bridge.providers.ics.feed import Fetcher, locate
from bridge.providers.ics.reading import Feed
from bridge.providers.ics.remote import IcsRemote, Source
from bridge.providers.pace import Limits, Paces
from bridge.sync.ports import RemoteCalendar, TokenStore

CALENDAR = "feed"
"""The id of the one calendar that an account has here."""

LIMITS = Limits(per_minute=60, at_once=1)
"""Of fetches, redirects and all: no feed has a reason to be asked more often, and each may be large."""


@dataclass(frozen=True, slots=True)
class Described:
    """A feed that was looked at: its calendar, and what else it says."""

    calendar: RemoteCalendar
    feed: Feed


class IcsProvider:
    """Subscriptions to iCalendar feeds. ``fetcher`` says where they may lie; ``paces`` how fast each is asked (R33)."""

    name = "ics"

    def __init__(self, fetcher: Fetcher, *, paces: Paces | None = None) -> None:
        self._fetcher = fetcher
        self._paces = paces or Paces(LIMITS)

    def grant(self, *, url: str, username: str, password: str) -> str:
        """The address in its normal form, to be sealed. Asks nobody whether it is good. Raises UsageError."""
        where = locate(url, username, password)
        if where.username and where.url.startswith("http:") and not self._fetcher.allow_private:
            raise UsageError("a password is not sent over http://, where all can read it: use the feed's https address")
        return where.to_grant()

    def account(self, tokens: TokenStore, *, key: str = "") -> IcsAccount:
        return IcsAccount(Source(self._fetcher, tokens, self._paces.of(key)))

    def close(self) -> None:
        """Let go of the connections."""
        self._fetcher.close()


class IcsAccount:
    """One feed."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def identity(self) -> tuple[str, str]:
        """(a digest of the address and the name one signs in with, the host to show). The address itself is a secret."""
        where = self._source.where()
        named = f"{where.username}\n{where.url}" if where.username else where.url
        return hashlib.sha256(named.encode()).hexdigest(), where.host

    def calendars(self) -> Sequence[RemoteCalendar]:
        return [self.describe().calendar]

    def describe(self) -> Described:
        """Look at the feed, at the price of one request."""
        feed = self._source.whole()
        name = feed.name or self._source.where().host
        calendar = RemoteCalendar(
            CALENDAR, name, writable=False, primary=False, color=feed.color, zone=feed.zone, owner=""
        )
        return Described(calendar, feed)

    def remote(self, calendar: RemoteCalendar) -> IcsRemote:  # noqa: ARG002 - there is only one
        return IcsRemote(self._source)
