"""How the properties of a written task become what is kept, and what is lost on the way (M-85, M-86)."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any

from bridge.sandbox.graph import bodies, recurrence, zones
from bridge.sandbox.graph.errors import invalid
from bridge.sandbox.graph.recurrence import Recurrence
from bridge.sandbox.graph.todo import Link, Moment, Step

LONGEST_TITLE = 255
_YEARS = range(1601, 4500)  # Exchange's own


def title(value: str | None) -> str:
    """A title, on one line. Raises 400 for an empty one."""
    text = re.sub(r"[\r\n]+", " ", value or "").strip()
    if not text:
        raise invalid("The property 'title' is required.")
    if len(text) > LONGEST_TITLE:
        raise invalid(f"The title is longer than {LONGEST_TITLE} characters.", "ErrorPropertyValidationFailure")
    return text


def list_name(value: str | None) -> str:
    """The name of a list. Raises 400 for an empty one."""
    text = (value or "").strip()
    if not text:
        raise invalid("The property 'displayName' is required.")
    if len(text) > LONGEST_TITLE:
        raise invalid(f"The displayName is longer than {LONGEST_TITLE} characters.", "ErrorPropertyValidationFailure")
    return text


def body(value: Mapping[str, Any] | None, *, rewritten: bool) -> tuple[str, str]:
    """The content and its type as they are kept. HTML is framed and sanitised as in events (M-63).

    ``rewritten``: text comes back with CRLF and one at its end, as Exchange makes it of events.
    """
    value = value or {}
    content, kind = value.get("content") or "", value.get("contentType", "text")
    if kind == "html":
        return bodies.stored(content, "html"), "html"
    return (bodies.as_text(bodies.stored(content, "text")) if rewritten else content), "text"


def moment(value: Mapping[str, Any] | None, name: str) -> Moment | None:
    """A dateTimeTimeZone. Raises 400 for what has no time zone, or has an offset (M-36, M-37)."""
    if value is None:
        return None
    if not value.get("dateTime") or not value.get("timeZone"):
        raise invalid(f"The {name} needs both dateTime and timeZone.", "ErrorPropertyValidationFailure")
    found = Moment(zones.to_wall(value["dateTime"], name), zones.windows_name(value["timeZone"]))
    if found.wall.year not in _YEARS:
        raise invalid(f"The {name} is out of range.", "ErrorPropertyValidationFailure")
    return found


def day(found: Moment | None, *, utc: bool = False) -> Moment | None:
    """What is left of a due date: its day, at midnight (M-86). ``utc``: at midnight in UTC, whatever its zone was."""
    if found is None:
        return None
    midnight = dt.datetime.combine(found.wall.date(), dt.time())
    return Moment(midnight, "UTC" if utc else found.zone)


def day_in_utc(found: Moment) -> dt.date:
    """What is left of the time of completion: the day that it was in UTC (M-86)."""
    return zones.to_instant(found.wall, found.zone).date()


def rule(value: Mapping[str, Any] | None, due: Moment | None) -> Recurrence | None:
    """A recurrence; unlike an event's it need not begin on a certain day, as nothing says so. Raises 400."""
    if value is None:
        return None
    first = (value.get("range") or {}).get("startDate")
    start = dt.date.fromisoformat(first) if first else dt.date.min
    if start.year not in _YEARS and first:
        raise invalid("The recurrence's startDate is out of range.", "ErrorPropertyValidationFailure")
    return recurrence.parse(value, start=start, zone=due.zone if due else "UTC")


def step(value: Mapping[str, Any], before: Step | None, now: dt.datetime) -> Step:
    """A checklistItem after a write. Raises 400 for one without a name."""
    name = value.get("displayName", before.name if before else None)
    if not (name or "").strip():
        raise invalid("The property 'displayName' is required.")
    checked = before.checked if before else None
    if "isChecked" in value:
        checked = (checked or now) if value["isChecked"] else None
    if value.get("checkedDateTime"):
        if not checked:
            raise invalid("checkedDateTime is set on a checklistItem that is not checked.")
        checked = zones.parse_instant(value["checkedDateTime"], "checkedDateTime")
    return Step(name, before.created if before else now, checked)


def link(value: Mapping[str, Any], before: Link | None = None) -> Link:
    """A linkedResource after a write (M-88)."""
    old = before or Link()
    return Link(
        value.get("webUrl", old.web_url),
        value.get("applicationName", old.application),
        value.get("displayName", old.name),
        value.get("externalId", old.external_id),
    )
