"""What a report tells of each object: the properties asked for, and calendar-data in the form asked for (RFC 4791 §9.6)."""

from __future__ import annotations

import datetime as dt
import xml.etree.ElementTree as ET
from http import client

from bridge.store.calendars import Calendar
from bridge.store.objects import StoredObject
from radicale_plugins import dav, expand, filters, partial, wanted
from radicale_plugins.filters import InvalidFilter
from radicale_plugins.members import DATA, Members
from radicale_plugins.occurrences import Range
from radicale_plugins.request import Place, Request


class CalendarData:
    """What a report tells of each object: the properties asked for, calendar-data in the form asked for."""

    def __init__(self, request: Request, root: ET.Element) -> None:
        self._request = request
        self.wanted = wanted.read(root)
        self.floating: dt.tzinfo = dt.UTC
        self._expand: Range | None = None
        self._limit: Range | None = None
        self._choice: ET.Element | None = None
        element = root.find(f"{dav.D}prop/{DATA}")
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

    def members(self, calendar: Calendar, place: Place) -> Members:
        """``place`` is where the calendar, or anything in it, was asked for."""
        return Members(self._request, calendar, place, self.wanted, self._text)

    def _text(self, stored: StoredObject) -> str | None:
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
        return expand.as_text(data)


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
