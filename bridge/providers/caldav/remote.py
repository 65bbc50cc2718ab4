"""One CalDAV calendar as a side to sync with (``bridge.sync.ports.Remote``). There is no push: the poll does all the work.

What other clients wrote stays: an update edits the remote's own text. Behind every write the object is read back, because
servers alter what they store, some of them in spite of the strong ETag they answer (R20, D-02).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Collection as Collection_

from bridge.errors import BridgeError, Gone, ProviderError, Refused, Unreachable, VersionMismatch
from bridge.ical import edit
from bridge.ical.fields import ObjectFields, diff
from bridge.providers.caldav import creations, etags
from bridge.providers.caldav.api import Api
from bridge.providers.caldav.collection import Collection
from bridge.providers.caldav.creations import UID_TAKEN, Wanted, Written, as_written
from bridge.providers.caldav.listing import Listing
from bridge.providers.caldav.mapping import CaldavLens, is_event
from bridge.sync import laying
from bridge.sync.ports import New, Page, RemoteItem, RemoteObject

OWN = {"reminders", "transp", "show_as"}
"""What is mine in a meeting that someone else organises (R3)."""


class CaldavRemote:
    """``own`` are the owner's addresses; ``clock`` stamps what we write (DTSTAMP, LAST-MODIFIED)."""

    def __init__(self, api: Api, url: str, *, own: frozenset[str], clock: Callable[[], dt.datetime]) -> None:
        self.lens = CaldavLens(own)
        self._collection = Collection(api, url)
        self.listing = Listing(self._collection)
        self._clock = clock

    def page(self, cursor: str | None, *, now: dt.datetime) -> Page:  # noqa: ARG002 - there is no window
        return self.listing.page(cursor)

    def with_written(self, cursor: str, versions: Mapping[str, str], *, created: Collection_[str]) -> str:
        return self.listing.with_written(cursor, versions, created=created)

    def get(self, id: str) -> Sequence[RemoteItem]:
        found = self._there(id)
        if found is None:
            raise Gone("there is no such event", status=404)
        return [found]

    def _there(self, id: str) -> RemoteItem | None:
        path = id if id.startswith("/") else self._collection.member(id)
        found = self._collection.fetch([path])[path]
        return found if found is not None and is_event(found) else None

    def find(self, key: str) -> Sequence[RemoteItem]:
        found = self._there(self._named(key))
        return [] if found is None else [found]

    def _named(self, key: str) -> str:
        return self._collection.member(f"{key}.ics")

    def create(self, fields: ObjectFields, *, key: str, uid: str) -> Sequence[RemoteItem]:
        target = self.lens.view(fields)
        data = edit.compose(target, uid=uid, now=self._clock()).decode()
        id = self._named(key)
        try:
            id, etag = self._collection.put(id, data)
        except (VersionMismatch, Refused) as refused:
            if refused.code == UID_TAKEN:
                return [self._known_by(uid, target, refused)]
            if isinstance(refused, VersionMismatch) and (found := self.find(key)):
                return self.update(self.lens.read(found), target)
            raise
        except Gone as gone:
            raise Refused("the calendar is not there any more", status=gone.status, code=gone.code) from None
        return [self._settled(id, etag, data, uid)]

    @property
    def batch_size(self) -> int:
        return creations.BATCH

    def create_many(self, wanted: Sequence[New]) -> Sequence[Sequence[RemoteItem] | BridgeError | None]:
        return creations.create(self._collection, [self._composed(new) for new in wanted])

    def _composed(self, new: New) -> Wanted | BridgeError:
        try:
            target = self.lens.view(new.fields)
            data = edit.compose(target, uid=new.uid, now=self._clock()).decode()
        except BridgeError as error:
            return error
        return Wanted(self._named(new.key), data)

    def _known_by(self, uid: str, target: ObjectFields, refused: ProviderError) -> RemoteItem:
        """The event that has this UID, if it is what was to be made: a server that chooses names has it from an earlier try.

        Another one, of this calendar, is met by the next reading and united with ours; of another calendar, it stays.
        """
        found = self._collection.with_uid(uid)
        if found is not None and self.lens.read([found]).fields == target:
            return found
        raise Refused("an event with this UID is there already", status=refused.status, code=UID_TAKEN)

    def update(self, current: RemoteObject, target: ObjectFields) -> Sequence[RemoteItem]:
        target = self.lens.view(target)
        change = diff(current.fields, target)
        if not change:
            return current.items
        if current.organized_elsewhere and {name for _, name in change} - OWN:
            raise Refused("someone else organises this meeting", status=403, code="not-organizer")
        (was,) = current.items
        before = str(was.payload["data"])
        data = laying.edited(before.encode(), change, self.lens, now=self._clock()).decode()
        if data == before:
            return current.items
        id, etag = self._guarded(was, lambda condition: self._collection.put(was.id, data, if_match=condition))
        return [self._settled(id, etag, data, current.uid)]

    def delete(self, current: RemoteObject) -> None:
        (was,) = current.items
        try:
            self._guarded(was, lambda condition: self._delete(was.id, condition))
        except Gone:
            return

    def _delete(self, id: str, condition: str) -> tuple[str, str]:
        self._collection.delete(id, if_match=condition)
        return id, ""

    def _guarded(self, was: RemoteItem, write: Callable[[str], tuple[str, str]]) -> tuple[str, str]:
        """Write on the condition that it is still this version (R36). Raises VersionMismatch, Gone, Refused.

        412 is also how some answer for what is gone, and what a server says that compares ETags only in its own spelling.
        """
        etag = str(was.payload["etag"])
        if not etag:
            raise Refused("the server gives this event no ETag, so it cannot be written safely", code="no-etag")
        try:
            return write(etags.header(etag))
        except VersionMismatch:
            now = self._collection.fetch([was.id])[was.id]
            if now is None:
                raise Gone("there is no such event", status=404) from None
            if now.version != was.version:
                raise
            if etag == etags.header(etag):
                raise Refused("the server does not take the ETag it gives", status=412, code="etag") from None
        return write(etag)

    def _settled(self, id: str, etag: str, data: str, uid: str) -> RemoteItem:
        found = self._collection.fetch([id])[id] or self._collection.with_uid(uid)
        if found is None:
            raise Unreachable("what was written is not there to be read", status=404)
        return as_written(found, Written(id, etag, data))
