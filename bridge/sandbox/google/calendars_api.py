"""The methods of the API that concern calendars, lists, access, colours, settings, free-busy and channels."""

from __future__ import annotations

from typing import Any

from bridge.sandbox.google import calendars, freebusy, palette
from bridge.sandbox.google.call import Call, Handler
from bridge.sandbox.google.errors import not_found
from bridge.sandbox.google.view import etag

JsonObject = dict[str, Any]


def _list_entries(call: Call) -> JsonObject:
    page = calendars.page(call.state, call.google.list_walks, call.person, call.params)
    found: JsonObject = {
        "kind": "calendar#calendarList",
        "etag": etag(call.person.journal.revision),
        "items": [calendars.entry_resource(call.state, call.person, entry) for entry in page.items],
    }
    if page.next_page_token:
        found["nextPageToken"] = page.next_page_token
    elif page.next_sync_token:
        found["nextSyncToken"] = page.next_sync_token
    return found


def _get_entry(call: Call) -> JsonObject:
    return calendars.entry_resource(call.state, call.person, calendars.entry(call.person, call.params["calendarId"]))


def _insert_entry(call: Call) -> JsonObject:
    entry = calendars.subscribe(call.state, call.person, call.body, rgb=call.params.get("colorRgbFormat", False))
    return calendars.entry_resource(call.state, call.person, entry)


def _change_entry(call: Call) -> JsonObject:
    entry = calendars.entry(call.person, call.params["calendarId"])
    calendars.change_entry(call.state, call.person, entry, call.body, rgb=call.params.get("colorRgbFormat", False))
    return calendars.entry_resource(call.state, call.person, entry)


def _delete_entry(call: Call) -> None:
    calendars.unsubscribe(call.state, call.person, calendars.entry(call.person, call.params["calendarId"]))


def _get_calendar(call: Call) -> JsonObject:
    return calendars.resource(call.calendar("freeBusyReader"))


def _insert_calendar(call: Call) -> JsonObject:
    return calendars.resource(calendars.insert(call.state, call.person, call.body))


def _patch_calendar(call: Call) -> JsonObject:
    return calendars.resource(calendars.change(call.state, call.calendar("owner"), call.body, whole=False))


def _update_calendar(call: Call) -> JsonObject:
    return calendars.resource(calendars.change(call.state, call.calendar("owner"), call.body, whole=True))


def _delete_calendar(call: Call) -> None:
    calendars.delete(call.state, call.calendar("owner"))


def _clear_calendar(call: Call) -> None:
    calendars.clear(call.state, call.calendar("owner"))


def _list_rules(call: Call) -> JsonObject:
    calendar = call.calendar("owner")
    people = [who for who, role in calendar.acl.items() if role != "none" or call.params.get("showDeleted")]
    rules = [calendars.rule_resource(calendar, who) for who in people]
    return {"kind": "calendar#acl", "etag": etag(calendar.etag), "items": rules}


def _get_rule(call: Call) -> JsonObject:
    calendar = call.calendar("owner")
    return calendars.rule_resource(calendar, calendars.who_of_rule(calendar, call.params["ruleId"]))


def _insert_rule(call: Call) -> JsonObject:
    calendar = call.calendar("owner")
    who = calendars.share_by_rule(call.state, calendar, call.body)
    _mail_share(call, who)
    return calendars.rule_resource(calendar, who)


def _change_rule(call: Call) -> JsonObject:
    calendar = call.calendar("owner")
    who = calendars.who_of_rule(calendar, call.params["ruleId"])
    calendars.share(call.state, calendar, who, call.body.get("role", calendar.acl[who]))
    _mail_share(call, who)
    return calendars.rule_resource(calendar, who)


def _delete_rule(call: Call) -> None:
    calendar = call.calendar("owner")
    calendars.share(call.state, calendar, calendars.who_of_rule(calendar, call.params["ruleId"]), "none")


def _mail_share(call: Call, who: str) -> None:
    if call.params.get("sendNotifications", True) and who != "default":  # G-24: on unless refused
        call.google.meter.mail(who, "sharing", "")


def _colors(_call: Call) -> JsonObject:
    return palette.colors()


def _list_settings(call: Call) -> JsonObject:
    items = [_setting(id, value) for id, value in calendars.settings(call.person).items()]
    return {"kind": "calendar#settings", "etag": etag(0), "items": items}


def _get_setting(call: Call) -> JsonObject:
    known = calendars.settings(call.person)
    if call.params["setting"] not in known:
        raise not_found()
    return _setting(call.params["setting"], known[call.params["setting"]])


def _setting(id: str, value: str) -> JsonObject:
    return {"kind": "calendar#setting", "etag": etag(0), "id": id, "value": value}


def _freebusy(call: Call) -> JsonObject:
    return freebusy.query(call.state, call.person, call.body)


def _watch_list(call: Call) -> JsonObject:
    return call.google.channels.watch(
        call.body,
        resource=f"calendarList/{call.person.email}",
        uri=f"{call.google.base_url}/calendar/v3/users/me/calendarList?alt=json",
        person=call.person.email,
        client_id=call.client_id,
    )


def _stop(call: Call) -> None:
    call.google.channels.stop(call.body, person=call.person.email, client_id=call.client_id)


HANDLERS: dict[str, Handler] = {
    "calendar.calendarList.list": _list_entries,
    "calendar.calendarList.get": _get_entry,
    "calendar.calendarList.insert": _insert_entry,
    "calendar.calendarList.patch": _change_entry,
    "calendar.calendarList.update": _change_entry,
    "calendar.calendarList.delete": _delete_entry,
    "calendar.calendarList.watch": _watch_list,
    "calendar.calendars.get": _get_calendar,
    "calendar.calendars.insert": _insert_calendar,
    "calendar.calendars.patch": _patch_calendar,
    "calendar.calendars.update": _update_calendar,
    "calendar.calendars.delete": _delete_calendar,
    "calendar.calendars.clear": _clear_calendar,
    "calendar.acl.list": _list_rules,
    "calendar.acl.get": _get_rule,
    "calendar.acl.insert": _insert_rule,
    "calendar.acl.patch": _change_rule,
    "calendar.acl.update": _change_rule,
    "calendar.acl.delete": _delete_rule,
    "calendar.colors.get": _colors,
    "calendar.settings.list": _list_settings,
    "calendar.settings.get": _get_setting,
    "calendar.freebusy.query": _freebusy,
    "calendar.channels.stop": _stop,
}
