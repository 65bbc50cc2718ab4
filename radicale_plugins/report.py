"""REPORT: what phones sync by (RFC 4791 §7, RFC 6578).

One object that cannot be read never fails a report (R32, D-10): it is given as it is stored.
"""

from __future__ import annotations

import datetime as dt
import xml.etree.ElementTree as ET
from collections.abc import Callable
from http import client

import sqlalchemy as sa

from bridge.errors import SyncTokenInvalid
from bridge.store import calendars, changes, objects
from bridge.store.calendars import Calendar
from bridge.store.objects import StoredObject
from radicale_plugins import dav, expand, filters, freebusy, properties, propfind, tokens
from radicale_plugins.dav import Answer
from radicale_plugins.filters import InvalidFilter, Query
from radicale_plugins.occurrences import Range
from radicale_plugins.properties import Resource
from radicale_plugins.propfind import Wanted
from radicale_plugins.request import Place, Request

_DATA = f"{dav.C}calendar-data"


def answer(request: Request) -> Answer:
    root = dav.read_xml(request.body)
    if root is None:
        raise dav.Refusal(dav.text(client.BAD_REQUEST, "A REPORT needs a body."))
    if root.tag in _EMPTY:
        return _EMPTY[root.tag]()
    report = _REPORTS.get(root.tag)
    if report is None or request.place.deeper or request.place.href:
        return dav.error(client.FORBIDDEN, "D:supported-report")
    try:
        return report(request, root)
    except InvalidFilter as invalid:
        return dav.error(client.FORBIDDEN, f"C:{invalid.precondition}")


def _nothing_found() -> Answer:
    """Asked for by Apple and InfCloud, advertised by nobody: an error would stop them (D-14)."""
    return dav.xml(client.MULTI_STATUS, dav.element("D:multistatus"))


_EMPTY: dict[str, Callable[[], Answer]] = {
    f"{dav.D}principal-search-property-set": lambda: dav.xml(client.OK, dav.element("D:principal-search-property-set")),
    f"{dav.D}principal-property-search": _nothing_found,
    f"{dav.D}expand-property": _nothing_found,
}


def _calendar(request: Request, conn: sa.Connection) -> Calendar:
    if not request.place.is_calendar:
        raise dav.Refusal(dav.error(client.FORBIDDEN, "D:supported-report"))
    return request.calendar(conn)


def _multiget(request: Request, root: ET.Element) -> Answer:
    """Depth does not matter here: DAVx5 and vdirsyncer send none, KDE 1 (CLIENTS 1.2, 1.5, 1.7)."""
    data = _Data(request, root)
    asked = [each.text or "" for each in root.findall(f"{dav.D}href")]
    hrefs = {reference: _href_in(request, reference) for reference in asked}
    with request.database.read() as conn:
        calendar = _calendar(request, conn)
        found = {stored.href: stored for stored in objects.many(conn, calendar.id, filter(None, hrefs.values()))}
    multistatus = dav.element("D:multistatus")
    for reference, href in hrefs.items():
        stored = found.get(href)
        if stored is None:
            multistatus.append(dav.response(reference.strip(), dav.status_line(client.NOT_FOUND)))
        else:
            multistatus.append(data.response(calendar, stored))
    return dav.xml(client.MULTI_STATUS, multistatus)


def _href_in(request: Request, reference: str) -> str:
    """The name a DAV:href has in the requested calendar; "" if it leads elsewhere."""
    place = request.place_of(reference)
    here = request.place
    return place.href if place is not None and (place.owner, place.slug) == (here.owner, here.slug) else ""


def _query(request: Request, root: ET.Element) -> Answer:
    data = _Data(request, root)
    with request.database.read() as conn:
        calendar = _calendar(request, conn)
        floating = _floating(root, calendar)
        query = Query(root.findall(f"{dav.C}filter"), floating=floating)
        candidates = objects.in_range(conn, calendar.id, query.start, query.end, query.component)
    data.floating = floating
    responses = (data.response(calendar, stored) for stored in candidates if query.matches(stored))
    return dav.xml(client.MULTI_STATUS, dav.element("D:multistatus", *responses))


def _floating(root: ET.Element, calendar: Calendar) -> dt.tzinfo:
    """The zone of floating times: the query's, else the calendar's, else UTC (RFC 4791 §7.3)."""
    given = root.findtext(f"{dav.C}timezone")
    return (filters.zone_from(given) if given else None) or filters.zone_of(calendar.properties)


def _sync(request: Request, root: ET.Element) -> Answer:
    """Everything that is new since a token, in O(changes). ``limit`` is not needed for that and not honoured (D-11)."""
    data = _Data(request, root)
    token = (root.findtext(f"{dav.D}sync-token") or "").strip()
    gone: list[str] = []
    with request.database.read() as conn:
        calendar = _calendar(request, conn)
        resources: list[Resource]
        if not token and not data.wanted.needs_rows:
            resources = [_listed(calendar, href, etag) for href, etag in objects.hrefs(conn, calendar.id)]
        elif not token:
            resources = [_resource(calendar, stored) for stored in objects.every(conn, calendar.id)]
        else:
            try:
                changed = changes.since(conn, calendar.id, tokens.revision(calendar, token))
            except SyncTokenInvalid:
                return dav.error(client.FORBIDDEN, "D:valid-sync-token")
            gone = [each.href for each in changed if each.deleted]
            present = objects.many(conn, calendar.id, [each.href for each in changed if not each.deleted])
            resources = [_resource(calendar, stored) for stored in present]
    multistatus = dav.element("D:multistatus", *(data.response_of(each) for each in resources))
    for href in gone:
        path = request.url(request.place.calendar + href)
        multistatus.append(dav.response(path, dav.status_line(client.NOT_FOUND)))
    multistatus.append(dav.element("D:sync-token", content=tokens.sync_token(calendar)))
    return dav.xml(client.MULTI_STATUS, multistatus)


def _free_busy(request: Request, root: ET.Element) -> Answer:
    """Of a calendar, or of a home with all its calendars (Evolution asks there)."""
    element = root.find(f"{dav.C}time-range")
    within = None if element is None else filters.time_range(element)
    if within is None or within.start is None or within.end is None:
        raise InvalidFilter("valid-filter", "a free-busy-query needs a time-range with both ends")
    with request.database.read() as conn:
        home = request.place.is_home
        all_of_them = calendars.of_principal(conn, request.place.owner) if home else [_calendar(request, conn)]
        stored = [
            each
            for calendar in all_of_them
            if not _is_transparent(calendar)
            for each in objects.in_range(conn, calendar.id, within.start, within.end, "VEVENT")
        ]
    floating = filters.zone_of(all_of_them[0].properties) if all_of_them else dt.UTC
    body = freebusy.text(stored, within, floating=floating, now=request.now())
    return client.OK, {"Content-Type": properties.OBJECT_TYPE}, body, None


def _is_transparent(calendar: Calendar) -> bool:
    """RFC 6638 §9.1: its owner says that it does not count."""
    element = properties.show("C:schedule-calendar-transp", calendar.properties.get("C:schedule-calendar-transp"))
    return element is not None and element.find(f"{dav.C}transparent") is not None


_REPORTS: dict[str, Callable[[Request, ET.Element], Answer]] = {
    f"{dav.C}calendar-multiget": _multiget,
    f"{dav.C}calendar-query": _query,
    f"{dav.C}free-busy-query": _free_busy,
    f"{dav.D}sync-collection": _sync,
}


def _resource(calendar: Calendar, stored: StoredObject) -> Resource:
    return Resource(Place(calendar.owner, calendar.slug, stored.href), None, calendar, stored.etag, stored)


def _listed(calendar: Calendar, href: str, etag: str) -> Resource:
    return Resource(Place(calendar.owner, calendar.slug, href), None, calendar, etag)


class _Data:
    """What a report tells of each object: the properties asked for, calendar-data in the form asked for."""

    def __init__(self, request: Request, root: ET.Element) -> None:
        self._request = request
        self.wanted: Wanted = propfind.wanted_in(root)
        self.floating: dt.tzinfo = dt.UTC
        self._expand: Range | None = None
        element = root.find(f"{dav.D}prop/{_DATA}")
        if element is None:
            return
        if (
            element.get("content-type", "text/calendar").lower() != "text/calendar"
            or element.get("version", "2.0") != "2.0"
        ):
            raise dav.Refusal(dav.error(client.FORBIDDEN, "C:supported-calendar-data"))
        wish = element.find(f"{dav.C}expand")
        if wish is not None:
            self._expand = filters.time_range(wish)
            if self._expand.start is None or self._expand.end is None:
                raise InvalidFilter("valid-filter", "expand needs both ends")

    def response(self, calendar: Calendar, stored: StoredObject) -> ET.Element:
        return self.response_of(_resource(calendar, stored))

    def response_of(self, resource: Resource) -> ET.Element:
        def find(tag: str) -> ET.Element | None:
            if tag == _DATA:
                return self._calendar_data(resource.stored)
            return properties.find(tag, resource, self._request)

        parts = propfind.propstats(resource, self.wanted, self._request, find)
        return dav.response(self._request.url(resource.place.path), *parts)

    def _calendar_data(self, stored: StoredObject | None) -> ET.Element | None:
        if stored is None:
            return None
        if self._expand is None:
            content: str | None = expand.as_text(stored.data)
        else:
            content = expand.expand(stored.data, self._expand, floating=self.floating)
        return None if content is None else dav.element(_DATA, content=content)
