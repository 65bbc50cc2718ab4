"""COPY and MOVE of one object between the calendars of one home (RFC 4918 §9.8, §9.9). Collections stay where they are (D-05).

What clients made up for it goes along.
"""

from __future__ import annotations

from http import client

import sqlalchemy as sa

from bridge.services import scheduling
from bridge.store import calendars, changes, object_properties, objects
from bridge.store.calendars import Calendar
from bridge.store.objects import StoredObject
from radicale_plugins import access, conditions, dav, resources, tokens
from radicale_plugins.dav import Answer
from radicale_plugins.request import NOT_FOUND, Kind, Place, Request


def move(request: Request) -> Answer:
    if request.place.kind is not Kind.OBJECT:
        return dav.need_privileges(request.url(request.place.path), "D:unbind")
    return _transfer(request, keep=False)


def copy(request: Request) -> Answer:
    """The very same bytes, so within one calendar there is always a conflict of UIDs."""
    if request.place.kind is not Kind.OBJECT:
        return dav.need_privileges(request.url(request.place.path), "D:bind")
    return _transfer(request, keep=True)


def _transfer(request: Request, *, keep: bool) -> Answer:
    place, target = request.place, _destination(request)
    actor, now = request.actor, request.now()
    with request.write() as conn:
        source = request.calendar(conn, needs="" if keep else "D:unbind")
        destination = access.find(request, conn, target)
        if destination is None:
            return dav.text(client.CONFLICT, "There is no such calendar.")
        access.require(request, destination, target, "D:bind")
        changes.lock(conn, source.id, destination.id)
        given = objects.get(conn, source.id, place.href)
        if given is None:
            return NOT_FOUND
        expected = conditions.expectation(request, conn, given)
        there = objects.get(conn, destination.id, target.href)
        if there is not None and request.header("Overwrite").strip().upper() == "F":
            return conditions.PRECONDITION_FAILED
        _check(request, conn, given, destination, target, keep=keep)
        access.require_voice(request, destination, target, given.data, None if there is None else there.data)
        if not keep:
            access.require_voice(request, source, place, given.data)
        with resources.refusals():
            _check_meetings(request, conn, given, source, destination, there, keep=keep)
        described = object_properties.of(conn, source.id, [place.href]).get(place.href, {})
        if not keep:
            objects.delete(conn, source.id, place.href, actor=actor, now=now, expected=expected)
        if there is not None and there.uid != given.uid:
            objects.delete(conn, destination.id, target.href, actor=actor, now=now)
        stored = objects.put(conn, destination.id, target.href, given.data, actor=actor, now=now)
        object_properties.replace(conn, destination.id, target.href, described)
    tag = tokens.schedule_tag(stored) if request.scheduling.enabled else None
    headers = {"Schedule-Tag": tag} if tag else {}  # RFC 6638 §3.2.10
    return dav.empty(client.CREATED if there is None else client.NO_CONTENT, headers)


def _destination(request: Request) -> Place:
    header = request.header("Destination").strip()
    if not header:
        raise dav.Refusal(dav.text(client.BAD_REQUEST, "There is no Destination."))
    target = request.place_of(header)
    if target is None:
        raise dav.Refusal(dav.text(client.BAD_GATEWAY, "The destination is not on this server."))
    if target.owner != request.place.owner or not target.slug:
        raise dav.Refusal(dav.need_privileges(request.url(target.path), "D:bind"))
    if target.kind is not Kind.OBJECT:
        raise dav.Refusal(dav.error(client.FORBIDDEN, "C:calendar-collection-location-ok"))
    if target == request.place:
        raise dav.Refusal(dav.text(client.FORBIDDEN, "Source and destination are the same."))
    return target


def _check(
    request: Request, conn: sa.Connection, given: StoredObject, destination: Calendar, target: Place, *, keep: bool
) -> None:
    """RFC 4791 §5.3.2.1. Raises dav.Refusal."""
    if given.component not in calendars.components(destination.properties):
        raise dav.Refusal(dav.error(client.FORBIDDEN, "C:supported-calendar-component"))
    twin = objects.by_uid(conn, destination.id, given.uid)
    if twin is None or twin.href == target.href:
        return
    if not keep and (destination.id, twin.href) == (given.calendar_id, given.href):
        return  # itself, under its new name
    conflict = dav.href(request.url(target.calendar + twin.href))
    raise dav.Refusal(dav.error(client.CONFLICT, "C:no-uid-conflict", conflict))


def _check_meetings(
    request: Request,
    conn: sa.Connection,
    given: StoredObject,
    source: Calendar,
    destination: Calendar,
    there: StoredObject | None,
    *,
    keep: bool,
) -> None:
    """What is moved tells nobody, so it must be nobody's business. Raises InvalidCalendarData."""
    now, by = request.now(), request.scheduling
    if keep:
        scheduling.require_alone(conn, destination, given.data, now=now, by=by)
    else:
        scheduling.require_movable(conn, source, destination, given.data, now=now, by=by)
    if there is not None and there.uid != given.uid:
        scheduling.require_no_meeting(conn, destination, there.data, now=now, by=by)
