"""Rounds of calendarView/delta with the habits of the real one (M-19…M-28).

A token names a window, a calendar and a revision of the mailbox. A round is a list of what to tell, made when it begins, and
shown page by page; what changes meanwhile belongs to the next round.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import Any

from bridge.sandbox.graph.delta_tokens import MOST_TOKENS, Tokens
from bridge.sandbox.graph.errors import invalid
from bridge.sandbox.graph.events import Item
from bridge.sandbox.graph.mailbox import Event, Mailbox
from bridge.sandbox.graph.views import Reader


@dataclass(frozen=True, slots=True)
class Window:
    """What a token is bound to (M-21)."""

    mailbox: int
    calendar: int
    start: dt.datetime
    end: dt.datetime


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing to tell: an event, an occurrence of a day, or that something is not there (any more)."""

    number: int
    placement: int
    day: dt.date | None = None
    removed: bool = False


@dataclass(frozen=True, slots=True)
class Round:
    """All that a round tells, and the revision up to which it does."""

    window: Window
    entries: tuple[Entry, ...]
    revision: int


@dataclass(frozen=True, slots=True)
class Position:
    """Where a nextLink goes on. ``paused``: the empty page has been given already."""

    round: Round
    offset: int = 0
    paused: bool = False


@dataclass(frozen=True, slots=True)
class Start:
    """Where a deltaLink begins the next round."""

    window: Window
    revision: int


@dataclass(frozen=True, slots=True)
class Page:
    """One answer; exactly one of the tokens is set (M-16)."""

    value: list[dict[str, Any]]
    skip_token: str | None
    delta_token: str | None


class Deltas:
    """The rounds of all calendars."""

    def __init__(self, most: int = MOST_TOKENS) -> None:
        self.tokens: Tokens[Position | Start] = Tokens(most)

    def lose(self) -> int:
        """Forget every token, as a moved mailbox does; how many."""
        return self.tokens.lose()

    def begin(self, box: Mailbox, window: Window, *, masters: bool, oddities: bool) -> Position:
        """A first round: everything that lies in the window."""
        found = [
            _entries(event, window, masters=masters, oddities=oddities)
            for event in box.in_calendar(window.calendar)
            if event.touches(window.start, window.end)
        ]
        entries = [entry for part in found for entry in part]
        if oddities:
            entries += [  # M-23: a removal can occur in a first round, of something this client never knew
                Entry(event.number, event.placement, removed=True)
                for event in list(box.gone.values())[-1:]
                if event.calendar == window.calendar
            ]
        return Position(Round(window, _replayed(entries, oddities=oddities), box.revision))

    def resume(self, box: Mailbox, calendar: int, token: str, *, masters: bool, oddities: bool) -> Position:
        """Go on from a token of either kind. Raises 410 ``SyncStateNotFound`` (M-28)."""
        found = self.tokens.find(token)
        window = found.round.window if isinstance(found, Position) else found.window
        if (window.mailbox, window.calendar) != (box.person.number, calendar):
            raise invalid("The continuation token belongs to another calendar.")
        if isinstance(found, Position):
            return found
        entries: list[Entry] = []
        for line in box.log_since(calendar, found.revision):
            event = box.events.get(line.number)
            here = event is not None and (event.calendar, event.placement) == (calendar, line.placement)
            if here and event and event.touches(window.start, window.end):
                entries += _entries(event, window, masters=masters, oddities=oddities)
            elif here and event:
                entries.append(Entry(line.number, line.placement, removed=True))  # it lies outside the window (M-23)
            else:
                entries += _removals(event or box.gone[line.number], line.placement, window)
        return Position(Round(window, _replayed(entries, oddities=oddities), box.revision))

    def page(self, reader: Reader, position: Position, size: int, *, oddities: bool) -> Page:
        """One page, and the token of the next page or the next round."""
        entries = position.round.entries
        if oddities and position.offset and not position.paused and position.offset <= size:
            return Page([], self.tokens.keep(replace(position, paused=True)), None)  # M-16: an empty page that goes on
        value = [_shown(reader, entry) for entry in entries[position.offset : position.offset + size]]
        following = position.offset + size
        if following < len(entries):
            return Page(value, self.tokens.keep(replace(position, offset=following)), None)
        return Page(value, None, self.tokens.keep(Start(position.round.window, position.round.revision)))


def _entries(event: Event, window: Window, *, masters: bool, oddities: bool) -> list[Entry]:
    """A single event, or a series anew: its master (M-25) and every occurrence in the window (M-26)."""
    whole = Entry(event.number, event.placement)
    if event.recurrence is None:
        return [whole]
    days = [Entry(event.number, event.placement, day) for day in event.days(window.start, window.end)]
    master = [whole] if masters else []
    return days + master if oddities else master + days  # in any order (M-27)


def _removals(event: Event, placement: int, window: Window) -> list[Entry]:
    days = event.days(window.start, window.end) if event.recurrence else []
    return [Entry(event.number, placement, day, removed=True) for day in (None, *days)]


def _replayed(entries: list[Entry], *, oddities: bool) -> tuple[Entry, ...]:
    """The same entity may come twice in a round (M-27)."""
    return (*entries, entries[0]) if oddities and len(entries) > 1 else tuple(entries)


def _shown(reader: Reader, entry: Entry) -> dict[str, Any]:
    event = reader.box.events.get(entry.number)
    gone = (
        event is None or event.placement != entry.placement or (entry.day is not None and not event.occurs(entry.day))
    )
    if entry.removed or gone or event is None:
        modified = event is not None and entry.day in event.exceptions
        return {
            "@odata.type": "#microsoft.graph.event",
            "id": reader.event_id(entry.number, entry.placement, entry.day, modified=modified),
            "@removed": {"reason": "deleted"},
        }
    item = Item(event, entry.day)
    if entry.day is not None and not item.modified:
        return reader.brief(item)
    return {"@odata.type": "#microsoft.graph.event", **reader.event(item)}
