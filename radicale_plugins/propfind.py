"""PROPFIND (RFC 4918 §9.1): one pass over rows, so that a poll costs what it asks for (D-22, D-32, D-41)."""

from __future__ import annotations

import functools
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from http import client
from itertools import islice

import sqlalchemy as sa

from bridge.policy.access import GIVEN, Access
from bridge.store import calendars, delegates, object_properties, objects, principals
from bridge.store.calendars import INBOX
from radicale_plugins import access, capabilities, dav, home, notifications, preferences, properties
from radicale_plugins.dav import Answer
from radicale_plugins.live import Resource
from radicale_plugins.request import NOT_FOUND, OUTBOX, PROXIES, Kind, Place, Request


def answer(request: Request) -> Answer:
    if request.depth == "infinity":
        return dav.error(client.FORBIDDEN, "D:propfind-finite-depth")
    body = request.body
    wanted = _remembered(body) if len(body) <= _SHORT else _wanted(dav.read_xml(body))
    if request.kind is Kind.CALENDAR and request.depth == "0" and len(body) <= _SHORT and wanted.follows_from_row:
        return _poll(request, wanted, body)
    with request.database.read() as conn:
        resources = described(conn, _resources(request, conn, wanted), wanted)
    return _told(request, wanted, resources)


def _poll(request: Request, wanted: Wanted, body: bytes) -> Answer:
    """Asked of each calendar by each device, all day: is there anything new?"""
    with request.database.read() as conn:
        calendar = request.calendar(conn)
    if wanted.tells_revision:
        request.tells(calendar, whole=False)
    wishes = request.header("Prefer"), request.header("Brief")
    asked = request.place.path, request.user, request.level, request.base, *wishes, body
    answered = request.remembered.get(asked, calendar)
    if answered is None:
        answered = _told(request, wanted, [Resource(request.place, None, calendar)])
        request.remembered.keep(asked, calendar, answered)
    return answered


def _told(request: Request, wanted: Wanted, resources: Iterable[Resource]) -> Answer:
    multistatus = dav.element("D:multistatus", *(response(each, wanted, request) for each in resources))
    header = capabilities.dav_header(
        request.kind,
        request.limits,
        request.scheduling,
        push=request.push is not None,
        sharing=request.directory,
    )
    return preferences.multistatus(request, multistatus, {"DAV": header})


_REVISION = frozenset({f"{dav.CS}getctag", f"{dav.D}sync-token"})


_SHORT = 4096
"""Bytes; what is longer is no poll and is read anew each time."""


class Wanted:
    """Which properties: named ones, "all", or only the names of all."""

    def __init__(self, tags: Iterable[str] = (), *, everything: bool = False, only_names: bool = False) -> None:
        self.tags = tuple(dict.fromkeys(tags))
        self.everything = everything
        self.only_names = only_names

    @functools.cached_property
    def tells_revision(self) -> bool:
        """Whoever gets it knows whether there is anything new."""
        return self.everything or not _REVISION.isdisjoint(self.tags)

    @functools.cached_property
    def tells_etags(self) -> bool:
        """With them a listing tells what is new."""
        return self.everything or f"{dav.D}getetag" in self.tags

    @functools.cached_property
    def follows_from_row(self) -> bool:
        """Whether nothing but a calendar's own row, and who asks, is needed to tell it."""
        return not self.everything and properties.follow_from_row(self.tags)

    @functools.cached_property
    def needs_rows(self) -> bool:
        return self.everything or properties.needs_row(self.tags)

    @functools.cached_property
    def needs_kept(self) -> bool:
        """Whether it matters what clients made up for objects."""
        return self.everything or properties.may_be_kept(self.tags)


@functools.lru_cache(maxsize=256)
def _remembered(body: bytes) -> Wanted:
    """A device asks in the same few words all day. What is refused is not remembered."""
    return _wanted(dav.read_xml(body))


def _wanted(root: ET.Element | None) -> Wanted:
    if root is None:
        return Wanted(everything=True)
    if root.tag != f"{dav.D}propfind":
        raise dav.Refusal(dav.text(client.BAD_REQUEST, "A PROPFIND holds a DAV:propfind."))
    return wanted_in(root)


def wanted_in(root: ET.Element) -> Wanted:
    """What a request's DAV:prop, allprop (with include) or propname asks for."""
    if root.find(f"{dav.D}propname") is not None:
        return Wanted(everything=True, only_names=True)
    prop = root.find(f"{dav.D}prop")
    if prop is not None:
        return Wanted(each.tag for each in prop)
    include = root.find(f"{dav.D}include")
    return Wanted((each.tag for each in (() if include is None else include)), everything=True)


_Lister = Callable[[Request, sa.Connection, Wanted], Iterator[Resource]]


def _resources(request: Request, conn: sa.Connection, wanted: Wanted) -> Iterator[Resource]:
    """What is at the place and, with a Depth of 1, right below it."""
    lister = _LISTERS.get(request.kind)
    if lister is None:
        raise dav.Refusal(NOT_FOUND)
    return lister(request, conn, wanted)


def described(conn: sa.Connection, resources: Iterable[Resource], wanted: Wanted) -> list[Resource]:
    """Objects with the properties that clients made up for them, if these are wanted: a query for each calendar."""
    listed = list(resources)
    if not wanted.needs_kept:
        return listed
    hrefs: dict[int, list[str]] = {}
    for each in listed:
        if each.kind is Kind.OBJECT and each.calendar is not None:
            hrefs.setdefault(each.calendar.id, []).append(each.place.href)
    kept = {number: object_properties.of(conn, number, names) for number, names in hrefs.items()}
    return [
        replace(each, properties=kept[each.calendar.id][each.place.href])
        if each.kind is Kind.OBJECT and each.calendar is not None and each.place.href in kept[each.calendar.id]
        else each
        for each in listed
    ]


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
        wanted = Wanted(everything=True)
        return next(iter(described(conn, islice(_resources(there, conn, wanted), 1), wanted)), None)
    except dav.Refusal:
        return None


def _root(request: Request, conn: sa.Connection, _: Wanted) -> Iterator[Resource]:
    yield Resource(request.place)
    if request.depth == "1":
        members = tuple(home.members(conn, request.user))
        yield Resource(Place(request.user), principals.by_name(conn, request.user), members=members)


def _home(request: Request, conn: sa.Connection, wanted: Wanted) -> Iterator[Resource]:
    place = request.place
    principal = principals.by_name(conn, place.owner)
    if principal is None:
        raise dav.Refusal(NOT_FOUND)
    members = tuple(access.members(request, conn, place.owner))
    yield Resource(place, principal, members=members)
    if request.depth == "1":
        for each in members:
            if wanted.tells_revision:
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


def _calendar(request: Request, conn: sa.Connection, wanted: Wanted) -> Iterator[Resource]:
    place = request.place
    calendar = request.calendar(conn)
    listing = request.depth == "1"
    if wanted.tells_revision or listing:
        request.tells(calendar, whole=listing and wanted.tells_etags)
    yield Resource(place, None, calendar)
    if not listing:
        return
    if wanted.needs_rows:
        for stored in objects.every(conn, calendar.id):
            yield Resource(Place(place.owner, place.slug, stored.href), None, calendar, stored.etag, stored)
    else:
        for href, etag in objects.hrefs(conn, calendar.id):
            yield Resource(Place(place.owner, place.slug, href), None, calendar, etag)


def _object(request: Request, conn: sa.Connection, _: Wanted) -> Iterator[Resource]:
    calendar = request.calendar(conn)
    stored = objects.get(conn, calendar.id, request.place.href)
    if stored is None:
        raise dav.Refusal(NOT_FOUND)
    yield Resource(request.place, None, calendar, stored.etag, stored)


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


def response(resource: Resource, wanted: Wanted, request: Request) -> ET.Element:
    parts = propstats(resource, wanted, request, lambda tag: properties.find(tag, resource, request))
    return dav.response(request.url(resource.place.path), *parts)


def propstats(
    resource: Resource, wanted: Wanted, request: Request, find: Callable[[str], ET.Element | None]
) -> Iterator[ET.Element]:
    """What is there first, for KDE reads no further (CLIENTS 1.5); what is not, unless the client does not want to know."""
    if wanted.only_names:
        yield dav.propstat(client.OK, (dav.named(tag) for tag in properties.names(resource, every=True)))
        return
    tags = [*properties.names(resource), *wanted.tags] if wanted.everything else wanted.tags
    found, missing = [], []
    for tag in dict.fromkeys(tags):
        element = find(tag)
        if element is None:
            missing.append(dav.named(tag))
        else:
            found.append(element)
    if found or request.minimal or not missing:
        yield dav.propstat(client.OK, found)
    if missing and not request.minimal:
        yield dav.propstat(client.NOT_FOUND, missing)
