"""The methods of the API that concern events."""

from __future__ import annotations

from typing import Any

from bridge.sandbox.google import listing, series
from bridge.sandbox.google.call import Call, Handler
from bridge.sandbox.google.errors import ApiError
from bridge.sandbox.google.state import Calendar, Event
from bridge.sandbox.google.times import stamp
from bridge.sandbox.google.view import Instance, etag, resource

JsonObject = dict[str, Any]


def _shown(call: Call, calendar: Calendar, item: Event | Instance) -> JsonObject:
    return resource(calendar, item, call.lens(calendar))


def _collection(call: Call, calendar: Calendar, page: listing.Page) -> JsonObject:
    """An Events resource (G-42)."""
    lens = call.lens(calendar)
    entry = call.person.calendars.get(calendar.id)
    found: JsonObject = {
        "kind": "calendar#events",
        "etag": etag(calendar.etag),
        "summary": calendar.summary,
        "updated": stamp(calendar.updated),
        "timeZone": calendar.zone,
        "accessRole": calendar.role(call.person.email),
        "defaultReminders": entry.settings["defaultReminders"] if entry else [],
        "items": [resource(calendar, item, lens) for item in page.items],
    }
    if "description" in calendar.details:
        found["description"] = calendar.details["description"]
    if page.next_page_token:
        found["nextPageToken"] = page.next_page_token
    elif page.next_sync_token:
        found["nextSyncToken"] = page.next_sync_token
    return found


def _list(call: Call) -> JsonObject:
    calendar = call.calendar()
    return _collection(call, calendar, listing.page_of_events(call.state, call.google.walks, calendar, call.params))


def _instances(call: Call) -> JsonObject:
    calendar = call.calendar()
    master = series.find(calendar, call.params["eventId"])
    if isinstance(master, Instance) or master.master_id:
        raise ApiError(400, "invalid", "The event is no recurring event.", location="eventId")
    page = listing.page_of_instances(call.state, call.google.walks, calendar, master, call.params)
    return _collection(call, calendar, page)


def _get(call: Call) -> JsonObject:
    calendar = call.calendar()
    return _shown(call, calendar, series.find(calendar, call.params["eventId"]))


def _insert(call: Call) -> JsonObject:
    writer = call.writer()
    return _shown(call, writer.calendar, writer.insert(call.body))


def _import(call: Call) -> JsonObject:
    writer = call.writer()
    return _shown(call, writer.calendar, writer.import_event(call.body))


def _update(call: Call) -> JsonObject:
    writer = call.writer()
    return _shown(call, writer.calendar, writer.update(call.params["eventId"], call.body, call.if_match))


def _patch(call: Call) -> JsonObject:
    writer = call.writer()
    return _shown(call, writer.calendar, writer.patch(call.params["eventId"], call.body, call.if_match))


def _delete(call: Call) -> None:
    call.writer().delete(call.params["eventId"], call.if_match)


def _move(call: Call) -> JsonObject:
    destination = call.state.calendar(call.params["destination"], call.person, role="writer")
    return _shown(call, destination, call.writer().move(call.params["eventId"], destination))


def _watch(call: Call) -> JsonObject:
    calendar = call.calendar()
    if not calendar.watchable:
        message = "Push notifications are not supported by this resource."
        raise ApiError(400, "pushNotSupportedForRequestedResource", message)  # G-87
    return call.google.channels.watch(
        call.body,
        resource=f"events/{calendar.id}",
        uri=f"{call.google.base_url}/calendar/v3/calendars/{calendar.id}/events?alt=json",
        person=call.person.email,
        client_id=call.client_id,
    )


HANDLERS: dict[str, Handler] = {
    "calendar.events.list": _list,
    "calendar.events.instances": _instances,
    "calendar.events.get": _get,
    "calendar.events.insert": _insert,
    "calendar.events.import": _import,
    "calendar.events.update": _update,
    "calendar.events.patch": _patch,
    "calendar.events.delete": _delete,
    "calendar.events.move": _move,
    "calendar.events.watch": _watch,
}
