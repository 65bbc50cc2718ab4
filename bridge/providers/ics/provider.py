"""Feeds as a provider: an "account" is one feed, its address the grant."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bridge.errors import UsageError
from bridge.providers.ics.feed import Fetcher, locate
from bridge.providers.ics.reading import Feed
from bridge.providers.ics.remote import IcsRemote, Source
from bridge.providers.oauth import Consent
from bridge.sync.ports import RemoteCalendar, TokenStore

CALENDAR = "feed"
"""The id of the one calendar that an account has here."""

_NO_CONSENT = "a feed needs no consent but its address: caldav-bridge calendar subscribe USER URL"


@dataclass(frozen=True, slots=True)
class Described:
    """A feed that was looked at: its calendar, and what else it says."""

    calendar: RemoteCalendar
    feed: Feed


class IcsProvider:
    """Subscriptions to iCalendar feeds. ``fetcher`` says where they may lie."""

    name = "ics"

    def __init__(self, fetcher: Fetcher) -> None:
        self._fetcher = fetcher

    def begin(self, *, redirect_uri: str) -> Consent:  # noqa: ARG002 - the port
        raise UsageError(_NO_CONSENT)

    def finish(self, memory: str, answer: Mapping[str, str]) -> str:  # noqa: ARG002 - the port
        raise UsageError(_NO_CONSENT)

    def grant(self, *, url: str, username: str, password: str) -> str:
        """The address in its normal form, to be sealed. Asks nobody whether it is good. Raises UsageError."""
        where = locate(url, username, password)
        if where.username and where.url.startswith("http:") and not self._fetcher.allow_private:
            raise UsageError("a password is not sent over http://, where all can read it: use the feed's https address")
        return where.to_grant()

    def account(self, tokens: TokenStore) -> IcsAccount:
        return IcsAccount(Source(self._fetcher, tokens))

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
