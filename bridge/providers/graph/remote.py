"""One Graph calendar as a side to sync with (``bridge.sync.ports``: ``Remote``, ``SupportsPush``, ``SupportsBatches``)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import Any

from bridge.errors import BridgeError, DuplicateKey, Gone, Refused, Unmappable, VersionMismatch
from bridge.ical.attendees import address
from bridge.ical.fields import ObjectFields, diff
from bridge.ical.recurrence import keys
from bridge.providers.graph import creations, exceptions, people
from bridge.providers.graph.api import BATCH, Api, escape
from bridge.providers.graph.events import Events
from bridge.providers.graph.listing import Listing
from bridge.providers.graph.mapping import GraphLens, item, master_patch, moment_of, new_event, original_key
from bridge.providers.graph.push import Subscriptions
from bridge.providers.graph.rules import depends_on_counting
from bridge.sync.ports import Channel, New, Page, RemoteCalendar, RemoteItem, RemoteObject

OWN = {"reminders", "transp", "show_as", "attendees"}
"""What is mine in a meeting that someone else organises (R3, M-56); of the guests only my own answer."""


class GraphRemote:
    """``calendar.zone`` ("" is UTC) is where floating times are put (X-04)."""

    batch_size = BATCH
    replays = True

    def __init__(
        self,
        api: Api,
        calendar: RemoteCalendar,
        *,
        window_past: dt.timedelta,
        window_future: dt.timedelta,
        tells: bool = False,
    ) -> None:
        self.lens = GraphLens(calendar.zone or "UTC", address(calendar.owner))
        self._tells = tells
        self._inviting = partial(GraphRemote, api, calendar, window_past=window_past, window_future=window_future)
        path = f"/me/calendars/{escape(calendar.id)}"
        self._api = api
        self._new = f"{path}/events"
        self._events = Events(api, path)
        self.listing = Listing(self._events, window_past, window_future, default=calendar.primary)
        self._subscriptions = Subscriptions(api, f"{path}/events")

    def inviting(self) -> GraphRemote:
        """Only an answer can be quiet here: whatever else touches a meeting mails its guests (M-53)."""
        return self._inviting(tells=True)

    def page(self, cursor: str | None, *, now: dt.datetime) -> Page:
        with _calendar_is_there():
            return self.listing.page(cursor, now=now)

    def behind(self, ids: Collection[str]) -> tuple[Sequence[RemoteItem], frozenset[str]]:
        """New events beyond the window are told of as removed, and are there (M-23): a creation whose answer was lost, too.

        Of those that are not there each may have been an occurrence, and its series need not be sent again: nothing promises
        it (M-26). So all series are read then.
        """
        with _calendar_is_there():
            return self.listing.behind(ids)

    def get(self, id: str) -> Sequence[RemoteItem]:
        found = self._events.get(id)
        if found.payload.get("seriesMasterId"):
            raise Gone("an occurrence is no object of its own", status=404)
        return [found]

    def find(self, key: str) -> Sequence[RemoteItem]:
        with _calendar_is_there():
            return self._events.by_key(key)

    def create(self, fields: ObjectFields, *, key: str, uid: str) -> Sequence[RemoteItem]:
        target = self.lens.view(fields)
        try:
            with _calendar_is_there():
                answer = self._api.post(self._new, new_event(target, key=key, uid=uid))
        except DuplicateKey as taken:
            found = self.find(key)
            if not found:
                raise Gone("the event made with this key was deleted", status=taken.status, code=taken.code) from None
            return self.update(self.lens.read(found), target)
        try:
            return self._completed(self._settled(answer), target)
        except Unmappable:
            # It is new and nobody's yet: better none than one that says something else
            self._api.delete(self._events.path(answer["id"]))
            raise

    def create_many(self, wanted: Sequence[New]) -> Sequence[Sequence[RemoteItem] | BridgeError | None]:
        return creations.create(self._api, self._events, self._new, self.lens, wanted)

    def update(self, current: RemoteObject, target: ObjectFields) -> Sequence[RemoteItem]:
        target = self.lens.view(target)
        if current.organized_elsewhere:
            _only_own(current.fields, target)
            return self._personal(current, target)
        (master,) = current.items
        body = master_patch(current.fields, target, self._places(master, current.fields, target))
        if current.fields.cancelled - target.cancelled and target.recurrence:
            # There is no call to bring an occurrence back; sending the pattern anew discards all exceptions (M-49, M-51)
            body |= exceptions.whole_rule(target)
        if master.payload.get("isOnlineMeeting"):
            body.pop("body", None)  # it holds the way to join (M-60)
        if body:
            answer = self._api.patch(self._events.path(current.id), body, etag=_etag(master))
            if not target.recurrence:
                return [self._settled(answer)]
            master = self._events.get(current.id)
        return self._completed(master, target)

    def _places(self, master: RemoteItem, current: ObjectFields, target: ObjectFields) -> Mapping[str, Any]:
        """The event with all its places: what was read before they were asked for does not tell them, and they would be lost."""
        here, there = current.event, target.event
        if "locations" in master.payload or (here.location, here.geo) == (there.location, there.geo):
            return master.payload
        found = self._events.get(master.id)
        if _etag(found) != _etag(master):
            raise VersionMismatch("it has changed", status=412)
        return found.payload

    def _personal(self, current: RemoteObject, target: ObjectFields) -> list[RemoteItem]:
        """What a guest may do: answer (M-57), and set what is the guest's own."""
        (master,) = current.items
        answer = people.own(target.event.attendees, self.lens.owner)
        verb = people.VERBS.get(answer or "")
        target = replace(target, master=replace(target.event, attendees=current.fields.event.attendees))
        body = master_patch(current.fields, target, master.payload)
        if body:
            self._api.patch(self._events.path(current.id), body, etag=_etag(master))
        if verb and answer != people.own(current.fields.event.attendees, self.lens.owner):
            self._api.post(f"{self._events.path(current.id)}/{verb}", {"sendResponse": self._tells})
        return [self._events.get(current.id)]

    def delete(self, current: RemoteObject) -> None:
        (master,) = current.items
        try:
            self._api.delete(self._events.path(current.id), etag=_etag(master))
        except Gone:
            return

    def watch(self, *, channel_id: str, address: str, secret: str, now: dt.datetime) -> Channel:  # noqa: ARG002 - Graph names it
        return self._subscriptions.watch(address=address, secret=secret, now=now)

    def renew(self, channel: Channel, *, address: str, secret: str, channel_id: str, now: dt.datetime) -> Channel:  # noqa: ARG002
        return self._subscriptions.renew(channel, address=address, secret=secret, now=now)

    def unwatch(self, channel: Channel) -> None:
        self._subscriptions.unwatch(channel)

    def _settled(self, answer: Mapping[str, Any]) -> RemoteItem:
        """The answer to a write, unless it shows the body in another form than reading does (R20)."""
        return item(answer) if creations.reads_alike(answer) else self._events.get(answer["id"])

    def _completed(self, master: RemoteItem, target: ObjectFields) -> list[RemoteItem]:
        """Bring a series' single occurrences to what they should be."""
        if not target.recurrence:
            return [master]
        self._expands_alike(master, target)
        if exceptions.converge(self._api, self._events, self.lens, master, target):
            return [self._events.get(master.id)]
        return [master]

    def _expands_alike(self, master: RemoteItem, target: ObjectFields) -> None:
        """Read the first occurrences back where Graph's words leave open which day is meant (R-13)."""
        if not depends_on_counting(master.payload["recurrence"]):
            return
        expected = list(islice(keys(target), 3))
        first, last = (moment_of(key, target.event.when.zone) for key in (expected[0], expected[-1]))
        shown = {original_key(each, target.event.when) for each in self._events.instances(master.id, first, last)}
        if shown - set(expected) or set(expected) - shown - target.cancelled - target.overrides.keys():
            raise Unmappable("Outlook counts the weekdays of this rule in another way")


def _etag(master: RemoteItem) -> str:
    return str(master.payload.get("@odata.etag") or "")


def _only_own(current: ObjectFields, target: ObjectFields) -> None:
    names = {name for _, name in diff(current, target)}
    others = [{each.address for each in side.event.attendees} for side in (current, target)]
    if names - OWN or others[0] != others[1]:
        raise Refused("someone else organises this meeting", status=403, code="notOrganizer")


@contextmanager
def _calendar_is_there() -> Iterator[None]:
    """404 here means the calendar, not an event."""
    try:
        yield
    except Gone as gone:
        raise Refused("the calendar is not there any more", status=gone.status, code=gone.code) from None
