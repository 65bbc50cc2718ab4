"""Finding people: the principal reports of RFC 3744 §9 and CalendarServer's, as Apple asks when somebody is invited.

Whoever is signed in finds the names and addresses of all others, or only oneself where ``[security] directory`` is off.
Nothing else of anybody is told (``live.TABLES[Kind.PERSON]``).
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from http import client

import sqlalchemy as sa

from bridge.store import principals
from bridge.store.principals import Principal
from radicale_plugins import dav, home, live, markup, preferences, properties, propfind, wanted
from radicale_plugins.dav import Answer
from radicale_plugins.live import Resource
from radicale_plugins.request import Kind, Place, Request
from radicale_plugins.wanted import Wanted

_MOST = 200
"""More matches than this are no answer to anything."""

_SEARCHABLE = {
    "D:displayname": "Name",
    "CS:email-address-set": "E-mail address",
    "C:calendar-user-address-set": "Calendar address",
    "C:calendar-user-type": "Kind: INDIVIDUAL for a person",
}
_OF_A_SEARCH = frozenset(
    dav.clark(name)
    for name in (
        "D:prop", "D:property-search", "D:apply-to-principal-collection-set", "D:self", "D:principal-property",
        "CS:search-token", "CS:limit",
    )
)  # fmt: skip
_NOT_PEOPLE = frozenset({"location", "resource"})


def search_property_set(request: Request, root: ET.Element) -> Answer:  # noqa: ARG001 - the same for everybody
    """principal-search-property-set (RFC 3744 §9.5)."""
    made = dav.element("D:principal-search-property-set")
    for name, description in _SEARCHABLE.items():
        words = dav.element("D:description", content=description)
        words.set("{http://www.w3.org/XML/1998/namespace}lang", "en")
        made.append(dav.element("D:principal-search-property", dav.element("D:prop", dav.element(name)), words))
    return dav.xml(client.OK, made)


def property_search(request: Request, root: ET.Element) -> Answer:
    """principal-property-search (RFC 3744 §9.4) with what Apple adds: ``test``, ``type`` and ``match-type``."""
    searches = [
        ({dav.human(each.tag) for each in prop}, match.text or "", match.get("match-type", "contains"))
        for search in root.findall(f"{dav.D}property-search")
        if (prop := search.find(f"{dav.D}prop")) is not None and (match := search.find(f"{dav.D}match")) is not None
    ]
    if len(searches) < len(root.findall(f"{dav.D}property-search")):
        raise dav.Refusal(dav.text(client.BAD_REQUEST, "A property-search holds prop and match."))
    # python-caldav lists everybody by a search for nothing
    quantifier = any if searches and root.get("test", "allof") == "anyof" else all
    kind = root.get("type", "")

    def is_meant(principal: Principal) -> bool:
        if kind and kind.upper() != live.INDIVIDUAL:
            return False
        return quantifier(
            all(any(_compare(how, text, value) for value in _values(principal, name)) for name in names)
            for names, text, how in searches
        )

    return _found(request, root, is_meant)


def search(request: Request, root: ET.Element) -> Answer:
    """calendarserver-principal-search: each token begins a word of the name or the address."""
    tokens = [text.casefold() for each in root.findall(f"{dav.CS}search-token") if (text := (each.text or "").strip())]
    if not tokens:
        raise dav.Refusal(dav.text(client.BAD_REQUEST, "A search holds a search-token."))
    limit = root.findtext(f"{dav.CS}limit/{dav.CS}nresults", "").strip()

    def is_meant(principal: Principal) -> bool:
        words = f"{live.name_of(principal)} {principal.email}".casefold().replace("@", " @").split()
        whole = principal.email.casefold()
        return all(whole.startswith(token) or any(word.startswith(token) for word in words) for token in tokens)

    if root.get("context", "").lower() in _NOT_PEOPLE:
        return _found(request, root, lambda _: False)
    return _found(request, root, is_meant, int(limit) if limit.isascii() and limit.isdigit() else _MOST)


def match(request: Request, root: ET.Element) -> Answer:
    """principal-match (RFC 3744 §9.3): which members are oneself, or name oneself in a property."""
    own = root.find(f"{dav.D}self") is not None
    named = [each.tag for each in root.findall(f"{dav.D}principal-property/*")]
    me = request.url(f"/{request.user}/")
    with request.database.read() as conn:
        members = list(_members(request, conn))

    def is_meant(resource: Resource) -> bool:
        if own:
            return resource.kind is Kind.HOME
        elements = (properties.find(tag, resource, request) for tag in named)
        return any(
            each.text == me for element in elements if element is not None for each in element.iter(f"{dav.D}href")
        )

    return _told(request, root, [each for each in members if is_meant(each)])


def principals_of_acl(request: Request, root: ET.Element) -> Answer:
    """acl-principal-prop-set (RFC 3744 §9.2)."""
    with request.database.read() as conn:
        here = propfind.resource_at(request, conn, request.place)
        acl = None if here is None else properties.find(f"{dav.D}acl", here, request)
        hrefs = () if acl is None else acl.iterfind(f"{dav.D}ace/{dav.D}principal/{dav.D}href")
        places = {request.place_of(each.text or "") for each in hrefs}
        found = [propfind.resource_at(request, conn, place) for place in places if place is not None]
    return _told(request, root, [each for each in found if each is not None])


def _members(request: Request, conn: sa.Connection) -> Iterator[Resource]:
    me = propfind.resource_at(request, conn, Place(request.user))
    if me is None:
        return
    if request.kind is Kind.ROOT:
        yield me
    else:
        yield from (Resource(Place(request.place.owner, each.slug), me.principal, each) for each in me.members)


def _values(principal: Principal, name: str) -> list[str]:
    """What a property is searched for in; nothing of what is not to be searched."""
    if name == "D:displayname":
        return [live.name_of(principal)]
    if name == "CS:email-address-set":
        return [principal.email]
    if name == "C:calendar-user-address-set":
        return [f"mailto:{principal.email}", f"/{principal.name}/"]
    return [live.INDIVIDUAL] if name == "C:calendar-user-type" else []


def _compare(how: str, text: str, value: str) -> bool:
    wanted, value = text.strip().casefold(), value.casefold()
    if not wanted or not value:
        return False
    if how == "starts-with":
        return value.startswith(wanted) or value.removeprefix("mailto:").startswith(wanted)
    if how == "ends-with":
        return value.endswith(wanted)
    if how == "equals":
        return wanted in (value, value.removeprefix("mailto:"))
    return wanted in value


def _found(request: Request, root: ET.Element, is_meant: Callable[[Principal], bool], limit: int = _MOST) -> Answer:
    limit = min(limit, _MOST)
    with request.database.read() as conn:
        everybody = principals.every(conn) if request.directory else [principals.by_name(conn, request.user)]
        found = [each for each in everybody if each is not None and is_meant(each)]
        resources = [_resource(request, conn, each) for each in found[:limit]]
    return _told(request, root, resources, cut=len(found) > limit)


def _resource(request: Request, conn: sa.Connection, principal: Principal) -> Resource:
    if principal.name == request.user:
        return Resource(Place(principal.name), principal, members=tuple(home.members(conn, principal.name)))
    return Resource(Place(principal.name), principal, stranger=True)


def _wanted(root: ET.Element) -> Wanted:
    """python-caldav names the properties beside an empty prop instead of inside it."""
    prop = root.find(f"{dav.D}prop")
    beside = [each.tag for each in root if each.tag not in _OF_A_SEARCH]
    return Wanted(beside) if prop is not None and not len(prop) and beside else wanted.read(root)


def _told(request: Request, root: ET.Element, resources: list[Resource], *, cut: bool = False) -> Answer:
    asked = _wanted(root)
    responses = [wanted.response(each, asked, request) for each in resources]
    responses += [dav.too_many(request.url(request.place.path))] if cut else []
    return preferences.multistatus(request, "".join(map(markup.text, responses)))
