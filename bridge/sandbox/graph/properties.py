"""The property tables of the Graph types used here, and the check of a JSON body against them (M-80).

A name that a type does not have is refused, and so is a value of another type or outside its enum. The tables are our own
because the sandbox ships without the vendor's SDK; a test compares them with the SDK's generated models, so that they cannot
drift.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from bridge.sandbox.graph.errors import not_simulated, unreadable

Kind = Literal["string", "boolean", "int32", "double", "dateTime", "date", "enum", "object", "navigation", "absent"]

ENUMS: dict[str, tuple[str, ...]] = {
    "attendeeType": ("required", "optional", "resource"),
    "bodyType": ("text", "html"),
    "calendarColor": (
        "auto", "lightBlue", "lightGreen", "lightOrange", "lightGray", "lightYellow", "lightTeal", "lightPink",
        "lightBrown", "lightRed", "maxColor",
    ),
    "dayOfWeek": ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"),
    "eventType": ("singleInstance", "occurrence", "exception", "seriesMaster"),
    "freeBusyStatus": ("unknown", "free", "tentative", "busy", "oof", "workingElsewhere"),
    "importance": ("low", "normal", "high"),
    "locationType": (
        "default", "conferenceRoom", "homeAddress", "businessAddress", "geoCoordinates", "streetAddress", "hotel",
        "restaurant", "localBusiness", "postalAddress",
    ),
    "locationUniqueIdType": ("unknown", "locationStore", "directory", "private", "bing"),
    "onlineMeetingProviderType": ("unknown", "skypeForBusiness", "skypeForConsumer", "teamsForBusiness"),
    "recurrencePatternType": (
        "daily", "weekly", "absoluteMonthly", "relativeMonthly", "absoluteYearly", "relativeYearly",
    ),
    "recurrenceRangeType": ("endDate", "noEnd", "numbered"),
    "responseType": ("none", "organizer", "tentativelyAccepted", "accepted", "declined", "notResponded"),
    "sensitivity": ("normal", "personal", "private", "confidential"),
    "taskStatus": ("notStarted", "inProgress", "completed", "waitingOnOthers", "deferred"),
    "wellknownListName": ("none", "defaultList", "flaggedEmails", "unknownFutureValue"),
    "weekIndex": ("first", "second", "third", "fourth", "last"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Property:
    """One property of a type. ``of`` names its enum or complex type. Not ``writable``: taken in a body and ignored."""

    kind: Kind
    of: str = ""
    many: bool = False
    writable: bool = True
    nullable: bool = True


_TEXT = Property("string")
_FLAG = Property("boolean", nullable=False)
_NUMBER = Property("int32", nullable=False)
_DOUBLE = Property("double")


def _enum(name: str) -> Property:
    return Property("enum", name, nullable=False)


def _object(name: str, *, writable: bool = True) -> Property:
    return Property("object", name, writable=writable)


def _read(kind: Kind, of: str = "", *, many: bool = False) -> Property:
    return Property(kind, of, many=many, writable=False)


def _many(kind: Kind, of: str = "") -> Property:
    return Property(kind, of, many=True)


TYPES: dict[str, dict[str, Property]] = {
    "event": {
        "id": _read("string"),
        "changeKey": _read("string"),
        "createdDateTime": _read("dateTime"),
        "lastModifiedDateTime": _read("dateTime"),
        "categories": _many("string"),
        "transactionId": _TEXT,
        "originalStartTimeZone": _read("string"),
        "originalEndTimeZone": _read("string"),
        "originalStart": _read("dateTime"),
        "iCalUId": _read("string"),
        "reminderMinutesBeforeStart": _NUMBER,
        "isReminderOn": _FLAG,
        "hasAttachments": _read("boolean"),
        "subject": _TEXT,
        "body": _object("itemBody"),
        "bodyPreview": _read("string"),
        "importance": _enum("importance"),
        "sensitivity": _enum("sensitivity"),
        "start": _object("dateTimeTimeZone"),
        "end": _object("dateTimeTimeZone"),
        "location": _object("location"),
        "locations": _many("object", "location"),
        "isAllDay": _FLAG,
        "isCancelled": _read("boolean"),
        "isDraft": _read("boolean"),
        "isOrganizer": _read("boolean"),
        "recurrence": _object("patternedRecurrence"),
        "responseRequested": _FLAG,
        "responseStatus": _read("object", "responseStatus"),
        "seriesMasterId": _read("string"),
        "showAs": _enum("freeBusyStatus"),
        "type": _read("enum", "eventType"),
        "attendees": _many("object", "attendee"),
        "organizer": _read("object", "recipient"),
        "webLink": _read("string"),
        "onlineMeetingUrl": _read("string"),
        "onlineMeeting": _read("object", "onlineMeetingInfo"),
        "isOnlineMeeting": _FLAG,
        "onlineMeetingProvider": _enum("onlineMeetingProviderType"),
        "allowNewTimeProposals": _FLAG,
        "hideAttendees": _FLAG,
        "cancelledOccurrences": _read("string", many=True),
        "singleValueExtendedProperties": _many("object", "singleValueLegacyExtendedProperty"),
        "multiValueExtendedProperties": _many("navigation", "multiValueLegacyExtendedProperty"),
        "attachments": _many("navigation", "attachment"),
        "extensions": _many("navigation", "extension"),
        "calendar": Property("navigation", "calendar"),
        "instances": _many("navigation", "event"),
        "exceptionOccurrences": _many("navigation", "event"),
    },
    "calendar": {
        "id": _read("string"),
        "name": _TEXT,
        "color": _enum("calendarColor"),
        "hexColor": _read("string"),
        "changeKey": _read("string"),
        "canEdit": _read("boolean"),
        "canShare": _read("boolean"),
        "canViewPrivateItems": _read("boolean"),
        "isDefaultCalendar": Property("boolean", nullable=False),
        "isRemovable": _read("boolean"),
        "isTallyingResponses": _read("boolean"),
        "owner": _read("object", "emailAddress"),
        "allowedOnlineMeetingProviders": _read("enum", "onlineMeetingProviderType", many=True),
        "defaultOnlineMeetingProvider": _enum("onlineMeetingProviderType"),
        "events": _many("navigation", "event"),
        "calendarView": _many("navigation", "event"),
        "calendarPermissions": _many("navigation", "calendarPermission"),
        "singleValueExtendedProperties": _many("navigation", "singleValueLegacyExtendedProperty"),
        "multiValueExtendedProperties": _many("navigation", "multiValueLegacyExtendedProperty"),
    },
    "subscription": {
        "id": _read("string"),
        "applicationId": _read("string"),
        "creatorId": _read("string"),
        "changeType": _TEXT,
        "clientState": _TEXT,
        "expirationDateTime": Property("dateTime"),
        "lifecycleNotificationUrl": _TEXT,
        "notificationUrl": _TEXT,
        "notificationQueryOptions": _TEXT,
        "notificationUrlAppId": _TEXT,
        "resource": _TEXT,
        "latestSupportedTlsVersion": _TEXT,
        "includeResourceData": Property("boolean"),
        "encryptionCertificate": _TEXT,
        "encryptionCertificateId": _TEXT,
        "vapidPublicKey": _TEXT,
        "webPushEncryptionP256dhPublicKey": _TEXT,
        "webPushEncryptionSecret": _TEXT,
    },
    "todoTaskList": {
        "id": _read("string"),
        "displayName": _TEXT,
        "isOwner": _read("boolean"),
        "isShared": _read("boolean"),
        "wellknownListName": _read("enum", "wellknownListName"),
        "tasks": _many("navigation", "todoTask"),
        "extensions": _many("navigation", "extension"),
    },
    "todoTask": {
        "id": _read("string"),
        "title": _TEXT,
        "body": _object("itemBody"),
        "bodyLastModifiedDateTime": _read("dateTime"),
        "categories": _many("string"),
        "status": _enum("taskStatus"),
        "importance": _enum("importance"),
        "isReminderOn": _FLAG,
        "startDateTime": _object("dateTimeTimeZone"),
        "dueDateTime": _object("dateTimeTimeZone"),
        "completedDateTime": _object("dateTimeTimeZone"),
        "reminderDateTime": _object("dateTimeTimeZone"),
        "recurrence": _object("patternedRecurrence"),
        "hasAttachments": _read("boolean"),
        "createdDateTime": _read("dateTime"),
        "lastModifiedDateTime": _read("dateTime"),
        "checklistItems": _many("object", "checklistItem"),
        "linkedResources": _many("object", "linkedResource"),
        "attachments": _many("navigation", "attachmentBase"),
        "attachmentSessions": _many("navigation", "attachmentSession"),
        "extensions": _many("navigation", "extension"),
    },
    "checklistItem": {
        "id": _read("string"),
        "displayName": _TEXT,
        "isChecked": Property("boolean"),
        "checkedDateTime": Property("dateTime"),
        "createdDateTime": _read("dateTime"),
    },
    "linkedResource": {
        "id": _read("string"),
        "applicationName": _TEXT,
        "displayName": _TEXT,
        "externalId": _TEXT,
        "webUrl": _TEXT,
    },
    "itemBody": {"content": _TEXT, "contentType": _enum("bodyType")},
    "dateTimeTimeZone": {"dateTime": _TEXT, "timeZone": _TEXT},
    "timeSlot": {"start": _object("dateTimeTimeZone"), "end": _object("dateTimeTimeZone")},
    "emailAddress": {"address": _TEXT, "name": _TEXT},
    "recipient": {"emailAddress": _object("emailAddress")},
    "responseStatus": {"response": _enum("responseType"), "time": Property("dateTime")},
    "attendee": {
        "emailAddress": _object("emailAddress"),
        "type": _enum("attendeeType"),
        "status": _object("responseStatus", writable=False),  # PARTSTAT cannot be PATCHed (M-57)
        "proposedNewTime": _object("timeSlot", writable=False),
    },
    "physicalAddress": {
        "street": _TEXT, "city": _TEXT, "state": _TEXT, "countryOrRegion": _TEXT, "postalCode": _TEXT,
    },
    "outlookGeoCoordinates": {
        "latitude": _DOUBLE, "longitude": _DOUBLE, "accuracy": _DOUBLE, "altitude": _DOUBLE, "altitudeAccuracy": _DOUBLE,
    },
    "location": {
        "displayName": _TEXT,
        "locationType": _enum("locationType"),
        "uniqueId": _TEXT,
        "uniqueIdType": _enum("locationUniqueIdType"),
        "address": _object("physicalAddress"),
        "coordinates": _object("outlookGeoCoordinates"),
        "locationEmailAddress": _TEXT,
        "locationUri": _TEXT,
    },
    "onlineMeetingInfo": {
        "joinUrl": _TEXT, "conferenceId": _TEXT, "quickDial": _TEXT, "tollNumber": _TEXT,
        "tollFreeNumbers": _many("string"), "phones": _many("absent", "phone"),
    },
    "patternedRecurrence": {"pattern": _object("recurrencePattern"), "range": _object("recurrenceRange")},
    "recurrencePattern": {
        "type": _enum("recurrencePatternType"),
        "interval": _NUMBER,
        "month": _NUMBER,
        "dayOfMonth": _NUMBER,
        "daysOfWeek": _many("enum", "dayOfWeek"),
        "firstDayOfWeek": _enum("dayOfWeek"),
        "index": _enum("weekIndex"),
    },
    "recurrenceRange": {
        "type": _enum("recurrenceRangeType"),
        "startDate": Property("date"),
        "endDate": Property("date"),
        "recurrenceTimeZone": _TEXT,
        "numberOfOccurrences": _NUMBER,
    },
    "singleValueLegacyExtendedProperty": {"id": _TEXT, "value": _TEXT},
}  # fmt: skip

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,7})?)?(Z|[+-]\d\d:\d\d)")


def check(type_name: str, body: Any) -> dict[str, Any]:
    """The writable properties of a JSON body, after every name and value has been checked.

    Annotations (``@odata.type``) pass and are left out, like read-only properties, which Graph ignores (M-33, M-54).
    Raises 400 ``RequestBodyRead``.
    """
    if not isinstance(body, Mapping):
        raise unreadable(f"Cannot read a value of type 'microsoft.graph.{type_name}': a JSON object is expected.")
    known = TYPES[type_name]
    taken: dict[str, Any] = {}
    for name, value in body.items():
        if "@" in name:
            continue
        found = known.get(name)
        if found is None:
            raise unreadable(
                f"The property '{name}' does not exist on type 'microsoft.graph.{type_name}'. "
                "Make sure to only use property names that are defined by the type."
            )
        if found.kind in ("navigation", "absent"):
            if value:
                raise not_simulated(f"'{name}' in the body of a microsoft.graph.{type_name}")
            continue
        checked = _check_value(f"{type_name}.{name}", found, value)
        if found.writable:
            taken[name] = checked
    return taken


def _check_value(path: str, wanted: Property, value: Any) -> Any:
    if not wanted.many:
        return _check_one(path, wanted, value)
    if value is None:
        return []
    if not isinstance(value, list):
        raise unreadable(f"A collection is expected for '{path}'.")
    return [_check_one(path, wanted, one) for one in value]


def _check_one(path: str, wanted: Property, value: Any) -> Any:
    if value is None:
        if not wanted.nullable or wanted.many:
            raise unreadable(f"A null value was found for '{path}', which is not nullable.")
        return None
    match wanted.kind:
        case "object":
            return check(wanted.of, value)
        case "enum":
            if not isinstance(value, str) or value.lower() not in (known.lower() for known in ENUMS[wanted.of]):
                raise unreadable(f"Requested value '{value}' was not found in 'microsoft.graph.{wanted.of}' ({path}).")
            return next(known for known in ENUMS[wanted.of] if known.lower() == value.lower())
        case "boolean":
            fits = isinstance(value, bool)
        case "int32":
            fits = isinstance(value, int) and not isinstance(value, bool) and -(2**31) <= value < 2**31
        case "double":
            fits = isinstance(value, int | float) and not isinstance(value, bool)
        case "date":
            fits = isinstance(value, str) and _is_date(value)
        case "dateTime":
            fits = isinstance(value, str) and _INSTANT.fullmatch(value) is not None
        case _:
            fits = isinstance(value, str)
    if not fits:
        raise unreadable(f"Cannot convert the literal {value!r} of '{path}' to the expected type '{wanted.kind}'.")
    return value


def _is_date(value: str) -> bool:
    try:
        return dt.date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False
