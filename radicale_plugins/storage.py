"""An SQL store for Radicale: ``[storage] type = radicale_plugins.storage``.

People have asked Radicale for one since 2014. It works under plain ``python -m radicale`` with any auth and rights plugin;
our own server (``radicale_plugins.app``) uses the same class and adds what Radicale's interface lacks.

Homes are principals, collections in them calendars, their items the bytes in the hub. One request is one transaction:
Radicale brackets it with ``acquire_lock``. What Radicale asks after it let go of the lock (it answers a PROPFIND then) is
read in a transaction of its own.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import sqlalchemy as sa
from radicale import config, pathutils
from radicale.item import Item
from radicale.log import logger
from radicale.storage import BaseCollection, BaseStorage
from radicale.types import CollectionOrItem

from bridge.errors import BridgeError, InvalidCalendarData
from bridge.ical import objects as ical
from bridge.store import calendars, object_properties, objects, principals
from bridge.store.session import Database
from radicale_plugins.database import open_configured, utc_now
from radicale_plugins.hub import Collection, Folder

OPTIONS = {"storage": {"database_url": {"value": "", "help": "SQLAlchemy URL of the database", "type": str}}}


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
        """Move one object with its properties, in one transaction; its history stays where it was."""
        assert isinstance(item.collection, Collection)  # noqa: S101 - Radicale's types are wider than what we hand out
        assert isinstance(to_collection, Collection)  # noqa: S101
        assert item.href is not None  # noqa: S101
        described = object_properties.of(self.writing, item.collection.calendar.id, [item.href]).get(item.href, {})
        item.collection.delete(item.href)
        to_collection.upload(to_href, item)
        object_properties.replace(self.writing, to_collection.calendar.id, to_href, described)

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
