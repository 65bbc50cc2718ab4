"""To-dos and journal entries as events, because the rules of recurrence are the same for all three (RFC 5545 §3.6)."""

from __future__ import annotations

from dataclasses import replace

from bridge.ical.lines import Line
from bridge.ical.objects import CalendarObject, Component

END: dict[str, str | None] = {"VEVENT": "DTEND", "VTODO": "DUE", "VJOURNAL": None}
"""What a component calls its end."""


def as_event(obj: CalendarObject) -> CalendarObject:
    """An event that takes place when the to-do or journal entry does. Every line keeps its text: only the names are other."""
    if obj.component not in ("VTODO", "VJOURNAL"):
        return obj
    return replace(
        obj,
        component="VEVENT",
        master=None if obj.master is None else _as_event(obj.master),
        overrides=tuple(_as_event(each) for each in obj.overrides),
    )


def _as_event(component: Component) -> Component:
    children = tuple(
        child._replace(name="DTEND") if isinstance(child, Line) and child.name == "DUE" else child
        for child in component.children
    )
    return replace(component, name="VEVENT", children=children)
