"""The events of one calendar, read whole: by id, by creation key, an occurrence by its original start (M-47…M-49)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from bridge.errors import Gone, ProviderError, Refused, Unreachable, VersionMismatch
from bridge.ical.fields import When
from bridge.providers.graph import gaps
from bridge.providers.graph.api import Api, encoded, entries, escape
from bridge.providers.graph.mapping import KEY_MARKER, item, moment_of, original_key
from bridge.sync.patience import patiently
from bridge.sync.ports import RemoteItem

PAGE = 100
BRIEF_PAGE = 500
"""Where next to nothing is asked of each event."""
SELECT = (
    "id,type,seriesMasterId,iCalUId,transactionId,changeKey,createdDateTime,lastModifiedDateTime,isOrganizer,isCancelled,"
    "isOnlineMeeting,subject,body,location,locations,start,end,originalStartTimeZone,originalEndTimeZone,isAllDay,showAs,sensitivity,"
    "importance,categories,isReminderOn,reminderMinutesBeforeStart,recurrence,organizer,attendees,responseStatus"
)
WHOLE = {"$select": f"{SELECT},cancelledOccurrences", "$expand": "exceptionOccurrences"}
"""What a master only tells if asked (M-47)."""

SELECT_INSTANCE = f"{SELECT},originalStart"

LONGEST = dt.timedelta(days=1800)
"""Less, by what is looked around, than a view may span (M-15)."""

LOOK_AROUND = dt.timedelta(days=2)
"""Beyond an occurrence's original start on both sides: more than any zone's offset."""
SPAN = dt.timedelta(days=366)
"""The longest stretch of a series that is listed at once to find some of its occurrences."""


@dataclass(frozen=True, slots=True)
class Occurrence:
    """Where to send what concerns one instance."""

    id: str
    etag: str


@dataclass(frozen=True)
class Events:
    """``calendar`` is the calendar's path: what has moved to another calendar is gone from here."""

    api: Api
    calendar: str

    def path(self, id: str) -> str:
        return f"{self.calendar}/events/{escape(id)}"

    def get(self, id: str) -> RemoteItem:
        """Raises Gone."""
        return item(self._told(self.api.get(self.path(id), **WHOLE)))

    def many(self, ids: Sequence[str]) -> list[RemoteItem | None]:
        """In the order of ``ids``; None for those that are not there."""
        found: list[RemoteItem | None] = []
        for each in self.each(ids):
            if isinstance(each, ProviderError):
                raise each
            found.append(each)
        return found

    def each(self, ids: Sequence[str]) -> list[RemoteItem | ProviderError | None]:
        """As ``many``, but with the error for those that Graph stumbles over, and they alone (R32)."""
        found = self.api.many([f"{self.path(id)}?{encoded(WHOLE)}" for id in ids])
        return [answer if isinstance(answer, ProviderError | None) else item(self._told(answer)) for answer in found]

    def _told(self, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        if "id" not in payload:
            raise Unreachable("Graph's answer is not an event")  # whatever answered, nothing is known of it (R7)
        window = gaps.window(payload) if gaps.untold(payload) else None
        if window is None:
            return payload
        first, end = window
        shown: dict[str, Mapping[str, Any]] = {}
        while first < end:
            last = min(first + LONGEST, end)
            shown |= {each["id"]: each for each in self.instances(payload["id"], first, last, select=SELECT_INSTANCE)}
            first = last
        return gaps.told(payload, list(shown.values()))

    def listed(self) -> dict[str, bool]:
        """The ids of all events, and which are series: that a list can be filtered by type is written nowhere."""
        listed = self._all(f"{self.calendar}/events", {"$select": "id,type,recurrence", "$top": str(BRIEF_PAGE)})
        return {each["id"]: each.get("type") == "seriesMaster" or bool(each.get("recurrence")) for each in listed}

    def by_key(self, key: str) -> list[RemoteItem]:
        """The event created with this key. One copied in Outlook may carry its marks too, but is younger (S-03, R9).

        A single event is as the list shows it; a series has to be asked for once more (M-47).
        """
        condition = f"singleValueExtendedProperties/Any(ep: ep/id eq '{KEY_MARKER}' and ep/value eq '{key}')"
        path = f"{self.calendar}/events"
        try:
            marked = list(self._all(path, {"$filter": condition, "$select": SELECT}))
        except Refused as refusal:
            if refusal.status not in (400, 501):
                raise
            marked = list(self._all(path, {"$select": SELECT, "$top": str(PAGE)}))
        created = [event for event in marked if event.get("transactionId") == key]
        if not created:
            return []
        first = min(created, key=lambda event: (event.get("createdDateTime") or "", event["id"]))
        if first.get("type") == "singleInstance" and not first.get("recurrence"):
            return [item(first)]
        return [found for found in self.many([first["id"]]) if found is not None]

    def occurrences(self, master: RemoteItem, keys: Sequence[str], when: When) -> dict[str, Occurrence]:
        """Where the instances with these keys are. ``when`` is the master's.

        Raises VersionMismatch if one has become an exception since ``master`` was read, Gone if one is not there.
        """
        known = {original_key(each, when): each for each in master.payload.get("exceptionOccurrences") or ()}
        found = {key: Occurrence(known[key]["id"], known[key].get("@odata.etag") or "") for key in keys if key in known}
        for first, last, sought in _stretches(sorted(set(keys) - known.keys()), when):
            for event in self.instances(master.id, first, last):
                key = original_key(event, when)
                if key in sought and event.get("type") == "exception":
                    raise VersionMismatch("an occurrence was changed in between", status=412)
                if key in sought:
                    found[key] = Occurrence(event["id"], event.get("@odata.etag") or "")
        if missing := set(keys) - found.keys():
            raise Gone(f"{len(missing)} occurrences are not there", status=404)
        return found

    def instances(
        self, id: str, first: dt.datetime, last: dt.datetime, *, select: str = "id,type,originalStart,start,end"
    ) -> Iterator[Mapping[str, Any]]:
        """What takes place of a series around these two instants (aware UTC), both included (M-14)."""
        window = {
            "startDateTime": _utc(first - LOOK_AROUND),
            "endDateTime": _utc(last + LOOK_AROUND),
            "$select": select,
            "$top": str(PAGE),
        }
        return self._all(f"{self.path(id)}/instances", window)

    def _all(self, path: str, query: Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
        """Page by page, each asked for patiently: of many one may always be lost."""
        answer = patiently(lambda: self.api.get(path, **query))
        yield from entries(answer)
        while link := answer.get("@odata.nextLink"):
            answer = patiently(partial(self.api.follow, link))
            yield from entries(answer)


def _stretches(keys: Sequence[str], when: When) -> Iterator[tuple[dt.datetime, dt.datetime, set[str]]]:
    """The keys in groups that one listing can cover."""
    group: list[tuple[dt.datetime, str]] = []
    for key in keys:
        moment = moment_of(key, when.zone)
        if group and moment - group[0][0] > SPAN:
            yield group[0][0], group[-1][0], {name for _, name in group}
            group = []
        group.append((moment, key))
    if group:
        yield group[0][0], group[-1][0], {name for _, name in group}


def _utc(moment: dt.datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
