"""Calendar object resources: bytes in, a component tree over the raw lines out (RFC 4791 §4.1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Component:
    """A component between its BEGIN and END lines."""

    name: str


@dataclass(frozen=True, slots=True)
class CalendarObject:
    """All components with one UID, and the time zones they need.

    ``component`` is their kind ("VEVENT", "VTODO", …). ``timezones`` are the VTIMEZONE components by TZID. ``master`` is
    None where there are only overrides (an invitation to a single instance, D-10).
    """

    uid: str
    component: str
    timezones: Mapping[str, Component]
    master: Component | None
    overrides: tuple[Component, ...]


def parse(data: bytes) -> CalendarObject:
    """Read one calendar object resource.

    Raises InvalidCalendarData with the precondition of RFC 4791 §5.3.2.1: ``valid-calendar-data`` or
    ``valid-calendar-object-resource``. Whatever that section does not forbid is accepted (D-03, D-04).
    """
    raise NotImplementedError
