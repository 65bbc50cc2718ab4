"""One component, field by field: what Graph can hold of it, how it reads, how it is written (MAPPING X-03…X-56).

``reduce`` and ``read`` end in the same normal form, so that an echo is no change (R20); ``regain`` puts back what the
reduction lost wherever the remote side did not touch it (S-05). Guests are only ever those of a person's own event at home:
whatever names them mails them (X-26, M-53).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from bridge.ical.fields import EventFields, Reminder, ShowAs, When
from bridge.providers.graph import people, places, texts, zones

SENSITIVITIES: Mapping[str, Literal["", "PRIVATE", "CONFIDENTIAL"]] = {
    "personal": "PRIVATE",
    "private": "PRIVATE",
    "confidential": "CONFIDENTIAL",
}
IMPORTANCES = {"high": 1, "normal": 0, "low": 9}

SHOWN_AS: Mapping[str, ShowAs] = {"tentative": "TENTATIVE", "oof": "OOF", "workingElsewhere": "WORKINGELSEWHERE"}

DETAILS = (
    "summary",
    "description",
    "location",
    "geo",
    "transp",
    "show_as",
    "classification",
    "reminders",
    "categories",
    "priority",
)
"""The fields besides ``when`` that Graph can hold and we write of every event."""

WRITABLE = (*DETAILS, "attendees")
"""With those that are named only where they change: an empty list of guests goes out with no copy (R1)."""


# --- the hub's component, as Graph can hold it ---------------------------------------------------------------------


def reduce(event: EventFields, when: When) -> EventFields:
    """The component in Graph's normal form, at the already canonical ``when``.

    It has no STATUS there; a cancelled event stays, but does not block its time (X-17, X-18).
    """
    return EventFields(
        when,
        summary=texts.subject(event.summary),
        description=texts.plain(event.description),
        location=place(event),
        transp="TRANSPARENT" if event.status == "CANCELLED" else event.transp,
        show_as="" if event.status == "CANCELLED" else event.show_as,
        classification="" if event.classification == "PUBLIC" else event.classification,
        reminders=_nearest(event.reminders),
        categories=labels(event.categories),
        priority=importance(event.priority),
        # whoever is alone in an event is not told to be its organizer
        organizer=event.organizer if event.attendees else "",
        attendees=people.seen(event.attendees),
        geo=places.held_by_graph(event.geo),
    )


def place(event: EventFields) -> str:
    """LOCATION as Graph shows it."""
    return texts.plain(event.location).strip()


def _nearest(reminders: Iterable[Reminder]) -> tuple[Reminder, ...]:
    """Graph knows one reminder: the one nearest to the start (X-50); e-mail alarms have no counterpart (X-51)."""
    shown = sorted(reminder for reminder in reminders if reminder.method == "DISPLAY")
    return tuple(shown[:1])


def labels(categories: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({category for each in categories if (category := texts.subject(each))}))


def importance(priority: int) -> int:
    """1-4 high, 6-9 low, the rest normal (X-22)."""
    return 0 if priority in (0, 5) else 1 if priority < 5 else 9


# --- Graph's JSON --------------------------------------------------------------------------------------------------


def read(event: Mapping[str, Any], *, recurring: bool, owner: str = "") -> EventFields:
    """A single event, a master, or an exception laid over its master; ``owner`` is whose calendar it is in.

    Raises Unmappable for an unknown zone.
    """
    free = event.get("showAs") == "free" or event.get("isCancelled")
    minutes: int = event.get("reminderMinutesBeforeStart") or 0
    return EventFields(
        zones.read_when(event, recurring=recurring),
        summary=texts.subject(event.get("subject") or ""),
        description=body_text(event.get("body") or {}),
        location=places.name(event),
        transp="TRANSPARENT" if free else "OPAQUE",
        show_as="" if free else SHOWN_AS.get(event.get("showAs") or "", ""),
        classification=SENSITIVITIES.get(event.get("sensitivity") or "", ""),
        reminders=(Reminder(minutes),) if event.get("isReminderOn") and minutes >= 0 else (),
        categories=labels(event.get("categories") or ()),
        priority=IMPORTANCES.get(event.get("importance") or "", 0),
        organizer=people.organizer(event),
        attendees=people.attendees(event, owner),
        geo=places.coordinates(event),
    )


def body_text(body: Mapping[str, Any]) -> str:
    content = body.get("content") or ""
    return texts.from_html(content) if (body.get("contentType") or "").lower() == "html" else texts.plain(content)


def write(event: EventFields, names: Iterable[str], held: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The properties that carry these fields of a reduced component; nothing else (M-53, R3).

    ``held`` is the resource that is written to, of which a place keeps what it has.
    """
    properties: dict[str, Any] = {}
    for name in names:
        properties |= _property(event, name, held or {})
    return properties


def _property(event: EventFields, name: str, held: Mapping[str, Any]) -> dict[str, Any]:
    match name:
        case "when":
            return zones.write_when(event.when)
        case "summary":
            return {"subject": event.summary}
        case "description":
            return {"body": {"contentType": "text", "content": event.description}}
        case "location" | "geo":
            return places.write(event, held)
        case "transp" | "show_as":
            # One property there, and one word of it ("unknown") is none of ours: only sent where one of both changed
            return {"showAs": _shown_as(event)}
        case "classification":
            return {"sensitivity": event.classification.lower() or "normal"}
        case "reminders":
            # Said even if there is none: Outlook would add its own default
            if not event.reminders:
                return {"isReminderOn": False}
            return {"isReminderOn": True, "reminderMinutesBeforeStart": event.reminders[0].minutes}
        case "categories":
            return {"categories": list(event.categories)}
        case "attendees":
            return {"attendees": people.body(event.attendees)}
        case "priority":
            return {"importance": next(word for word, number in IMPORTANCES.items() if number == event.priority)}
    return {}


def _shown_as(event: EventFields) -> str:
    if event.transp == "TRANSPARENT":
        return "free"
    return next((word for word, name in SHOWN_AS.items() if name == event.show_as), "busy")


def changed(base: EventFields, target: EventFields) -> list[str]:
    """The names of the writable fields in which two reduced components differ."""
    return [name for name in ("when", *WRITABLE) if getattr(base, name) != getattr(target, name)]


# --- a remote value, in the hub's own terms ------------------------------------------------------------------------


def regain(name: str, value: Any, hub: EventFields, calendar_zone: str, *, inherited: bool = False) -> Any:
    """What the remote side's new ``value`` means for the hub's component.

    ``inherited``: an occurrence becomes an event of its own, and may have the value from its series, as the store echoes it.
    A value equal to what Graph is shown of the hub's leaves the hub's: number of the priority, order of the categories,
    further alarms, white space, PUBLIC.
    """
    if name == "when":
        return zones.hub_when(value, hub.when, calendar_zone)
    if name in ("organizer", "attendees"):
        return value
    if getattr(reduce(hub, hub.when), name) == value:
        return getattr(hub, name)
    if inherited and name == "description" and texts.squeezed(hub.description) == texts.squeezed(value):
        return hub.description
    if name == "reminders":
        return _with_nearest(value, hub.reminders)
    return value


def _with_nearest(value: tuple[Reminder, ...], hub: tuple[Reminder, ...]) -> tuple[Reminder, ...]:
    """The new nearest alarm instead of the old one; farther ones and e-mails stay, an alarm turned off takes all of its kind."""
    emails = {reminder for reminder in hub if reminder.method != "DISPLAY"}
    if not value:
        return tuple(sorted(emails))
    old = _nearest(hub)
    farther = {
        reminder
        for reminder in hub
        if reminder.method == "DISPLAY" and reminder not in old and reminder.minutes > value[0].minutes
    }
    return tuple(sorted({*value, *farther, *emails}))


def updated(event: Mapping[str, Any]) -> dt.datetime:
    """When the service last saw a change (X-33)."""
    text = event.get("lastModifiedDateTime") or event.get("createdDateTime") or "1970-01-01T00:00:00Z"
    return dt.datetime.fromisoformat(text[:19]).replace(tzinfo=dt.UTC)
