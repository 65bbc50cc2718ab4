"""Google's lens: MAPPING.md rows X-01…X-24 and X-50…X-56, and a series with its exceptions (X-36…X-38). Pure.

What Google does not hold (categories, priority, how busy, a URL that is not http, more than five reminders) is left out of the
view, and ``restore`` puts it back: its absence there is never a deletion (S-05).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal
from urllib.parse import urlsplit

from bridge.errors import Unmappable
from bridge.ical import onward, times
from bridge.ical.attendees import address
from bridge.ical.fields import MASTER, Change, EventFields, ObjectFields, Reminder, When
from bridge.ical.recurrence import normalize
from bridge.providers.google import colors, conferences, people, rules, stash
from bridge.providers.google import times as google_times
from bridge.sync.ports import ObjectKind, RemoteItem, RemoteObject

MAX_REMINDERS = 5  # G-68
MAX_REMINDER_MINUTES = 40320  # G-68: four weeks

_STRICTNESS = {"PRIVATE": 1, "CONFIDENTIAL": 2}
_UNHELD = ("categories", "priority", "show_as", "geo", "others", "aside")
_REWORDED = ("summary", "description", "location", "status", "transp", "color")
_EPOCH = "1970-01-01T00:00:00Z"


def item(event: Mapping[str, Any]) -> RemoteItem:
    """An event resource as the inbox keeps it: exceptions and cancelled instances are items of their own (G-60, G-61).

    A property that is null says as little as one that is left out. Without an etag the content is its own version.
    """
    event = _said(event)
    version = event.get("etag") or hashlib.sha256(json.dumps(event, sort_keys=True).encode()).hexdigest()
    return RemoteItem(event["id"], event.get("recurringEventId", event["id"]), version, event)


@dataclass(frozen=True, slots=True)
class GoogleLens:
    """``zone`` is the calendar's: the one in which floating times are put (X-04); ``calendar`` its id (G-16)."""

    zone: str
    calendar: str = ""
    component: ClassVar[ObjectKind] = "VEVENT"

    def view(self, fields: ObjectFields) -> ObjectFields:
        onward.refuse(fields)
        was = fields.event.when
        master = self._event(fields.event)
        recurrence = rules.normal(fields.recurrence, was, master.when)
        overrides = {self._key(key): event for key, event in fields.overrides.items() if event.status != "CANCELLED"}
        # a cancelled instance is one that does not take place, whichever way it is said
        called_off = {self._key(key) for key, event in fields.overrides.items() if event.status == "CANCELLED"}
        return self._normal(
            ObjectFields(
                master,
                recurrence,
                {key: self._event(event) for key, event in overrides.items()},
                frozenset(self._key(key) for key in fields.cancelled) | called_off,
            )
        )

    def read(self, items: Sequence[RemoteItem]) -> RemoteObject:
        masters = [each for each in items if each.id == each.series]
        if not masters or "start" not in masters[0].payload:
            raise Unmappable("an occurrence of a series that this calendar does not hold")
        held = masters[0].payload
        when = google_times.read(held, self.zone)
        lines = held.get("recurrence", ())
        overrides, cancelled = {}, set(rules.excluded(lines, when))
        for each in items:
            if each.id == each.series:
                continue
            key = google_times.original_start(each.payload, when.zone or self.zone)
            if each.payload.get("status") == "cancelled":
                cancelled.add(key)
            else:
                overrides[key] = self.event(each.payload)
        recurrence = rules.normal(rules.without_exdates(lines), when, when)
        fields = ObjectFields(self.event(held), recurrence, overrides, frozenset(cancelled))
        return RemoteObject(
            id=masters[0].id,
            version=_version(items),
            uid=held.get("iCalUID", ""),
            creation_key=masters[0].id,
            fields=self._normal(fields),
            updated=max(_updated(each.payload) for each in items),
            organized_elsewhere=self._elsewhere(held.get("organizer", {}), held.get("creator", {})),
            items=tuple(items),
        )

    def event(self, event: Mapping[str, Any]) -> EventFields:
        """One event resource that is not cancelled, in normal form."""
        visibility = event.get("visibility", "default")
        return self._event(
            EventFields(
                when=google_times.read(event, self.zone),
                summary=event.get("summary") or "",
                description=event.get("description") or "",
                location=event.get("location") or "",
                status="TENTATIVE" if event.get("status") == "tentative" else "CONFIRMED",
                transp="TRANSPARENT" if event.get("transparency") == "transparent" else "OPAQUE",
                classification="" if visibility == "default" else visibility.upper(),
                reminders=_reminders(event.get("reminders", {})),
                url=(event.get("source") or {}).get("url") or "",
                conference=conferences.read(event),
                organizer=(event.get("organizer") or {}).get("email") or "",
                attendees=people.attendees(event),
                color=colors.read(str(event.get("colorId") or "")),
            )
        )

    def _elsewhere(self, organizer: Mapping[str, Any], creator: Mapping[str, Any]) -> bool:
        """``self`` marks who is this calendar (G-73); the address of the calendar, or of a creator so marked, says the same."""
        own = {self.calendar.casefold(), str(creator.get("email", "")).casefold() if creator.get("self") else ""} - {""}
        return bool(organizer) and not organizer.get("self") and str(organizer.get("email", "")).casefold() not in own

    def restore(self, change: Change, hub: ObjectFields) -> Change:
        floating = self._stays_floating(change, hub)
        restored: dict[tuple[str, str], Any] = {}
        for (key, name), value in change.items():
            path = (self._floating_key(key) if floating and key != MASTER else key, name)
            before = hub.overrides.get(path[0], hub.event)
            match name:
                case "when":
                    restored[path] = self._restored_when(value, before.when, floating=floating)
                case "recurrence":
                    restored[path] = rules.floating(value, self.zone) if floating else value
                case "reminders":
                    restored[path] = _restored_reminders(value, before.reminders)
                case "conference":
                    restored[path] = value or (before.conference if not conferences.normal(before.conference) else "")
                case "url":
                    restored[path] = value or (before.url if not _web(before.url) else "")
                case "status" | "transp" if before.status == "CANCELLED":
                    # Google shows it as free time; whoever changes that says that it takes place after all
                    restored[path[0], "status"] = change.get((key, "status"), "CONFIRMED")
                    restored[path[0], "transp"] = change.get((key, "transp"), "TRANSPARENT")
                case _ if name in _UNHELD or (name in _REWORDED and getattr(self._event(before), name) == value):
                    # what an occurrence has from its series stays in the hub's words
                    restored[path] = getattr(before, name)
                case "classification" if value == _said_of(hub):
                    restored[path] = before.classification
                case _:
                    restored[path] = value
        return restored

    # --- notes beside an event

    def asides(self, fields: ObjectFields, seen: ObjectFields) -> Mapping[str, str]:
        own = {self._key(key): event for key, event in fields.overrides.items()}
        noted = {MASTER: stash.document(fields.event, seen.event)}
        for key, event in seen.overrides.items():
            noted[key] = stash.document(own[key], event) if key in own else ""
        return noted

    def recalled(self, remote: RemoteObject) -> ObjectFields:
        """An exception has the properties of its series, unless it was given others."""
        fields, notes = remote.fields, dict[str, Mapping[str, Any]]()
        for each in remote.items:
            if noted := stash.read(each.payload):
                key = MASTER
                if each.id != each.series:
                    key = google_times.original_start(each.payload, fields.event.when.zone or self.zone)
                notes[key] = noted
        overrides = {key: stash.recalled(event, notes.get(key, {})) for key, event in fields.overrides.items()}
        return replace(fields, master=stash.recalled(fields.event, notes.get(MASTER, {})), overrides=overrides)

    # --- the normal form

    def _event(self, event: EventFields) -> EventFields:
        cancelled = (
            event.status == "CANCELLED"
        )  # writing it would delete the event (G-62): it stays, as free time
        return EventFields(
            when=google_times.normal(event.when, self.zone),
            summary=" ".join(_text(event.summary).split("\n")),
            description=_text(event.description),
            location=_text(event.location),
            status="TENTATIVE" if event.status == "TENTATIVE" else "CONFIRMED",
            transp="TRANSPARENT" if cancelled else event.transp,
            classification=event.classification,
            reminders=_seen_reminders(event.reminders),
            url=event.url if _web(event.url) else "",
            conference=conferences.normal(event.conference),
            # whoever is alone in an event is not told to be its organizer
            organizer=address(event.organizer) if event.attendees else "",
            attendees=people.seen(event.attendees),
            color=colors.normal(event.color),
            aside=event.aside,
        )

    def _normal(self, fields: ObjectFields) -> ObjectFields:
        if not fields.recurrence:
            fields = replace(fields, overrides={}, cancelled=frozenset())  # only a series has instances
        said = _said_of(fields)
        overrides = {key: replace(event, classification=said) for key, event in sorted(fields.overrides.items())}
        return normalize(replace(fields, master=replace(fields.event, classification=said), overrides=overrides))

    def _key(self, key: str) -> str:
        start = google_times.start_of(key)
        if isinstance(start, dt.datetime) and start.tzinfo is None:
            return times.instance_key(times.instant(start, self.zone, floating=dt.UTC))
        return key

    # --- back into the hub's own terms

    def _stays_floating(self, change: Change, hub: ObjectFields) -> bool:
        when = change.get((MASTER, "when"), google_times.normal(hub.event.when, self.zone))
        return hub.event.when.floating and not when.all_day and when.zone == times.canonical_zone(self.zone)

    def _floating_key(self, key: str) -> str:
        start = google_times.start_of(key)
        if isinstance(start, dt.datetime) and start.tzinfo:
            return times.instance_key(times.wall(start, self.zone))
        return key

    def _restored_when(self, when: When, before: When, *, floating: bool) -> When:
        here = times.canonical_zone(self.zone)
        if floating and when.zone == here and when.end_zone is None:
            return replace(when, zone=None)
        names = {times.canonical_zone(name): name for name in (before.end_zone, before.zone) if name}
        return replace(when, zone=_own(when.zone, names), end_zone=_own(when.end_zone, names))


def _said_of(fields: ObjectFields) -> Literal["", "PUBLIC", "PRIVATE", "CONFIDENTIAL"]:
    """Visibility is the series': the strictest of its instances counts for all (G-65)."""
    events = (fields.event, *fields.overrides.values())
    said = max((event.classification for event in events), key=lambda each: _STRICTNESS.get(each, 0))
    return said if said in _STRICTNESS else fields.event.classification


def _said(event: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _said(value) if isinstance(value, Mapping) else value
        for name, value in event.items()
        if value is not None
    }


def _own(zone: str | None, names: Mapping[str, str]) -> str | None:
    return names.get(zone, zone) if zone else zone


def _text(value: str) -> str:
    return unicodedata.normalize("NFC", value.replace("\r\n", "\n").replace("\r", "\n"))  # S-06


def _web(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in ("http", "https") and bool(parts.netloc)  # all that source.url takes (G-77)


def _reminders(reminders: Mapping[str, Any]) -> tuple[Reminder, ...]:
    """The event's own. The calendar's defaults (``useDefault``) are no alarms of this event: none comes to a phone (X-55)."""
    return tuple(
        Reminder(each["minutes"], "EMAIL" if each.get("method") == "email" else "DISPLAY")
        for each in reminders.get("overrides", ())
    )


def _clamped(reminder: Reminder) -> Reminder:
    return replace(reminder, minutes=min(reminder.minutes, MAX_REMINDER_MINUTES))


def _seen_reminders(reminders: Sequence[Reminder]) -> tuple[Reminder, ...]:
    return tuple(sorted({_clamped(each) for each in reminders})[:MAX_REMINDERS])  # the nearest to the start


def _restored_reminders(now: Sequence[Reminder], before: Sequence[Reminder]) -> tuple[Reminder, ...]:
    """Google's reminders with the hub's own where Google can't show them: clamped ones, and those beyond the fifth.

    Who takes the last one away wants none.
    """
    if not now:
        return ()
    seen = _seen_reminders(before)
    kept = {each for each in before if _clamped(each) not in seen or _clamped(each) in now}
    new = {each for each in now if each not in seen}
    return tuple(sorted(kept | new))


def _updated(event: Mapping[str, Any]) -> dt.datetime:
    return dt.datetime.fromisoformat(event.get("updated") or _EPOCH).astimezone(dt.UTC)


def _version(items: Sequence[RemoteItem]) -> str:
    """One for the whole object: a master's etag does not tell of its exceptions."""
    if len(items) == 1:
        return items[0].version
    told = "\n".join(sorted(f"{each.id} {each.version}" for each in items))
    return hashlib.sha256(told.encode()).hexdigest()
