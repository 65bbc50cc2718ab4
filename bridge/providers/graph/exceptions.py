"""What became of single occurrences, written to Graph: one request each, by the occurrence's own id (M-49…M-51)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bridge.errors import Gone, Refused, Unmappable
from bridge.ical.fields import EventFields, ObjectFields
from bridge.ical.recurrence import regular
from bridge.providers.graph import fields as component
from bridge.providers.graph import patterns
from bridge.providers.graph.api import Api
from bridge.providers.graph.events import Events, Occurrence
from bridge.providers.graph.mapping import GraphLens, event_patch
from bridge.sync.ports import RemoteItem

CROSSING = "erroroccurrencecrossingboundary"


def whole_rule(target: ObjectFields) -> dict[str, Any]:
    """The properties that state a series' time and pattern anew."""
    when = target.master.when
    rule = patterns.to_recurrence(target.recurrence, when)
    return {**component.write(target.master, ("when",)), "recurrence": rule}


def converge(api: Api, events: Events, lens: GraphLens, master: RemoteItem, target: ObjectFields) -> bool:
    """Write the differences between the occurrences of ``master`` and those of ``target``; whether there were any.

    All that can be written is, before an occurrence that Graph does not take raises Unmappable (R32).
    """
    current = lens.read([master]).fields
    if current.cancelled - target.cancelled:
        raise Unmappable("Outlook cannot bring a deleted occurrence back")  # M-49
    gone = target.cancelled - current.cancelled
    patches = _patches(current, target, online=bool(master.payload.get("isOnlineMeeting")))
    if not gone and not patches:
        return False
    try:
        places = events.occurrences(master, sorted(gone | patches.keys()), current.master.when)
    except Gone:
        raise Unmappable("Outlook does not show an occurrence that the rule has") from None
    for key in sorted(gone):
        _cancel(api, events, places[key])
    refused = [key for key, body in sorted(patches.items()) if not _change(api, events, places[key], body)]
    if refused:
        raise Unmappable("Outlook cannot move an occurrence to or beyond the day of its neighbour")  # X-38, M-50
    return True


def _patches(current: ObjectFields, target: ObjectFields, *, online: bool) -> dict[str, dict[str, Any]]:
    """The bodies to be sent by instance key; an override that is none any more is patched back to what the rule says."""
    bodies: dict[str, dict[str, Any]] = {}
    for key in sorted((current.overrides.keys() | target.overrides.keys()) - target.cancelled):
        body = event_patch(_component(current, key), _component(target, key))
        if online:
            body.pop("body", None)  # M-60
        if body:
            bodies[key] = body
    return bodies


def _component(fields: ObjectFields, key: str) -> EventFields:
    return fields.overrides.get(key) or replace(fields.master, when=regular(fields, key))


def _cancel(api: Api, events: Events, place: Occurrence) -> None:
    try:
        api.delete(events.path(place.id), etag=place.etag)
    except Gone:
        return


def _change(api: Api, events: Events, place: Occurrence, body: dict[str, Any]) -> bool:
    """Whether Graph took it."""
    try:
        api.patch(events.path(place.id), body, etag=place.etag)
    except Refused as refused:
        if refused.code.lower() == CROSSING:
            return False
        raise
    return True
