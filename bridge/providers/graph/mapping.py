"""The lens: calendar objects as Graph holds them, and back (MAPPING.md sections 1 to 3). Pure."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from bridge.errors import Unmappable
from bridge.ical import onward
from bridge.ical.fields import MASTER, Change, EventFields, ObjectFields, When
from bridge.ical.recurrence import normalize
from bridge.ical.times import instance_key, instant
from bridge.providers.graph import fields as component
from bridge.providers.graph import patterns, rules, zones
from bridge.sync.ports import ObjectKind, RemoteItem, RemoteObject

MARKERS = "3c4b1a5e-6c1f-4d2a-9f0e-7d5b8a2c9e41"
"""The namespace of our extended properties: one GUID for ever, for each new one uses up a quota (S-02, M-67)."""

UID_MARKER = f"String {{{MARKERS}}} Name CdbUid"
KEY_MARKER = f"String {{{MARKERS}}} Name CdbKey"

_NAMES = tuple(field.name for field in fields(EventFields))


@dataclass(frozen=True, slots=True)
class GraphLens:
    """How Graph sees calendar objects. ``zone``: where floating times are put (X-04), an IANA name; ``owner``: whose calendar."""

    zone: str = "UTC"
    owner: str = ""
    component: ClassVar[ObjectKind] = "VEVENT"

    def view(self, fields: ObjectFields) -> ObjectFields:
        """Raises Unmappable for rules and zones without an equal (R-29), and for overrides of more than one instance (X-02)."""
        onward.refuse(fields)
        recurring = bool(fields.recurrence)
        master = self._reduced(fields.event, recurring=recurring)
        if not recurring:
            return ObjectFields(master)
        rename = self._aware_key if fields.event.when.floating else _same_key
        # An instance cancelled by its STATUS is deleted there
        gone = {key for key, event in fields.overrides.items() if event.status == "CANCELLED"}
        recurrence = patterns.to_recurrence(fields.recurrence, master.when)
        return normalize(
            ObjectFields(
                master,
                rules.to_lines(recurrence, master.when),
                {
                    rename(key): self._reduced(event, recurring=False)
                    for key, event in fields.overrides.items()
                    if key not in gone
                },
                frozenset(rename(key) for key in fields.cancelled | gone),
            )
        )

    def read(self, items: Sequence[RemoteItem]) -> RemoteObject:
        """Graph has a whole object in one item: the exceptions are inside their master's (M-47)."""
        item = next((item for item in items if item.id == item.series), None)
        if item is None or item.payload.get("type", "singleInstance") in ("occurrence", "exception"):
            raise Unmappable("an occurrence without its series")
        payload = item.payload
        exceptions = payload.get("exceptionOccurrences") or ()
        return RemoteObject(
            id=item.id,
            version=item.version,
            uid=payload.get("iCalUId") or "",
            creation_key=payload.get("transactionId") or "",
            fields=_series(payload, self.owner)
            if payload.get("recurrence")
            else ObjectFields(_single(payload, self.owner)),
            updated=max(component.updated(each) for each in (payload, *exceptions)),
            organized_elsewhere=payload.get("isOrganizer") is False,
            items=tuple(items),
        )

    def restore(self, change: Change, hub: ObjectFields) -> Change:
        """See ``fields.regain``; a rule that says the same as the hub's own stays as the hub wrote it (R-24)."""
        restored: dict[tuple[str, str], Any] = {}
        lifted: set[str] = set()
        new_when = change.get((MASTER, "when"), None)
        when = hub.event.when if new_when is None else zones.hub_when(new_when, hub.event.when, self.zone)
        rename = self._floating_key if when.floating else _same_key
        for (key, name), value in change.items():
            told = key
            inherited = change.get((key, "state")) == "override"
            if key == MASTER:
                base = hub.event
            else:
                key = rename(key)  # noqa: PLW2901 - the hub's name for the same instance
                base = hub.overrides.get(key) or hub.event
                if base.status == "CANCELLED":
                    base = hub.event  # to the remote side that instance was not there at all
            if (
                name == "geo"
                and not value
                and change.get((told, "location"), component.place(base)) == component.place(base)
            ):
                value = base.geo  # noqa: PLW2901 - nobody has said that it is another place
            if name in _NAMES:
                if name == "transp" and value == "OPAQUE" and base.status == "CANCELLED":
                    lifted.add(key)
                value = component.regain(name, value, base, self.zone, inherited=inherited)  # noqa: PLW2901
            elif name == "recurrence" and self._same_rule(value, replace(hub, master=replace(hub.event, when=when))):
                continue
            restored[key, name] = value
        # What blocks its time again is not cancelled any more
        return restored | {(key, "status"): "" for key in lifted}

    def _reduced(self, event: EventFields, *, recurring: bool) -> EventFields:
        return component.reduce(event, zones.graph_when(event.when, self.zone, recurring=recurring))

    def _same_rule(self, lines: tuple[str, ...], hub: ObjectFields) -> bool:
        try:
            return self.view(replace(hub, overrides={}, cancelled=frozenset())).recurrence == tuple(lines)
        except Unmappable:
            return False

    def _aware_key(self, key: str) -> str:
        """A floating instance's name, once its time stands in the calendar's zone."""
        if key.endswith("Z") or "T" not in key:
            return key
        start = dt.datetime.strptime(key, "%Y%m%dT%H%M%S")  # noqa: DTZ007 - a wall clock
        return instance_key(zones.to_instant(start, self.zone))

    def _floating_key(self, key: str) -> str:
        if not key.endswith("Z"):
            return key
        moment = dt.datetime.strptime(key, "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC)
        return instance_key(zones.to_wall(moment, self.zone))


def _same_key(key: str) -> str:
    return key


# --- Graph's JSON → fields -----------------------------------------------------------------------------------------


def item(payload: Mapping[str, Any]) -> RemoteItem:
    """A single event or a master as one item.

    Its version covers the exceptions and cancellations too: whether they renew the master's changeKey is nowhere promised.
    """
    version = _version(payload)
    exceptions = sorted((each["id"], _version(each)) for each in payload.get("exceptionOccurrences") or ())
    cancelled = sorted(payload.get("cancelledOccurrences") or ())
    if exceptions or cancelled:
        version += "+" + hashlib.sha256(json.dumps([exceptions, cancelled]).encode()).hexdigest()[:16]
    return RemoteItem(payload["id"], payload["id"], version, payload, _modified(payload))


def _modified(payload: Mapping[str, Any]) -> dt.datetime | None:
    """To the last digit: replays are told apart by it."""
    try:
        moment = dt.datetime.fromisoformat(payload["lastModifiedDateTime"])
    except (KeyError, TypeError, ValueError):
        return None
    return moment if moment.tzinfo else None


def _version(payload: Mapping[str, Any]) -> str:
    """Its etag or changeKey (M-31); without either, the content is its own version."""
    told = payload.get("@odata.etag") or payload.get("changeKey")
    return str(told or hashlib.sha256(json.dumps(payload, sort_keys=True).encode()).hexdigest())


def _single(payload: Mapping[str, Any], owner: str) -> EventFields:
    return component.read(payload, recurring=False, owner=owner)


def _series(payload: Mapping[str, Any], owner: str) -> ObjectFields:
    master = component.read(payload, recurring=True, owner=owner)
    begin = rules.first_occurrence(payload["recurrence"], master.when.start)
    if begin != master.when.start:
        master = replace(master, when=zones.moved(master.when, begin))
    overrides, cancelled = {}, set()
    for exception in payload.get("exceptionOccurrences") or ():
        # What an exception does not say it has from its master
        key = original_key(exception, master.when)
        if exception.get("isCancelled"):
            cancelled.add(key)  # called off by its organizer, and still shown (M-59)
        else:
            overrides[key] = component.read({**payload, **exception}, recurring=False, owner=owner)
    for name in payload.get("cancelledOccurrences") or ():
        cancelled.add(key_on(dt.date.fromisoformat(name[-10:]), master.when))
    lines = rules.to_lines(payload["recurrence"], master.when)
    return normalize(ObjectFields(master, lines, overrides, frozenset(cancelled)))


def original_key(occurrence: Mapping[str, Any], master: When) -> str:
    """The instance key of an occurrence or exception, by its ``originalStart`` (M-48)."""
    moment = dt.datetime.fromisoformat(occurrence["originalStart"][:19]).replace(tzinfo=dt.UTC)
    if master.all_day:
        # Midnight, maybe of the mailbox's zone: the nearest day
        return instance_key((moment + dt.timedelta(hours=12)).date())
    return instance_key(moment)


def key_on(day: dt.date, master: When) -> str:
    """The instance key of the occurrence on that day: ``cancelledOccurrences`` names days only (M-47)."""
    if not isinstance(master.start, dt.datetime):
        return instance_key(day)
    wall = dt.datetime.combine(day, master.start.time())
    return instance_key(instant(wall, master.zone, floating=dt.UTC))


def moment_of(key: str, zone: str | None) -> dt.datetime:
    """When the instance ``key`` was to start, as an aware UTC instant; a date's midnight."""
    if key.endswith("Z"):
        return dt.datetime.strptime(key, "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC)
    day = dt.datetime.strptime(key, "%Y%m%d").replace(tzinfo=ZoneInfo(zone or "UTC"))
    return day.astimezone(dt.UTC)


# --- fields → Graph's JSON -----------------------------------------------------------------------------------------


def new_event(fields: ObjectFields, *, key: str, uid: str) -> dict[str, Any]:
    """The body that creates a single event or a series without its exceptions; ``fields`` as the lens views them.

    Everything is said explicitly, or the service's defaults would come in (X-56); guests only where there are some: each of
    them gets a mail (M-53).
    """
    guests = ("attendees",) if fields.event.attendees else ()
    body = component.write(fields.event, ("when", *component.DETAILS, *guests))
    if fields.recurrence:
        body["recurrence"] = patterns.to_recurrence(fields.recurrence, fields.event.when)
    body["transactionId"] = key
    body["singleValueExtendedProperties"] = [{"id": UID_MARKER, "value": uid}, {"id": KEY_MARKER, "value": key}]
    return body


def master_patch(current: ObjectFields, target: ObjectFields, held: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The body that turns one master (or single event), which is ``held``, into the other; empty if they say the same."""
    names = component.changed(current.event, target.event)
    body = component.write(target.event, names, held)
    if not target.recurrence and current.recurrence:
        body["recurrence"] = None  # M-52
    elif target.recurrence and ("when" in names or current.recurrence != target.recurrence):
        body |= component.write(target.event, ("when",))
        body["recurrence"] = patterns.to_recurrence(target.recurrence, target.event.when)
    return body


def event_patch(current: EventFields, target: EventFields, held: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The body that turns one occurrence, which is ``held``, into the other; empty if they say the same."""
    return component.write(target, component.changed(current, target), held)
