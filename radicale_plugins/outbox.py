"""Asking when others are busy: VFREEBUSY posted to one's outbox (RFC 6638 §5)."""

from __future__ import annotations

import datetime as dt
import xml.etree.ElementTree as ET
from http import client

import sqlalchemy as sa

from bridge.errors import InvalidCalendarData
from bridge.ical import timing
from bridge.ical.attendees import address
from bridge.ical.itip import messages
from bridge.ical.lines import Line
from bridge.ical.objects import CalendarObject, Component
from bridge.ical.timing import Zones
from bridge.store import principals
from bridge.store.principals import Principal
from radicale_plugins import dav, filters, freebusy, home, inbox, queries
from radicale_plugins.dav import Answer
from radicale_plugins.occurrences import Range
from radicale_plugins.request import Kind, Request

_MASKED = "X-CALENDARSERVER-MASK-UID"
_LONGEST = dt.timedelta(days=400)


def posted(request: Request) -> Answer | None:
    """None: it was posted elsewhere. Who is asked for stands in the ATTENDEE lines; Apple's Recipient header is not needed."""
    if request.place.kind is not Kind.OUTBOX:
        return None
    if str(request.environ.get("CONTENT_TYPE", "")).lower() != "text/calendar":
        return dav.error(client.FORBIDDEN, "C:supported-calendar-data")
    try:
        method, obj = messages.read(request.body)
    except InvalidCalendarData:
        return dav.error(client.FORBIDDEN, "C:valid-calendar-data")
    asked = obj.master
    if method != "REQUEST" or obj.component != "VFREEBUSY" or asked is None:
        return dav.error(client.FORBIDDEN, "C:valid-scheduling-message")
    within = _within(obj, asked)
    if within is None:
        return dav.error(client.FORBIDDEN, "C:valid-scheduling-message")
    with request.database.read() as conn:
        me = principals.by_name(conn, request.user)
        if me is None or address(_value(asked.first("ORGANIZER"))) != address(me.email):
            return dav.error(client.FORBIDDEN, "C:organizer-allowed")
        responses = [_response(request, conn, me, line, asked, within) for line in asked.every("ATTENDEE")]
    return dav.xml(client.OK, dav.element("C:schedule-response", *responses))


def _within(obj: CalendarObject, asked: Component) -> Range | None:
    when = timing.read(asked, Zones.of(obj))
    if when is None or when.zone != "UTC" or not isinstance(when.start, dt.datetime):
        return None
    start, end = (value.replace(tzinfo=dt.UTC) for value in (when.start, when.end) if isinstance(value, dt.datetime))
    return Range(start, end) if start < end <= start + _LONGEST else None


def _value(line: Line | None) -> str:
    return "" if line is None else line.value


def _response(
    request: Request, conn: sa.Connection, me: Principal, line: Line, asked: Component, within: Range
) -> ET.Element:
    recipient = dav.element("C:recipient", dav.href(line.value))
    person = principals.by_email(conn, address(line.value))
    if person is None or not (request.directory or person.id == me.id):
        status = dav.element("C:request-status", content="3.7;Invalid calendar user")
        return dav.element("C:response", recipient, status)
    masked = _value(asked.first(_MASKED)).strip()
    own = [each for each in home.members(conn, person.name) if not queries.is_transparent(each)]
    floating = filters.zone_of(own[0].properties) if own else dt.UTC
    taken = freebusy.taken(conn, [each.id for each in own], within, floating=floating, masked=masked)
    heading = [each for name in ("UID", "ORGANIZER") for each in asked.every(name)]
    data = freebusy.text(
        taken,
        within,
        floating=floating,
        now=request.now(),
        method="REPLY",
        heading=[*heading, line],
        own=address(person.email),
        availability=inbox.availability_of(conn, person.name),
    )
    status = dav.element("C:request-status", content="2.0;Success")
    return dav.element("C:response", recipient, status, dav.element("C:calendar-data", content=data.decode()))
