"""expand-property (RFC 3253 §3.8): in a property's value each href becomes a response with properties of what is there."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import dataclass
from http import client

import sqlalchemy as sa

from radicale_plugins import dav, markup, preferences, properties, propfind, wanted
from radicale_plugins.dav import Answer
from radicale_plugins.live import Resource
from radicale_plugins.request import NOT_FOUND, Request
from radicale_plugins.wanted import Wanted

_MOST = 1_000
"""Responses in one answer: hrefs of hrefs of hrefs add up."""

_PROPERTY = f"{dav.D}property"


def answer(request: Request, root: ET.Element) -> Answer:
    with request.database.read() as conn:
        here = propfind.resource_at(request, conn, request.place)
        if here is None:
            raise dav.Refusal(NOT_FOUND)
        expanded = _Expansion(request, conn).response(here, root)
    return preferences.multistatus(request, markup.text(expanded))


@dataclass(slots=True)
class _Expansion:
    request: Request
    conn: sa.Connection
    made: int = 0

    def response(self, resource: Resource, asked: ET.Element) -> ET.Element:
        """``asked`` holds DAV:property elements: which, and in their turn what of the resources that they name."""
        self.made += 1
        if self.made > _MOST:
            raise dav.Refusal(dav.error(client.FORBIDDEN, "D:number-of-matches-within-limits"))
        inner = {_tag(each): each for each in asked.findall(_PROPERTY) if each.get("name")}

        def find(tag: str) -> ET.Element | None:
            element = properties.find(tag, resource, self.request)
            if element is None or inner[tag].find(_PROPERTY) is None:
                return element
            return self._expanded(element, inner[tag])

        parts = wanted.propstats(resource, Wanted(inner), self.request, find)
        return dav.response(self.request.url(resource.place.path), *parts)

    def _expanded(self, element: ET.Element, asked: ET.Element) -> ET.Element:
        made = ET.Element(element.tag, element.attrib)
        made.text = element.text
        for child in element:
            made.append(self._of_href(child, asked) if child.tag == f"{dav.D}href" else self._expanded(child, asked))
        return made

    def _of_href(self, href: ET.Element, asked: ET.Element) -> ET.Element:
        """An address that is no place of ours (mailto:) stays as it is."""
        place = self.request.place_of(href.text or "")
        if place is None:
            return href
        resource = propfind.resource_at(self.request, self.conn, place)
        if resource is None:
            return dav.response(href.text or "", dav.status_line(client.NOT_FOUND))
        return self.response(resource, asked)


def _tag(element: ET.Element) -> str:
    namespace = element.get("namespace", "DAV:")
    return f"{{{namespace}}}{element.get('name')}"
