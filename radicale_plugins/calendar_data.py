"""What a report tells of each object: the properties asked for, and calendar-data in the form asked for (RFC 4791 §9.6)."""

from __future__ import annotations

import datetime as dt
import xml.etree.ElementTree as ET
from http import client

from bridge.store.calendars import Calendar
from bridge.store.objects import StoredObject
from radicale_plugins import dav, expand, filters, partial, properties, propfind
from radicale_plugins.filters import InvalidFilter
from radicale_plugins.live import Resource
from radicale_plugins.occurrences import Range
from radicale_plugins.propfind import Wanted
from radicale_plugins.request import Place, Request

_DATA = f"{dav.C}calendar-data"


def resource_of(calendar: Calendar, stored: StoredObject, place: Place) -> Resource:
    """``place`` is where the calendar, or anything in it, was asked for."""
    return Resource(Place(place.owner, place.slug, stored.href), None, calendar, stored.etag, stored)


def listed(calendar: Calendar, href: str, etag: str, place: Place) -> Resource:
    return Resource(Place(place.owner, place.slug, href), None, calendar, etag)


class CalendarData:
    """What a report tells of each object: the properties asked for, calendar-data in the form asked for."""

    def __init__(self, request: Request, root: ET.Element) -> None:
        self._request = request
        self.wanted: Wanted = propfind.wanted_in(root)
        self.floating: dt.tzinfo = dt.UTC
        self._expand: Range | None = None
        self._limit: Range | None = None
        self._choice: ET.Element | None = None
        element = root.find(f"{dav.D}prop/{_DATA}")
        if element is None:
            return
        if (
            element.get("content-type", "text/calendar").lower() != "text/calendar"
            or element.get("version", "2.0") != "2.0"
        ):
            raise dav.Refusal(dav.error(client.FORBIDDEN, "C:supported-calendar-data"))
        self._expand, self._limit, _ = (_range(element, name) for name in _LIMITS)
        if self._expand is not None and self._limit is not None:
            raise InvalidFilter("supported-calendar-data", "expand and limit-recurrence-set exclude each other")
        self._choice = element.find(f"{dav.C}comp")
        if self._choice is not None:
            partial.check(self._choice)

    def response(self, resource: Resource) -> ET.Element:
        def find(tag: str) -> ET.Element | None:
            if tag == _DATA:
                return self._calendar_data(resource.stored)
            return properties.find(tag, resource, self._request)

        parts = propfind.propstats(resource, self.wanted, self._request, find)
        return dav.response(self._request.url(resource.place.path), *parts)

    def _calendar_data(self, stored: StoredObject | None) -> ET.Element | None:
        if stored is None:
            return None
        self._request.given.append(stored.href)
        data: bytes | None = stored.data
        if self._expand is not None:
            data = expand.expand(stored.data, self._expand, floating=self.floating)
        elif self._limit is not None:
            data = partial.limit(stored.data, self._limit, floating=self.floating)
        if data is None:
            return None
        if self._choice is not None:
            data = partial.choose(data, self._choice)
        return dav.element(_DATA, content=expand.as_text(data))


_LIMITS = ("expand", "limit-recurrence-set", "limit-freebusy-set")
"""The last one limits VFREEBUSY components, and no calendar here takes any: its range is checked, and there is nothing to do."""


def _range(element: ET.Element, name: str) -> Range | None:
    wish = element.find(f"{dav.C}{name}")
    if wish is None:
        return None
    within = filters.time_range(wish)
    if within.start is None or within.end is None:
        raise InvalidFilter("valid-filter", f"{name} needs both ends")
    return within
