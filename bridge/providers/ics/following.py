"""What a reader has seen of a feed, and what the feed shows beyond that: the cursor, and the next page (pure).

A feed has no changes to ask for; it is always all there is. So the cursor remembers what it has shown: of each object its
version and when it last takes place. A page is the difference, and a listing that was broken off goes on where it was,
because the cursor then simply remembers less. Nothing is concluded from a position that is not in the cursor.

Many feeds show a window that moves with the time. What falls off its past end is released, not deleted (R26): it stays where
it is. An absent object is taken for such a one if it is over and lay before everything that the feed still shows.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from bridge.errors import CursorLost, InvalidCalendarData
from bridge.ical import busy, objects
from bridge.providers.ics.reading import FeedObject
from bridge.sync.ports import Page, RemoteItem, Removal

FORMAT = 1
_MINUTE = 60


@dataclass(frozen=True, slots=True)
class Validators:
    """What a server gave to ask with "has it changed since?" (RFC 9110 §8.8), verbatim."""

    etag: str = ""
    last_modified: str = ""

    def headers(self) -> dict[str, str]:
        asked = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in asked.items() if value}


class Shown(NamedTuple):
    """An object as it was shown: its version, and the start and end of its last occurrence in minutes since 1970.

    None is a time without an end, or one that is not known. Of a series the start is not told: it counts by its end.
    """

    version: str
    start: int | None
    end: int | None


@dataclass(frozen=True, slots=True)
class Position:
    """Where a reader stands. Without a ``digest`` (of the feed's bytes) it has not come to the feed's end yet."""

    validators: Validators = Validators()
    digest: str = ""
    shown: Mapping[str, Shown] = field(default_factory=dict)

    def to_cursor(self) -> str:
        etag, modified = self.validators.etag, self.validators.last_modified
        held = {"v": FORMAT, "etag": etag, "last_modified": modified, "digest": self.digest, "shown": self.shown}
        return json.dumps(held, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_cursor(cls, cursor: str | None) -> Position:
        """Raises CursorLost."""
        if cursor is None:
            return cls()
        try:
            held = json.loads(cursor)
            shown = {id: Shown(*each) for id, each in held["shown"].items()}
            known = held["v"] == FORMAT
            position = cls(Validators(held["etag"], held["last_modified"]), held["digest"], shown)
        except (ValueError, TypeError, KeyError, AttributeError):
            known, position = False, cls()
        if not known:
            raise CursorLost("this is no cursor of ours")
        return position


def next_page(
    before: Position, feed: Mapping[str, FeedObject], after: Position, *, size: int, now: dt.datetime
) -> Page:
    """At most ``size`` of what is new or changed; with the last of it what is gone. ``after`` is how the feed was fetched."""
    news = [each for each in feed.values() if before.shown.get(each.id, _UNSEEN).version != each.version]
    shown = {**before.shown, **{each.id: _shown(each) for each in news[:size]}}
    if len(news) > size:
        return Page([item(each) for each in news[:size]], [], Position(shown=shown).to_cursor(), more=True)
    there = {id: shown[id] for id in feed}
    missing = {id: each for id, each in before.shown.items() if id not in feed}
    removals = [Removal(id) for id in sorted(missing.keys() - released(missing, there.values(), now=now))]
    cursor = Position(after.validators, after.digest, there).to_cursor()
    return Page([item(each) for each in news], removals, cursor, more=False)


def released(missing: Mapping[str, Shown], there: Iterable[Shown], *, now: dt.datetime) -> set[str]:
    """Those of the missing that have left the window of the feed at its past end.

    A window may go by the start of events or by their end, so it is enough to lie before all others by one of the two. A feed
    that shows nothing any more has nothing to compare with: what is over is released.
    """
    held = list(there)
    first_start = min((each.start for each in held if each.start is not None), default=None)
    first_end = min((each.end for each in held if each.end is not None), default=None)
    today = int(now.timestamp()) // _MINUTE

    def gone_by(each: Shown) -> bool:
        if each.end is None or each.end > today:
            return False
        start = each.end if each.start is None else each.start
        return _before(start, first_start) or _before(each.end, first_end)

    return {id for id, each in missing.items() if gone_by(each)}


def _before(value: int, first: int | None) -> bool:
    return first is None or value < first


def item(found: FeedObject) -> RemoteItem:
    return RemoteItem(found.id, found.id, found.version, {"uid": found.uid, "ics": found.ics})


_UNSEEN = Shown("", None, None)


def _shown(found: FeedObject) -> Shown:
    """What cannot be read counts as never over."""
    try:
        obj = objects.parse(found.ics.encode())
    except InvalidCalendarData:
        return Shown(found.version, None, None)
    start, end = busy.bounds(obj)
    series = bool(obj.overrides) or obj.master is None or obj.master.first("RRULE") or obj.master.first("RDATE")
    return Shown(found.version, None if series else _minutes(start), _minutes(end))


def _minutes(moment: dt.datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp()) // _MINUTE
