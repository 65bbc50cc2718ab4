"""Everything of a mailbox that is not an event: the person, calendars, zones, free/busy, subscriptions."""

from __future__ import annotations

from typing import Any

from bridge.sandbox.graph import freebusy, ids, odata, properties, views, zones
from bridge.sandbox.graph.calls import Answer, Call, only
from bridge.sandbox.graph.errors import GraphError, invalid
from bridge.sandbox.graph.subscriptions import handshake

_READABLE = ("id", "displayName", "givenName", "surname", "mail", "userPrincipalName", "businessPhones", "jobTitle",
             "mobilePhone", "officeLocation", "preferredLanguage")  # fmt: skip


def get_user(call: Call) -> Answer:
    """The mailbox's person."""
    shown = views.user(call.box.person)
    names = [name.strip() for value in call.values.get("$select", []) for name in value.split(",")]
    odata.read({name: given for name, given in call.values.items() if name != "$select"}, allowed=())
    if unknown := set(names) - set(_READABLE):
        raise GraphError(
            400, "BadRequest", f"Could not find a property named '{min(unknown)}' on type 'microsoft.graph.user'."
        )
    return Answer(200, {name: value for name, value in shown.items() if not names or name in names})


def mailbox_settings(call: Call) -> Answer:
    """The zone of the mailbox, and what comes with it."""
    zone = call.box.person.zone
    return Answer(
        200,
        {
            "archiveFolder": None,
            "timeZone": zone,
            "delegateMeetingMessageDeliveryOptions": "sendToDelegateOnly",
            "dateFormat": "yyyy-MM-dd",
            "timeFormat": "HH:mm",
            "userPurpose": "user",
            "language": {"locale": "en-US", "displayName": "English (United States)"},
            "workingHours": freebusy.working_hours(zone),
        },
    )


def supported_time_zones(call: Call, standard: str = "Windows") -> Answer:
    """Windows names, or the IANA names that are taken (M-37)."""
    if standard not in ("Windows", "Iana"):
        raise invalid(f"'{standard}' is not a timeZoneStandard.")
    odata.read(call.values, allowed=())
    names = zones.iana_names() if standard == "Iana" else zones.windows_names()
    return Answer(200, {"value": [{"alias": name, "displayName": name} for name in names]})


def list_groups(call: Call) -> Answer:
    """The one group that every mailbox has (M-11)."""
    number = call.box.person.number
    group = {
        "id": call.service.ids.encode(ids.Reference("group", number, 1)),
        "name": "My Calendars",
        "classId": "0006f0b7-0000-0000-c000-000000000046",
        "changeKey": ids.change_key(number, 1),
    }
    return Answer(200, {"value": [group]})


def list_calendars(call: Call, group: str | None = None) -> Answer:
    """All calendars of the mailbox; there is no delta for them (M-12)."""
    if group is not None and call.service.ids.decode(group).kind != "group":
        raise GraphError(404, "ErrorItemNotFound", "The specified object was not found in the store.")
    options = odata.read(call.values, allowed=("$select", "$top", "$skip", "$count"), type_name="calendar")
    found = list(call.box.calendars.values())
    size = options.top or call.prefer.page_size or odata.DEFAULT_PAGE
    shown = [_cut(call.reader.calendar(each), options.select) for each in found[options.skip : options.skip + size]]
    body: dict[str, Any] = {"@odata.count": len(found)} if options.count else {}
    body["value"] = shown
    if options.skip + size < len(found):
        rest = "".join(f"&{name}={given[0]}" for name, given in call.values.items() if name != "$skip")
        body["@odata.nextLink"] = call.link(f"$skip={options.skip + size}{rest}")
    return Answer(200, body)


def create_calendar(call: Call, group: str | None = None) -> Answer:
    """A name is all it takes (M-11)."""
    del group
    given = properties.check("calendar", call.json())
    name = _name(call, given.get("name"))
    return Answer(201, call.reader.calendar(call.box.add_calendar(name, given.get("color", "auto"))))


def get_calendar(call: Call, calendar: str | None = None) -> Answer:
    """One calendar."""
    options = odata.read(call.values, allowed=("$select",), type_name="calendar")
    return Answer(200, _cut(call.reader.calendar(call.calendar(calendar)), options.select))


def update_calendar(call: Call, calendar: str | None = None) -> Answer:
    """Name and colour."""
    found, given = call.calendar(calendar), properties.check("calendar", call.json())
    if "name" in given and given["name"] != found.name:
        found.name = _name(call, given["name"])
    found.color = given.get("color", found.color)
    call.box.revision += 1
    found.revision = call.box.revision
    return Answer(200, call.reader.calendar(found))


def delete_calendar(call: Call, calendar: str) -> Answer:
    """With all its events; the default calendar stays."""
    found = call.calendar(calendar)
    if found.number == 1:
        raise GraphError(403, "ErrorDeleteDistinguishedFolder", "Distinguished folders cannot be deleted.")
    call.box.drop_calendar(found)
    return Answer(204)


def get_schedule(call: Call, calendar: str | None = None) -> Answer:
    """Free/busy of several people (M-82)."""
    call.calendar(calendar)
    given = only(call.json(), "schedules", "startTime", "endTime", "availabilityViewInterval")
    people = {person.address.lower(): person for person in call.service.people()}
    return Answer(200, {"value": freebusy.schedules(given, people, call.service.box, call.prefer)})


def translate_ids(call: Call) -> Answer:
    """Default ids into immutable ones or back (M-30)."""
    given = only(call.json(), "inputIds", "sourceIdType", "targetIdType")
    kinds = ("restId", "restImmutableEntryId")
    if given.get("sourceIdType") not in kinds or given.get("targetIdType") not in kinds:
        raise invalid(f"The id types that can be translated here are {', '.join(kinds)}.")
    wanted = given.get("inputIds")
    if not isinstance(wanted, list) or len(wanted) > 1000:
        raise invalid("inputIds is a collection of at most 1000 ids.")
    value = []
    for source in wanted:
        item = call.item(source)
        placement = item.event.placement if given["targetIdType"] == "restId" else None
        reference = call.service.ids.decode(source)
        target = ids.Reference(reference.kind, reference.mailbox, reference.number, placement, reference.day)
        value.append({"sourceId": source, "targetId": call.service.ids.encode(target)})
    return Answer(200, {"value": value})


def list_subscriptions(call: Call) -> Answer:
    """This app's, for this person."""
    found = call.service.subscriptions.active(call.box.person)
    return Answer(200, {"value": [each.view() for each in found if each.app == call.access.app]})


def create_subscription(call: Call) -> Answer:
    """The receiver is validated first (M-71). The lock is let go meanwhile: the receiver may call back."""
    given = properties.check("subscription", call.json())
    service = call.service
    with service.lock:
        calendar = service.resource_calendar(given.get("resource") or "", call)
        made = service.subscriptions.prepare(
            given, call.box.person, call.access.app, calendar=calendar, immutable=call.prefer.immutable
        )
    handshake(made.url)
    if made.lifecycle_url:
        handshake(made.lifecycle_url)
    with service.lock:
        return Answer(201, service.subscriptions.keep(made).view())


def get_subscription(call: Call, subscription: str) -> Answer:
    """One subscription."""
    return Answer(200, call.service.subscriptions.get(call.box.person, subscription).view())


def renew_subscription(call: Call, subscription: str) -> Answer:
    """A later end (M-74)."""
    found = call.service.subscriptions.get(call.box.person, subscription)
    given = properties.check("subscription", call.json())
    return Answer(200, call.service.subscriptions.renew(found, given).view())


def delete_subscription(call: Call, subscription: str) -> Answer:
    """It ends."""
    call.service.subscriptions.drop(call.service.subscriptions.get(call.box.person, subscription))
    return Answer(204)


def reauthorize_subscription(call: Call, subscription: str) -> Answer:
    """The answer to reauthorizationRequired (M-75)."""
    call.service.subscriptions.get(call.box.person, subscription)
    return Answer(204)


def _name(call: Call, name: str | None) -> str:
    if not name:
        raise invalid("The property 'name' is required.")
    if any(each.name.lower() == name.lower() for each in call.box.calendars.values()):
        raise GraphError(409, "ErrorFolderExists", "A folder with the specified name already exists.")
    return name


def _cut(shown: dict[str, Any], select: tuple[str, ...]) -> dict[str, Any]:
    return {name: value for name, value in shown.items() if not select or name in (*select, "id")}
