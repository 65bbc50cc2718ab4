"""Calendar object resources over HTTP: the client's bytes in, the very same bytes out (RFC 4791 §5.3, RFC 9110 §13)."""

from __future__ import annotations

import datetime as dt
from email.utils import parsedate_to_datetime
from http import client

from bridge.errors import InvalidCalendarData
from bridge.ical import objects as ical
from bridge.store import calendars, objects
from bridge.store.objects import ABSENT, ANY, Expected, StoredObject
from radicale_plugins import dav, export, live, tokens
from radicale_plugins.dav import Answer
from radicale_plugins.request import NOT_FOUND, Kind, Request

PRECONDITION_FAILED = dav.text(client.PRECONDITION_FAILED, "The resource is not in the state the request assumes.")


def get(request: Request) -> Answer:
    """An object's bytes, or a whole calendar as one file. Not modified is said without a body (D-21)."""
    place = request.place
    if not place.slug:
        return dav.text(
            client.METHOD_NOT_ALLOWED, "Calendars are listed with PROPFIND.", {"Allow": "OPTIONS, PROPFIND"}
        )
    with request.database.read() as conn:
        calendar = request.calendar(conn)
        if place.href:
            stored = objects.get(conn, calendar.id, place.href)
            if stored is None:
                return NOT_FOUND
            etag, modified = stored.etag, stored.modified_at
        else:
            etag, modified = tokens.ctag(calendar), calendar.modified_at
        headers = {"ETag": etag, "Last-Modified": dav.http_date(modified), "Cache-Control": "private, no-cache"}
        if _is_fresh(request, etag, modified):
            return dav.empty(client.NOT_MODIFIED, headers)
        body = stored.data if place.href and stored else export.calendar(calendar, objects.every(conn, calendar.id))
    return client.OK, {"Content-Type": live.OBJECT_TYPE, **headers}, body, None


def _is_fresh(request: Request, etag: str, modified: dt.datetime) -> bool:
    """RFC 9110 §13.1.2 compares weakly; §13.1.3 counts only where there is no If-None-Match."""
    known = request.header("If-None-Match")
    if known:
        return known.strip() == "*" or etag in {each.removeprefix("W/") for each in dav.etags(known)}
    try:
        since = parsedate_to_datetime(request.header("If-Modified-Since"))
    except (TypeError, ValueError):
        return False
    return since.tzinfo is not None and modified.replace(microsecond=0) <= since


def put(request: Request) -> Answer:
    """Store an object as it was sent, if it is one and nobody has changed it meanwhile."""
    place = request.place
    if place.kind not in (Kind.CALENDAR, Kind.OBJECT):
        return dav.need_privileges(request.url(place.path), "D:bind")
    if not place.href:
        # D-05: one PUT would replace a whole calendar. Nobody has that privilege, bridged or not.
        with request.database.read() as conn:
            exists = calendars.get(conn, place.owner, place.slug) is not None
        return dav.need_privileges(request.url(place.calendar), "D:write-content" if exists else "D:bind")
    media_type = request.environ.get("CONTENT_TYPE", "")
    if media_type and media_type.lower() != "text/calendar":
        return dav.error(client.FORBIDDEN, "C:supported-calendar-data")
    if int(request.environ.get("CONTENT_LENGTH") or 0) > request.max_resource_size:
        return dav.error(client.FORBIDDEN, "C:max-resource-size")
    data = request.body
    if len(data) > request.max_resource_size:  # it came in chunks
        return dav.error(client.FORBIDDEN, "C:max-resource-size")
    try:
        obj = ical.parse(data)
        stored, created = _store(request, data, obj)
    except InvalidCalendarData as invalid:
        # a conflict only here is one of two PUTs at the same instant
        status = client.CONFLICT if invalid.precondition == "no-uid-conflict" else client.FORBIDDEN
        return dav.error(status, f"C:{invalid.precondition}")
    return dav.empty(client.CREATED if created else client.NO_CONTENT, {"ETag": stored.etag})


def _store(request: Request, data: bytes, obj: ical.CalendarObject) -> tuple[StoredObject, bool]:
    place = request.place
    with request.write() as conn:
        calendar = calendars.get(conn, place.owner, place.slug)
        if calendar is None:
            raise dav.Refusal(dav.text(client.CONFLICT, "There is no such calendar."))
        existing = objects.get(conn, calendar.id, place.href)
        expected = expectation(request, existing)
        if obj.component not in calendars.components(calendar.properties):
            raise dav.Refusal(dav.error(client.FORBIDDEN, "C:supported-calendar-component"))
        twin = objects.by_uid(conn, calendar.id, obj.uid)
        if twin is not None and twin.href != place.href:
            raise dav.Refusal(uid_conflict(request, twin.href))
        if existing is not None and existing.uid != obj.uid:
            raise dav.Refusal(uid_conflict(request, place.href))
        stored = objects.put(
            conn, calendar.id, place.href, data, actor=request.actor, now=request.now(), expected=expected
        )
    return stored, existing is None


def uid_conflict(request: Request, href: str) -> Answer:
    """RFC 4791 §5.3.2.1. 409 rather than 403: DAVx5 then takes the server's copy, after a 403 it tries for ever."""
    return dav.error(client.CONFLICT, "C:no-uid-conflict", dav.href(request.url(request.place.calendar + href)))


def expectation(request: Request, existing: StoredObject | None) -> str | Expected:
    """What If-Match and If-None-Match say must be there. Raises dav.Refusal 412.

    The comparison is strong (RFC 9110 §13.1.1). An If-Match for an object that is gone fails, it does not make it anew:
    DAVx5 settles for the deletion (R37).
    """
    match, none_match = request.header("If-Match"), request.header("If-None-Match")
    if match:
        if existing is None or (match.strip() != "*" and existing.etag not in dav.etags(match)):
            raise dav.Refusal(PRECONDITION_FAILED)
        return existing.etag
    if none_match:
        if existing is None:
            return ABSENT
        if none_match.strip() == "*" or existing.etag in {each.removeprefix("W/") for each in dav.etags(none_match)}:
            raise dav.Refusal(PRECONDITION_FAILED)
    return ANY


def delete(request: Request) -> Answer:
    place = request.place
    with request.write() as conn:
        calendar = request.calendar(conn)
        existing = objects.get(conn, calendar.id, place.href)
        if existing is None:
            return NOT_FOUND
        expected = expectation(request, existing)
        objects.delete(conn, calendar.id, place.href, actor=request.actor, now=request.now(), expected=expected)
    return dav.empty(client.NO_CONTENT)


def move(request: Request) -> Answer:
    """Move one object, between own calendars too; onto a collection never (RFC 4918 §9.9)."""
    place = request.place
    target = request.place_of(request.header("Destination"))
    if place.kind is not Kind.OBJECT:
        return dav.need_privileges(request.url(place.path), "D:unbind")
    if target is None:
        return dav.text(client.BAD_GATEWAY, "The destination is not on this server.")
    if target.owner != request.user or not target.slug:
        return dav.need_privileges(request.url(target.path), "D:bind")
    if not target.href:
        return dav.error(client.FORBIDDEN, "C:calendar-collection-location-ok")
    if target == place:
        return dav.text(client.FORBIDDEN, "Source and destination are the same.")
    with request.write() as conn:
        source = request.calendar(conn)
        destination = calendars.get(conn, target.owner, target.slug)
        if destination is None:
            return dav.text(client.CONFLICT, "There is no such calendar.")
        moved = objects.get(conn, source.id, place.href)
        if moved is None:
            return NOT_FOUND
        expected = expectation(request, moved)
        there = objects.get(conn, destination.id, target.href)
        if there is not None and request.header("Overwrite").strip().upper() == "F":
            return PRECONDITION_FAILED
        if moved.component not in calendars.components(destination.properties):
            return dav.error(client.FORBIDDEN, "C:supported-calendar-component")
        twin = objects.by_uid(conn, destination.id, moved.uid)
        if twin is not None and twin.href != target.href and (destination.id, twin.href) != (source.id, place.href):
            conflict = dav.href(request.url(target.calendar + twin.href))
            return dav.error(client.CONFLICT, "C:no-uid-conflict", conflict)
        actor, now = request.actor, request.now()
        objects.delete(conn, source.id, place.href, actor=actor, now=now, expected=expected)
        if there is not None and there.uid != moved.uid:
            objects.delete(conn, destination.id, target.href, actor=actor, now=now)
        objects.put(conn, destination.id, target.href, moved.data, actor=actor, now=now)
    return dav.empty(client.CREATED if there is None else client.NO_CONTENT)
