"""Calendar object resources over HTTP: the client's bytes in, the very same bytes out (RFC 4791 §5.3, RFC 9110 §13)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http import client

import sqlalchemy as sa

from bridge.errors import InvalidCalendarData
from bridge.ical import objects as ical
from bridge.ical.objects import CalendarObject
from bridge.services import scheduling
from bridge.services.scheduling import Written
from bridge.store import calendars, objects
from bridge.store.calendars import Calendar
from bridge.store.objects import ABSENT, Expected, StoredObject
from radicale_plugins import access, capabilities, conditions, dav, export, live, preferences, quota, tokens
from radicale_plugins.dav import Answer
from radicale_plugins.request import NO_PARENT, NOT_FOUND, Kind, Request

_CONFLICTS = frozenset(
    {
        "no-uid-conflict",
        "unique-scheduling-object-resource",
        "allowed-attendee-scheduling-object-change",
        "allowed-organizer-scheduling-object-change",
    }
)
"""Answered 409, not 403: DAVx5 then takes the server's copy, where it would try for ever."""


def get(request: Request) -> Answer:
    """An object's bytes, or a whole calendar as one file. Not modified is said without a body (D-21)."""
    place = request.place
    if not place.slug:
        return dav.text(
            client.METHOD_NOT_ALLOWED,
            "Calendars are listed with PROPFIND.",
            {"Allow": capabilities.allow(place.kind, push=request.push is not None)},
        )
    stored: StoredObject | None = None
    with request.database.read() as conn:
        calendar = request.calendar(conn)
        if place.href:
            stored = objects.get(conn, calendar.id, place.href)
            if stored is None:
                return NOT_FOUND
            etag, modified = stored.etag, stored.modified_at
            request.given.append(stored.href)
        else:
            request.tells(calendar, whole=True)
            etag, modified = tokens.ctag(calendar), calendar.modified_at
        headers = {"ETag": etag, "Last-Modified": dav.http_date(modified), "Cache-Control": "private, no-cache"}
        if place.kind is Kind.OBJECT and stored and request.scheduling.enabled and (tag := tokens.schedule_tag(stored)):
            headers["Schedule-Tag"] = tag
        conditions.require(request, conn, etag, modified, reading=True)
        if conditions.is_fresh(request, etag, modified):
            return dav.empty(client.NOT_MODIFIED, headers)
        body = stored.data if place.href and stored else export.calendar(calendar, objects.texts(conn, calendar.id))
    return client.OK, {"Content-Type": live.OBJECT_TYPE, **headers}, body, None


def put(request: Request) -> Answer:
    """Store an object as it was sent, if it is one and nobody has changed it meanwhile."""
    place = request.place
    if place.deeper:
        return NO_PARENT
    if place.kind not in (Kind.CALENDAR, Kind.OBJECT):
        return dav.need_privileges(request.url(place.path), "D:bind")
    if not place.href:
        # D-05: one PUT would replace a whole calendar. Nobody has that privilege, bridged or not.
        with request.database.read() as conn:
            exists = access.find(request, conn, place) is not None
        return dav.need_privileges(request.url(place.calendar), "D:write-content" if exists else "D:bind")
    with refusals():
        data, obj = _sent(request)
        written, created = _store(request, data, obj)
    return representation(request, client.CREATED if created else client.NO_CONTENT, written)


def add_member(request: Request) -> Answer | None:
    """POST of an object to its calendar, which gives it a name (RFC 5995); None: it is something else that was posted."""
    if request.place.kind is not Kind.CALENDAR or not _is_calendar_data(request):
        return None
    if not request.writable:
        return dav.need_privileges(request.url(request.place.calendar), "D:bind")
    with refusals():
        data, obj = _sent(request)
        with request.write() as conn:
            calendar = request.calendar(conn, needs="D:bind")
            conditions.require(request, conn, tokens.ctag(calendar), calendar.modified_at)
            _check_kind(calendar, obj)
            twin = objects.by_uid(conn, calendar.id, obj.uid)
            if twin is not None:
                return uid_conflict(request, twin.href)
            href = objects.free_href(conn, calendar.id, obj.uid)
            written = store(request, conn, calendar, href, data, ABSENT, obj=obj, over=None)
    return representation(request, client.CREATED, written)


@contextmanager
def refusals() -> Iterator[None]:
    """What an object may not be is answered with the precondition that does not hold."""
    try:
        yield
    except InvalidCalendarData as invalid:
        status = client.CONFLICT if invalid.precondition in _CONFLICTS else client.FORBIDDEN
        raise dav.Refusal(dav.error(status, f"C:{invalid.precondition}")) from None


def _is_calendar_data(request: Request) -> bool:
    return str(request.environ.get("CONTENT_TYPE", "")).lower() == "text/calendar"


def _sent(request: Request) -> tuple[bytes, CalendarObject]:
    """The body, if it is one calendar object. Raises dav.Refusal and InvalidCalendarData."""
    if request.environ.get("CONTENT_TYPE", "") and not _is_calendar_data(request):
        raise dav.Refusal(dav.error(client.FORBIDDEN, "C:supported-calendar-data"))
    # before it is read; or after, if it came in chunks
    if int(request.environ.get("CONTENT_LENGTH") or 0) > request.limits.object_bytes:
        raise dav.Refusal(dav.error(client.FORBIDDEN, "C:max-resource-size"))
    if len(request.body) > request.limits.object_bytes:
        raise dav.Refusal(dav.error(client.FORBIDDEN, "C:max-resource-size"))
    return request.body, ical.parse(request.body)


def representation(request: Request, status: int, written: Written) -> Answer:
    """What has become of the object; with its bytes if the client prefers that (RFC 8144 §3).

    Without them an object that is not what the client sent has no ETag, so that it is fetched (RFC 4791 §5.3.4).
    """
    stored = written.stored
    path = request.url(request.place.calendar + stored.href)
    is_told = preferences.wants(request, "return=representation")
    headers = {"ETag": stored.etag} if written.as_sent or is_told else {}
    if request.scheduling.enabled and (tag := tokens.schedule_tag(stored)):
        headers["Schedule-Tag"] = tag
    if status == client.CREATED:
        headers["Location"] = path
    if not is_told:
        return dav.empty(status, headers)
    headers |= {"Content-Type": live.OBJECT_TYPE, "Content-Location": path, **preferences.VARY}
    headers["Preference-Applied"] = "return=representation"
    return client.OK if status == client.NO_CONTENT else status, headers, stored.data, None


def _check_kind(calendar: Calendar, obj: CalendarObject) -> None:
    if obj.component not in calendars.components(calendar.properties):
        raise dav.Refusal(dav.error(client.FORBIDDEN, "C:supported-calendar-component"))


def _store(request: Request, data: bytes, obj: CalendarObject) -> tuple[Written, bool]:
    place = request.place
    with request.write() as conn:
        calendar = access.find(request, conn, place)
        if calendar is None:
            raise dav.Refusal(dav.text(client.CONFLICT, "There is no such calendar."))
        existing = objects.get(conn, calendar.id, place.href)
        access.require(request, calendar, place, "D:bind" if existing is None else "D:write-content")
        try:
            expected = conditions.expectation(request, conn, existing)
        except dav.Refusal as refusal:
            if existing is None or not preferences.wants(request, "return=representation"):
                raise
            raise dav.Refusal(
                representation(request, refusal.answer[0], Written(existing, as_sent=True))
            ) from None  # RFC 8144 §3.2
        _check_kind(calendar, obj)
        if existing is None or existing.uid != obj.uid:  # otherwise it has that UID itself, and no two can
            twin = objects.by_uid(conn, calendar.id, obj.uid)
            if twin is not None and twin.href != place.href:
                raise dav.Refusal(uid_conflict(request, twin.href))
            if existing is not None:
                raise dav.Refusal(uid_conflict(request, place.href))
        more = len(data) - (0 if existing is None else len(existing.data))
        quota.require_room(request, conn, calendar.principal_id, more)
        written = store(request, conn, calendar, place.href, data, expected, obj=obj, over=existing)
    return written, existing is None


def store(
    request: Request,
    conn: sa.Connection,
    calendar: Calendar,
    href: str,
    data: bytes,
    expected: str | Expected,
    *,
    obj: CalendarObject | None = None,
    over: StoredObject | None,
) -> Written:
    """The one way in which a client's bytes come into a calendar: with what follows from them for others.

    ``over`` is what stands there, ``obj`` what the bytes read as, if that is known. Raises dav.Refusal where they are not for
    this person to say.
    """
    access.require_voice(request, calendar, request.place, data, None if over is None else over.data)
    return scheduling.put(
        conn,
        calendar,
        href,
        data,
        actor=request.actor,
        now=request.now(),
        expected=expected,
        keep_answers=conditions.is_by_schedule_tag(request),
        by=request.scheduling,
        obj=obj,
        over=ABSENT if over is None else over,
    )


def uid_conflict(request: Request, href: str) -> Answer:
    """RFC 4791 §5.3.2.1. 409 rather than 403: DAVx5 then takes the server's copy, after a 403 it tries for ever."""
    return dav.error(client.CONFLICT, "C:no-uid-conflict", dav.href(request.url(request.place.calendar + href)))


def delete(request: Request) -> Answer:
    place = request.place
    with request.write() as conn:
        calendar = request.calendar(conn, needs="D:unbind")
        existing = objects.get(conn, calendar.id, place.href)
        if existing is None:
            return NOT_FOUND
        access.require_voice(request, calendar, place, existing.data)
        expected = conditions.expectation(request, conn, existing)
        scheduling.delete(
            conn,
            calendar,
            place.href,
            actor=request.actor,
            now=request.now(),
            expected=expected,
            silently=request.header("Schedule-Reply").strip().upper() == "F",
            by=request.scheduling,
            over=existing,
        )
    return dav.empty(client.NO_CONTENT)
