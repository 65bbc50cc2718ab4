"""An event's colour: one of eleven at Google, one of 147 names in iCalendar (X-24, G-25). Pure.

Without a ``colorId`` an event has the colour of its calendar, and that is no colour of its own. Labels (``eventLabelId``) are
neither read nor written.
"""

from __future__ import annotations

from collections.abc import Mapping

from bridge.ical import colors

PALETTE: Mapping[str, str] = {
    "1": "a4bdfc",  # Lavender
    "2": "7ae7bf",  # Sage
    "3": "dbadff",  # Grape
    "4": "ff887c",  # Flamingo
    "5": "fbd75b",  # Banana
    "6": "ffb878",  # Tangerine
    "7": "46d6db",  # Peacock
    "8": "e1e1e1",  # Graphite
    "9": "5484ed",  # Blueberry
    "10": "51b749",  # Basil
    "11": "dc2127",  # Tomato
}
"""The event palette of ``colors.get``, by ``colorId``."""

_IDS = {rgb: id for id, rgb in PALETTE.items()}
_NAMES = {id: colors.named(rgb) for id, rgb in PALETTE.items()}
_NEAREST = {name: _IDS[colors.nearest(rgb, PALETTE.values())] for name, rgb in colors.RGB.items()}


def read(id: str) -> str:
    """The name of a ``colorId``; "" for one that is not of the palette."""
    return _NAMES.get(id, "")


def id_of(name: str) -> str | None:
    """The ``colorId`` that looks most like it."""
    return _NEAREST.get(name)


def normal(name: str) -> str:
    """The name that its ``colorId`` comes back with."""
    return read(_NEAREST.get(name, ""))
