"""Writing events: insert, import, update, patch, delete, move, by the rules of G-44…G-56 and G-61…G-66."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from bridge.sandbox.google import conferences, guests, rules, series
from bridge.sandbox.google.errors import (
    ApiError,
    condition_not_met,
    deleted,
    duplicate,
    forbidden,
    invalid,
    not_organizer,
)
from bridge.sandbox.google.rules import Options
from bridge.sandbox.google.state import Calendar, Event, Person, State
from bridge.sandbox.google.view import Instance, etag
from bridge.sandbox.meter import Meter

JsonObject = dict[str, Any]

GUEST_RIGHTS = ("guestsCanInviteOthers", "guestsCanModify", "guestsCanSeeOtherGuests")
STRICT = ("private", "confidential")
WHEN = ("start", "end", "recurrence")


def merge(old: JsonObject, patch: JsonObject) -> JsonObject:
    """Patch semantics (G-51): objects merge, arrays are replaced whole, null removes."""
    found = dict(old)
    for name, value in patch.items():
        if value is None:
            found.pop(name, None)
        elif isinstance(value, dict):
            below = found.get(name)
            found[name] = merge(below if isinstance(below, dict) else {}, value)
        else:
            found[name] = value
    return found


@dataclass(frozen=True, slots=True)
class Writer:
    """One person writing to one calendar, with the parameters of one request."""

    state: State
    meter: Meter
    person: Person
    calendar: Calendar
    options: Options = field(default_factory=Options)

    def insert(self, given: JsonObject) -> Event:
        """A new event; ``id`` or ``iCalUID`` may be the client's (G-44, G-45)."""
        id, uid = given.get("id", ""), given.get("iCalUID", "")
        if id:
            rules.check_id(id)
            if uid and uid != f"{id}@google.com":
                raise invalid("Only one of id and iCalUID should be supplied.", "iCalUID")
            if id in self.calendar.events:
                raise duplicate()
        if uid and uid in self.calendar.uids:
            raise duplicate()
        if given.get("status") == "cancelled":
            raise invalid("A new event cannot be cancelled.", "status")
        body = self._stored(given, old=None, touched=frozenset(given), instance=False)
        event = self._new(body, id=id, uid=uid, organizer=self._organizer())
        event.sequence = self._sequence(given, 0)
        event.reminders[self.person.email] = rules.reminders(given.get("reminders"))
        self._finish(event, before=None)
        return event

    def import_event(self, given: JsonObject) -> Event:
        """A private copy of an event made elsewhere (G-49, G-50); no mails. A known iCalUID replaces its event."""
        if given.get("eventType", "default") != "default":
            raise invalid("Only events of type default can be imported.", "eventType")
        body = self._stored(given, old=None, touched=frozenset(given), instance=False)
        organizer = {k: v for k, v in given.get("organizer", {}).items() if k in ("email", "displayName")}
        organizer = organizer if organizer.get("email") else self._organizer()
        organizer["email"] = organizer["email"].lower()
        if self.calendar.id not in (organizer["email"], *guests.addresses(body)) and not self._owns(organizer["email"]):
            message = "Participant is neither organizer nor attendee."
            raise ApiError(400, "participantIsNeitherOrganizerNorAttendee", message, domain="calendar")
        known = self.calendar.events.get(self.calendar.uids.get(given["iCalUID"], ""))
        if known is None:
            event = self._new(body, id="", uid=given["iCalUID"], organizer=organizer)
        else:
            event = known
            if self._is_guest(event) and any(right not in given for right in GUEST_RIGHTS):
                raise not_organizer()
            event.body, event.organizer = body, organizer
            series.prune(self.state, self.calendar, event)
        event.sequence = self._sequence(given, 0)
        event.reminders[self.person.email] = rules.reminders(given.get("reminders"))
        self.state.touch(self.calendar, event)
        return event

    def update(self, id: str, given: JsonObject, if_match: str | None = None) -> Event:
        """PUT: the whole resource, what is missing is reset (G-51)."""
        item = self._item(id, if_match)
        event = item.master if isinstance(item, Instance) else item
        if self._is_guest(event) and any(right not in given for right in GUEST_RIGHTS):
            raise not_organizer()  # G-52
        whole = given | {"reminders": given.get("reminders") or {"useDefault": True}}
        return self._write(item, whole, given)

    def patch(self, id: str, given: JsonObject, if_match: str | None = None) -> Event:
        """PATCH: what is sent is merged into what is there (G-51)."""
        item = self._item(id, if_match)
        event = item.master if isinstance(item, Instance) else item
        old = item.body() if isinstance(item, Instance) else item.body
        bare = {name: value for name, value in old.items() if name not in ("start", "end")}
        for name in ("start", "end"):
            bare[name] = {part: text for part, text in old[name].items() if part != "fold"}
        whole = merge(bare, {name: value for name, value in given.items() if name != "reminders"})
        if "reminders" in given:
            mine = event.reminders.get(self.person.email, {"useDefault": True})
            whole["reminders"] = merge(mine, given["reminders"] or {})
            if (given["reminders"] or {}).get("useDefault") and not (given["reminders"] or {}).get("overrides"):
                whole["reminders"] = {"useDefault": True}
        return self._write(item, whole, given)

    def delete(self, id: str, if_match: str | None = None) -> None:
        """An instance becomes a cancelled exception (G-61), anything else a tombstone (G-45, G-47)."""
        item = self._item(id, if_match)
        if not isinstance(item, Instance) and item.cancelled:
            raise deleted()
        event = series.materialize(self.state, self.calendar, item) if isinstance(item, Instance) else item
        before = dict(event.body)
        series.cancel(self.state, self.calendar, event)
        if self._is_guest(event) and self.calendar.id in guests.addresses(before):
            reply = {"responseStatus": "declined"}
            guests.answer(self.state, self.meter, self.calendar, event, reply, send_updates=self.options.send_updates)
        guests.spread(self.state, self.meter, self.calendar, event, before, send_updates=self.options.send_updates)

    def move(self, id: str, destination: Calendar) -> Event:
        """To another calendar, which becomes the organizer; a stub stays behind (G-55)."""
        item = self._item(id, None)
        if isinstance(item, Instance) or item.master_id:
            raise invalid("Instances of a recurring event cannot be moved.", "eventId")
        if item.cancelled:
            raise deleted()
        if item.body["eventType"] != "default":
            raise invalid("Only events of type default can be moved.", "eventType")
        if self._is_guest(item):
            raise ApiError(403, "cannotChangeOrganizer", "Only the organizer can move an event.", domain="calendar")
        if destination.id == self.calendar.id:
            raise invalid("The event is there already.", "destination")
        if item.id in destination.events and not destination.events[item.id].cancelled:
            raise duplicate()
        exceptions = self.calendar.exceptions_of(item.id)
        self._place(destination, item)
        for each in exceptions:
            self._place(destination, each)
        series.cancel(self.state, self.calendar, item)
        return destination.events[item.id]

    def _place(self, destination: Calendar, source: Event) -> None:
        there = Writer(self.state, self.meter, self.person, destination)
        moved = self.state.new_event(
            destination,
            dict(source.body),
            id=source.id,
            ical_uid=source.ical_uid,
            creator=source.creator,
            organizer=there._organizer(),
            master_id=source.master_id,
            original=source.original,
        )
        moved.created, moved.sequence, moved.reminders = source.created, source.sequence, dict(source.reminders)
        self.state.touch(destination, moved)

    def _item(self, id: str, if_match: str | None) -> Event | Instance:
        item = series.find(self.calendar, id)
        event = item.master if isinstance(item, Instance) else item
        if if_match not in (None, "*", etag(event.etag)):
            raise condition_not_met()  # G-53
        return item

    def _write(self, item: Event | Instance, whole: JsonObject, given: JsonObject) -> Event:
        event = item.master if isinstance(item, Instance) else item
        old = item.body() if isinstance(item, Instance) else item.body
        self._check_identity(item, event, given)
        if event.cancelled and whole.get("status") != "cancelled" and not self.state.switches.revive:
            raise forbidden("This event cannot be brought back.")  # G-46
        self._merge_guests(whole, old, given)
        is_instance = isinstance(item, Instance) or item.master_id is not None
        body = self._stored(whole, old=old, touched=frozenset(given), instance=is_instance)
        sequence = self._sequence(given, event.sequence)
        if self._is_guest(event) and guests.answers_apart(body) != guests.answers_apart(old):
            raise not_organizer()
        if body["status"] == "cancelled":
            if not event.cancelled:
                self.delete(item.id)
            return self.calendar.events[item.id]
        if is_instance:
            self._visibility(event, body)
        target = series.materialize(self.state, self.calendar, item) if isinstance(item, Instance) else item
        moved = any(body.get(name) != old.get(name) for name in WHEN)
        target.sequence = sequence + 1 if moved and sequence == target.sequence else sequence
        before = dict(old) | ({"attendees": []} if event.cancelled else {})
        mine = rules.reminders(whole["reminders"]) if "reminders" in whole else target.reminders.get(self.person.email)
        only_reminders = body == old and mine != target.reminders.get(self.person.email)
        target.body = body
        if mine is not None:
            target.reminders[self.person.email] = mine
        if moved and not is_instance:
            series.prune(self.state, self.calendar, target)
        self._finish(target, before=before, updated=not only_reminders)
        return target

    def _check_identity(self, item: Event | Instance, event: Event, given: JsonObject) -> None:
        """What names an event cannot be changed by writing to it (G-44, G-48, G-60)."""
        if given.get("id", item.id) != item.id:
            raise invalid("The id of an event cannot be changed.", "id")
        if given.get("iCalUID", event.ical_uid) != event.ical_uid:
            raise invalid("The iCalUID of an event cannot be changed.", "iCalUID")
        master_id = item.master.id if isinstance(item, Instance) else item.master_id
        if given.get("recurringEventId", master_id) != master_id:
            raise invalid("The recurringEventId of an event cannot be changed.", "recurringEventId")
        if given.get("privateCopy", False) != event.body.get("privateCopy", False) and "privateCopy" in given:
            raise invalid("privateCopy cannot be changed.", "privateCopy")

    def _merge_guests(self, whole: JsonObject, old: JsonObject, given: JsonObject) -> None:
        """With ``attendeesOmitted`` only the own entry counts (G-71); ``resource`` is fixed at the first add (G-70)."""
        known = {guest["email"]: guest for guest in old.get("attendees", ())}
        sent = {str(guest.get("email", "")).lower(): guest for guest in whole.get("attendees") or ()}
        if given.get("attendeesOmitted") and "attendees" in given:
            if set(sent) - {self.calendar.id}:
                raise invalid("With attendeesOmitted only the own entry may be sent.", "attendees")
            sent = known | {email: known.get(email, {}) | guest for email, guest in sent.items()}
        for email, guest in sent.items():
            if email in known:
                sent[email] = {k: v for k, v in guest.items() if k != "resource"}
                if known[email].get("resource"):
                    sent[email]["resource"] = True
        if "attendees" in whole and all(sent):
            whole["attendees"] = list(sent.values())

    def _visibility(self, event: Event, body: JsonObject) -> None:
        """Stricter on one instance is stricter for the series, looser is ignored (G-65)."""
        master = self.calendar.events.get(event.master_id or event.id)
        if master is None or master.cancelled:
            return
        now, wanted = master.body.get("visibility", "default"), body.get("visibility", "default")
        if wanted in STRICT and now not in STRICT:
            master.body = master.body | {"visibility": wanted}
            self.state.touch(self.calendar, master)
        elif wanted not in STRICT and now in STRICT:
            body["visibility"] = now

    def _stored(
        self, given: JsonObject, *, old: JsonObject | None, touched: frozenset[str], instance: bool
    ) -> JsonObject:
        body = rules.stored(given, self.calendar, old=old, options=self.options, touched=touched, instance=instance)
        return rules.rewritten(body) if self.state.switches.rewrites else body

    def _sequence(self, given: JsonObject, current: int) -> int:
        wanted: int = given.get("sequence", current)
        if wanted < current:
            message = "Invalid sequence value. The specified sequence number is below the current sequence number of the resource."
            raise invalid(message, "sequence")  # G-56
        return wanted

    def _new(self, body: JsonObject, *, id: str, uid: str, organizer: JsonObject) -> Event:
        return self.state.new_event(
            self.calendar, body, id=id, ical_uid=uid, creator=self.person.email, organizer=organizer
        )

    def _organizer(self) -> JsonObject:
        if self.calendar.primary:
            return {"email": self.calendar.id}
        return {"email": self.calendar.id, "displayName": self.calendar.summary}

    def _owns(self, email: str) -> bool:
        """Whether that address is the owner's of this calendar (a secondary one stands for them)."""
        return email == self.calendar.owner

    def _is_guest(self, event: Event) -> bool:
        return event.organizer["email"] != self.calendar.id and not event.body.get("guestsCanModify", False)

    def _finish(self, event: Event, before: JsonObject | None, *, updated: bool = True) -> None:
        if self.options.conference:
            conferences.request(self.state, self.calendar, event)
        self.state.touch(self.calendar, event, updated=updated)
        guests.spread(self.state, self.meter, self.calendar, event, before, send_updates=self.options.send_updates)
        if self._is_guest(event) and before is not None:
            self._tell_answer(event, before)

    def _tell_answer(self, event: Event, before: JsonObject) -> None:
        def own(body: JsonObject) -> JsonObject | None:
            return next((guest for guest in body.get("attendees", ()) if guest["email"] == self.calendar.id), None)

        reply = own(event.body)
        if reply is not None and reply != own(before):
            guests.answer(self.state, self.meter, self.calendar, event, reply, send_updates=self.options.send_updates)
