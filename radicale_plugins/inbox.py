"""The scheduling inbox and outbox (RFC 6638 §2.1, §2.2): where messages arrive, and whom one asks when others are busy."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import sqlalchemy as sa

from bridge.errors import InvalidCalendarData
from bridge.ical import availability
from bridge.services import delivery
from bridge.store import calendars, principals
from radicale_plugins import dav, keeping
from radicale_plugins.keeping import Unacceptable
from radicale_plugins.request import NOT_FOUND, Kind, Request

KINDS = frozenset({Kind.INBOX, Kind.MESSAGE, Kind.OUTBOX})

AVAILABILITY = (f"{dav.C}calendar-availability", f"{dav.CS}calendar-availability")
"""RFC 7953's name for it, and the one that Apple has used since before."""

_URL = f"{dav.C}schedule-default-calendar-URL"


def prepare(request: Request) -> None:
    """Make the inbox if it is the first time that anybody looks. Raises dav.Refusal where nothing is scheduled here."""
    if not request.scheduling.enabled:
        raise dav.Refusal(NOT_FOUND)
    if request.place.kind is Kind.OUTBOX or request.stranger:
        return
    with request.database.read() as conn:
        if calendars.get(conn, request.place.owner, request.place.slug) is not None:
            return
    with request.database.write() as conn:
        owner = principals.by_name(conn, request.place.owner)
        if owner is None:
            raise dav.Refusal(NOT_FOUND)
        calendars.inbox(conn, owner.id, now=request.now())


def described(request: Request, updates: list[keeping.Update]) -> list[keeping.Update]:
    """Updates of an inbox with the calendar for new meetings as its name alone, if it is one's own. Raises Unacceptable."""
    for is_set, element in updates:
        if is_set and element.tag in AVAILABILITY:
            _check_availability(element)
    return [(is_set, _named(request, element)) if is_set and element.tag == _URL else (is_set, element)
            for is_set, element in updates]  # fmt: skip


def _check_availability(element: ET.Element) -> None:
    try:
        availability.check(element.text or "")
    except InvalidCalendarData:
        raise Unacceptable(element.tag, "C:valid-calendar-data") from None


def availability_of(conn: sa.Connection, owner: str) -> str:
    """What a person says of when they are to be had (RFC 7953 §7.2.4); "" if nothing."""
    own = calendars.get(conn, owner, calendars.INBOX)
    said = (None if own is None else own.properties.get(dav.human(tag)) for tag in AVAILABILITY)
    return next((each for each in said if isinstance(each, str) and each.strip()), "")


def _named(request: Request, element: ET.Element) -> ET.Element:
    place = request.place_of(element.findtext(f"{dav.D}href") or "")
    if place is None or place.kind is not Kind.CALENDAR or place.owner != request.place.owner:
        raise Unacceptable(element.tag, "C:valid-schedule-default-calendar-URL")
    with request.database.read() as conn:
        calendar = calendars.get(conn, place.owner, place.slug)
    if calendar is None or not delivery.takes_meetings(calendar, "VEVENT"):
        raise Unacceptable(element.tag, "C:valid-schedule-default-calendar-URL")
    named = ET.Element(element.tag)
    named.text = place.slug
    return named
