"""The neutral fields of a calendar object: what two sides can be compared and merged by.

A calendar object resource (RFC 4791: all components with one UID) is bytes in the hub. ``ObjectFields`` is what a provider
can be told about it, in the terms of RFC 5545: a master, its rule, and what became of single instances. Two
``ObjectFields`` are compared with ``diff``; a difference is laid upon another with ``patch``. All of it is pure and
immutable, and turns into JSON and back, because the sync keeps such values as its bases.

An instance is named by its *original* start however often it is moved (``instance_key``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

MASTER = ""
"""The path's first half for the master component; any other value is an instance key."""


@dataclass(frozen=True, slots=True)
class When:
    """Start, end, zone and all-day: one field, because half of it is never merged (DESIGN §2).

    ``start`` and ``end`` are either both ``date`` (all-day) or both naive wall-clock ``datetime`` in ``zone``.
    ``end`` is exclusive and always present: a DURATION or a missing DTEND has been resolved. ``zone`` is an IANA name,
    ``"UTC"``, or None for all-day and floating times. ``end_zone`` is None unless the end is in another zone (X-09).
    """

    start: dt.date | dt.datetime
    end: dt.date | dt.datetime
    zone: str | None = None
    end_zone: str | None = None

    @property
    def all_day(self) -> bool:
        return not isinstance(self.start, dt.datetime)

    @property
    def floating(self) -> bool:
        return isinstance(self.start, dt.datetime) and self.zone is None


@dataclass(frozen=True, slots=True, order=True)
class Reminder:
    """An alarm a fixed number of minutes before the start (0 or more): the kind every provider knows (X-50)."""

    minutes: int
    method: Literal["DISPLAY", "EMAIL"] = "DISPLAY"


@dataclass(frozen=True, slots=True)
class EventFields:
    """One component. Text is NFC with LF line ends; "" means absent (S-06)."""

    when: When
    summary: str = ""
    description: str = ""
    location: str = ""
    status: Literal["", "CONFIRMED", "TENTATIVE", "CANCELLED"] = ""
    transp: Literal["OPAQUE", "TRANSPARENT"] = "OPAQUE"
    classification: Literal["", "PUBLIC", "PRIVATE", "CONFIDENTIAL"] = ""
    reminders: tuple[Reminder, ...] = ()  # sorted, without repeats
    categories: tuple[str, ...] = ()
    priority: int = 0  # RFC 5545 §3.8.1.9: 0 undefined, 1 highest, 9 lowest
    url: str = ""


@dataclass(frozen=True, slots=True)
class ObjectFields:
    """A single event or a whole series.

    ``recurrence`` holds unfolded RRULE, RDATE and EXRULE lines, never EXDATE: an excluded instance stands in
    ``cancelled``, whichever way a side writes it down (G-61, M-47). ``overrides`` are complete components by instance key.
    """

    master: EventFields
    recurrence: tuple[str, ...] = ()
    overrides: Mapping[str, EventFields] = field(default_factory=dict)
    cancelled: frozenset[str] = frozenset()


Path = tuple[str, str]
"""(MASTER or an instance key, a field's name). ("", "recurrence") is the rule; (key, "state") says what the instance is."""

Change = Mapping[Path, Any]
"""New values by path. (key, "state") is "regular", "override" or "cancelled"; an instance that becomes an override
carries all its fields, one that stays an override only those which differ."""


def diff(base: ObjectFields, new: ObjectFields) -> Change:
    """What has to change in ``base`` for it to be ``new``; empty if they are equal."""
    raise NotImplementedError


def patch(base: ObjectFields, change: Change) -> ObjectFields:
    """Lay a change upon ``base``: ``patch(base, diff(base, new)) == new``."""
    raise NotImplementedError


def to_json(fields: ObjectFields) -> dict[str, Any]:
    """As plain JSON values, to be kept as a base; what is at its default is left out."""
    raise NotImplementedError


def from_json(value: Mapping[str, Any]) -> ObjectFields:
    """The inverse of ``to_json``."""
    raise NotImplementedError


def change_to_json(change: Change) -> list[list[Any]]:
    """A change as a sorted list of [key, field, value]."""
    raise NotImplementedError


def change_from_json(value: Sequence[Sequence[Any]]) -> Change:
    """The inverse of ``change_to_json``."""
    raise NotImplementedError
