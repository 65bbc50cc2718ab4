"""What is told of a calendar's objects, written straight from their rows: a first sync lists ten thousand of them."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Collection, Iterator, Mapping
from http import client
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape

import sqlalchemy as sa

from bridge.store import object_properties, objects
from bridge.store.calendars import Calendar
from bridge.store.objects import StoredObject
from radicale_plugins import dav, markup, properties, wanted
from radicale_plugins.live import Resource
from radicale_plugins.request import Kind, Place, Request
from radicale_plugins.wanted import Wanted

Data = Callable[[StoredObject], str | None]
"""The text of an object's calendar-data; None: nothing of it is to be told."""

DATA = f"{dav.C}calendar-data"
_ETAG = f"{dav.D}getetag"
_ALIKE = frozenset(
    dav.clark(name)
    for name in (
        "D:resourcetype", "D:getcontenttype", "D:owner", "D:current-user-privilege-set", "D:current-user-principal",
        "D:principal-collection-set", "D:supported-report-set", "D:supported-privilege-set",
    )
)  # fmt: skip
"""Properties that all objects of one calendar have alike, for who asks."""

_FOUND, _MISSING = (markup.text(dav.status_line(status)) for status in (client.OK, client.NOT_FOUND))

_PLAIN = re.compile(r"[A-Za-z0-9._~-]+")
"""What stands in a URL as it is, and is nearly every href."""

_Row = tuple[str, str, StoredObject | None, Mapping[str, Any] | None]
"""href, etag, the whole of it where that is needed, and what clients made up for it."""


class Members:
    """The responses of one answer about one calendar's objects. Without ``data`` nobody asks for calendar-data (PROPFIND)."""

    def __init__(
        self, request: Request, calendar: Calendar, place: Place, wanted_: Wanted, data: Data | None = None
    ) -> None:
        """``place`` is where the calendar, or anything in it, was asked for."""
        self._request = request
        self._calendar = calendar
        self._place = Place(place.owner, place.slug)
        self._is_kept = wanted_.needs_kept and self._place.kind is Kind.CALENDAR
        self._wanted = wanted_
        self._data = data
        self._path = request.url(place.calendar)
        self._minimal = request.minimal
        self._plan = [(markup.empty(tag), self._writer(tag)) for tag in wanted_.tags]

    def every(self, conn: sa.Connection) -> Iterator[str]:
        """Of all of them, by href: use it up within the transaction."""
        kept = self._kept(conn, None)
        if self._wanted.needs_rows:
            every = objects.every(conn, self._calendar.id)
            return (self._response(each.href, each.etag, each, kept) for each in every)
        return (self._response(href, etag, None, kept) for href, etag in objects.hrefs(conn, self._calendar.id))

    def named(self, conn: sa.Connection, etags: Mapping[str, str]) -> list[str]:
        """Of those with these hrefs, whose etags are known already."""
        if self._wanted.needs_rows:
            return self.of(conn, objects.many(conn, self._calendar.id, etags))
        kept = self._kept(conn, etags)
        return [self._response(href, etag, None, kept) for href, etag in etags.items()]

    def of(self, conn: sa.Connection, stored: Collection[StoredObject]) -> list[str]:
        """Of these, in their order."""
        kept = self._kept(conn, [each.href for each in stored])
        return [self._response(each.href, each.etag, each, kept) for each in stored]

    def gone(self, href: str) -> str:
        return f"<response><href>{self._path}{quote(href)}</href>{_MISSING}</response>"

    def _kept(self, conn: sa.Connection, hrefs: Collection[str] | None) -> Mapping[str, Mapping[str, Any]]:
        return object_properties.of(conn, self._calendar.id, hrefs) if self._is_kept else {}

    def _response(
        self, href: str, etag: str, stored: StoredObject | None, kept: Mapping[str, Mapping[str, Any]]
    ) -> str:
        row = href, etag, stored, kept.get(href) if kept else None
        if self._wanted.everything:
            return markup.text(wanted.response(self._resource(row), self._wanted, self._request))
        found, missing = "", ""
        for empty, write in self._plan:
            part = write(row)
            if part is None:
                missing += empty
            else:
                found += part
        name = href if _PLAIN.fullmatch(href) else quote(href)
        told = f"<response><href>{self._path}{name}</href>"
        if found or self._minimal or not missing:
            told += f"<propstat><prop>{found}</prop>{_FOUND}</propstat>"
        if missing and not self._minimal:
            told += f"<propstat><prop>{missing}</prop>{_MISSING}</propstat>"
        return told + "</response>"

    def _writer(self, tag: str) -> Callable[[_Row], str | None]:
        if tag == _ETAG:
            return lambda row: f"<getetag>{escape(row[1])}</getetag>"
        if tag == DATA:
            return self._calendar_data
        if tag in _ALIKE:
            alike = self._find(tag, ("any.ics", "", None, None))
            return lambda _: alike
        return lambda row: self._find(tag, row)

    def _calendar_data(self, row: _Row) -> str | None:
        stored = row[2]
        told = None if stored is None or self._data is None else self._data(stored)
        return None if told is None else f"<C:calendar-data>{escape(told)}</C:calendar-data>"

    def _find(self, tag: str, row: _Row) -> str | None:
        element: ET.Element | None = properties.find(tag, self._resource(row), self._request)
        return None if element is None else markup.text(element)

    def _resource(self, row: _Row) -> Resource:
        href, etag, stored, kept = row
        place = Place(self._place.owner, self._place.slug, href)
        return Resource(place, None, self._calendar, etag, stored, properties=kept)
