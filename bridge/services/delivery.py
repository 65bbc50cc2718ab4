"""What a scheduling message does to the calendars of the person of this server whom it reaches.

Whoever sent it has locked those calendars, or is alone with one of them.
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa

from bridge.errors import InvalidCalendarData
from bridge.ical import objects as ical
from bridge.ical.attendees import address
from bridge.ical.itip import merging, parts, replies, requests
from bridge.ical.itip.requests import Message
from bridge.ical.objects import CalendarObject
from bridge.store import calendars, objects, principals
from bridge.store.calendars import Calendar
from bridge.store.objects import StoredObject
from bridge.store.principals import Principal

ACTOR = "itip"
"""Who the history says it was, where a message changed a calendar."""

DEFAULT_CALENDAR = "C:schedule-default-calendar-URL"
"""A property of the inbox: the slug of the calendar that new meetings come to."""


@dataclass(frozen=True, slots=True)
class Copy:
    """What a person has of a meeting in one of their calendars.

    ``obj`` None: an older version stored it, and it cannot be read any more.
    """

    stored: StoredObject
    obj: CalendarObject | None


def copies(conn: sa.Connection, person: Principal, uid: str) -> list[Copy]:
    """All that a person has of it, in their own calendars."""
    return [Copy(stored, readable(stored.data)) for stored in objects.of_person(conn, person.id, uid)]


def readable(data: bytes) -> CalendarObject | None:
    try:
        return ical.parse(data)
    except InvalidCalendarData:
        return None


def receive(
    conn: sa.Connection, person: Principal, message: Message, *, anew: Collection[str] = (), now: dt.datetime
) -> None:
    """Lay a REQUEST or CANCEL upon what the person has of it; a new meeting comes into their default calendar.

    ``anew``: the instances that take place at another time now. A CANCEL of what they do not have changes nothing, and what
    cannot be read is left as it is.
    """
    view = message.view
    held = copies(conn, person, view.uid)
    if not held:
        target = default_calendar(conn, person, view.component)
        if target is None or message.method == "CANCEL":
            return
        made = merging.accepted(None, view).to_bytes()
        objects.put(conn, target.id, objects.free_href(conn, target.id, view.uid), made, actor=ACTOR, now=now)
        return
    for each in held:
        if each.obj is None:
            continue
        if message.method == "CANCEL":
            became = merging.cancelled(each.obj, view, now=now)
        else:
            became = merging.accepted(each.obj, view, anew=anew)
        objects.put(conn, each.stored.calendar_id, each.stored.href, became.to_bytes(), actor=ACTOR, now=now)


def answered(
    conn: sa.Connection,
    organizer: Principal,
    calendar: Calendar,
    stored: StoredObject,
    given: Collection[replies.Answer],
    *,
    who: str,
    now: dt.datetime,
) -> None:
    """Write somebody's answers into the organizer's copy, and into those of the other people of this server, quietly."""
    before = ical.parse(stored.data)
    after = replies.applied(before, given, who=who)
    objects.put(conn, calendar.id, stored.href, after.to_bytes(), actor=ACTOR, now=now, quietly=True)
    told = merging.statuses(before)
    for other in sorted(parts.asked(after) - {who, address(organizer.email)}):
        person = person_of(conn, other)
        view = requests.seen_by(parts.of(after), other)
        if person is None or view is None or other not in told:
            continue
        for each in copies(conn, person, after.uid):
            if each.obj is not None and parts.organizer(each.obj) == address(organizer.email):
                became = merging.accepted(each.obj, view).to_bytes()
                held = each.stored
                objects.put(conn, held.calendar_id, held.href, became, actor=ACTOR, now=now, quietly=True)


def to_inbox(conn: sa.Connection, person: Principal, message: Message, *, now: dt.datetime) -> None:
    """The message itself, for the client to show that it came (RFC 6638 §4.1)."""
    inbox = calendars.inbox(conn, person.id, now=now)
    href = f"{secrets.token_hex(16)}.ics"
    objects.deliver(conn, inbox.id, href, message.view.component, message.to_bytes(), actor=ACTOR, now=now)


def person_of(conn: sa.Connection, who: str) -> Principal | None:
    return principals.by_email(conn, who) if who else None


def default_calendar(conn: sa.Connection, person: Principal, component: str) -> Calendar | None:
    """Where a new meeting comes: what the person has chosen, else their first calendar that takes it (RFC 6638 §9.2)."""
    own = [each for each in calendars.of_principal(conn, person.name) if takes_meetings(each, component)]
    inbox = calendars.get(conn, person.name, calendars.INBOX)
    chosen = None if inbox is None else inbox.properties.get(DEFAULT_CALENDAR)
    return next((each for each in own if each.slug == chosen), own[0] if own else None)


def takes_meetings(calendar: Calendar, component: str) -> bool:
    """Whether it takes such components, and is no subscription."""
    return component in calendars.components(calendar.properties) and calendar.properties.get("tag") == "VCALENDAR"
