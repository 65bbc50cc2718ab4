"""Request bodies: a whole event to insert, or only what differs to patch, where ``null`` clears (G-51). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any
from urllib.parse import urlsplit

from bridge.ical.fields import EventFields, ObjectFields
from bridge.providers.google import colors, conferences, people, rules, stash, times

UID = "cdb.uid"
"""The private property that holds the hub's UID: for recovery only, because a copied event copies it (S-01, S-03, R9)."""

MAX_PROPERTY = 1024  # G-69: what is longer would be cut in silence


def insert(target: ObjectFields, *, key: str, uid: str) -> dict[str, Any]:
    """A new single event or series, cancelled instances excluded at once. Google makes the iCalUID (X-01)."""
    body: dict[str, Any] = {"id": key, **_without_nulls(event(target.event))}
    if target.recurrence:
        body["recurrence"] = rules.render(target.recurrence, target.cancelled, target.event.when)
    if len(uid) <= MAX_PROPERTY:
        private = (body.get("extendedProperties") or {}).get("private", {})
        body["extendedProperties"] = {"private": {UID: uid, **private}}
    return body


def event(
    target: EventFields, base: EventFields | None = None, held: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The properties that differ from ``base``, or all of them; ``held`` is the resource, of which guests keep what they have.

    The organizer cannot be written (G-73). Without guests none are named: not even an empty list goes out with a copy (R1).
    """
    body: dict[str, Any] = {}
    private: dict[str, str | None] = {}
    for name in (each.name for each in fields(EventFields)):
        value = getattr(target, name)
        if base is not None and value == getattr(base, name):
            continue
        match name:
            case "when":
                body |= times.render(value)
            case "summary" | "description" | "location":
                body[name] = value or None
            case "status":
                body["status"] = (
                    "tentative" if value == "TENTATIVE" else "confirmed"
                )  # cancelled would delete it (G-62)
            case "transp":
                body["transparency"] = value.lower()
            case "classification":
                body["visibility"] = value.lower() or "default"
            case "reminders":
                methods = {"DISPLAY": "popup", "EMAIL": "email"}
                overrides = [{"method": methods[each.method], "minutes": each.minutes} for each in value]
                body["reminders"] = {"useDefault": False, "overrides": overrides}  # always said
            case "attendees" if value or base is not None:
                body["attendees"] = people.body(value, held)
            case "conference" if value or base is not None:
                private |= conferences.render(value, held or {})
            case "aside" if value is not None:
                private |= stash.render(value, held or {})
            case "color" if value or base is not None:
                body["colorId"] = colors.id_of(value)
            case "url":
                body["source"] = {"title": urlsplit(value).hostname, "url": value} if value else None
    if private:
        body["extendedProperties"] = {"private": private}
    return body


def _without_nulls(body: dict[str, Any]) -> dict[str, Any]:
    return {
        name: _without_nulls(value) if isinstance(value, dict) else value
        for name, value in body.items()
        if value is not None
    }
