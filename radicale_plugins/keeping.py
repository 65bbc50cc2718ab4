"""How properties that a client sets are kept in a row's JSON, and shown again: nothing is lost of them (D-07).

Text stands under the property's name; what has a structure as its XML. The attributes of a text (Apple's symbolic-color, a
language) stand beside it, so that whoever wants the text finds it where it always is.
"""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bridge.ical import lines, tzdefine
from radicale_plugins import dav, filters

MAX_VALUE = 100_000
"""Characters of one property."""
MAX_NUMBER = 200
"""Properties of one resource."""
MAX_TOGETHER = 500_000
"""Characters of all of them."""

_ATTRIBUTES = "@"  # before a property's name
_TIMEZONE, _TIMEZONE_ID = "C:calendar-timezone", "C:calendar-timezone-id"

Update = tuple[bool, ET.Element]
"""Whether to set or to remove, and what."""


class Unacceptable(ValueError):
    """A property's new value cannot be kept. ``precondition`` is the one it breaks; "": there is no room, for this ``reason``."""

    def __init__(self, tag: str, precondition: str = "", reason: str = "") -> None:
        super().__init__(precondition or reason)
        self.tag = tag
        self.precondition = precondition


def changed(old: Mapping[str, Any], updates: Iterable[Update], *, of_calendar: bool, year: int) -> dict[str, Any]:
    """The properties after these updates. Raises Unacceptable.

    A calendar's time zone has two names, which are kept in step (RFC 7809 §5.2): what comes is the text, or made of the
    name, as it is from ``year`` on.
    """
    kept = dict(old)
    ordered = sorted(updates, key=lambda update: of_calendar and dav.human(update[1].tag) == _TIMEZONE_ID)
    for is_set, element in ordered:
        name = dav.human(element.tag)
        if of_calendar and name == _TIMEZONE_ID:
            _set_zone(kept, element, year) if is_set else kept.pop(_TIMEZONE, None)
            continue
        kept.pop(name, None)
        kept.pop(_ATTRIBUTES + name, None)
        if is_set:
            if of_calendar and name == _TIMEZONE:
                _check_zone(element)
            kept.update(_kept(name, element))
    if any(is_set for is_set, _ in ordered):
        _check_room(kept, ordered[-1][1].tag)
    return kept


def shown(kept: Mapping[str, Any], name: str) -> ET.Element | None:
    """A kept property as an element again; None: there is none of that name."""
    value = kept.get(name)
    if isinstance(value, str):
        attributes = kept.get(_ATTRIBUTES + name)
        made = ET.Element(dav.clark(name))
        made.text = value
        made.attrib.update(attributes if isinstance(attributes, Mapping) else {})
        return made
    if isinstance(value, Mapping) and isinstance(value.get("xml"), str):
        return ET.fromstring(value["xml"])  # noqa: S314 - our own serialisation
    return None


def names(kept: Mapping[str, Any]) -> Iterator[str]:
    return (name for name in kept if name != "tag" and not name.startswith(_ATTRIBUTES))


def zone_name(kept: Mapping[str, Any]) -> str | None:
    """The calendar-timezone-id that a calendar's calendar-timezone has."""
    text = kept.get(_TIMEZONE)
    zone = filters.zone_from(text) if isinstance(text, str) else None
    return None if zone is None else zone.key


def _kept(name: str, element: ET.Element) -> dict[str, Any]:
    if len(element):
        element.tail = None  # what stands behind it in the request is none of it
        content = ET.tostring(element, encoding="unicode")
        found: dict[str, Any] = {name: {"xml": content}}
    else:
        content = element.text or ""
        found = {name: content}
        if element.attrib:
            found[_ATTRIBUTES + name] = dict(element.attrib)
    if len(content) + sum(len(key) + len(value) for key, value in element.attrib.items()) > MAX_VALUE:
        raise Unacceptable(element.tag, reason=f"A property has at most {MAX_VALUE:,} characters.")
    return found


def _check_room(kept: Mapping[str, Any], tag: str) -> None:
    if sum(1 for _ in names(kept)) > MAX_NUMBER:
        raise Unacceptable(tag, reason=f"One resource has at most {MAX_NUMBER} properties that clients have set.")
    if len(json.dumps(kept, ensure_ascii=False)) > MAX_TOGETHER:
        raise Unacceptable(
            tag, reason=f"The properties of one resource have at most {MAX_TOGETHER:,} characters together."
        )


def _set_zone(kept: dict[str, Any], element: ET.Element, year: int) -> None:
    zone = filters.zone_named((element.text or "").strip())
    if zone is None:
        raise Unacceptable(element.tag, "C:valid-timezone")
    if zone_name(kept) == zone.key:
        return
    definition = "".join(tzdefine.define(zone.key, year).raws())
    kept.pop(_ATTRIBUTES + _TIMEZONE, None)
    kept[_TIMEZONE] = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//caldav-bridge//EN\r\n{definition}END:VCALENDAR\r\n"


def _check_zone(element: ET.Element) -> None:
    """RFC 4791 §5.2.2: iCalendar text with a VTIMEZONE. Which zone it is nobody has to know."""
    try:
        found = {(line.name, line.value.strip().upper()) for line in lines.read(element.text or "") if line.name}
    except UnicodeError:
        found = set()
    if len(element) or ("BEGIN", "VTIMEZONE") not in found:
        raise Unacceptable(element.tag, "C:valid-calendar-data")
