"""Events between people: copies on the guests' calendars, answers back to the organizer, and the mails (G-70…G-74)."""

from __future__ import annotations

from typing import Any

from bridge.sandbox.google import series
from bridge.sandbox.google.errors import ApiError
from bridge.sandbox.google.state import Calendar, Event, State
from bridge.sandbox.google.view import Instance
from bridge.sandbox.meter import Meter

JsonObject = dict[str, Any]

OWN = ("colorId", "transparency", "visibility", "reminders", "source", "privateCopy", "status")
"""What each copy has for itself; private extended properties too (G-69)."""
MANY = 200
"""Above so many guests answers are not propagated (G-70)."""


def addresses(body: JsonObject | None) -> list[str]:
    """The guests of a body."""
    return [guest["email"] for guest in body.get("attendees", ())] if body else []


def shared(body: JsonObject) -> JsonObject:
    """What all copies of an event have in common."""
    found = {name: value for name, value in body.items() if name not in OWN}
    common = found.pop("extendedProperties", {}).get("shared")
    return found | ({"extendedProperties": {"shared": common}} if common else {})


def answers_apart(body: JsonObject) -> JsonObject:
    """The shared part without the guests' answers, which are theirs to change."""
    guests = [
        {k: v for k, v in guest.items() if k not in ("responseStatus", "comment", "additionalGuests")}
        for guest in body.get("attendees", ())
    ]
    return shared(body) | {"attendees": guests}


def spread(
    state: State, meter: Meter, calendar: Calendar, event: Event, before: JsonObject | None, *, send_updates: str
) -> None:
    """Bring the organizer's change to the guests: copies on simulated calendars, mails as ``sendUpdates`` says (G-72)."""
    if event.organizer["email"] != calendar.id or event.body.get("privateCopy"):
        return
    earlier, later = addresses(before), [] if event.cancelled else addresses(event.body)
    changed = before is None or answers_apart(before) != answers_apart(event.body)
    for email in dict.fromkeys(earlier + later):
        if email == calendar.id:
            continue
        if email in state.people:
            copy_to(state, state.calendars[email], event, invited=email in later)
        reason = "cancellation" if email not in later else "update" if email in earlier else "invitation"
        if (reason != "update" or changed) and _mails(state, email, send_updates):
            meter.mail(email, reason, event.id, event.body.get("summary", ""))


def copy_to(state: State, calendar: Calendar, origin: Event, *, invited: bool) -> None:
    """Make, refresh or withdraw a guest's copy; it has the origin's id (G-48 holds for all copies)."""
    copy = calendar.events.get(origin.id)
    if copy is None:
        if not invited and origin.master_id not in calendar.events:
            return
        copy = state.new_event(
            calendar,
            {},
            id=origin.id,
            ical_uid=origin.ical_uid,
            creator=origin.creator,
            organizer=origin.organizer,
            master_id=origin.master_id,
            original=origin.original,
        )
    own = {name: value for name, value in copy.body.items() if name in OWN and name != "status"}
    private = copy.body.get("extendedProperties", {}).get("private")
    copy.body = shared(origin.body) | own | {"status": origin.body["status"] if invited else "cancelled"}
    if private:
        copy.body["extendedProperties"] = copy.body.get("extendedProperties", {}) | {"private": private}
    copy.sequence, copy.organizer = origin.sequence, origin.organizer
    if copy.cancelled:
        series.cancel(state, calendar, copy)
        return
    state.touch(calendar, copy)
    if copy.master_id is None:
        series.prune(state, calendar, copy)


def answer(
    state: State, meter: Meter, calendar: Calendar, event: Event, reply: JsonObject, *, send_updates: str
) -> None:
    """Tell the organizer what a guest answered on their own copy; the other guests' copies follow (G-71)."""
    organizer = event.organizer["email"]
    if _mails(state, organizer, send_updates):
        meter.mail(organizer, "response", event.id, event.body.get("summary", ""))
    home = state.calendars.get(organizer)
    origin = _twin(state, home, event.id) if home else None
    if home is None or origin is None or len(addresses(origin.body)) > MANY:
        return
    kept = {name: value for name, value in reply.items() if name in ("responseStatus", "comment", "additionalGuests")}
    origin.body = origin.body | {
        "attendees": [
            guest | kept if guest["email"] == calendar.id else guest for guest in origin.body.get("attendees", ())
        ]
    }
    state.touch(home, origin)
    for email in addresses(origin.body):
        if email in state.people and email not in (home.id, calendar.id):
            copy_to(state, state.calendars[email], origin, invited=True)


def _twin(state: State, home: Calendar, id: str) -> Event | None:
    try:
        found = series.find(home, id)
    except ApiError:
        return None
    found = series.materialize(state, home, found) if isinstance(found, Instance) else found
    return None if found.cancelled else found


def _mails(state: State, email: str, send_updates: str) -> bool:
    return send_updates == "all" or (send_updates == "externalOnly" and email not in state.people)
