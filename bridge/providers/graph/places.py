"""Where an event takes place at Graph: a name, coordinates, and more that is not ours (X-13, X-14, M-64). Pure.

Whoever writes ``location`` replaces all of it, and ``locations`` too. So what else Outlook knows of a place (its address, its
room) goes out again with whatever is written, as long as the place keeps its name; under another name it would be untrue.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bridge.ical import geo
from bridge.ical.fields import EventFields
from bridge.providers.graph import texts

_WRITABLE = ("displayName", "address", "coordinates", "locationEmailAddress", "locationUri", "uniqueId", "uniqueIdType")
"""All of a place but what Graph makes out itself (``locationType``)."""

_BETWEEN = "; "
"""What Outlook writes between the names of several places."""


def name(event: Mapping[str, Any]) -> str:
    return _name(event.get("location") or {})


def coordinates(event: Mapping[str, Any]) -> str:
    """In the form of ``EventFields.geo``. Of several places none says where the event is."""
    told = (event.get("location") or {}).get("coordinates") or {}
    try:
        return geo.of(told["latitude"], told["longitude"])
    except (KeyError, TypeError, ValueError):
        return ""


def held_by_graph(value: str) -> str:
    """A pair as it comes back from numbers of 64 bits."""
    return geo.of(*geo.numbers(value)) if value else ""


def write(event: EventFields, held: Mapping[str, Any]) -> dict[str, Any]:
    """The properties that say it; ``held`` is the resource that is written to, {} for a new one."""
    several = held.get("locations") or ()
    if len(several) > 1:
        known = {_name(each): each for each in several}
        parts = [part.strip() for part in event.location.split(_BETWEEN)]
        if any(part in known for part in parts):
            return {"locations": [_kept(known.get(part, {"displayName": part})) for part in parts if part]}
    old = held.get("location") or {}
    whole: dict[str, Any] = _kept(old) if old and _name(old) == event.location else {"displayName": event.location}
    if event.geo != coordinates(held):
        whole.pop("coordinates", None)
    if event.geo and "coordinates" not in whole:
        latitude, longitude = geo.numbers(event.geo)
        whole["coordinates"] = {"latitude": latitude, "longitude": longitude}
    return {"location": whole}


def _kept(place: Mapping[str, Any]) -> dict[str, Any]:
    return {name: place[name] for name in _WRITABLE if place.get(name) is not None}


def _name(place: Mapping[str, Any]) -> str:
    return texts.plain(place.get("displayName") or "").strip()
