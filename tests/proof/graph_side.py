"""Outlook's own page: a person's hands in the simulated mailbox itself, so that only the bridge's requests are counted."""

from __future__ import annotations

from bridge.sandbox.graph import forms, properties, series_edits
from bridge.sandbox.graph.events import Item
from bridge.sandbox.graph.mailbox import DEFAULT_CALENDAR
from tests.e2e.service_sides import GraphSide as Pages
from tests.proof.drafts import FROM, TO, Thing, nth
from tests.support.bridged import PERSON

ZONES = {"Europe/Vienna": "W. Europe Standard Time", "America/New_York": "Eastern Standard Time", "UTC": "UTC"}
BOSS = "boss@example.net"
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class GraphSide:
    name = "graph"
    provider = "microsoft"
    meetings = True

    def __init__(self, world):
        self.world = world
        self.pages = Pages(world.clients["microsoft"])

    @property
    def service(self):
        return self.world.sandbox.microsoft

    @property
    def _box(self):
        return self.service.box(PERSON)

    def _event(self, ref):
        return self._box.events[int(ref)]

    def ref(self, id):
        """Our name for what the bridge knows by this immutable id."""
        return str(self.service.ids.decode(id).number)

    def _desk(self):
        return self.service.desk(PERSON)

    def _update(self, item, body):
        with self.service.lock:
            self._desk().update(item, properties.check("event", body))

    def shows(self):
        return self.pages.shows(FROM, TO)

    def things(self):
        with self.service.lock:
            found = [
                Thing(
                    str(each.number),
                    each.fields["subject"],
                    each.recurrence is not None,
                    not each.own,
                    bool(each.fields["attendees"]),
                    each.span.all_day,
                )
                for each in self._box.in_calendar(DEFAULT_CALENDAR)
            ]
        return sorted(found, key=lambda thing: (thing.title, int(thing.ref)))

    # --- whole objects

    def add(self, draft, *, guests=()):
        with self.service.lock:
            return str(self._desk().create(properties.check("event", _body(draft, guests)), DEFAULT_CALENDAR).number)

    def _patch(self, ref, body):
        self._update(Item(self._event(ref)), body)

    def retitle(self, ref, title):
        self._patch(ref, {"subject": title})

    def relocate(self, ref, text):
        self._patch(ref, {"location": {"displayName": text}})

    def describe(self, ref, text):
        self._patch(ref, {"body": {"contentType": "text", "content": text}})

    def remind(self, ref, minutes):
        self._patch(ref, {"isReminderOn": True, "reminderMinutesBeforeStart": minutes})

    def shift(self, ref, by):
        self._patch(ref, _moved(self._event(ref).span, by))

    def remove(self, ref):
        with self.service.lock:
            self._desk().delete(Item(self._event(ref)))

    def copy(self, ref):
        """With all its markers (R9)."""
        with self.service.lock:
            return str(self._desk().copy(self._event(ref)).number)

    def move_away(self, ref):
        with self.service.lock:
            self._box.move(self._event(ref), self.service.calendar(PERSON, "Elsewhere"))

    def lose_cursors(self):
        self.service.lose_sync_state()

    # --- occurrences

    def occurrences(self, ref):
        """Original days of those that take place."""
        with self.service.lock:
            return self._event(ref).days(FROM, TO)

    def retitle_occurrence(self, ref, day, title):
        self._update(Item(self._event(ref), day), {"subject": title})

    def shift_occurrence(self, ref, day, by):
        self._update(Item(self._event(ref), day), _moved(self._event(ref).span_of(day), by))

    def cancel_occurrence(self, ref, day):
        with self.service.lock:
            self._desk().delete(Item(self._event(ref), day))

    def truncate(self, ref, day):
        with self.service.lock:
            series_edits.delete(self._desk(), Item(self._event(ref), day), "following")

    def split(self, ref, day, title, by):
        """Outlook's way: a new series first, then the old one's end."""
        item = Item(self._event(ref), day)
        with self.service.lock:
            form = {name: str(value) for name, value in forms.shown(item).items() if value is not None}
            form = {name: value for name, value in form.items() if value not in ("False", "")}
            form["subject"] = title
            if by and not item.span.all_day:
                form |= {"from": f"{item.span.start + by:%H:%M}", "to": f"{item.span.end + by:%H:%M}"}
            series_edits.edit(self._desk(), item, form, "following")

    # --- guests and invitations

    def invite(self, ref, address):
        known = [{"emailAddress": one["emailAddress"]} for one in self._event(ref).fields["attendees"]]
        self._patch(ref, {"attendees": [*known, {"emailAddress": {"address": address}}]})

    def uninvite(self, ref):
        known = [{"emailAddress": one["emailAddress"]} for one in self._event(ref).fields["attendees"]]
        self._patch(ref, {"attendees": known[:-1]})

    def receive(self, draft):
        with self.service.lock:
            who = {"name": "Boss", "address": BOSS}
            body = properties.check("event", _body(draft, ()))
            return str(self._desk().receive(body, who, DEFAULT_CALENDAR).number)

    def organizer_updates(self, ref, title, by):
        event = self._event(ref)
        body = {"subject": title} | (_moved(event.span, by) if by else {})
        with self.service.lock:
            self._desk().organizer_updates(event, properties.check("event", body))

    def organizer_cancels(self, ref):
        with self.service.lock:
            self._desk().organizer_cancels(self._event(ref))

    def answer(self, ref, pick):
        verb = pick.of(["accept", "tentativelyAccept", "decline"])
        with self.service.lock:
            self._desk().answer(Item(self._event(ref)), verb, {"sendResponse": False})


def _body(draft, guests):
    body = {
        "subject": draft.title,
        "isAllDay": draft.zone is None,
        "start": _time(draft.start, draft.zone),
        "end": _time(draft.end, draft.zone),
        "isReminderOn": draft.reminder is not None,
        "location": {"displayName": draft.location},
        "body": {"contentType": "text", "content": draft.description},
        "attendees": [{"emailAddress": {"address": guest}} for guest in guests],
    }
    if draft.reminder is not None:
        body["reminderMinutesBeforeStart"] = draft.reminder
    if draft.rule:
        body["recurrence"] = {"pattern": _pattern(draft.rule, draft.start), "range": _range(draft)}
    return body


def _time(value, zone):
    if zone is None:
        return {"dateTime": f"{value.isoformat()}T00:00:00", "timeZone": "UTC"}
    return {"dateTime": value.isoformat(), "timeZone": ZONES[zone]}


def _pattern(rule, start):
    weekday = DAYS[start.weekday()]
    match rule.freq:
        case "DAILY":
            return {"type": "daily", "interval": rule.interval}
        case "WEEKLY":
            days = [DAYS[day] for day in rule.days] or [weekday]
            return {"type": "weekly", "interval": rule.interval, "daysOfWeek": days, "firstDayOfWeek": "monday"}
        case "MONTHLY":
            return {"type": "absoluteMonthly", "interval": rule.interval, "dayOfMonth": start.day}
    index = ("first", "second", "third", "fourth")[nth(start) - 1]
    return {"type": "relativeMonthly", "interval": rule.interval, "daysOfWeek": [weekday], "index": index}


def _range(draft):
    begins = {"startDate": f"{draft.start:%Y-%m-%d}"}
    if draft.rule.count:
        return begins | {"type": "numbered", "numberOfOccurrences": draft.rule.count}
    if draft.rule.until:
        return begins | {"type": "endDate", "endDate": f"{draft.rule.until:%Y-%m-%d}"}
    return begins | {"type": "noEnd"}


def _moved(span, by):
    return {
        "start": {"dateTime": (span.start + by).isoformat(), "timeZone": span.start_zone},
        "end": {"dateTime": (span.end + by).isoformat(), "timeZone": span.end_zone},
    }
