"""Events and calendars as Graph shows them: the JSON of one reader with his preferences (M-18)."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from bridge.sandbox.graph import bodies, fields, ids, zones
from bridge.sandbox.graph.errors import invalid
from bridge.sandbox.graph.events import Item
from bridge.sandbox.graph.mailbox import Calendar, Event, Mailbox, Person
from bridge.sandbox.graph.odata import Expand

_PREFERENCE = re.compile(r'\s*([A-Za-z.\-]+)\s*(?:=\s*(?:"([^"]*)"|([^,;"\s]+)))?\s*(?:[,;]|$)')
_HEX = {
    "auto": "", "lightBlue": "#a6d1f5", "lightGreen": "#87d28e", "lightOrange": "#fcab73", "lightGray": "#c0c0c0",
    "lightYellow": "#f1d952", "lightTeal": "#5ecfcb", "lightPink": "#f8b0c7", "lightBrown": "#c7a99b",
    "lightRed": "#f88c7f", "maxColor": "",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Preferences:
    """The Prefer header as it was understood; ``applied`` is what goes into Preference-Applied."""

    zone: str = "UTC"
    zone_name: str = "UTC"
    text: bool = False
    page_size: int | None = None
    immutable: bool = False
    applied: tuple[str, ...] = ()


def preferences(header: str) -> Preferences:
    """Read a Prefer header; several may be combined with commas or repeated. What is unknown is not applied."""
    found = Preferences()
    applied = []
    for name, quoted, bare in _PREFERENCE.findall(header):
        value = quoted or bare
        match name.lower():
            case "outlook.timezone":
                found = replace(found, zone=zones.windows_name(value), zone_name=value)
                applied.append(f'outlook.timezone="{value}"')
            case "outlook.body-content-type" if value.lower() in ("text", "html"):
                found = replace(found, text=value.lower() == "text")
                applied.append(f'outlook.body-content-type="{value}"')
            case "odata.maxpagesize":
                if not value.isdigit() or not int(value):
                    raise invalid(f"'{value}' is not a page size.")
                found = replace(found, page_size=int(value))
                applied.append(f"odata.maxpagesize={value}")
            case "idtype" if value == "ImmutableId":
                found = replace(found, immutable=True)
                applied.append('IdType="ImmutableId"')
            case _:
                pass
    return replace(found, applied=tuple(applied))


@dataclass(frozen=True, slots=True)
class Reader:
    """Shows the items of one mailbox to one request."""

    box: Mailbox
    ids: ids.Ids
    prefer: Preferences
    root: str

    def event_id(self, number: int, placement: int, day: dt.date | None = None, *, modified: bool = False) -> str:
        """The id of an event or occurrence in the form this reader asked for (M-30)."""
        kind: ids.Kind = "event" if day is None else "exception" if modified else "occurrence"
        given = None if self.prefer.immutable else placement
        return self.ids.encode(ids.Reference(kind, self.box.person.number, number, given, day))

    def id_of(self, item: Item) -> str:
        """The id of an item."""
        return self.event_id(item.event.number, item.event.placement, item.day, modified=item.modified)

    def calendar_id(self, number: int) -> str:
        """Calendar ids never change, whatever is preferred (M-30)."""
        return self.ids.encode(ids.Reference("calendar", self.box.person.number, number))

    def event(self, item: Item, *, expand: Iterable[Expand] = (), select: Iterable[str] = ()) -> dict[str, Any]:
        """The whole event, cut to ``select`` if that names anything."""
        event, kept, span, select = item.event, item.fields, item.span, tuple(select)
        person = self.box.person
        shown = self._head(event) | {"id": self.id_of(item)}
        shown |= {
            "createdDateTime": zones.instant_text(event.created),
            "lastModifiedDateTime": zones.instant_text(event.modified),
            "changeKey": self.change_key(event),
            "categories": kept["categories"],
            **({"transactionId": event.transaction_id} if event.transaction_id else {}),
            "originalStartTimeZone": span.start_zone,
            "originalEndTimeZone": span.end_zone,
            "iCalUId": _occurrence_uid(event, item.day),
            "reminderMinutesBeforeStart": kept["reminderMinutesBeforeStart"],
            "isReminderOn": kept["isReminderOn"],
            "hasAttachments": False,
            "subject": kept["subject"],
            "bodyPreview": bodies.preview(kept["body"]),
            "importance": kept["importance"],
            "sensitivity": kept["sensitivity"],
            "isAllDay": span.all_day,
            "isCancelled": kept["isCancelled"],
            "isOrganizer": event.own,
            "responseRequested": kept["responseRequested"],
            "seriesMasterId": self.event_id(event.number, event.placement) if item.day else None,
            "showAs": kept["showAs"],
            "type": type_of(item),
            "webLink": f"{self.root.removesuffix('/v1.0')}/owa/?itemid={self.id_of(item)}&exvsurl=1&path=/calendar/item",
            "onlineMeetingUrl": None,
            "isOnlineMeeting": kept["isOnlineMeeting"],
            "onlineMeetingProvider": kept["onlineMeetingProvider"],
            "allowNewTimeProposals": kept["allowNewTimeProposals"],
            "isDraft": False,
            "hideAttendees": kept["hideAttendees"],
            "recurrence": event.recurrence.view() if event.recurrence and item.day is None else None,
            **self.original_start(item),
            "responseStatus": dict(zip(("response", "time"), kept["response"], strict=True)),
            "body": self._body(kept["body"]),
            **self.times(item),
            "location": kept["location"],
            "locations": kept["locations"],
            "attendees": kept["attendees"],
            "organizer": {"emailAddress": kept["organizer"] or {"name": person.name, "address": person.address}},
            "onlineMeeting": kept["onlineMeeting"],
        }
        if event.recurrence and item.day is None and "cancelledOccurrences" in select:
            shown["cancelledOccurrences"] = [
                f"OID.{self.id_of(item)}.{day.isoformat()}" for day in sorted(event.cancelled)
            ]  # M-47
        if select:
            wanted = {*select, "id", "@odata.etag"}
            shown = {name: value for name, value in shown.items() if name in wanted}
        for each in expand:
            shown |= self._expanded(item, each)
        return shown

    def brief(self, item: Item) -> dict[str, Any]:
        """An occurrence in a delta round: nothing but its place in the series (M-24)."""
        return {
            "@odata.type": "#microsoft.graph.event",
            **self._head(item.event),
            "seriesMasterId": self.event_id(item.event.number, item.event.placement),
            "type": type_of(item),
            "id": self.id_of(item),
            **self.times(item),
        }

    def times(self, item: Item) -> dict[str, Any]:
        """Start and end in the preferred zone; all-day ones are midnight to midnight in any zone (M-36, M-40)."""
        span = item.span
        name, zone = self.prefer.zone_name, self.prefer.zone
        walls = (
            (span.start, span.end)
            if span.all_day
            else (zones.wall_in(span.starts_at, zone), zones.wall_in(span.ends_at, zone))
        )
        return {
            part: {"dateTime": zones.seven_digits(wall), "timeZone": name}
            for part, wall in zip(("start", "end"), walls, strict=True)
        }

    def original_start(self, item: Item) -> dict[str, Any]:
        """Where the rule alone puts an occurrence, in UTC; singles and masters have none (M-48)."""
        if item.day is None:
            return {}
        regular = item.event.span.on(item.day)
        at = regular.start.replace(tzinfo=dt.UTC) if regular.all_day else regular.starts_at
        return {"originalStart": zones.instant_text(at)}

    def change_key(self, event: Event) -> str:
        """Its changeKey (M-31)."""
        return ids.change_key(self.box.person.number, event.revision)

    def calendar(self, calendar: Calendar) -> dict[str, Any]:
        """A calendar (M-11)."""
        person = self.box.person
        default = calendar.number == 1
        return {
            "id": self.calendar_id(calendar.number),
            "name": calendar.name,
            "color": calendar.color,
            "hexColor": _HEX[calendar.color],
            "isDefaultCalendar": default,
            "changeKey": ids.change_key(person.number, calendar.revision),
            "canShare": True,
            "canViewPrivateItems": True,
            "canEdit": True,
            "allowedOnlineMeetingProviders": ["teamsForBusiness"],
            "defaultOnlineMeetingProvider": "teamsForBusiness",
            "isTallyingResponses": default,
            "isRemovable": not default,
            "owner": {"name": person.name, "address": person.address},
        }

    def _head(self, event: Event) -> dict[str, Any]:
        return {"@odata.etag": ids.etag(self.change_key(event))}

    def _body(self, stored: str) -> dict[str, Any]:
        if self.prefer.text:
            return {"contentType": "text", "content": bodies.as_text(stored)}
        return {"contentType": "html", "content": stored}

    def _expanded(self, item: Item, wanted: Expand) -> Mapping[str, Any]:
        event = item.event
        match wanted.name:
            case "singleValueExtendedProperties":  # only those asked for by id, and absent if there are none (M-66)
                kept = item.fields["extended"]
                found = [
                    {"id": kept[key][0], "value": kept[key][1]}
                    for key in map(fields.extended_key, wanted.property_ids)
                    if key in kept
                ]
                return {"singleValueExtendedProperties": found} if found else {}
            case "exceptionOccurrences":  # M-47
                days = sorted(event.exceptions) if item.day is None else []
                return (
                    {"exceptionOccurrences": [self.event(Item(event, day)) for day in days]} if event.recurrence else {}
                )
            case "calendar":
                return {"calendar": self.calendar(self.box.calendars[event.calendar])}
            case _:
                return {wanted.name: []}


def type_of(item: Item) -> str:
    """The event's type (M-48)."""
    if item.day is not None:
        return "exception" if item.modified else "occurrence"
    return "seriesMaster" if item.event.recurrence else "singleInstance"


def user(person: Person) -> dict[str, Any]:
    """The person as a directory user."""
    given, _, surname = person.name.partition(" ")
    return {
        "id": person.id,
        "displayName": person.name,
        "givenName": given,
        "surname": surname or None,
        "mail": person.address,
        "userPrincipalName": person.address,
        "businessPhones": [],
        "jobTitle": None,
        "mobilePhone": None,
        "officeLocation": None,
        "preferredLanguage": None,
    }


def _occurrence_uid(event: Event, day: dt.date | None) -> str:
    """Each occurrence has an iCalUId of its own: the series' one with the day written into it (M-33)."""
    return (
        event.ical_uid
        if day is None
        else event.ical_uid[:32] + f"{day.year:04X}{day.month:02X}{day.day:02X}" + event.ical_uid[40:]
    )
