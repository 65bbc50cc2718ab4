"""Calendars, the people's calendar lists, and access rules (G-16…G-25)."""

from __future__ import annotations

import re
from typing import Any

from bridge.sandbox.google import palette, series, times
from bridge.sandbox.google.errors import ApiError, duplicate, forbidden, invalid, not_found
from bridge.sandbox.google.listing import Page, Walks, fingerprint, refuse_restrictions
from bridge.sandbox.google.rules import ADDRESS
from bridge.sandbox.google.state import ROLES, Calendar, Entry, Person, State, new_id
from bridge.sandbox.google.view import etag

JsonObject = dict[str, Any]
OWN = (
    "summaryOverride",
    "colorId",
    "backgroundColor",
    "foregroundColor",
    "hidden",
    "selected",
    "defaultReminders",
    "notificationSettings",
)
"""What a calendar list entry lets its person write."""


def resource(calendar: Calendar) -> JsonObject:
    """A Calendar resource."""
    found: JsonObject = {
        "kind": "calendar#calendar",
        "etag": etag(calendar.etag),
        "id": calendar.id,
        "summary": calendar.summary,
    }
    found |= {"timeZone": calendar.zone, "conferenceProperties": {"allowedConferenceSolutionTypes": ["hangoutsMeet"]}}
    return found | calendar.details | ({} if calendar.primary else {"dataOwner": calendar.owner})


def insert(state: State, person: Person, given: JsonObject) -> Calendar:
    """A secondary calendar; its zone defaults to its owner's (G-20)."""
    zone = given.get("timeZone") or person.zone
    times.zone(zone)
    calendar = state.add_calendar(
        person, f"c_{new_id()}@group.calendar.google.com", summary=given["summary"], zone=zone
    )
    calendar.details = {name: given[name] for name in ("description", "location") if given.get(name)}
    return calendar


def change(state: State, calendar: Calendar, given: JsonObject, *, whole: bool) -> Calendar:
    """PATCH, or PUT with ``whole``. No entry of a list changes by it (G-18)."""
    if given.get("timeZone"):
        times.zone(given["timeZone"])
        calendar.zone = given["timeZone"]
    if "summary" in given or whole:
        if not given.get("summary"):
            raise invalid("Missing summary.", "summary")
        calendar.summary = given["summary"]
    for name in ("description", "location"):
        if name in given or whole:
            calendar.details[name] = given.get(name)
    calendar.details = {name: value for name, value in calendar.details.items() if value}
    calendar.etag = state.next_etag()
    return calendar


def delete(state: State, calendar: Calendar) -> None:
    """Only secondary ones can be deleted (G-21); every list loses it."""
    if calendar.primary:
        raise ApiError(400, "cannotDeletePrimaryCalendar", "The primary calendar cannot be deleted.", domain="calendar")
    del state.calendars[calendar.id]
    for person in state.people.values():
        entry = person.calendars.get(calendar.id)
        if entry and not entry.deleted:
            entry.deleted = True
            state.touch_entry(person, entry)


def clear(state: State, calendar: Calendar) -> None:
    """Only the primary one can be cleared (G-21)."""
    if not calendar.primary:
        raise ApiError(
            400, "cannotClearSecondaryCalendar", "Only a primary calendar can be cleared.", domain="calendar"
        )
    for event in list(calendar.events.values()):
        if not event.cancelled:
            series.cancel(state, calendar, event)


def entry_resource(state: State, person: Person, entry: Entry) -> JsonObject:
    """A CalendarListEntry resource; of a removed one little is left."""
    head: JsonObject = {"kind": "calendar#calendarListEntry", "etag": etag(entry.etag), "id": entry.calendar_id}
    calendar = state.calendars.get(entry.calendar_id)
    if entry.deleted or calendar is None:
        return head | {"deleted": True}
    found = head | {"summary": calendar.summary, "timeZone": calendar.zone, "accessRole": calendar.role(person.email)}
    found |= calendar.details
    color = palette.calendar_color(entry.settings["colorId"])
    found |= {"backgroundColor": color, "foregroundColor": palette.INK} | entry.settings
    found["conferenceProperties"] = {"allowedConferenceSolutionTypes": ["hangoutsMeet"]}
    if calendar.id == person.email:
        found["primary"] = True
    elif not calendar.primary:
        found["dataOwner"] = calendar.owner
    return found


def entry(person: Person, id: str) -> Entry:
    """A calendar on that person's list."""
    found = person.calendars.get(person.email if id == "primary" else id)
    if found is None or found.deleted:
        raise not_found()
    return found


def change_entry(state: State, person: Person, entry: Entry, given: JsonObject, *, rgb: bool) -> Entry:
    """What is this person's about a calendar. RGB colours need ``colorRgbFormat`` (G-25)."""
    if not rgb and {"backgroundColor", "foregroundColor"} & given.keys():
        given = {name: value for name, value in given.items() if name not in ("backgroundColor", "foregroundColor")}
    color = given.get("colorId")
    if color is not None and not (re.fullmatch(r"\d+", color) and 1 <= int(color) <= len(palette.CALENDAR)):
        raise invalid("Invalid color id.", "colorId")
    settings = entry.settings | {name: given[name] for name in OWN if name in given}
    entry.settings = {
        name: value for name, value in settings.items() if value is not None and (name != "hidden" or value)
    }
    state.touch_entry(person, entry)
    return entry


def subscribe(state: State, person: Person, given: JsonObject, *, rgb: bool) -> Entry:
    """Put a calendar shared with this person on their list."""
    calendar = state.calendar(given["id"], person, role="freeBusyReader")
    known = person.calendars.get(calendar.id)
    if known is not None and not known.deleted:
        raise duplicate()
    return change_entry(state, person, state.list_calendar(person, calendar), given, rgb=rgb)


def unsubscribe(state: State, person: Person, entry: Entry) -> None:
    """Take a calendar off the list; one's own primary stays."""
    if entry.calendar_id == person.email:
        raise ApiError(400, "cannotUnsubscribePrimary", "The primary calendar cannot be removed.", domain="calendar")
    entry.deleted = True
    state.touch_entry(person, entry)


def page(state: State, walks: Walks, person: Person, params: JsonObject) -> Page:
    """One page of calendarList.list (G-17, G-18)."""
    size = min(params.get("maxResults", 100), 250)
    token = params.get("syncToken")
    if token is not None:
        hidden = ("showHidden",) if params.get("showHidden") is False else ()
        refuse_restrictions(params, ("minAccessRole", "showOwnOrganizationOnly", *hidden))
    lasting = fingerprint({})
    whole = fingerprint(params | {"token": token or "", "person": person.email})
    if "pageToken" in params:
        return walks.resume(params["pageToken"], whole, size, state.switches)
    owner = f"calendarList/{person.email}"
    if token is not None:
        days = state.switches.sync_token_days
        since = walks.revision(token, owner, person.generation, lasting, now=state.now(), days=days)
        found = [person.calendars[id] for id in person.journal.since(since)]
    else:
        found = [each for each in person.calendars.values() if _listed(state, person, each, params)]
    following = None
    if not {"minAccessRole", "showOwnOrganizationOnly"} & params.keys():
        following = walks.issue(owner, person.generation, person.journal.revision, lasting, state.now())
    return walks.begin(whole, found, following, size, state.switches)


def _listed(state: State, person: Person, entry: Entry, params: JsonObject) -> bool:
    calendar = state.calendars.get(entry.calendar_id)
    if entry.deleted or calendar is None:
        return bool(params.get("showDeleted", False))
    if entry.settings.get("hidden") and not params.get("showHidden", False):
        return False
    return ROLES.index(calendar.role(person.email)) >= ROLES.index(params.get("minAccessRole", "freeBusyReader"))


def rule_resource(calendar: Calendar, who: str) -> JsonObject:
    """An AclRule resource (G-24)."""
    scope = {"type": "default"} if who == "default" else {"type": "user", "value": who}
    id = who if who == "default" else f"user:{who}"
    return {
        "kind": "calendar#aclRule",
        "etag": etag(calendar.etag),
        "id": id,
        "scope": scope,
        "role": calendar.acl[who],
    }


def who_of_rule(calendar: Calendar, id: str) -> str:
    """Whom a rule is about; 404 if there is none."""
    who = id.removeprefix("user:")
    if who not in calendar.acl:
        raise not_found()
    return who


def share(state: State, calendar: Calendar, who: str, role: str) -> None:
    """Give somebody a role, or take it (``none``). Every sync token of the calendar is void after it (G-35)."""
    if role not in ROLES:
        raise invalid("Invalid role.", "role")
    if who == calendar.owner:
        raise forbidden("The role of the data owner cannot be changed.")
    calendar.acl[who] = role
    calendar.generation += 1
    calendar.etag = state.next_etag()
    person = state.people.get(who)
    if person is None:
        return
    listed = person.calendars.get(calendar.id)
    if role == "none" and listed and not listed.deleted:
        listed.deleted = True
        state.touch_entry(person, listed)
    elif role != "none" and (listed is None or listed.deleted):
        state.list_calendar(person, calendar)


def share_by_rule(state: State, calendar: Calendar, given: JsonObject) -> str:
    """acl.insert; whom it was about. Groups and domains have no members here."""
    scope = given.get("scope", {})
    kind, value = scope.get("type"), scope.get("value", "").lower()
    if kind == "default":
        who = "default"
    elif kind == "user" and ADDRESS.fullmatch(value):
        who = value
    else:
        raise invalid("Invalid scope value.", "scope")
    share(state, calendar, who, given.get("role", ""))
    return who


def settings(person: Person) -> dict[str, str]:
    """A person's settings, of which a client reads the zone."""
    return {
        "timezone": person.zone,
        "locale": "en",
        "weekStart": "1",
        "format24HourTime": "true",
        "defaultEventLength": "60",
    }
