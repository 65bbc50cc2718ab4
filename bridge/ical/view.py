"""From a calendar object to its neutral fields."""

from __future__ import annotations

from bridge.ical.fields import ObjectFields
from bridge.ical.objects import CalendarObject


def read(obj: CalendarObject) -> ObjectFields:
    """The full neutral view of an event or a series.

    Raises Unmappable where there is none: not a VEVENT, overrides without a master, no readable DTSTART, an override
    for THISANDFUTURE.
    """
    raise NotImplementedError
