"""What an event may hold: the rules beyond types, field by field (G-57…G-59, G-67…G-78)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from bridge.sandbox.google import recurrence, times
from bridge.sandbox.google.errors import ApiError, invalid, required
from bridge.sandbox.google.state import Calendar

JsonObject = dict[str, Any]

COLORS = frozenset(str(number) for number in range(1, 12))
CHOICES = {
    "status": ("confirmed", "tentative", "cancelled"),
    "transparency": ("opaque", "transparent"),
    "visibility": ("default", "public", "private", "confidential"),
}
DEFAULTS = {
    "transparency": "opaque",
    "visibility": "default",
    "guestsCanModify": False,
    "guestsCanInviteOthers": True,
    "guestsCanSeeOtherGuests": True,
    "anyoneCanAddSelf": False,
    "endTimeUnspecified": False,
}
"""Values that answers leave out."""
NOT_IN_BODY = (
    "id",
    "iCalUID",
    "organizer",
    "creator",
    "sequence",
    "reminders",
    "recurringEventId",
    "originalStartTime",
    "attendeesOmitted",
)
"""Kept beside the body, or not the client's to write."""
ADDRESS = re.compile(r"[^@\s<>,;]+@[^@\s<>,;]+")
STATUS_TYPES = ("outOfOffice", "focusTime", "workingLocation")


@dataclass(frozen=True, slots=True)
class Options:
    """A write's parameters: without the two flags conferences and attachments are left as they are (G-75, G-76)."""

    send_updates: str = "none"
    conference: bool = False
    attachments: bool = False


def stored(
    given: JsonObject,
    calendar: Calendar,
    *,
    old: JsonObject | None,
    options: Options,
    touched: frozenset[str],
    instance: bool,
) -> JsonObject:
    """The body to keep, out of a whole event as written. ``touched`` names what this request really sent.

    ``old`` is what was kept before: times that were not sent stay as they are, as do conference and attachments where
    the request may not change them.
    """
    body = {name: value for name, value in given.items() if name not in NOT_IN_BODY and value is not None}
    if instance and body.pop("recurrence", None):
        raise invalid("Recurrence is not allowed on an instance of a recurring event.", "recurrence")
    if not body.get("recurrence"):
        body.pop("recurrence", None)
    _times(body, calendar, old, touched, series="recurrence" in body)
    for name, allowed in CHOICES.items():
        if name in body and body[name] not in allowed:
            raise invalid(f"Invalid value '{body[name]}' for {name}.", name)
    body.setdefault("status", "confirmed")
    if body.get("colorId", "1") not in COLORS:
        raise invalid("Invalid color id.", "colorId")
    for field, permitted in (("conferenceData", options.conference), ("attachments", options.attachments)):
        if not permitted:
            body.pop(field, None)
            if old and field in old:
                body[field] = old[field]
    _attachments(body)
    _source(body)
    body["attendees"] = _attendees(body.get("attendees", []))
    _extended(body)
    _event_type(body, calendar, old)
    body = {name: value for name, value in body.items() if name not in DEFAULTS or value != DEFAULTS[name]}
    return {name: value for name, value in body.items() if value not in ([], {})}


def _times(
    body: JsonObject, calendar: Calendar, old: JsonObject | None, touched: frozenset[str], *, series: bool
) -> None:
    for field in ("start", "end"):
        if not body.get(field):
            raise required(f"Missing {field} time.", field)
        if old is not None and field not in touched:
            body[field] = old[field]
        else:
            body[field] = times.read(body[field], field, calendar_zone=calendar.zone, recurring=series).stored()
    start, end = times.held(body, "start"), times.held(body, "end")
    if start.all_day != end.all_day:
        raise invalid("The start and end times must either both be date or both be dateTime.", "end")
    utc = times.zone("UTC")
    if end.instant(utc) < start.instant(utc) or (start.all_day and end.value == start.value):
        raise ApiError(400, "timeRangeEmpty", "The specified time range is empty.", domain="calendar")  # G-89
    if series:
        recurrence.check(body["recurrence"], start)


def rewritten(body: JsonObject) -> JsonObject:
    """The same event in other words, as real services give it back (R20): texts trimmed, parts of a rule in another order."""
    found = dict(body)
    for name in ("summary", "location"):
        if name in found:
            found[name] = " ".join(found[name].split())
    if "description" in found:
        found["description"] = found["description"].replace("\r\n", "\n").strip()
    if "recurrence" in found:
        found["recurrence"] = [_reordered(line) for line in found["recurrence"]]
    return found


def _reordered(line: str) -> str:
    name, _, value = line.partition(":")
    if not name.endswith("RULE"):
        return line
    order = ("FREQ", "WKST", "UNTIL", "COUNT", "INTERVAL")
    parts = sorted(value.split(";"), key=lambda part: [*order, part.partition("=")[0]].index(part.partition("=")[0]))
    return f"{name}:{';'.join(parts)}"


def check_id(id: str) -> None:
    """A client's own id (G-44)."""
    if not re.fullmatch(r"[a-v0-9]{5,1024}", id):
        raise invalid("Invalid resource id value.", "id")


def reminders(given: JsonObject | None) -> JsonObject:
    """A person's reminders for an event (G-68); absent means the calendar's own."""
    if not given:
        return {"useDefault": True}
    overrides = given.get("overrides") or []
    if given.get("useDefault") and overrides:
        message = "Cannot specify both default reminders and overrides at the same time."
        raise ApiError(400, "cannotUseDefaultRemindersAndSpecifyOverride", message, domain="calendar")
    if len(overrides) > 5:
        raise invalid("At most 5 override reminders are allowed.", "reminders.overrides")
    for each in overrides:
        if each.get("method") not in ("email", "popup"):
            raise invalid("Invalid reminder method.", "reminders.overrides.method")
        if not 0 <= each.get("minutes", -1) <= 40320:
            raise invalid("Invalid reminder minutes.", "reminders.overrides.minutes")
    if given.get("useDefault"):
        return {"useDefault": True}
    return {"useDefault": False} | ({"overrides": overrides} if overrides else {})


def _attendees(guests: list[JsonObject]) -> list[JsonObject]:
    """Addresses in lower case, once each; an answer is needsAction until one is given (G-70)."""
    found: dict[str, JsonObject] = {}
    for guest in guests:
        email = guest.get("email", "")
        if not ADDRESS.fullmatch(email):
            raise invalid("Invalid attendee email." if email else "Missing attendee email.", "attendees.email")
        if guest.get("responseStatus", "needsAction") not in ("needsAction", "declined", "tentative", "accepted"):
            raise invalid("Invalid attendee response status.", "attendees.responseStatus")
        if email.lower() in found:
            raise invalid(f"Duplicate attendee {email}.", "attendees")
        kept = {name: value for name, value in guest.items() if value not in (None, False, 0, "") and name != "id"}
        found[email.lower()] = {"responseStatus": "needsAction"} | kept | {"email": email.lower()}
    return list(found.values())


def _extended(body: JsonObject) -> None:
    """Keys over 44 characters vanish, values are cut at 1024, all without a word (G-69)."""
    kept: JsonObject = {}
    for kind, properties in body.pop("extendedProperties", {}).items():
        cut = {key: value[:1024] for key, value in (properties or {}).items() if len(key) <= 44 and value is not None}
        if cut:
            kept[kind] = cut
    pairs = [(key, value) for properties in kept.values() for key, value in properties.items()]
    if len(pairs) > 300 or sum(len(key.encode()) + len(value.encode()) for key, value in pairs) > 32 * 1024:
        raise invalid("Too many or too large extended properties.", "extendedProperties")
    if kept:
        body["extendedProperties"] = kept


def _attachments(body: JsonObject) -> None:
    attachments = body.get("attachments", [])
    if len(attachments) > 25:
        raise invalid("At most 25 attachments are allowed.", "attachments")  # G-76
    for each in attachments:
        if not each.get("fileUrl"):
            raise required("Missing attachment file URL.", "attachments.fileUrl")


def _source(body: JsonObject) -> None:
    url = body.get("source", {}).get("url")
    if url is not None and not url.startswith(("http://", "https://")):
        raise invalid("Invalid source URL.", "source.url")  # G-77


def _event_type(body: JsonObject, calendar: Calendar, old: JsonObject | None) -> None:
    """What each type demands, and that it never changes (G-78)."""
    kind = body.setdefault("eventType", old["eventType"] if old else "default")
    if old and kind != old["eventType"]:
        raise invalid("Event type cannot be changed.", "eventType")
    properties = {f"{each}Properties" for each in (*STATUS_TYPES, "birthday")} & body.keys()
    if properties - {f"{kind}Properties"}:
        raise invalid(f"{properties.pop()} do not fit an event of type {kind}.", "eventType")
    if kind == "default" or (old and kind == "fromGmail"):
        return
    if kind == "birthday":
        rule = body.get("recurrence", [""])[0]
        if "date" not in body["start"] or not rule.startswith("RRULE:FREQ=YEARLY"):
            raise invalid("Birthday events must be all-day and recur yearly.", "eventType")
        if body.get("birthdayProperties", {}).get("type", "birthday") != "birthday":
            raise invalid("Only birthdays of type birthday can be created.", "birthdayProperties.type")
    elif kind in STATUS_TYPES:
        _status_event(kind, body, calendar)
    else:
        raise invalid(f"Event type {kind} cannot be created.", "eventType")


def _status_event(kind: str, body: JsonObject, calendar: Calendar) -> None:
    if not calendar.primary:
        raise invalid(f"{kind} events can be on the primary calendar only.", "eventType")
    if f"{kind}Properties" not in body:
        raise required(f"Missing {kind}Properties.", f"{kind}Properties")
    if kind == "workingLocation":
        if body.get("visibility") != "public" or body.get("transparency") != "transparent":
            raise invalid("Working location events must be public and transparent.", "eventType")
    elif "date" in body["start"] or body.get("transparency", "opaque") != "opaque":
        raise invalid(f"{kind} events must be timed and opaque.", "eventType")
