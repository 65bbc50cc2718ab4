"""calendar-multiget, calendar-query and free-busy-query (RFC 4791 §7.8 to §7.10)."""

from __future__ import annotations

import datetime as dt
import xml.etree.ElementTree as ET
from http import client

from bridge.store import calendars, objects
from bridge.store.calendars import Calendar
from radicale_plugins import dav, filters, freebusy, live, preferences, properties
from radicale_plugins.calendar_data import CalendarData
from radicale_plugins.dav import Answer
from radicale_plugins.filters import InvalidFilter, Query
from radicale_plugins.request import Kind, Request


def multiget(request: Request, root: ET.Element) -> Answer:
    """Depth does not matter here: DAVx5 and vdirsyncer send none, KDE 1 (CLIENTS 1.2, 1.5, 1.7)."""
    data = CalendarData(request, root)
    asked = [each.text or "" for each in root.findall(f"{dav.D}href")]
    hrefs = {reference: _href_in(request, reference) for reference in asked}
    with request.database.read() as conn:
        calendar = request.calendar(conn)
        found = {stored.href: stored for stored in objects.many(conn, calendar.id, filter(None, hrefs.values()))}
    multistatus = dav.element("D:multistatus")
    for reference, href in hrefs.items():
        stored = found.get(href)
        if stored is None:
            multistatus.append(dav.response(reference.strip(), dav.status_line(client.NOT_FOUND)))
        else:
            multistatus.append(data.response(calendar, stored))
    return preferences.multistatus(request, multistatus)


def _href_in(request: Request, reference: str) -> str:
    """The name a DAV:href has in the requested calendar; "" if it leads elsewhere."""
    place = request.place_of(reference)
    here = request.place
    return place.href if place is not None and (place.owner, place.slug) == (here.owner, here.slug) else ""


def query(request: Request, root: ET.Element) -> Answer:
    data = CalendarData(request, root)
    with request.database.read() as conn:
        calendar = request.calendar(conn)
        floating = _floating(root, calendar)
        asked = Query(root.findall(f"{dav.C}filter"), floating=floating)
        candidates = objects.in_range(conn, calendar.id, asked.start, asked.end, asked.component)
    request.tells(calendar, whole=True)
    data.floating = floating
    responses = (data.response(calendar, stored) for stored in candidates if asked.matches(stored))
    return preferences.multistatus(request, dav.element("D:multistatus", *responses))


def _floating(root: ET.Element, calendar: Calendar) -> dt.tzinfo:
    """The zone of floating times: the query's, else the calendar's, else UTC (RFC 4791 §7.3)."""
    given = root.findtext(f"{dav.C}timezone")
    return (filters.zone_from(given) if given else None) or filters.zone_of(calendar.properties)


def free_busy(request: Request, root: ET.Element) -> Answer:
    """Of a calendar, or of a home with all its calendars (Evolution asks there)."""
    element = root.find(f"{dav.C}time-range")
    within = None if element is None else filters.time_range(element)
    if within is None or within.start is None or within.end is None:
        raise InvalidFilter("valid-filter", "a free-busy-query needs a time-range with both ends")
    with request.database.read() as conn:
        home = request.place.kind is Kind.HOME
        all_of_them = calendars.of_principal(conn, request.place.owner) if home else [request.calendar(conn)]
        stored = [
            each
            for calendar in all_of_them
            if not _is_transparent(calendar)
            for each in objects.in_range(conn, calendar.id, within.start, within.end, "VEVENT")
        ]
    floating = filters.zone_of(all_of_them[0].properties) if all_of_them else dt.UTC
    body = freebusy.text(stored, within, floating=floating, now=request.now())
    return client.OK, {"Content-Type": live.OBJECT_TYPE}, body, None


def _is_transparent(calendar: Calendar) -> bool:
    """RFC 6638 §9.1: its owner says that it does not count."""
    element = properties.show("C:schedule-calendar-transp", calendar.properties.get("C:schedule-calendar-transp"))
    return element is not None and element.find(f"{dav.C}transparent") is not None
