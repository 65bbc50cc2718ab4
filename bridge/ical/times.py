"""Zones, instants and the names of recurrence instances. Nothing here depends on the machine's own zone."""

from __future__ import annotations

import datetime as dt

from bridge.ical.objects import Component


def resolve_zone(tzid: str, vtimezone: Component | None) -> str | None:
    """The IANA zone a TZID means, in the order of R24; None if there is none: then only instants can be kept."""
    raise NotImplementedError


def canonical_zone(iana: str) -> str:
    """The name a zone has today: link names folded ("Europe/Kiev" → "Europe/Kyiv", "Etc/UTC" → "UTC")."""
    raise NotImplementedError


def to_windows(iana: str) -> str | None:
    """The Windows name of an IANA zone (CLDR windowsZones), or None."""
    raise NotImplementedError


def from_windows(name: str) -> str | None:
    """The IANA zone of a Windows name (CLDR's choice for the whole world), or None."""
    raise NotImplementedError


def instant(value: dt.date | dt.datetime, zone: str | None, *, floating: dt.tzinfo) -> dt.datetime:
    """The aware UTC instant of a date (its midnight) or naive wall-clock time; ``floating`` stands in for no zone."""
    raise NotImplementedError


def wall(moment: dt.datetime, zone: str) -> dt.datetime:
    """The naive wall-clock time an aware instant has in an IANA zone."""
    raise NotImplementedError


def instance_key(original_start: dt.date | dt.datetime) -> str:
    """Name one recurrence instance the same way on every side."""
    raise NotImplementedError
