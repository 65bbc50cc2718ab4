"""Google's own page: a person's hands in the simulated service itself, so that only the bridge's requests are counted."""

from __future__ import annotations

import datetime as dt

from bridge.sandbox.google import series_edits
from tests.e2e.service_sides import GoogleSide as Pages
from tests.proof.drafts import FROM, TO, Thing
from tests.support.bridged import PERSON

SAM = "sam@example.com"
"""Somebody else at Google, who invites."""
KEPT = ("summary", "location", "description", "start", "end", "recurrence", "extendedProperties", "reminders")


class GoogleSide:
    name = "google"
    provider = "google"
    meetings = True

    def __init__(self, world):
        self.world = world
        self.pages = Pages(world.clients["google"])

    @property
    def service(self):
        return self.world.sandbox.google

    def _write(self, act, person=PERSON):
        with self.service.transaction():
            return act(self.service.writer(person))

    def _calendar(self, person=PERSON):
        return self.service.state.calendars[person]

    def shows(self):
        return self.pages.shows(FROM, TO)

    def things(self):
        with self.service.lock:
            found = [
                Thing(
                    each.id,
                    each.body.get("summary", ""),
                    each.recurring,
                    each.organizer["email"] != PERSON,
                    bool(each.body.get("attendees")),
                    "date" in each.body["start"],
                )
                for each in self.service.state.live(self._calendar())
            ]
        return sorted(found, key=lambda thing: (thing.title, thing.ref))

    # --- whole objects

    def add(self, draft, *, guests=()):
        return self._write(lambda writer: writer.insert(_body(draft, guests))).id

    def _patch(self, id, body):
        self._write(lambda writer: writer.patch(id, body))

    def retitle(self, id, title):
        self._patch(id, {"summary": title})

    def relocate(self, id, text):
        self._patch(id, {"location": text})

    def describe(self, id, text):
        self._patch(id, {"description": text})

    def remind(self, id, minutes):
        self._patch(id, {"reminders": {"useDefault": False, "overrides": [{"method": "popup", "minutes": minutes}]}})

    def shift(self, id, by):
        self._patch(id, _moved(self._calendar().events[id].body, by))

    def remove(self, id):
        self._write(lambda writer: writer.delete(id))

    def copy(self, id):
        """With all its markers (R9)."""
        body = {name: value for name, value in self._calendar().events[id].body.items() if name in KEPT}
        for name in ("start", "end"):
            body[name] = {part: text for part, text in body[name].items() if part != "fold"}
        return self._write(lambda writer: writer.insert(body)).id

    def move_away(self, id):
        there = next(each for each in self.service.state.calendars.values() if each.summary == "Elsewhere")
        self._write(lambda writer: writer.move(id, there))

    def lose_cursors(self):
        self.service.expire_sync_tokens()

    # --- occurrences

    def occurrences(self, id):
        """Instance ids of those that take place."""
        bounds = {"timeMin": FROM.isoformat(), "timeMax": TO.isoformat(), "maxResults": 2500}
        found = self.pages._call("GET", f"/{id}/instances", params=bounds)["items"]
        return [each["id"] for each in found if each["status"] != "cancelled"]

    def _instance(self, instance):
        return self.pages._call("GET", f"/{instance}")

    def retitle_occurrence(self, id, instance, title):
        self._patch(instance, {"summary": title})

    def shift_occurrence(self, id, instance, by):
        self._patch(instance, _moved(self._instance(instance), by))

    def cancel_occurrence(self, id, instance):
        self._write(lambda writer: writer.delete(instance))

    def truncate(self, id, instance):
        self._write(lambda writer: series_edits.delete(writer, instance, "following"))

    def split(self, id, instance, title, by):
        """Google's way (G-63)."""
        change = {"summary": title} | (_moved(self._instance(instance), by) if by else {})
        self._write(lambda writer: series_edits.edit(writer, instance, change, "following"))

    # --- guests and invitations

    def invite(self, id, address):
        known = self._calendar().events[id].body.get("attendees", [])
        self._patch(id, {"attendees": [*known, {"email": address}]})

    def uninvite(self, id):
        self._patch(id, {"attendees": self._calendar().events[id].body["attendees"][:-1]})

    def receive(self, draft):
        """Sam invites."""
        return self._write(lambda writer: writer.insert(_body(draft, [PERSON])), SAM).id

    def organizer_updates(self, id, title, by):
        body = {"summary": title} | (_moved(self._calendar(SAM).events[id].body, by) if by else {})
        self._write(lambda writer: writer.patch(id, body), SAM)

    def organizer_cancels(self, id):
        self._write(lambda writer: writer.delete(id), SAM)

    def answer(self, id, pick):
        reply = {"email": PERSON, "responseStatus": pick.of(["accepted", "tentative", "declined"])}
        self._patch(id, {"attendees": [reply], "attendeesOmitted": True})


def _body(draft, guests):
    body = {
        "summary": draft.title,
        "start": _time(draft.start, draft.zone),
        "end": _time(draft.end, draft.zone),
        "location": draft.location,
        "description": draft.description,
        "attendees": [{"email": guest} for guest in guests],
    }
    body = {name: value for name, value in body.items() if value}
    if draft.rule:
        body["recurrence"] = [f"RRULE:{draft.rule.text(draft.start, draft.zone)}"]
    if draft.reminder is not None:
        body["reminders"] = {"useDefault": False, "overrides": [{"method": "popup", "minutes": draft.reminder}]}
    return body


def _time(value, zone):
    return {"date": value.isoformat()} if zone is None else {"dateTime": value.isoformat(), "timeZone": zone}


def _moved(body, by):
    found = {}
    for name in ("start", "end"):
        if "date" in body[name]:
            found[name] = {"date": (dt.date.fromisoformat(body[name]["date"]) + by).isoformat()}
        else:
            moved = dt.datetime.fromisoformat(body[name]["dateTime"]) + by
            found[name] = {"dateTime": moved.isoformat(), "timeZone": body[name].get("timeZone")}
    return found
