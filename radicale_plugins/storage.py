"""An SQL store for Radicale: ``[storage] type = radicale_plugins.storage``.

People have asked Radicale for one since 2014. It works under plain ``python -m radicale`` with any auth and rights plugin;
our own server (``radicale_plugins.app``) uses the same class and adds what Radicale's interface lacks.

Homes are principals, collections in them calendars, their items the bytes in the hub. One request is one transaction:
Radicale brackets it with ``acquire_lock``. What Radicale asks after it let go of the lock (it answers a PROPFIND then) is
read in a transaction of its own.
"""

from __future__ import annotations

import datetime as dt
import math
import threading
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from email.utils import format_datetime
from typing import Any, overload

import sqlalchemy as sa
from radicale import config, pathutils
from radicale.item import Item
from radicale.item.filter import TIMESTAMP_MAX, TIMESTAMP_MIN
from radicale.log import logger
from radicale.storage import BaseCollection, BaseStorage, ComponentNotFoundError
from radicale.types import CollectionOrItem

from bridge.errors import BridgeError, InvalidCalendarData, NotFound, SyncTokenInvalid
from bridge.ical import objects as ical
from bridge.store import calendars, changes, objects, principals
from bridge.store.calendars import Calendar
from bridge.store.objects import StoredObject
from bridge.store.principals import Principal
from bridge.store.session import Database
from radicale_plugins import export, filters, tokens
from radicale_plugins.database import open_configured

OPTIONS = {"storage": {"database_url": {"value": "", "help": "SQLAlchemy URL of the database", "type": str}}}


def utc_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class Storage(BaseStorage):
    """Radicale's view of the hub.

    ``database`` is given by our own server; otherwise it is opened by ``database_url`` (default: SQLite in
    ``filesystem_folder``) and its schema brought up to date.
    """

    # names are database keys here, no file names
    _is_collision_free = True
    _supports_unicode = True
    _supports_trailing_whitespace = True
    _supports_problematic_chars = True

    def __init__(
        self,
        configuration: config.Configuration,
        *,
        database: Database | None = None,
        now: Callable[[], dt.datetime] = utc_now,
    ) -> None:
        super().__init__(configuration.copy(OPTIONS))
        self.now = now
        self.database = database or open_configured(self.configuration, "storage")
        self._request = threading.local()

    @contextmanager
    def acquire_lock(self, mode: str, user: str = "", *args: Any, **kwargs: Any) -> Iterator[None]:  # noqa: ARG002 - Radicale's
        """One transaction for all that is done inside; nothing is locked that the database does not lock itself."""
        actor = kwargs.get("actor") or user
        with self.database.write() if mode == "w" else self.database.read() as conn:
            self._request.conn, self._request.actor = conn, f"dav:{actor}"
            try:
                yield
            finally:
                self._request.conn = None

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """The request's transaction, or one of its own if it is over."""
        conn: sa.Connection | None = getattr(self._request, "conn", None)
        if conn is not None:
            yield conn
        else:
            with self.database.read() as own:
                yield own

    @property
    def writing(self) -> sa.Connection:
        """The request's transaction; changing anything outside one is a bug."""
        conn: sa.Connection | None = getattr(self._request, "conn", None)
        if conn is None:
            raise RuntimeError("a change outside acquire_lock")
        return conn

    @property
    def actor(self) -> str:
        """Who the history says it was."""
        return str(self._request.actor)

    def discover(
        self,
        path: str,
        depth: str = "0",
        child_context_manager: Callable[[str, str | None], AbstractContextManager[None]] | None = None,  # noqa: ARG002
        user_groups: set[str] = frozenset(),  # type: ignore[assignment]  # noqa: ARG002 - groups have no homes here
    ) -> Iterator[CollectionOrItem]:
        """What is at the path, and with any depth but "0" its children. Lazily: Radicale often takes the first only."""
        parts = pathutils.strip_path(path).split("/")
        children = depth != "0"
        with self.reading() as conn:
            if parts == [""]:
                yield Folder(self, None)
                if children:
                    yield from (Folder(self, each) for each in principals.every(conn))
            elif len(parts) == 1:
                principal = principals.by_name(conn, parts[0])
                if principal is not None:
                    yield Folder(self, principal)
                    if children:
                        yield from (Collection(self, each) for each in calendars.of_principal(conn, parts[0]))
            elif len(parts) <= 3:
                calendar = calendars.get(conn, parts[0], parts[1])
                if calendar is None:
                    return
                collection = Collection(self, calendar)
                if len(parts) == 2:
                    yield collection
                    if children:
                        yield from collection.get_all()
                else:
                    yield from (item for _, item in collection.get_multi([parts[2]]) if item is not None)

    def create_collection(
        self, href: str, items: Iterable[Item] | None = None, props: Mapping[str, str] | None = None
    ) -> tuple[BaseCollection, dict[str, Item], list[str]]:
        """A home, a calendar, or a calendar's new content. Raises ValueError for what this store does not keep."""
        parts = pathutils.strip_path(href).split("/")
        try:
            if len(parts) == 1 and parts[0]:
                return self._create_home(parts[0], props), {}, []
            if len(parts) == 2:
                return self._create_calendar(parts[0], parts[1], items, props)
        except BridgeError as error:
            raise ValueError(str(error)) from error
        raise ValueError(f"collections are kept at /person/calendar, not at {href!r}")

    def _create_home(self, name: str, props: Mapping[str, str] | None) -> Folder:
        conn = self.writing
        principal = principals.by_name(conn, name)
        if principal is None:
            principal = principals.add(conn, name, name if "@" in name else "", now=self.now())
        home = Folder(self, principal)
        if props:
            home.set_meta(props)
        return home

    def _create_calendar(
        self, owner: str, slug: str, items: Iterable[Item] | None, props: Mapping[str, str] | None
    ) -> tuple[Collection, dict[str, Item], list[str]]:
        conn = self.writing
        if not props or props.get("tag") not in ("VCALENDAR", "VSUBSCRIBED"):
            raise ValueError("only calendars are kept here, no address books and no plain folders")
        principal = principals.by_name(conn, owner)
        if principal is None:
            raise ValueError(f"nobody is called {owner!r}")
        calendar = calendars.get(conn, owner, slug)
        if calendar is None:
            collection = Collection(
                self, calendars.create(conn, principal.id, slug, properties=dict(props), now=self.now())
            )
        else:
            collection = Collection(self, calendar)
            collection.refuse_if_bridged()
            collection.set_meta(props)
        replaced, added = collection.replace_all(items or ())
        return collection, replaced, added

    def move(self, item: Item, to_collection: BaseCollection, to_href: str) -> None:
        """Move one object, in one transaction; its history stays where it was."""
        assert isinstance(item.collection, Collection)  # noqa: S101 - Radicale's types are wider than what we hand out
        assert isinstance(to_collection, Collection)  # noqa: S101
        assert item.href is not None  # noqa: S101
        item.collection.delete(item.href)
        to_collection.upload(to_href, item)

    def verify(self) -> bool:
        """Read every object back as ``python -m radicale --verify-storage`` asks: does it still parse?"""
        sound = True
        with self.database.read() as conn:
            for principal in principals.every(conn):
                for calendar in calendars.of_principal(conn, principal.name):
                    for stored in objects.every(conn, calendar.id):
                        try:
                            ical.parse(stored.data)
                        except InvalidCalendarData as error:
                            sound = False
                            logger.error("object %s of calendar %d: %s", stored.href, calendar.id, error.precondition)
        return sound


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
        principals.set_properties(conn, self._principal.id, {**structured(self._principal.properties), **props})
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
            revision = tokens.revision(self.calendar, old_token)
            with self._storage.reading() as conn:
                return token, [change.href for change in changes.since(conn, self.calendar.id, revision)]
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
            candidates = objects.in_range(conn, self.calendar.id, query.start, query.end, query.component)
        return (stored for stored in candidates if query.matches(stored))

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
            calendars.delete(conn, self.calendar.id)
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
            return export.calendar(self.calendar, objects.every(conn, self.calendar.id)).decode()

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
            text=stored.data.decode(),
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
    """The properties Radicale can show: text. What has a structure (``properties.keep``) only our application answers."""
    return {name: value for name, value in properties.items() if isinstance(value, str)}


def structured(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in properties.items() if not isinstance(value, str)}


def http_date(at: dt.datetime) -> str:
    """RFC 9110 §5.6.7."""
    return format_datetime(at.astimezone(dt.UTC), usegmt=True)
