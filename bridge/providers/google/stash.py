"""What Google has no place for, noted in private properties beside an event (S-01, S-03, S-05, G-69). Pure.

A note is one JSON document, cut into values that Google keeps whole, under ``cdb.x.0``, ``cdb.x.1`` …; ``cdb.x`` holds how many
there are and the document's hash. What does not come back just so says nothing. People copy events together with their notes,
and other bridges write theirs: a note is a hint about an event that is not known here, and never more.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from bridge.ical import normal, text
from bridge.ical.fields import EventFields
from bridge.providers.google import colors

HEAD = "cdb.x"
CHUNK = 1024
"""Octets of a value. Google counts characters (G-69), and there are never more of those."""
CHUNKS = 4
"""So that all that is ours of an event, its UID and its conference included, is less than 8 kB (S-01)."""

_OURS = re.compile(re.escape(HEAD) + r"(\.\d+)?")
_BUSY = frozenset({"TENTATIVE", "OOF", "WORKINGELSEWHERE"})


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


_NOTED: Mapping[str, Callable[[Any], bool]] = {
    "categories": _texts,
    "show_as": lambda value: isinstance(value, str) and value in _BUSY,
    "priority": _number,
    "geo": _text,
    "url": _text,
    "color": _text,
    "others": _texts,
}
"""The fields that are noted, the more important ones first, and whether a value is one of theirs."""


def document(event: EventFields, seen: EventFields) -> str:
    """What an event says that ``seen``, its view, does not; "": nothing.

    What does not fit is left out as a whole; what is less important may still find room.
    """
    event = normal.event(event)
    noted: dict[str, Any] = {}
    for name in _NOTED:
        value = getattr(event, name)
        if not value or value == getattr(seen, name):
            continue
        longer = {**noted, name: list(value) if isinstance(value, tuple) else value}
        if len(_chunks(_json(longer))) <= CHUNKS:
            noted = longer
    return _json(noted) if noted else ""


def render(noted: str, held: Mapping[str, Any]) -> dict[str, str | None]:
    """The private properties to write so that the event, which is ``held``, has this note; "": none."""
    chunks = _chunks(noted) if noted else []
    wanted = {f"{HEAD}.{number}": chunk for number, chunk in enumerate(chunks)}
    if noted:
        wanted[HEAD] = _head(chunks)
    there = {name: value for name, value in _private(held).items() if _OURS.fullmatch(name)}
    changed = {name: value for name, value in wanted.items() if there.get(name) != value}
    return changed | dict.fromkeys(there.keys() - wanted.keys())


def read(event: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Values by the names of fields; None where there is no note, or none that is whole."""
    private = _private(event)
    count, _, _ = str(private.get(HEAD, "")).partition(":")
    if not count.isdecimal() or not 0 < int(count[:3]) <= CHUNKS:
        return None
    chunks = [str(private.get(f"{HEAD}.{number}", "")) for number in range(int(count))]
    if _head(chunks) != private[HEAD]:
        return None
    try:
        found = json.loads("".join(chunks))
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    return {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in found.items()
        if name in _NOTED and _NOTED[name](value)
    }


def recalled(event: EventFields, noted: Mapping[str, Any]) -> EventFields:
    """What Google says of an event, with what is noted beside it and not gainsaid there."""
    said = dict(noted)
    if event.url:
        said.pop("url", None)
    if colors.normal(said.get("color", "")) != event.color:
        said.pop("color", None)
    return normal.event(replace(event, **said)) if said else event


def _private(event: Mapping[str, Any]) -> Mapping[str, Any]:
    return (event.get("extendedProperties") or {}).get("private") or {}


def _json(noted: Mapping[str, Any]) -> str:
    return text.normal(json.dumps(noted, ensure_ascii=False, sort_keys=True, separators=(",", ":")))  # S-06


def _chunks(document: str) -> list[str]:
    """Pieces of at most ``CHUNK`` octets; no character is cut."""
    if len(document.encode()) <= CHUNK:
        return [document]
    chunks: list[str] = []
    size = 0
    for character in document:
        octets = len(character.encode())
        if not chunks or size + octets > CHUNK:
            chunks.append("")
            size = 0
        chunks[-1] += character
        size += octets
    return chunks


def _head(chunks: list[str]) -> str:
    return f"{len(chunks)}:{hashlib.sha256(''.join(chunks).encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"
