"""Guests as Graph holds them (X-25…X-29, M-53…M-57). Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from bridge.ical.attendees import address, normal
from bridge.ical.fields import Attendee, PartStat, Role

_ROLES: Mapping[str, Role] = {"optional": "OPTIONAL", "resource": "RESOURCE"}
_PARTSTATS: Mapping[str, PartStat] = {
    "accepted": "ACCEPTED",
    "organizer": "ACCEPTED",
    "declined": "DECLINED",
    "tentativelyAccepted": "TENTATIVE",
}
VERBS = {"ACCEPTED": "accept", "DECLINED": "decline", "TENTATIVE": "tentativelyAccept"}
"""How an answer is given: PARTSTAT cannot be patched (M-57)."""


def organizer(event: Mapping[str, Any]) -> str:
    """Of an event with guests; whoever is alone in it is not told to be its organizer."""
    named = ((event.get("organizer") or {}).get("emailAddress") or {}).get("address") or ""
    return address(named) if event.get("attendees") else ""


def attendees(event: Mapping[str, Any], owner: str) -> tuple[Attendee, ...]:
    """The guests; the own answer of ``owner``, whose calendar it is, stands in ``responseStatus``."""
    found = normal(_read(each) for each in event.get("attendees") or ())
    own = _PARTSTATS.get((event.get("responseStatus") or {}).get("response") or "")
    if own is None or event.get("isOrganizer") is not False:
        return found
    return tuple(replace(each, partstat=own) if each.address == owner else each for each in found)


def _read(guest: Mapping[str, Any]) -> Attendee:
    who = guest.get("emailAddress") or {}
    name = who.get("name") or ""
    return Attendee(
        who.get("address") or "",
        "" if address(name) == address(who.get("address") or "") else name,  # Graph fills it in
        _ROLES.get(guest.get("type") or "", "REQUIRED"),
        _PARTSTATS.get((guest.get("status") or {}).get("response") or "", "NEEDS-ACTION"),
    )


def seen(guests: Sequence[Attendee]) -> tuple[Attendee, ...]:
    """In Graph's normal form."""
    return normal(replace(each, name="") if address(each.name) == each.address else each for each in guests)


def body(guests: Sequence[Attendee]) -> list[dict[str, Any]]:
    """The whole list; the service keeps what those have answered who stay."""
    return [_entry(each) for each in guests]


def _entry(guest: Attendee) -> dict[str, Any]:
    who = {"address": guest.address} | ({"name": guest.name} if guest.name else {})
    return {"emailAddress": who, "type": guest.role.lower()}


def own(guests: Sequence[Attendee], owner: str) -> PartStat | None:
    """What ``owner`` has answered; None if not among the guests."""
    return next((each.partstat for each in guests if each.address == owner), None)
