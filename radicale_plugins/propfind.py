"""PROPFIND (RFC 4918 §9.1): one pass over rows, so that a poll costs what it asks for (D-22, D-32, D-41)."""

from __future__ import annotations

import functools
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from dataclasses import replace
from http import client

import sqlalchemy as sa

from bridge.policy.access import GIVEN, Access
from bridge.store import calendars, delegates, object_properties, objects, principals
from bridge.store.calendars import INBOX
from radicale_plugins import access, capabilities, dav, home, markup, notifications, preferences, wanted
from radicale_plugins.dav import Answer
from radicale_plugins.live import Resource
from radicale_plugins.members import Members
from radicale_plugins.porch import LONGEST_QUESTION
from radicale_plugins.request import NOT_FOUND, OUTBOX, PROXIES, Kind, Place, Request
from radicale_plugins.wanted import Wanted


def answer(request: Request) -> Answer:
    if request.depth == "infinity":
        return dav.error(client.FORBIDDEN, "D:propfind-finite-depth")
    body = request.body
    asked = _remembered(body) if len(body) <= LONGEST_QUESTION else _asked(dav.read_xml(body))
    polled = _POLLED.get((request.kind, request.depth))
    with request.read() as conn:
        if polled is not None and asked.follow_from_rows(*polled):
            request.look(conn)
        resources = list(_resources(request, conn, asked))
        inside = _members(request, conn, resources[0], asked) if request.depth == "1" else ""
    return _told(request, "".join(_response(each, asked, request) for each in resources) + inside)


def _members(request: Request, conn: sa.Connection, resource: Resource, asked: Wanted) -> str:
    """Of a calendar or an inbox; what is in other collections is resources as they are themselves."""
    if resource.calendar is None or resource.place.href:
        return ""
    return "".join(Members(request, resource.calendar, resource.place, asked).every(conn))


def _response(resource: Resource, asked: Wanted, request: Request) -> str:
    return markup.text(wanted.response(resource, asked, request))


def _told(request: Request, inside: str) -> Answer:
    header = capabilities.dav_header(
        request.kind,
        request.limits,
        request.scheduling,
        push=request.push is not None,
        sharing=request.directory,
    )
    return preferences.multistatus(request, inside, {"DAV": header})


_POLLED = {
    (Kind.CALENDAR, "0"): (Kind.CALENDAR,),
    (Kind.INBOX, "0"): (Kind.INBOX,),
    (Kind.HOME, "0"): (Kind.HOME,),
    (Kind.HOME, "1"): (Kind.HOME, Kind.CALENDAR, Kind.INBOX, Kind.OUTBOX),
}
"""What is asked all day, by kind and depth: of which kinds of resources that tells."""


@functools.lru_cache(maxsize=256)
def _remembered(body: bytes) -> Wanted:
    """A device asks in the same few words all day. What is refused is not remembered."""
    return _asked(dav.read_xml(body))


def _asked(root: ET.Element | None) -> Wanted:
    if root is None:
        return Wanted(everything=True)
    if root.tag != f"{dav.D}propfind":
        raise dav.Refusal(dav.text(client.BAD_REQUEST, "A PROPFIND holds a DAV:propfind."))
    return wanted.read(root)


_Lister = Callable[[Request, sa.Connection, Wanted], Iterator[Resource]]


def _resources(request: Request, conn: sa.Connection, asked: Wanted) -> Iterator[Resource]:
    """What is at the place and, with a Depth of 1, right below it."""
    lister = _LISTERS.get(request.kind)
    if lister is None:
        raise dav.Refusal(NOT_FOUND)
    return lister(request, conn, asked)


def resource_at(request: Request, conn: sa.Connection, place: Place) -> Resource | None:
    """What another place leads to, as far as who asks may see it; None: not at all."""
    is_stranger = access.level(request, place.owner) is Access.NONE
    level = delegates.level(conn, place.owner, request.user) if is_stranger else access.level(request, place.owner)
    if is_stranger and place.kind is Kind.PROXY:
        is_stranger = False
    if is_stranger and not ((request.directory or level) and place.kind is Kind.HOME):
        return None
    try:
        there = replace(request, place=place, stranger=is_stranger, level=level)
        return next(_resources(there, conn, Wanted(everything=True)), None)
    except dav.Refusal:
        return None


def _root(request: Request, conn: sa.Connection, _: Wanted) -> Iterator[Resource]:
    yield Resource(request.place)
    if request.depth == "1":
        members = tuple(home.members(conn, request.user))
        yield Resource(Place(request.user), principals.by_name(conn, request.user), members=members)


def _home(request: Request, conn: sa.Connection, asked: Wanted) -> Iterator[Resource]:
    place = request.place
    principal = principals.by_name(conn, place.owner)
    if principal is None:
        raise dav.Refusal(NOT_FOUND)
    members = tuple(access.members(request, conn, place.owner))
    yield Resource(place, principal, members=members)
    if request.depth == "1":
        for each in members:
            if asked.tells_revision:
                request.tells(each, whole=False)
            yield Resource(Place(place.owner, each.slug), principal, each)
        if request.scheduling.enabled and request.level is Access.OWNER:
            yield Resource(Place(place.owner, INBOX), principal, calendars.get(conn, place.owner, INBOX))
            yield Resource(Place(place.owner, OUTBOX), principal)


def _outbox(request: Request, _: sa.Connection, __: Wanted) -> Iterator[Resource]:
    yield Resource(request.place)


def _proxy(request: Request, conn: sa.Connection, _: Wanted) -> Iterator[Resource]:
    """Its owner sees it, and who is in it."""
    principal = principals.by_name(conn, request.place.owner)
    if principal is None or request.level not in (Access.OWNER, GIVEN[PROXIES[request.place.slug]]):
        raise dav.Refusal(NOT_FOUND)
    yield Resource(request.place, principal)


def _notifications(request: Request, conn: sa.Connection, _: Wanted) -> Iterator[Resource]:
    """Of the person whose home it is, and asked for by nobody else (``app``)."""
    place = request.place
    principal = principals.by_name(conn, place.owner)
    if principal is None:
        raise dav.Refusal(NOT_FOUND)
    found = notifications.every(request, conn, principal)
    yield Resource(place, principal, etag=notifications.ctag(found))
    if request.depth == "1":
        for each in found:
            yield Resource(each.place, principal, etag=each.etag, notification=each)


def _notification(request: Request, conn: sa.Connection, _: Wanted) -> Iterator[Resource]:
    found = notifications.at(request, conn)
    yield Resource(request.place, etag=found.etag, notification=found)


def _person(request: Request, conn: sa.Connection, _: Wanted) -> Iterator[Resource]:
    """Whatever the Depth: what is in that home is nobody else's business."""
    principal = principals.by_name(conn, request.place.owner)
    if principal is None:
        raise dav.Refusal(NOT_FOUND)
    yield Resource(request.place, principal, stranger=True)


def _calendar(request: Request, conn: sa.Connection, asked: Wanted) -> Iterator[Resource]:
    place = request.place
    calendar = request.calendar(conn)
    listing = request.depth == "1"
    if asked.tells_revision or listing:
        request.tells(calendar, whole=listing and asked.tells_etags)
    yield Resource(place, None, calendar)


def _object(request: Request, conn: sa.Connection, asked: Wanted) -> Iterator[Resource]:
    calendar = request.calendar(conn)
    stored = objects.get(conn, calendar.id, request.place.href)
    if stored is None:
        raise dav.Refusal(NOT_FOUND)
    is_kept = asked.needs_kept and request.kind is Kind.OBJECT
    kept = object_properties.of(conn, calendar.id, [stored.href]) if is_kept else {}
    yield Resource(request.place, None, calendar, stored.etag, stored, properties=kept.get(stored.href))


_LISTERS: dict[Kind, _Lister] = {
    Kind.ROOT: _root,
    Kind.HOME: _home,
    Kind.CALENDAR: _calendar,
    Kind.OBJECT: _object,
    Kind.INBOX: _calendar,
    Kind.MESSAGE: _object,
    Kind.OUTBOX: _outbox,
    Kind.PROXY: _proxy,
    Kind.NOTIFICATIONS: _notifications,
    Kind.NOTIFICATION: _notification,
    Kind.PERSON: _person,
}
