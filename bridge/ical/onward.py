"""Overrides that hold for an instance and for all later ones: RECURRENCE-ID;RANGE=THISANDFUTURE (RFC 5545 §3.2.13, X-02).

Such an override stands in ``ObjectFields.overrides`` under its instance's key with a ``MARK`` behind it. So whoever looks at
all components of an object (its guests, what is to be hidden of it) looks at these too, and a change, a merge or a base
names them like any other. The same instance may have an override of its own besides, or be cancelled; then the other one
holds for the later instances only.

How such an override moves the later instances is the business of ``recurrence``.
"""

from __future__ import annotations

from bridge.errors import Unmappable
from bridge.ical.fields import MASTER, EventFields, ObjectFields

MARK = "+"


def named(key: str) -> str:
    """What the override for this instance and all later ones is called."""
    return key + MARK


def is_one(name: str) -> bool:
    return name.endswith(MARK)


def anchor(name: str) -> str:
    """The key of the instance from which on an override holds; that of a single one as it is."""
    return name.removesuffix(MARK)


def holding(fields: ObjectFields, name: str) -> str:
    """What describes an instance that has no override of its own: MASTER, or the latest range that begins no later.

    Of a range it is what would hold without it. Keys of one series have one form, so they sort as their instances do.
    """
    key = anchor(name)
    begun = (each for each in fields.overrides if is_one(each) and anchor(each) <= key and each != name)
    return max(begun, default=MASTER)


def event(fields: ObjectFields, name: str) -> EventFields:
    """What describes an instance or a range: its own override, or what holds for it. Its time may be another instance's."""
    if name in fields.overrides:
        return fields.overrides[name]
    by = holding(fields, name)
    return fields.overrides[by] if by else fields.event


def refuse(fields: ObjectFields) -> None:
    """For services that know single overrides only (G-63, M-48). Raises Unmappable where later instances are others, too."""
    if fields.recurrence and any(is_one(name) for name in fields.overrides):
        raise Unmappable("an override for this and all later instances")
