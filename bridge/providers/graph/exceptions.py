"""What became of single occurrences, written to Graph: one request each, by the occurrence's own id (M-49…M-51)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from bridge.errors import Gone, Refused, Unmappable, VersionMismatch
from bridge.ical.fields import EventFields, ObjectFields
from bridge.ical.recurrence import regular
from bridge.providers.graph import fields as component
from bridge.providers.graph import patterns
from bridge.providers.graph.api import Api
from bridge.providers.graph.events import Events, Occurrence
from bridge.providers.graph.mapping import GraphLens, event_patch, original_key
from bridge.sync.ports import RemoteItem

T = TypeVar("T")

CROSSING = "erroroccurrencecrossingboundary"


def whole_rule(target: ObjectFields) -> dict[str, Any]:
    """The properties that state a series' time and pattern anew."""
    when = target.event.when
    rule = patterns.to_recurrence(target.recurrence, when)
    return {**component.write(target.event, ("when",)), "recurrence": rule}


def converge(api: Api, events: Events, lens: GraphLens, master: RemoteItem, target: ObjectFields) -> bool:
    """Write the differences between the occurrences of ``master`` and those of ``target``; whether there were any.

    All that can be written is, before an occurrence that Graph does not take raises Unmappable (R32).
    """
    current = lens.read([master]).fields
    if current.cancelled - target.cancelled:
        raise Unmappable("Outlook cannot bring a deleted occurrence back")  # M-49
    gone = target.cancelled - current.cancelled
    patches = _patches(current, target, master.payload)
    if not gone and not patches:
        return False
    try:
        places = events.occurrences(master, sorted(gone | patches.keys()), current.event.when)
    except Gone:
        raise Unmappable("Outlook does not show an occurrence that the rule has") from None
    merged_from = _etag(master.payload)
    # occurrences have etags of their own, or the series has been changed since it was read (R36)
    doubtful = any(place.etag != merged_from for place in places.values())
    if doubtful and _etag(events.get(master.id).payload) != merged_from:
        raise VersionMismatch("the series has changed", status=412)
    writes = _Writes(api, events, merged_from)
    refused = [key for key, body in sorted(patches.items()) if not writes.change(places[key], body)]
    for key in sorted(gone):
        writes.cancel(places[key])
    if refused:
        raise Unmappable("Outlook cannot move an occurrence to or beyond the day of its neighbour")  # X-38, M-50
    return True


def _patches(current: ObjectFields, target: ObjectFields, held: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The bodies to be sent by instance key; an override that is none any more is patched back to what the rule says."""
    bodies: dict[str, dict[str, Any]] = {}
    known = {
        original_key(each, current.event.when): {**held, **each} for each in held.get("exceptionOccurrences") or ()
    }
    for key in sorted((current.overrides.keys() | target.overrides.keys()) - target.cancelled):
        body = event_patch(_component(current, key), _component(target, key), known.get(key, held))
        if held.get("isOnlineMeeting"):
            body.pop("body", None)  # M-60
        if body:
            bodies[key] = body
    return bodies


def _component(fields: ObjectFields, key: str) -> EventFields:
    return fields.overrides.get(key) or replace(fields.event, when=regular(fields, key))


class _Writes:
    """A run of writes to the occurrences of one series, each with If-Match of the version it was merged from (R36).

    Exchange has one changeKey for a series and all its occurrences, so each of our own writes renews it for the rest. The
    answer to a deletion names no version: what follows it goes without a condition.
    """

    def __init__(self, api: Api, events: Events, etag: str) -> None:
        self._api = api
        self._events = events
        self._merged_from = etag
        self._latest = etag

    def change(self, place: Occurrence, body: dict[str, Any]) -> bool:
        """Whether Graph took it."""
        try:
            answer = self._conditionally(
                place, lambda etag: self._api.patch(self._events.path(place.id), body, etag=etag)
            )
        except Refused as refused:
            if refused.code.lower() == CROSSING:
                return False
            raise
        if place.etag == self._merged_from:
            self._latest = _etag(answer)
        return True

    def cancel(self, place: Occurrence) -> None:
        self._conditionally(place, lambda etag: self._api.delete(self._events.path(place.id), etag=etag))
        if place.etag == self._merged_from:
            self._latest = ""

    def _conditionally(self, place: Occurrence, write: Callable[[str], T]) -> T:
        """Under the version that our latest write made; where an occurrence keeps its own, under the one that was read."""
        if place.etag != self._merged_from or self._latest == place.etag:
            return write(place.etag)
        try:
            return write(self._latest)
        except VersionMismatch:
            return write(place.etag)


def _etag(event: Mapping[str, Any]) -> str:
    return str(event.get("@odata.etag") or "")
