"""A feed as a side to sync with: read-only, and each cycle costs one request (R7)."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NoReturn

from bridge.errors import Gone, InvalidCalendarData, Refused, Unreadable
from bridge.ical.fields import ObjectFields
from bridge.providers.ics import following, reading
from bridge.providers.ics.feed import Answer, Fetcher, Location
from bridge.providers.ics.following import Position
from bridge.providers.ics.mapping import IcsLens
from bridge.providers.ics.reading import Feed
from bridge.providers.pace import Pace
from bridge.sync.ports import Page, RemoteItem, RemoteObject, TokenStore

PAGE = 500


@dataclass(frozen=True, slots=True)
class Fetched:
    """Where a reader stands who has read all of ``feed``; None: it is what was read before."""

    position: Position
    feed: Feed | None


class Source:
    """Where the account's feed is, and what comes from there."""

    def __init__(self, fetcher: Fetcher, tokens: TokenStore, pace: Pace) -> None:
        self._fetcher = fetcher
        self._tokens = tokens
        self._pace = pace

    def where(self) -> Location:
        return Location.from_grant(self._tokens.load())

    def fetch(self, before: Position) -> Fetched:
        """The feed as it is now. Raises Throttled and Unreadable.

        An address is only taken for the new one once a calendar has been read there; one that fails is given up again.
        """
        where = self.where()
        try:
            with self._pace.turn():
                answer = self._fetcher.get(where, before.validators)
            fetched = Fetched(before, None) if answer is None else _read(where.host, answer, before)
        except Unreadable:
            if where.moved:
                self._remember("")
            raise
        if answer is not None and answer.moved != where.moved:
            self._remember(answer.moved)
        return fetched

    def whole(self) -> Feed:
        """The feed, whatever of it was seen before."""
        return self.fetch(Position()).feed or Feed({})

    def _remember(self, moved: str) -> None:
        self._tokens.exchange(lambda grant: replace(Location.from_grant(grant), moved=moved).to_grant())


def _read(host: str, answer: Answer, before: Position) -> Fetched:
    digest = hashlib.sha256(answer.body).hexdigest()[:32]
    if digest == before.digest:
        return Fetched(replace(before, validators=answer.validators), None)
    try:
        feed = reading.read(answer.body, answer.charset)
    except InvalidCalendarData as error:
        raise Unreadable(f"the feed at {host} cannot be read: {error.reason}") from None
    return Fetched(Position(answer.validators, digest), feed)


class IcsRemote:
    """``Remote`` on a feed. It keeps what it has fetched for the pages of one listing, and for ``get``."""

    lens = IcsLens()

    def __init__(self, source: Source, *, page_size: int = PAGE) -> None:
        self._source = source
        self._feed: Feed | None = None
        self._position = Position()
        self.page_size = page_size

    def page(self, cursor: str | None, *, now: dt.datetime) -> Page:
        before = Position.from_cursor(cursor)
        if cursor is None or before.digest or self._feed is None:
            fetched = self._source.fetch(before)
            if fetched.feed is None:
                return Page([], [], fetched.position.to_cursor(), more=False)
            self._feed, self._position = fetched.feed, fetched.position
        return following.next_page(before, self._feed.objects, self._position, size=self.page_size, now=now)

    def get(self, id: str) -> Sequence[RemoteItem]:
        """Out of what was fetched last; only where that was "not modified" all of it is asked for."""
        if self._feed is None:
            self._feed = self._source.whole()
        found = self._feed.objects.get(id)
        if found is None:
            raise Gone("the feed does not show it", status=404)
        return (following.item(found),)

    def find(self, key: str) -> Sequence[RemoteItem]:  # noqa: ARG002 - nothing is ever created there
        return ()

    def create(self, fields: ObjectFields, *, key: str, uid: str) -> Sequence[RemoteItem]:  # noqa: ARG002
        _refuse()

    def update(self, current: RemoteObject, target: ObjectFields) -> Sequence[RemoteItem]:  # noqa: ARG002
        _refuse()

    def delete(self, current: RemoteObject) -> None:  # noqa: ARG002
        _refuse()


def _refuse() -> NoReturn:
    raise Refused("a feed is read-only")
