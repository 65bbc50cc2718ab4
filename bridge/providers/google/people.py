"""Guests as Google holds them (X-25…X-29, G-70…G-73). Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bridge.ical.attendees import address, normal
from bridge.ical.fields import Attendee, PartStat, Role

_PARTSTATS: Mapping[str, PartStat] = {"accepted": "ACCEPTED", "declined": "DECLINED", "tentative": "TENTATIVE"}
_ANSWERS = {"NEEDS-ACTION": "needsAction", "ACCEPTED": "accepted", "DECLINED": "declined", "TENTATIVE": "tentative"}

LOUD = frozenset({"summary", "description", "location", "start", "end", "recurrence", "attendees", "status"})
"""What a guest wants to be told of; reminders, colours and show-as are one's own."""


def attendees(event: Mapping[str, Any]) -> tuple[Attendee, ...]:
    """The guests of an event resource."""
    return normal(_read(each) for each in event.get("attendees") or ())


def _read(guest: Mapping[str, Any]) -> Attendee:
    role: Role = "RESOURCE" if guest.get("resource") else "OPTIONAL" if guest.get("optional") else "REQUIRED"
    answer = _PARTSTATS.get(guest.get("responseStatus") or "", "NEEDS-ACTION")
    return Attendee(guest.get("email") or "", guest.get("displayName") or "", role, answer)


def seen(guests: Sequence[Attendee]) -> tuple[Attendee, ...]:
    """In Google's normal form."""
    return normal(guests)


def own(event: Mapping[str, Any], calendar: str) -> str:
    """The address of this calendar's own entry (G-73)."""
    marked = (each.get("email") for each in event.get("attendees") or () if each.get("self"))
    return address(next(marked, None) or calendar)


def body(guests: Sequence[Attendee], held: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
    """The whole array, for a patch replaces it (G-51): entries that stay as they are ``held``, with their answers."""
    there = {address(each.get("email") or ""): each for each in (held or {}).get("attendees") or ()}
    return [_entry(each, there.get(each.address)) for each in guests]


def _entry(guest: Attendee, held: Mapping[str, Any] | None) -> dict[str, Any]:
    entry = {name: value for name, value in (held or {}).items() if name not in ("self", "organizer", "id")}
    entry["email"] = (held or {}).get("email") or guest.address
    if guest.name:
        entry["displayName"] = guest.name
    if guest.role == "RESOURCE" and held is None:
        entry["resource"] = True  # only at the first add (G-70)
    if guest.role == "OPTIONAL" or "optional" in entry:
        entry["optional"] = guest.role == "OPTIONAL"
    if held is not None or guest.partstat != "NEEDS-ACTION":
        entry["responseStatus"] = _ANSWERS[guest.partstat]
    return entry


def answer(guest: Attendee) -> dict[str, Any]:
    """The body by which a guest answers: with ``attendeesOmitted`` one's own entry alone may be sent (G-71)."""
    own = {"email": guest.address, "responseStatus": _ANSWERS[guest.partstat]}
    return {"attendeesOmitted": True, "attendees": [own]}
