"""What a reader has seen of a feed, and what the feed shows beyond that: the cursor, and the next page (pure).

A feed has no changes to ask for; it is always all there is. So the cursor remembers what it has shown: of each object its
version and when it last takes place. A page is the difference, and a listing that was broken off goes on where it was,
because the cursor then simply remembers less. Nothing is concluded from a position that is not in the cursor.

Many feeds show a window that moves with the time. What falls off its past end is released, not deleted (R26): it stays where
it is. An absent object is taken for such a one if it is over and lay before everything that the feed still shows. (Many show
what is to come and nothing else, and drop a match at its kick-off: what lasts no longer than a day counts as over by then.)
"""

from __future__ import annotations

import datetime as dt
import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from bridge.errors import CursorLost, InvalidCalendarData, Unmappable
from bridge.ical import busy, objects, recurrence, times, view
from bridge.ical.fields import When
from bridge.ical.objects import CalendarObject
from bridge.providers.ics.reading import FeedObject
from bridge.sync.ports import Page, RemoteItem, Removal

FORMAT = 1
_DAY = 24 * 60  # minutes
_EVER = sys.maxsize
_SEASON, _NIGHT = dt.timedelta(days=90), dt.timedelta(days=1)


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

    None where it never ends, or nobody can tell. Dates and times in no zone are taken in UTC.
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
    held = [(each.start, each.end) for each in there if each.start is not None and each.end is not None]
    first_start, first_end = (
        (min(which, default=_EVER) for which in zip(*held, strict=True)) if held else (_EVER, _EVER)
    )
    minute = int(now.timestamp()) // 60
    return {
        id
        for id, each in missing.items()
        if each.start is not None
        and each.end is not None
        and (each.end <= minute or (each.start <= minute and each.end - each.start <= _DAY))
        and (each.start < first_start or each.end < first_end)
    }


def item(found: FeedObject) -> RemoteItem:
    return RemoteItem(found.id, found.id, found.version, {"uid": found.uid, "ics": found.ics})


_UNSEEN = Shown("", None, None)


def _shown(found: FeedObject) -> Shown:
    """What cannot be read counts as never over."""
    try:
        last = _last(objects.parse(found.ics.encode()))
    except (InvalidCalendarData, Unmappable, ArithmeticError, ValueError):
        last = None
    if last is None:
        return Shown(found.version, None, None)
    return Shown(found.version, *(int(moment.timestamp()) // 60 for moment in last))


def _last(obj: CalendarObject) -> tuple[dt.datetime, dt.datetime] | None:
    """Start and end of the occurrence that ends last (aware UTC), or None if there is always another."""
    first, end = busy.bounds(obj)
    if first is None or end is None:
        return None
    fields = view.read(obj)
    if not fields.recurrence:
        return max((_span(each.when) for each in (fields.event, *fields.overrides.values())), key=_by_end)
    # the bounds are a day or two too wide, rarely more: most series need to be looked at near their end only
    for since in (end - _SEASON, first):
        near = recurrence.instances(fields, since, end + _NIGHT, floating=dt.UTC)
        if near:
            return max((_span(each.when) for each in near), key=_by_end)
    return first, end


def _span(when: When) -> tuple[dt.datetime, dt.datetime]:
    start = times.instant(when.start, when.zone, floating=dt.UTC)
    return start, times.instant(when.end, when.end_zone or when.zone, floating=dt.UTC)


def _by_end(span: tuple[dt.datetime, dt.datetime]) -> dt.datetime:
    return span[1]
