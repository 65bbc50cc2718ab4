"""Events over the API: lists, views, single events, and the actions on them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from bridge.sandbox.graph import odata, paging, properties, zones
from bridge.sandbox.graph.calls import Answer, Call, only
from bridge.sandbox.graph.delta import Window
from bridge.sandbox.graph.errors import invalid, unreadable, unsupported_query
from bridge.sandbox.graph.events import Item

LONGEST_VIEW = dt.timedelta(days=1825)
_LIST = ("$select", "$expand", "$filter", "$orderby", "$top", "$skip", "$count", "$skiptoken")
_WINDOW = ("startDateTime", "endDateTime")


def list_events(call: Call, calendar: str | None = None) -> Answer:
    """Single events and series masters, not occurrences (M-13)."""
    number = call.calendar(calendar).number
    return _listed(call, [Item(event) for event in call.box.in_calendar(number)], allowed=_LIST)


def create_event(call: Call, calendar: str | None = None) -> Answer:
    """A new event; organised by the mailbox's person whatever the body says (M-54)."""
    number = call.calendar(calendar).number
    made = call.desk.create(properties.check("event", call.json()), number)
    shown = call.reader.event(Item(made))
    place = f"{call.service.base_url}/v1.0/users/{call.box.person.id}/events/{shown['id']}"
    return Answer(201, _entity(call, "events", shown), {"Location": place})


def get_event(call: Call, event: str, calendar: str | None = None) -> Answer:
    """One event; what only a GET shows is asked for by $select or $expand (M-47, M-66)."""
    options = odata.read(call.values, allowed=("$select", "$expand"))
    item = call.item(event, calendar)
    return Answer(200, _entity(call, "events", call.reader.event(item, expand=options.expand, select=options.select)))


def update_event(call: Call, event: str, calendar: str | None = None) -> Answer:
    """PATCH: only what the body names changes."""
    item = call.item(event, calendar)
    call.check_version(item)
    changed = call.desk.update(item, properties.check("event", call.json()))
    return Answer(200, _entity(call, "events", call.reader.event(changed)))


def delete_event(call: Call, event: str, calendar: str | None = None) -> Answer:
    """An event, a series, or one occurrence of it (M-35, M-49)."""
    item = call.item(event, calendar)
    call.check_version(item)
    call.desk.delete(item)
    return Answer(204)


def calendar_view(call: Call, calendar: str | None = None) -> Answer:
    """Single events, occurrences and exceptions, never masters (M-13)."""
    start, end = _window(call)
    number = call.calendar(calendar).number
    found = [
        item
        for event in call.box.in_calendar(number)
        for item in ([Item(event, day) for day in event.days(start, end)] if event.recurrence else [Item(event)])
        if event.recurrence or event.touches(start, end)
    ]
    found.sort(key=lambda item: item.span.starts_at)
    return _listed(call, found, allowed=(*_LIST, *_WINDOW), unselectable=("createdDateTime", "lastModifiedDateTime"))


def instances(call: Call, event: str, calendar: str | None = None) -> Answer:
    """The occurrences and exceptions of a series in a window (M-14)."""
    start, end = _window(call)
    master = call.item(event, calendar)
    if master.day is not None or master.event.recurrence is None:
        raise invalid("Your request can't be completed. The event is not a series master.")
    found = [Item(master.event, day) for day in master.event.days(start, end)]
    return _listed(call, found, allowed=(*_LIST, *_WINDOW))


def delta(call: Call, calendar: str | None = None) -> Answer:
    """A round of changes, page by page (M-19…M-28)."""
    values, number = call.values, call.calendar(calendar).number
    for name, given in values.items():
        if name not in (*_WINDOW, "$deltatoken", "$skiptoken") or len(given) > 1:
            raise unsupported_query(
                f"The query parameter '{name}' is not supported with change tracking over 'calendarView'."
            )
    switches = call.service.switches
    how = {"masters": switches.delta_masters, "oddities": switches.delta_oddities}
    token = next((values[name][0] for name in ("$deltatoken", "$skiptoken") if name in values), None)
    if token is None:
        start, end = _window(call)
        window = Window(call.box.person.number, number, start, end)
        position = call.service.deltas.begin(call.box, window, **how)
    elif set(values) & set(_WINDOW):
        raise unsupported_query("startDateTime and endDateTime are part of the continuation token.")
    else:
        position = call.service.deltas.resume(call.box, number, token, **how)
    page = call.service.deltas.page(
        call.reader, position, call.prefer.page_size or odata.DEFAULT_PAGE, oddities=switches.delta_oddities
    )
    body: dict[str, Any] = {"@odata.context": _context(call, "Collection(event)"), "value": page.value}
    if page.skip_token:
        body["@odata.nextLink"] = call.link(f"$skiptoken={page.skip_token}")
    else:
        body["@odata.deltaLink"] = call.link(f"$deltatoken={page.delta_token}")
    return Answer(200, body)


def answer(verb: str) -> Callable[..., Answer]:
    """Accept, tentativelyAccept or decline (M-57)."""

    def act(call: Call, event: str, calendar: str | None = None) -> Answer:
        known = ("comment", "sendResponse") if verb == "accept" else ("comment", "sendResponse", "proposedNewTime")
        given = only(call.body or {}, *known)
        if not isinstance(given.get("sendResponse", True), bool):
            raise unreadable("Cannot convert the literal of 'sendResponse' to the expected type 'Edm.Boolean'.")
        if given.get("proposedNewTime"):
            properties.check("timeSlot", given["proposedNewTime"])
        item = call.item(event, calendar)
        call.desk.answer(item, verb, given)
        if verb == "decline" and call.service.switches.decline_removes:
            call.box.remove(item.event)
        return Answer(202)

    return act


def cancel(call: Call, event: str, calendar: str | None = None) -> Answer:
    """The organizer's alone (M-58)."""
    only(call.body or {}, "comment")
    call.desk.cancel(call.item(event, calendar))
    return Answer(202)


def forward(call: Call, event: str, calendar: str | None = None) -> Answer:
    """To further people (M-58)."""
    given = only(call.json(), "comment", "toRecipients")
    recipients = [properties.check("recipient", one) for one in given.get("toRecipients") or []]
    addresses = [(one.get("emailAddress") or {}).get("address", "") for one in recipients]
    call.desk.forward(call.item(event, calendar), [address for address in addresses if address])
    return Answer(202)


def dismiss_reminder(call: Call, event: str, calendar: str | None = None) -> Answer:
    """The reminder goes off no more (M-62)."""
    call.desk.remind(call.item(event, calendar), on=False)
    return Answer(202)


def snooze_reminder(call: Call, event: str, calendar: str | None = None) -> Answer:
    """Later (M-62)."""
    given = only(call.json(), "newReminderTime")
    if not given.get("newReminderTime"):
        raise invalid("The parameter 'newReminderTime' is required.")
    when = properties.check("dateTimeTimeZone", given["newReminderTime"])
    zones.to_wall(when.get("dateTime") or "", "newReminderTime")
    zones.windows_name(when.get("timeZone") or "")
    call.desk.remind(call.item(event, calendar), on=True)
    return Answer(202)


def permanently_delete(call: Call, event: str, calendar: str | None = None) -> Answer:
    """Without a stay in Deleted Items (M-35)."""
    call.desk.delete(call.item(event, calendar))
    return Answer(204)


def _listed(call: Call, items: list[Item], *, allowed: Iterable[str], unselectable: Iterable[str] = ()) -> Answer:
    """One page of a collection (M-16)."""
    values = call.values
    options = odata.read({name: given for name, given in values.items() if name not in _WINDOW}, allowed=allowed)
    if refused := set(options.select) & set(unselectable):
        raise unsupported_query(f"$select of {', '.join(sorted(refused))} is not supported on calendarView.")
    if options.filter:
        items = [item for item in items if options.filter(item)]
    items = odata.sorted_by(items, options.order)
    shown, link = paging.page(call, items, options)
    body: dict[str, Any] = {"@odata.context": _context(call, "Collection(event)")}
    if options.count:
        body["@odata.count"] = len(items)
    body["value"] = [call.reader.event(item, expand=options.expand, select=options.select) for item in shown]
    return Answer(200, body | link)


def _window(call: Call) -> tuple[dt.datetime, dt.datetime]:
    """Both ends are required; the offset inside them counts (M-14), and the span is limited (M-15)."""
    values = call.values
    for name in _WINDOW:
        if name not in values:
            raise invalid(
                "This request requires a time window specified by the query string parameters StartDateTime and EndDateTime."
            )
    start, end = (zones.parse_instant(values[name][0], name) for name in _WINDOW)
    if end < start:
        raise invalid("The end of the time window is before its start.", "ErrorInvalidParameter")
    if end - start > LONGEST_VIEW:
        raise invalid("The requested time window is too long. Maximum number of days: 1825.")
    return start, end


def _context(call: Call, what: str) -> str:
    return f"{call.service.base_url}/v1.0/$metadata#{what}"


def _entity(call: Call, what: str, shown: dict[str, Any]) -> dict[str, Any]:
    return {"@odata.context": _context(call, f"users('{call.box.person.id}')/{what}/$entity"), **shown}


def without_bodies(result: Answer) -> Answer:
    """What Calendars.ReadBasic may not see (M-10)."""
    hidden = ("body", "bodyPreview", "singleValueExtendedProperties")

    def cut(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: cut(one) for name, one in value.items() if name not in hidden}
        return [cut(one) for one in value] if isinstance(value, list) else value

    return replace(result, body=cut(result.body))
