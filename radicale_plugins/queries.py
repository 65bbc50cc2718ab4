"""calendar-multiget, calendar-query and free-busy-query (RFC 4791 §7.8 to §7.10)."""

from __future__ import annotations

import datetime as dt
import xml.etree.ElementTree as ET
from http import client

import sqlalchemy as sa

from bridge.ical.attendees import address
from bridge.store import objects, principals
from bridge.store.calendars import Calendar
from radicale_plugins import access, dav, filters, freebusy, inbox, keeping, live, markup, preferences
from radicale_plugins.calendar_data import CalendarData
from radicale_plugins.dav import Answer
from radicale_plugins.filters import InvalidFilter, Query
from radicale_plugins.matching import matching
from radicale_plugins.request import NOT_FOUND, Kind, Place, Request


def multiget(request: Request, root: ET.Element) -> Answer:
    """Depth does not matter here: DAVx5 and vdirsyncer send none, KDE 1 (CLIENTS 1.2, 1.5, 1.7)."""
    if root.find(f"{dav.D}href") is None:
        raise dav.Refusal(dav.text(client.BAD_REQUEST, "A calendar-multiget names what it wants."))
    data = CalendarData(request, root)
    asked = [each.text or "" for each in root.findall(f"{dav.D}href")]
    hrefs = {reference: _href_in(request, reference) for reference in asked}
    with request.read() as conn:
        calendar = request.calendar(conn)
        there = objects.many(conn, calendar.id, filter(None, hrefs.values()))
        told = data.members(calendar, request.place).of(conn, there)
    found = {stored.href: response for stored, response in zip(there, told, strict=True)}
    return preferences.multistatus(
        request, "".join(found.get(href) or _not_there(reference) for reference, href in hrefs.items())
    )


def _not_there(reference: str) -> str:
    return markup.text(dav.response(reference.strip(), dav.status_line(client.NOT_FOUND)))


def _href_in(request: Request, reference: str) -> str:
    """The name a DAV:href has in the requested calendar; "" if it leads elsewhere."""
    place = request.place_of(reference)
    here = request.place
    is_inside = place is not None and (place.owner, place.slug) == (here.owner, here.slug)
    return place.href if place is not None and is_inside and here.href in ("", place.href) else ""


def query(request: Request, root: ET.Element) -> Answer:
    """Of what the Depth covers (RFC 4791 §7.8): nothing in a collection at 0, no more than its own members at 1.

    Who sends none to a calendar means its members, though the RFC reads it as 0; a home has objects only in its depths.
    """
    place = request.place
    filters_ = root.findall(f"{dav.C}filter")
    given = _given_zone(root)
    data = CalendarData(request, root)
    responses: list[str] = []
    with request.read() as conn:
        for where, calendar in _calendars_asked(request, conn):
            if not place.href:
                request.tells(calendar, whole=True)
            data.floating = given or filters.zone_of(calendar.properties)
            asked = Query(filters_, floating=data.floating)
            if place.href:
                stored = objects.get(conn, calendar.id, place.href)
                if stored is None:
                    raise dav.Refusal(NOT_FOUND)
                matches = [stored] if asked.matches(stored) else []
            else:
                matches = list(matching(conn, calendar.id, asked))
            responses += data.members(calendar, where).of(conn, matches)
    return preferences.multistatus(request, "".join(responses))


def _calendars_asked(request: Request, conn: sa.Connection) -> list[tuple[Place, Calendar]]:
    place = request.place
    if place.kind is Kind.HOME:
        members = access.members(request, conn, place.owner) if request.depth == "infinity" else []
        return [(Place(place.owner, each.slug), each) for each in members]
    calendar = request.calendar(conn)
    return [] if request.depth == "0" and place.kind is Kind.CALENDAR else [(place, calendar)]


def _given_zone(root: ET.Element) -> dt.tzinfo | None:
    """The zone that floating times have for this query (RFC 4791 §7.3, RFC 7809 §4.4); without one it is the calendar's."""
    name = root.findtext(f"{dav.C}timezone-id", "").strip()
    if name:
        zone = filters.zone_named(name)
        if zone is None:
            raise InvalidFilter("valid-timezone", "an unknown time zone")
        return zone
    given = root.findtext(f"{dav.C}timezone")
    return filters.zone_from(given) if given else None


def free_busy(request: Request, root: ET.Element) -> Answer:
    """Of a calendar, or of a home with all its calendars (Evolution asks there)."""
    element = root.find(f"{dav.C}time-range")
    within = None if element is None else filters.time_range(element)
    if within is None or within.start is None or within.end is None:
        raise InvalidFilter("valid-filter", "a free-busy-query needs a time-range with both ends")
    with request.read() as conn:
        whole = request.place.kind is Kind.HOME
        all_of_them = access.members(request, conn, request.place.owner) if whole else [request.calendar(conn)]
        owner = principals.by_name(conn, request.place.owner)
        floating = filters.zone_of(all_of_them[0].properties) if all_of_them else dt.UTC
        counting = [each.id for each in all_of_them if not is_transparent(each)]
        taken = freebusy.taken(conn, counting, within, floating=floating)
        available = inbox.availability_of(conn, request.place.owner) if whole and request.scheduling.enabled else ""
    own = "" if owner is None else address(owner.email)
    body = freebusy.text(taken, within, floating=floating, now=request.now(), own=own, availability=available)
    return client.OK, {"Content-Type": live.OBJECT_TYPE}, body, None


def is_transparent(calendar: Calendar) -> bool:
    """RFC 6638 §9.1: its owner says that it does not count."""
    element = keeping.shown(calendar.properties, "C:schedule-calendar-transp")
    return element is not None and element.find(f"{dav.C}transparent") is not None
