"""How a calendar is read: a complete listing, and what changed since (M-16, M-19…M-28).

Graph's delta covers a window of the calendar and shows occurrences without their contents; its list of events covers all
time and knows no changes. So a complete listing first opens a delta round and goes to its end, heeding nothing in it, and
then lists every event; from there on the round's deltaLink tells what changed after the listing began. A window that the
calendar has moved away from is opened anew, by a lost cursor (R26).
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from bridge.errors import CursorLost, Gone, ProviderError, Refused
from bridge.providers.graph.api import BATCH, NOT_OFFERED, encoded, entries
from bridge.providers.graph.events import PAGE, SELECT, Events
from bridge.providers.graph.mapping import item
from bridge.sync.ports import Page, RemoteItem, Removal

DRIFT = dt.timedelta(days=30)

_SERIES = ("occurrence", "exception", "seriesMaster")


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where reading stands.

    ``phase``: within the round that opens the window, within the list of events, or within a round of changes. ``link`` is
    the next request; ``delta`` the opened round's deltaLink while the list is read; ``opened`` when the window was.
    """

    phase: Literal["opening", "listing", "changes"]
    link: str
    opened: dt.datetime
    delta: str = ""

    def dump(self) -> str:
        return json.dumps(
            {"phase": self.phase, "link": self.link, "opened": self.opened.isoformat(), "delta": self.delta}
        )

    @classmethod
    def load(cls, text: str) -> Cursor:
        try:
            held = json.loads(text)
            return cls(held["phase"], held["link"], dt.datetime.fromisoformat(held["opened"]), held["delta"])
        except (ValueError, KeyError, TypeError):
            raise CursorLost("the cursor cannot be read") from None


@dataclass(frozen=True)
class Listing:
    events: Events
    window_past: dt.timedelta
    window_future: dt.timedelta
    page_size: int = PAGE
    default: bool = False
    """Whether it is the default calendar, whose delta is also that of the mailbox (M-19)."""

    def page(self, text: str | None, *, now: dt.datetime) -> Page:
        cursor = self._opening(now) if text is None else Cursor.load(text)
        if abs(now - cursor.opened) > DRIFT:
            raise CursorLost("the window has drifted")
        if not cursor.link:
            raise CursorLost("this Graph has no delta for the calendar")
        if not self.events.api.owns(cursor.link):
            raise CursorLost("the cursor belongs to another Graph")
        match cursor.phase:
            case "opening":
                return self._open(cursor)
            case "listing":
                return self._list(cursor)
        return self._changes(cursor)

    @property
    def _prefer(self) -> str:
        return f"odata.maxpagesize={self.page_size}"

    def _opening(self, now: dt.datetime) -> Cursor:
        return Cursor("opening", self._delta(self.events.calendar, now), now)

    def _delta(self, calendar: str, now: dt.datetime) -> str:
        window = {"startDateTime": _utc(now - self.window_past), "endDateTime": _utc(now + self.window_future)}
        return self._link(calendar, "calendarView/delta", window)

    def _open(self, cursor: Cursor) -> Page:
        """One calendar's delta is used more than documented (M-19). Without any, each cycle lists the calendar anew."""
        try:
            answer = self.events.api.follow(cursor.link, prefer=self._prefer)
        except (Gone, Refused) as missing:
            if missing.status not in (400, *NOT_OFFERED):
                raise
            if self.default and cursor.link != (mailbox := self._delta("/me", cursor.opened)):
                return Page((), (), replace(cursor, link=mailbox).dump(), more=True)
            return self._list(self._listing(cursor, delta=""))
        if link := answer.get("@odata.nextLink"):
            return Page((), (), replace(cursor, link=link).dump(), more=True)
        return Page((), (), self._listing(cursor, delta=_delta_link(answer)).dump(), more=True)

    def _listing(self, cursor: Cursor, *, delta: str) -> Cursor:
        events = self._link(self.events.calendar, "events", {"$select": SELECT, "$top": str(self.page_size)})
        return Cursor("listing", events, cursor.opened, delta=delta)

    def _list(self, cursor: Cursor) -> Page:
        answer = self.events.api.follow(cursor.link)
        items, unshown = self._whole(entries(answer))
        if link := answer.get("@odata.nextLink"):
            return Page(items, (), replace(cursor, link=link).dump(), more=True, unshown=unshown)
        return Page(items, (), Cursor("changes", cursor.delta, cursor.opened).dump(), more=False, unshown=unshown)

    def _changes(self, cursor: Cursor) -> Page:
        answer = self.events.api.follow(cursor.link, prefer=self._prefer)
        events = entries(answer)
        removed = [event["id"] for event in events if "@removed" in event]
        alive = [event for event in events if "@removed" not in event]
        # The same word means "left the window" and "was never in it" (M-23)
        removals = [Removal(id, certain=False) for id in dict.fromkeys(removed)]
        items, unshown = self._whole(alive)
        link = answer.get("@odata.nextLink")
        following = replace(cursor, link=link or _delta_link(answer))
        return Page(items, removals, following.dump(), more=bool(link), unshown=unshown)

    def behind(self, ids: Collection[str]) -> tuple[list[RemoteItem], frozenset[str]]:
        """What is there of these, each series whole; and all series if something is not there, or not shown.

        A series that was deleted may be told of by hundreds of ids: then one listing says what is there.
        """
        few = len(ids) <= BATCH
        answers = self._answers(ids) if few else {}
        whole = few and all(isinstance(each, RemoteItem) for each in answers.values())
        listed = {} if whole else self.events.listed()
        if not few:
            answers = self._answers([id for id in ids if id in listed])
        objects = {_object(each.payload): each for each in answers.values() if isinstance(each, RemoteItem)}
        series = {id: None for id, each in objects.items() if id != each.id}
        series |= {id: None for id, repeats in listed.items() if repeats and id not in objects}
        answers |= self._answers(list(series))
        singles = [each for id, each in objects.items() if id not in series]
        found = [each for id in series if isinstance(each := answers[id], RemoteItem)]
        return [*singles, *found], _unshown(answers)

    def _whole(self, events: Sequence[Mapping[str, Any]]) -> tuple[list[RemoteItem], frozenset[str]]:
        """Single events as they are, each series once and read anew: delta shows pieces of it at most (M-24…M-26, M-47).

        And the ids of the series that Graph stumbles over.
        """
        series = {_object(event): None for event in events if event.get("type") in _SERIES or event.get("recurrence")}
        singles = {_object(event): item(event) for event in events if _object(event) not in series}
        answers = self._answers(list(series))
        # One that is gone by now will come as a removal
        found = [each for each in answers.values() if isinstance(each, RemoteItem)]
        return [*singles.values(), *found], _unshown(answers)

    def _answers(self, ids: Collection[str]) -> dict[str, RemoteItem | ProviderError | None]:
        return dict(zip(ids, self.events.each(list(ids)), strict=True))

    def _link(self, calendar: str, path: str, query: Mapping[str, str]) -> str:
        return f"{self.events.api.url}{calendar}/{path}?{encoded(query)}"


def _unshown(answers: Mapping[str, RemoteItem | ProviderError | None]) -> frozenset[str]:
    return frozenset(id for id, each in answers.items() if isinstance(each, ProviderError))


def _object(event: Mapping[str, Any]) -> str:
    """The single event or the series that an entry speaks of (M-24, M-25)."""
    return str(event.get("seriesMasterId") or event["id"])


def _delta_link(answer: Mapping[str, Any]) -> str:
    link = answer.get("@odata.deltaLink")
    if not link:
        raise CursorLost("the round ended without a deltaLink")
    return str(link)


def _utc(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
