"""Recurrence sets: which instances an object has, and where its rule alone puts them (RFC 5545 §3.8.5)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from bridge.ical.fields import EventFields, ObjectFields, When


@dataclass(frozen=True, slots=True)
class Instance:
    """One occurrence that takes place: its key, where it is now, and its fields."""

    key: str
    when: When
    fields: EventFields


def instances(fields: ObjectFields, start: dt.datetime, end: dt.datetime, *, floating: dt.tzinfo) -> list[Instance]:
    """What takes place within [start, end) (aware), in order; overrides moved into it too, cancelled ones not.

    Raises Unmappable for a rule that cannot be expanded (RSCALE other than GREGORIAN).
    """
    raise NotImplementedError


def keys(fields: ObjectFields, *, until: dt.datetime | None = None) -> Iterator[str]:
    """The keys the rule generates, cancelled and overridden ones too, in order, lazily; ``until`` (aware) inclusive."""
    raise NotImplementedError


def regular(fields: ObjectFields, key: str) -> When:
    """Where the rule alone puts the instance ``key``."""
    raise NotImplementedError


def occurs(fields: ObjectFields, key: str) -> bool:
    """Whether the rule generates ``key`` (be it cancelled or overridden)."""
    raise NotImplementedError


def normalize(fields: ObjectFields) -> ObjectFields:
    """Without overrides equal to the regular instance and without states of instances the rule does not generate."""
    raise NotImplementedError
