"""The hub's homes and calendars as Radicale's collections."""

from __future__ import annotations

import datetime as dt
import math
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, overload

from radicale.item import Item
from radicale.item.filter import TIMESTAMP_MAX, TIMESTAMP_MIN
from radicale.storage import BaseCollection, ComponentNotFoundError

from bridge.errors import InvalidCalendarData, NotFound, SyncTokenInvalid
from bridge.store import calendars, changes, objects, principals
from bridge.store.calendars import Calendar
from bridge.store.objects import StoredObject
from bridge.store.principals import Principal
from radicale_plugins import expand, export, filters, tokens
from radicale_plugins.dav import http_date
from radicale_plugins.matching import matching

if TYPE_CHECKING:
    from radicale_plugins.storage import Storage


class Folder(BaseCollection):
    """The root (``principal`` is None) or a person's home: no tag, no items of its own."""

    def __init__(self, storage: Storage, principal: Principal | None) -> None:
        self._storage = storage
        self._principal = principal

    @property
    def path(self) -> str:
        return "" if self._principal is None else self._principal.name

    @property
    def etag(self) -> str:
        return f'"home-{0 if self._principal is None else self._principal.id}"'

    @property
    def last_modified(self) -> str:
        at = dt.datetime.fromtimestamp(0, dt.UTC) if self._principal is None else self._principal.created_at
        return http_date(at)

    def get_all(self) -> Iterable[Item]:
        return ()

    def get_multi(self, hrefs: Iterable[str]) -> Iterable[tuple[str, Item | None]]:
        return ((href, None) for href in hrefs)

    @overload
    def get_meta(self, key: None = None) -> Mapping[str, str]: ...

    @overload
    def get_meta(self, key: str) -> str | None: ...

    def get_meta(self, key: str | None = None) -> Mapping[str, str] | str | None:
        properties = {} if self._principal is None else plain(self._principal.properties)
        return properties if key is None else properties.get(key)

    def set_meta(self, props: Mapping[str, str]) -> None:
        if self._principal is None:
            raise ValueError("the root has no properties to set")
        conn = self._storage.writing
        kept = {**structured(self._principal.properties), **props}
        principals.set_properties(conn, self._principal.id, kept, now=self._storage.now())
        self._principal = principals.by_id(conn, self._principal.id)

    def delete(self, href: str | None = None) -> None:  # noqa: ARG002 - Radicale's signature
        raise PermissionError("a home is not deleted by DAV")

    def serialize(self, vcf_to_ics: bool = False, ShareActions: dict[str, Any] = {}) -> str:  # noqa: ARG002, B006, N803
        return ""


class Collection(BaseCollection):
    """A calendar, as it was when the request began."""

    def __init__(self, storage: Storage, calendar: Calendar) -> None:
        self._storage = storage
        self.calendar = calendar

    @property
    def path(self) -> str:
        return f"{self.calendar.owner}/{self.calendar.slug}"

    @property
    def etag(self) -> str:
        """Also its ctag: O(1), for it is the revision (D-40)."""
        return tokens.ctag(self.calendar)

    @property
    def last_modified(self) -> str:
        return http_date(self.calendar.modified_at)

    def sync(self, old_token: str = "") -> tuple[str, Iterable[str]]:
        """The token of now and the hrefs that changed or went since the old one (all members without one).

        Raises ValueError for a token that is not good any more, and for nothing else (D-31).
        """
        token = tokens.sync_token(self.calendar)
        if not old_token:
            return token, self._hrefs()
        try:
            after = tokens.position(self.calendar, old_token)
            with self._storage.reading() as conn:
                return token, [change.href for change in changes.page(conn, self.calendar.id, after)]
        except SyncTokenInvalid as error:
            raise ValueError(str(error)) from error

    def _hrefs(self) -> Iterator[str]:
        with self._storage.reading() as conn:
            yield from (href for href, _ in objects.hrefs(conn, self.calendar.id))

    def get_all(self) -> Iterator[Item]:
        with self._storage.reading() as conn:
            yield from (self._item(stored) for stored in objects.every(conn, self.calendar.id))

    def get_multi(self, hrefs: Iterable[str]) -> Iterator[tuple[str, Item | None]]:
        wanted = list(dict.fromkeys(hrefs))
        with self._storage.reading() as conn:
            found = {stored.href: stored for stored in objects.many(conn, self.calendar.id, wanted)}
        for href in wanted:
            yield href, self._item(found[href]) if href in found else None

    def get_filtered(self, filters: Iterable[ET.Element]) -> Iterator[tuple[Item, bool]]:
        """Matches by our own filters, exactly: Radicale then never parses an object with vobject (D-01, D-10, D-40)."""
        for stored in self.matching(filters):
            yield self._item(stored), True

    def matching(self, elements: Iterable[ET.Element]) -> Iterator[StoredObject]:
        """The objects that match all filters. Raises ValueError for a filter that RFC 4791 §9.7 does not know."""
        query = filters.Query(elements, floating=filters.zone_of(self.calendar.properties))
        with self._storage.reading() as conn:
            return iter(list(matching(conn, self.calendar.id, query)))

    def has_uid(self, uid: str) -> bool:
        with self._storage.reading() as conn:
            return objects.by_uid(conn, self.calendar.id, uid) is not None

    def upload(self, href: str, item: Item) -> tuple[Item, Item | None]:
        """Store the item's text as it is; the text is vobject's unless our own application read the request (D-02)."""
        conn = self._storage.writing
        old = objects.get(conn, self.calendar.id, href)
        try:
            stored = objects.put(
                conn,
                self.calendar.id,
                href,
                item.serialize().encode(),
                actor=self._storage.actor,
                now=self._storage.now(),
            )
        except InvalidCalendarData as error:
            raise ValueError(f"{error.precondition}: {error.reason}") from error
        self._refresh()
        return self._item(stored), self._item(old) if old is not None else None

    def delete(self, href: str | None = None) -> None:
        conn = self._storage.writing
        if href is None:
            self.refuse_if_bridged()
            calendars.delete(conn, self.calendar.id, now=self._storage.now())
            return
        try:
            objects.delete(conn, self.calendar.id, href, actor=self._storage.actor, now=self._storage.now())
        except NotFound as error:
            raise ComponentNotFoundError(href) from error
        self._refresh()

    def refuse_if_bridged(self) -> None:
        """One request must not empty a calendar that is mirrored elsewhere (DESIGN §3)."""
        if calendars.is_bridged(self._storage.writing, self.calendar.id):
            raise PermissionError("the calendar is connected to an account: disconnect it first")

    def replace_all(self, items: Iterable[Item]) -> tuple[dict[str, Item], list[str]]:
        """Make these the calendar's objects. Returns what was replaced, by href, and the hrefs that are new."""
        conn = self._storage.writing
        before = {href for href, _ in objects.hrefs(conn, self.calendar.id)}
        replaced: dict[str, Item] = {}
        added: list[str] = []
        after: list[tuple[str, Item]] = [(self._href_for(item), item) for item in items]
        for href in before - {href for href, _ in after}:
            self.delete(href)
        for href, item in after:
            stored, old = self.upload(href, item)
            item.href = stored.href
            if old is None:
                added.append(href)
            else:
                replaced[href] = old
        return replaced, added

    def _href_for(self, item: Item) -> str:
        existing = objects.by_uid(self._storage.writing, self.calendar.id, item.uid)
        return existing.href if existing is not None else tokens.href_for(item.uid)

    @overload
    def get_meta(self, key: None = None) -> Mapping[str, str]: ...

    @overload
    def get_meta(self, key: str) -> str | None: ...

    def get_meta(self, key: str | None = None) -> Mapping[str, str] | str | None:
        properties = plain(self.calendar.properties)
        return properties if key is None else properties.get(key)

    def set_meta(self, props: Mapping[str, str]) -> None:
        if props.get("tag") not in ("VCALENDAR", "VSUBSCRIBED"):
            raise ValueError("a calendar stays a calendar")  # D-06
        calendars.set_properties(
            self._storage.writing,
            self.calendar.id,
            {**structured(self.calendar.properties), **props},
            actor=self._storage.actor,
            now=self._storage.now(),
        )
        self._refresh()

    def serialize(self, vcf_to_ics: bool = False, ShareActions: dict[str, Any] = {}) -> str:  # noqa: ARG002, B006, N803
        with self._storage.reading() as conn:
            return expand.as_text(export.calendar(self.calendar, objects.texts(conn, self.calendar.id)))

    def _refresh(self) -> None:
        calendar = calendars.by_id(self._storage.writing, self.calendar.id)
        assert calendar is not None  # noqa: S101 - it was there a moment ago in this very transaction
        self.calendar = calendar

    def _item(self, stored: StoredObject) -> Item:
        """A fresh one each time: Radicale's expand changes what it is given (D-43)."""
        first, last = stored.first_at, stored.last_at
        return Item(
            collection=self,
            href=stored.href,
            last_modified=http_date(stored.modified_at),
            text=expand.as_text(stored.data),
            etag=stored.etag,
            uid=stored.uid,
            name="VCALENDAR",
            component_name=stored.component,
            time_range=(
                TIMESTAMP_MIN if first is None else math.floor(first.timestamp()),
                TIMESTAMP_MAX if last is None else math.ceil(last.timestamp()),
            ),
        )


def plain(properties: Mapping[str, Any]) -> dict[str, str]:
    """The properties Radicale can show: text. What has a structure (``keeping``) only our application answers."""
    return {name: value for name, value in properties.items() if isinstance(value, str)}


def structured(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in properties.items() if not isinstance(value, str)}
