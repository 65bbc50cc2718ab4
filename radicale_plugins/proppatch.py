"""PROPPATCH (RFC 4918 §9.2): all of it or nothing, of whatever keeps properties."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable, Iterator, Mapping
from http import client
from typing import Any

import sqlalchemy as sa

from bridge.policy.access import Deed, may
from bridge.store import calendars, changes, object_properties, objects, principals, shares
from radicale_plugins import access, conditions, dav, inbox, keeping, markup, preferences, properties, proxies, tokens
from radicale_plugins.dav import Answer
from radicale_plugins.keeping import Unacceptable, Update
from radicale_plugins.request import NOT_FOUND, Kind, Request

_LANG = "{http://www.w3.org/XML/1998/namespace}lang"

_Keep = Callable[[Mapping[str, Any]], None]
_Keeper = Callable[[Request, sa.Connection], tuple[Mapping[str, Any], _Keep]]
"""Gives the properties that there are, and what keeps others in their place."""


def answer(request: Request) -> Answer:
    root = dav.read_xml(request.body)
    if root is None or root.tag != f"{dav.D}propertyupdate":
        return dav.text(client.BAD_REQUEST, "A PROPPATCH holds a DAV:propertyupdate.")
    updates = list(_updates(root))
    kind = request.place.kind
    if kind is Kind.NOWHERE:
        return NOT_FOUND
    if kind is Kind.PROXY:
        return _describe_group(request, updates)
    keeper = _KEEPERS.get(kind)
    if keeper is None:
        return _patched(request, updates, refused=[element.tag for _, element in updates])
    refused = [element.tag for _, element in updates if properties.is_protected(element.tag)]
    with request.write() as conn:
        old, keep = keeper(request, conn)
        if not refused:
            try:
                asked = inbox.described(request, updates) if kind is Kind.INBOX else updates
                of_calendar = kind in (Kind.CALENDAR, Kind.INBOX)
                keep(keeping.changed(old, asked, of_calendar=of_calendar, year=request.now().year))
            except Unacceptable as unacceptable:
                if not unacceptable.precondition:
                    return too_much(unacceptable)
                return _patched(request, updates, refused=[unacceptable.tag], reason=unacceptable.precondition)
    return _patched(request, updates, refused=refused)


def too_much(unacceptable: Unacceptable) -> Answer:
    """There is no room for it; nothing was changed."""
    return dav.text(client.INSUFFICIENT_STORAGE, str(unacceptable))


def _updates(root: ET.Element) -> Iterator[Update]:
    """In their order. The language in which a value is written may be said above it, and is part of it (RFC 4918 §4.3)."""
    for instruction in root:
        if instruction.tag not in (f"{dav.D}set", f"{dav.D}remove"):
            continue
        for prop in instruction.findall(f"{dav.D}prop"):
            spoken = next((each.get(_LANG) for each in (prop, instruction, root) if each.get(_LANG)), None)
            for element in prop:
                if spoken is not None and element.get(_LANG) is None:
                    element.set(_LANG, spoken)
                yield instruction.tag == f"{dav.D}set", element


def _home(request: Request, conn: sa.Connection) -> tuple[Mapping[str, Any], _Keep]:
    principal = principals.by_name(conn, request.place.owner)
    if principal is None:
        raise dav.Refusal(NOT_FOUND)
    return principal.properties, lambda kept: principals.set_properties(conn, principal.id, kept, now=request.now())


def _calendar(request: Request, conn: sa.Connection) -> tuple[Mapping[str, Any], _Keep]:
    """Somebody else's calendar each describes for themselves."""
    calendar = request.calendar(conn)
    conditions.require(request, conn, tokens.ctag(calendar), calendar.modified_at)

    def keep(kept: Mapping[str, Any]) -> None:
        if may(calendar.access, Deed.OWN):
            calendars.set_properties(conn, calendar.id, kept, actor=request.actor, now=request.now())
        else:
            shares.describe(conn, calendar, kept, actor=request.actor, now=request.now())

    return calendar.properties, keep


def _object(request: Request, conn: sa.Connection) -> tuple[Mapping[str, Any], _Keep]:
    """Neither its ETag nor the calendar's revision changes, so no device and no pair has anything to do (decision 0037)."""
    href = request.place.href
    calendar = request.calendar(conn, needs=access.DESCRIBE)
    changes.lock(conn, calendar.id)
    stored = objects.get(conn, calendar.id, href)
    if stored is None:
        raise dav.Refusal(NOT_FOUND)
    conditions.expectation(request, conn, stored)
    old = object_properties.of(conn, calendar.id, [href]).get(href, {})
    return old, lambda kept: object_properties.replace(conn, calendar.id, href, kept)


_KEEPERS: Mapping[Kind, _Keeper] = {
    Kind.HOME: _home,
    Kind.CALENDAR: _calendar,
    Kind.INBOX: _calendar,
    Kind.OBJECT: _object,
}


def _describe_group(request: Request, updates: list[Update]) -> Answer:
    """Who is in a group of proxies, and nothing else, can be set."""
    refused = [element.tag for _, element in updates if element.tag != proxies.MEMBERS]
    if refused:
        return _patched(request, updates, refused=refused)
    is_set, element = updates[-1] if updates else (False, None)  # what was said last counts
    if updates and not proxies.set_members(request, element if is_set else None):
        return _patched(request, updates, refused=[proxies.MEMBERS], reason="D:recognized-principal")
    return _patched(request, updates, refused=[])


def _patched(
    request: Request,
    updates: Iterable[Update],
    *,
    refused: list[str],
    reason: str = "D:cannot-modify-protected-property",
) -> Answer:
    """200 for all; or 403 with the reason for the refused and 424 for the others (RFC 4918 §9.2.1)."""
    if not refused and request.minimal:
        return dav.empty(client.OK, preferences.applied(request))  # RFC 8144 §2.2
    names = list(dict.fromkeys(element.tag for _, element in updates))
    parts = []
    if not refused:
        parts.append(dav.propstat(client.OK, map(ET.Element, names)))
    else:
        why = dav.element("D:error", dav.element(reason))
        parts.append(dav.propstat(client.FORBIDDEN, (ET.Element(tag) for tag in names if tag in refused), why))
        others = [ET.Element(tag) for tag in names if tag not in refused]
        if others:
            parts.append(dav.propstat(client.FAILED_DEPENDENCY, others))
    return preferences.multistatus(request, markup.text(dav.response(request.url(request.place.path), *parts)))
