"""A VTODO (RFC 5545 §3.6.2) as ``TodoFields``."""

from __future__ import annotations

import datetime as dt
from typing import Literal, cast

from bridge.ical import alarms, normal, spans, text, words
from bridge.ical.fields import TodoFields
from bridge.ical.lines import Line
from bridge.ical.objects import Component
from bridge.ical.timing import Zones

Status = Literal["", "NEEDS-ACTION", "IN-PROCESS", "COMPLETED", "CANCELLED"]

_STATES = ("NEEDS-ACTION", "IN-PROCESS", "COMPLETED", "CANCELLED")


def read(component: Component, zones: Zones) -> TodoFields:
    when = spans.read(component, zones)
    return TodoFields(
        when,
        summary=words.prose(component, "SUMMARY"),
        description=words.prose(component, "DESCRIPTION"),
        location=words.prose(component, "LOCATION"),
        status=_status(words.word(component, "STATUS")),
        completed=_completed(component, zones),
        percent=_percent(words.word(component, "PERCENT-COMPLETE")),
        classification=words.classification(component),
        categories=words.categories(component),
        priority=words.priority(component),
        url=words.url(component),
        rules=normal.rules(component, zones),
        alarms=alarms.rings(component, when, zones),
        parent=text.normal(text.unescape(line.value)).strip() if (line := parent(component)) else "",
    )


def parent(component: Component) -> Line | None:
    """The RELATED-TO that names its parent, which is what it names if it does not say (RFC 5545 §3.2.15); never itself."""
    own = words.prose(component, "UID").strip()
    named = (each for each in component.every("RELATED-TO") if each.param("RELTYPE").upper() in ("", "PARENT"))
    return next((each for each in named if text.normal(text.unescape(each.value)).strip() != own), None)


def _status(word: str) -> Status:
    return cast("Status", word) if word in _STATES else ""


def _completed(component: Component, zones: Zones) -> dt.datetime | None:
    """It has to be in UTC (RFC 5545 §3.8.2.1); a floating one is taken for that, a DATE for its midnight."""
    line = component.first("COMPLETED")
    place = zones.place(line, line.value) if line else None
    return None if place is None else normal.moment(place)


def _percent(word: str) -> int:
    return min(int(word), 100) if word.isascii() and word.isdigit() and len(word) <= 3 else 0
