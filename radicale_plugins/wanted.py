"""Which properties an answer is to tell, and how it tells that some are there and others are not (RFC 4918 §9.1, §14.22)."""

from __future__ import annotations

import functools
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable, Iterator
from http import client

from radicale_plugins import dav, properties
from radicale_plugins.live import Resource
from radicale_plugins.request import Kind, Request

_REVISION = frozenset({f"{dav.CS}getctag", f"{dav.D}sync-token"})


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

    def follow_from_rows(self, *kinds: Kind) -> bool:
        """Whether nothing but rows, and what the request says, is needed to tell it of such resources."""
        return not self.everything and properties.follow_from_rows(self.tags, *kinds)

    @functools.cached_property
    def needs_rows(self) -> bool:
        return self.everything or properties.needs_row(self.tags)

    @functools.cached_property
    def needs_kept(self) -> bool:
        """Whether it matters what clients made up for objects."""
        return self.everything or properties.may_be_kept(self.tags)


def read(element: ET.Element) -> Wanted:
    """What a request's DAV:prop, allprop (with include) or propname asks for."""
    if element.find(f"{dav.D}propname") is not None:
        return Wanted(everything=True, only_names=True)
    prop = element.find(f"{dav.D}prop")
    if prop is not None:
        return Wanted(each.tag for each in prop)
    include = element.find(f"{dav.D}include")
    return Wanted((each.tag for each in (() if include is None else include)), everything=True)


def response(resource: Resource, wanted: Wanted, request: Request) -> ET.Element:
    parts = propstats(resource, wanted, request, lambda tag: properties.find(tag, resource, request))
    return dav.response(request.url(resource.place.path), *parts)


def propstats(
    resource: Resource, wanted: Wanted, request: Request, find: Callable[[str], ET.Element | None]
) -> Iterator[ET.Element]:
    """What is there first, for KDE reads no further (CLIENTS 1.5); what is not, unless the client does not want to know."""
    if wanted.only_names:
        yield dav.propstat(client.OK, (ET.Element(tag) for tag in properties.names(resource, every=True)))
        return
    tags = [*properties.names(resource), *wanted.tags] if wanted.everything else wanted.tags
    found, missing = [], []
    for tag in dict.fromkeys(tags):
        element = find(tag)
        if element is None:
            missing.append(ET.Element(tag))
        else:
            found.append(element)
    if found or request.minimal or not missing:
        yield dav.propstat(client.OK, found)
    if missing and not request.minimal:
        yield dav.propstat(client.NOT_FOUND, missing)
