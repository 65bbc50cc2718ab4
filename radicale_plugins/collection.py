"""Calendar collections over HTTP: made, and only rarely deleted."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from contextlib import suppress
from http import client
from typing import Any

import sqlalchemy as sa

from bridge.errors import AlreadyExists, NotFound, UsageError
from bridge.policy.access import Deed, may
from bridge.services import inviting, scheduling
from bridge.store import calendars, principals
from bridge.store.calendars import COMPONENT_SET, COMPONENTS, Calendar
from radicale_plugins import conditions, dav, keeping, preferences, properties, proppatch, tokens
from radicale_plugins.dav import Answer
from radicale_plugins.keeping import Unacceptable, Update
from radicale_plugins.request import NO_PARENT, Kind, Request

_TYPES = {f"{dav.C}calendar": "VCALENDAR", "{http://calendarserver.org/ns/}subscribed": "VSUBSCRIBED"}


def make_calendar(request: Request) -> Answer:
    """MKCALENDAR (RFC 4791 §5.3.1)."""
    return _make(request, dav.read_xml(request.body), tag="VCALENDAR", taken=client.FORBIDDEN)


def make_collection(request: Request) -> Answer:
    """Extended MKCOL (RFC 5689). Only calendars are kept here: no address books, no plain folders."""
    media_type = str(request.environ.get("CONTENT_TYPE", "")).lower()
    if request.body and media_type not in ("", "application/xml", "text/xml"):
        return dav.text(client.UNSUPPORTED_MEDIA_TYPE, "The body of a MKCOL is XML.")  # RFC 4918 §9.3
    root = dav.read_xml(request.body)
    return _make(request, root, tag=_type_in(root), taken=client.METHOD_NOT_ALLOWED)


def _type_in(root: ET.Element | None) -> str | None:
    """What kind of calendar; None: what is asked for is no calendar. Whoever does not say what kind gets the only one there is."""
    if root is None:
        return "VCALENDAR"
    kinds = root.findall(f"{dav.D}set/{dav.D}prop/{dav.D}resourcetype/*")
    return next((_TYPES[kind.tag] for kind in kinds if kind.tag in _TYPES), None)


def _make(request: Request, root: ET.Element | None, *, tag: str | None, taken: int) -> Answer:
    place = request.place
    if place.deeper:
        return NO_PARENT
    if place.kind is not Kind.CALENDAR:
        return dav.error(client.FORBIDDEN, "C:calendar-collection-location-ok")
    if tag is None:
        return dav.error(client.FORBIDDEN, "D:valid-resourcetype")
    kept: dict[str, Any] = {"tag": tag}
    updates: list[Update] = []
    for element in () if root is None else root.findall(f"{dav.D}set/{dav.D}prop/*"):
        name = dav.human(element.tag)
        if name == COMPONENT_SET:
            kinds = [comp.get("name", "").upper() for comp in element if comp.tag == f"{dav.C}comp"]
            if not kinds or not set(kinds) <= set(COMPONENTS):
                return dav.error(client.FORBIDDEN, "C:supported-calendar-component")
            kept[name] = ",".join(dict.fromkeys(kinds))
        elif name == "D:resourcetype":
            continue
        elif properties.is_protected(element.tag):
            return dav.error(client.FORBIDDEN, "D:cannot-modify-protected-property")
        else:
            updates.append((True, element))
    try:
        kept = keeping.changed(kept, updates, of_calendar=True, year=request.now().year)
    except Unacceptable as unacceptable:
        if unacceptable.precondition:
            return dav.error(client.FORBIDDEN, unacceptable.precondition)
        return proppatch.too_much(unacceptable)
    with request.write() as conn:
        principal = principals.by_name(conn, place.owner)
        if principal is None:
            return dav.text(client.CONFLICT, "There is no such home.")
        try:
            calendars.create(conn, principal.id, place.slug, properties=kept, now=request.now())
        except AlreadyExists:
            return dav.error(taken, "D:resource-must-be-null")
        except UsageError:  # it begins with a dot
            return dav.error(client.FORBIDDEN, "C:calendar-collection-location-ok")
    return dav.empty(client.CREATED, {"Cache-Control": "no-cache", **preferences.applied(request)})


def delete(request: Request) -> Answer:
    """Delete one's own calendar, unless it is mirrored: one request must not empty what is elsewhere (DESIGN §3, D-05).

    Somebody else's is only left.
    """
    place = request.place
    if place.kind is not Kind.CALENDAR:
        return dav.need_privileges(request.url(place.path), "D:unbind")
    with request.write() as conn:
        calendar = request.calendar(conn)
        conditions.require(request, conn, tokens.ctag(calendar), calendar.modified_at)
        if not may(calendar.access, Deed.OWN):
            _leave(request, conn, calendar)
            return dav.empty(client.NO_CONTENT)
        if calendars.is_bridged(conn, calendar.id):
            return dav.need_privileges(request.url(place.home), "D:unbind")
        scheduling.delete_calendar(conn, calendar, now=request.now(), by=request.scheduling)
    return dav.empty(client.NO_CONTENT)


def _leave(request: Request, conn: sa.Connection, calendar: Calendar) -> None:
    """Somebody does not want to see another's calendar any more: nothing of it is deleted, and its owner sees a no."""
    person, owners = principals.by_name(conn, request.user), calendars.by_id(conn, calendar.id)
    if person is None or owners is None:
        return
    with suppress(NotFound):  # it was taken away a moment ago
        inviting.decline(conn, owners, person, actor=request.actor, now=request.now())
