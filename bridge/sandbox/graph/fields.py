"""How the properties of a write become the fields that are kept: Exchange's own forms, defaults and limits."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any

from bridge.sandbox.graph import bodies, zones
from bridge.sandbox.graph.errors import GraphError, invalid
from bridge.sandbox.graph.mailbox import Span

UNSET_TIME = "0001-01-01T00:00:00Z"
DEFAULT_REMINDER = 15
LONGEST_SUBJECT = 255
MOST_ATTENDEES = 500
PERSONAL = frozenset(
    {"isReminderOn", "reminderMinutesBeforeStart", "showAs", "categories", "sensitivity", "importance", "extended"}
)
"""What an attendee may change in his own copy (M-56), and what no attendee is told of."""

NO_LOCATION: dict[str, Any] = {
    "displayName": "", "locationType": "default", "uniqueIdType": "unknown", "address": {}, "coordinates": {},
}  # fmt: skip

DEFAULTS: dict[str, Any] = {
    "subject": "",
    "body": "",
    "categories": [],
    "importance": "normal",
    "sensitivity": "normal",
    "showAs": "busy",
    "isReminderOn": True,
    "reminderMinutesBeforeStart": DEFAULT_REMINDER,
    "location": NO_LOCATION,
    "locations": [],
    "attendees": [],
    "responseRequested": True,
    "allowNewTimeProposals": True,
    "hideAttendees": False,
    "isOnlineMeeting": False,
    "onlineMeetingProvider": "unknown",
    "onlineMeeting": None,
    "isCancelled": False,
    "response": ("organizer", UNSET_TIME),
    "organizer": None,
    "extended": {},
}
"""An event of which nothing was said. The reminder is on, 15 minutes before (X-56)."""

_PLAIN = (
    "importance", "sensitivity", "showAs", "isReminderOn", "reminderMinutesBeforeStart", "responseRequested",
    "allowNewTimeProposals", "hideAttendees",
)  # fmt: skip
_EXTENDED_ID = re.compile(
    r"(?P<type>String|Integer|Boolean|Double|Float|SystemTime|Binary|CLSID|Long|Short|Currency|ApplicationTime)"
    r"(?: \{(?P<set>[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})\} (?P<how>Name|Id) (?P<name>.+)| 0x[0-9A-Fa-f]{4})"
)


def written(body: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that a checked body changes, laid upon ``before``. Times and recurrence are not among them.

    Raises 400 ``ErrorPropertyValidationFailure`` where a limit is broken.
    """
    changed: dict[str, Any] = {name: body[name] for name in _PLAIN if name in body}
    if "subject" in body:
        changed["subject"] = _subject(body["subject"])
    if "body" in body:
        changed["body"] = _body(body["body"])
    if "categories" in body:
        changed["categories"] = list(dict.fromkeys(body["categories"]))
    if "location" in body or "locations" in body:
        changed |= _locations(body)
    if "attendees" in body:
        changed["attendees"] = _attendees(body["attendees"], before["attendees"])
    if "singleValueExtendedProperties" in body:
        changed["extended"] = _extended(body["singleValueExtendedProperties"], before["extended"])
    if changed.get("reminderMinutesBeforeStart", 0) < 0:
        raise invalid("reminderMinutesBeforeStart is not negative.", "ErrorPropertyValidationFailure")
    return changed | _online(body, changed, before)


def span(body: Mapping[str, Any], before: Span | None) -> Span:
    """The times after a write. Raises 400 for what Exchange refuses (M-36, M-37, M-39)."""
    parts = {}
    for name in ("start", "end"):
        given = body.get(name)
        if given is None:
            if before is None or name in body:
                raise invalid(f"The event needs a {name}.", "ErrorPropertyValidationFailure")
            parts[name] = (getattr(before, name), getattr(before, f"{name}_zone"))
            continue
        if not given.get("dateTime") or not given.get("timeZone"):
            raise invalid(f"The {name} needs both dateTime and timeZone.", "ErrorPropertyValidationFailure")
        parts[name] = (zones.to_wall(given["dateTime"], name), zones.windows_name(given["timeZone"]))
    all_day = body.get("isAllDay", before.all_day if before else False)
    made = Span(parts["start"][0], parts["end"][0], parts["start"][1], parts["end"][1], all_day)
    if all_day:
        for name, wall in (("Start", made.start), ("End", made.end)):
            if wall.time() != dt.time():
                raise invalid(f"The Event.{name} property for an all-day event needs to be set to midnight.")
        if made.start_zone != made.end_zone:
            raise invalid("The start and end of an all-day event need to be in the same time zone.")
        if made.end - made.start < dt.timedelta(days=1):
            raise invalid("The duration of an all-day event needs to be at least 24 hours.")
    elif made.ends_at < made.starts_at:
        raise invalid(
            "At least one property failed validation: the end is before the start.", "ErrorPropertyValidationFailure"
        )
    return made


def extended_key(property_id: str) -> str:
    """An extended property's id as it is compared: the GUID in any case, the name exactly (M-66). Raises 400."""
    match = _EXTENDED_ID.fullmatch(property_id)
    if match is None:
        raise invalid(f"The property id '{property_id}' is not of the form 'String {{GUID}} Name MyName'.")
    return property_id.replace(match["set"], match["set"].lower()) if match["set"] else property_id


def _subject(value: str | None) -> str:
    subject = re.sub(r"[\r\n]+", " ", value or "")
    if len(subject) > LONGEST_SUBJECT:
        raise invalid(f"The subject is longer than {LONGEST_SUBJECT} characters.", "ErrorPropertyValidationFailure")
    return subject


def _body(value: Mapping[str, Any] | None) -> str:
    value = value or {}
    return bodies.stored(value.get("content") or "", value.get("contentType", "text"))


def _locations(body: Mapping[str, Any]) -> dict[str, Any]:
    """``location`` replaces ``locations``; ``locations`` alone makes the other (M-64)."""
    if "location" in body:
        whole = _location(body["location"])
        return {"location": whole, "locations": [whole] if whole["displayName"] else []}
    several = [_location(one) for one in body["locations"]]
    if not several:
        return {"location": NO_LOCATION, "locations": []}
    if len(several) == 1:
        return {"location": several[0], "locations": several}
    joined = "; ".join(one["displayName"] for one in several)
    return {"location": _location({"displayName": joined}), "locations": several}


def _location(value: Mapping[str, Any] | None) -> dict[str, Any]:
    given = {name: one for name, one in (value or {}).items() if one is not None}
    if not given.get("displayName"):
        return NO_LOCATION | given | {"displayName": ""}
    unique = {"uniqueId": given["displayName"], "uniqueIdType": "private"}
    return {"displayName": given["displayName"], "locationType": "default"} | unique | given


def _attendees(value: list[Mapping[str, Any]], before: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Attendees keep the answer they gave; it cannot be written (M-57)."""
    answers = {one["emailAddress"]["address"].lower(): one["status"] for one in before}
    found: dict[str, dict[str, Any]] = {}
    for one in value:
        address = ((one.get("emailAddress") or {}).get("address") or "").strip()
        if "@" not in address.strip("@"):
            raise GraphError(400, "ErrorInvalidRecipients", "At least one recipient isn't valid.")
        found[address.lower()] = {
            "type": one.get("type", "required"),
            "status": answers.get(address.lower(), {"response": "none", "time": UNSET_TIME}),
            "emailAddress": {"name": one["emailAddress"].get("name") or address, "address": address},
        }
    if len(found) > MOST_ATTENDEES:
        raise invalid(f"An event has at most {MOST_ATTENDEES} attendees.", "ErrorPropertyValidationFailure")
    return list(found.values())


def _extended(value: list[Mapping[str, Any]], before: Mapping[str, tuple[str, str]]) -> dict[str, tuple[str, str]]:
    """By compared id: the id as written, and the value; null removes it."""
    kept = dict(before)
    for one in value:
        if not one.get("id"):
            raise invalid("An extended property needs an id.")
        key = extended_key(one["id"])
        if one.get("value") is None:
            kept.pop(key, None)
        else:
            kept[key] = (one["id"], one["value"])
    return kept


def _online(body: Mapping[str, Any], changed: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """Once online, a meeting stays so, unless its join link is taken out of the body (M-60)."""
    if before["onlineMeeting"]:
        url = before["onlineMeeting"]["joinUrl"]
        if "body" in changed and url not in changed["body"]:
            return {"isOnlineMeeting": False, "onlineMeetingProvider": "unknown", "onlineMeeting": None}
        return {}
    if not body.get("isOnlineMeeting"):
        return {}
    provider = body.get("onlineMeetingProvider", "teamsForBusiness")
    if provider != "teamsForBusiness":
        raise invalid("The online meeting provider is not among the calendar's allowedOnlineMeetingProviders.")
    url = f"https://teams.microsoft.example/l/meetup-join/{before['join']}"
    text = changed.get("body", before["body"])
    blob = f'<div class="me-email-text"><a href="{url}">Click here to join the meeting</a></div>'
    return {
        "isOnlineMeeting": True,
        "onlineMeetingProvider": provider,
        "onlineMeeting": {"joinUrl": url},
        "body": bodies.stored(f"{text}<hr>{blob}", "html"),
    }
