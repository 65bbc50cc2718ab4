"""The hub as phones write to it: whole calendar objects, put and deleted by name."""

from __future__ import annotations

import datetime as dt
from contextlib import contextmanager
from zoneinfo import ZoneInfo

import icalendar
import recurring_ical_events

from bridge.store import objects
from tests.proof.drafts import FROM, TO, Thing
from tests.support.bridged import Phone

ZONE = ZoneInfo("Europe/Vienna")


class HubSide:
    name = "hub"
    provider = None
    meetings = False

    def __init__(self, world):
        self.world = world

    @property
    def phone(self):
        return Phone(self.world.context, self.world.calendar)

    def shows(self):
        return self.phone.shows(FROM, TO)

    def stored(self):
        return self.phone.stored()

    def things(self):
        found = []
        for uid, data in self.stored().items():
            components = icalendar.Calendar.from_ical(data).walk("VEVENT")
            master = next((each for each in components if "RECURRENCE-ID" not in each), components[0])
            foreign = "ORGANIZER" in master and "alex@" not in str(master["ORGANIZER"])
            all_day = not isinstance(master["DTSTART"].dt, dt.datetime)
            title = str(master.get("SUMMARY", ""))
            found.append(Thing(uid, title, "RRULE" in master, foreign, "ATTENDEE" in master, all_day))
        return sorted(found, key=lambda thing: (thing.title, thing.ref))

    # --- whole objects

    def add(self, draft, *, guests=()):
        event = icalendar.Event()
        event.add("SUMMARY", draft.title)
        event.add("DTSTART", _time(draft.start, draft.zone))
        event.add("DTEND", _time(draft.end, draft.zone))
        if draft.rule:
            event["RRULE"] = icalendar.vRecur.from_ical(draft.rule.text(draft.start, draft.zone))
        if draft.location:
            event.add("LOCATION", draft.location)
        if draft.description:
            event.add("DESCRIPTION", draft.description)
        if draft.reminder is not None:
            event.add_component(_alarm(draft.reminder))
        if guests:
            event.add("ORGANIZER", "mailto:alex@example.com")
        for guest in guests:
            event.add("ATTENDEE", f"mailto:{guest}", parameters={"PARTSTAT": "ACCEPTED", "X-OURS": "1"})
        return self._new([event])

    def _new(self, events):
        uid = self.world.uid()
        calendar = icalendar.Calendar()
        calendar.add("VERSION", "2.0")
        calendar.add("PRODID", "-//a phone//EN")
        for event in events:
            event.pop("UID", None)
            event.add("UID", uid)
            event.pop("DTSTAMP", None)
            event.add("DTSTAMP", dt.datetime(2035, 1, 1, tzinfo=dt.UTC))
            calendar.add_component(event)
        self._put(uid, calendar)
        return uid

    def _put(self, uid, calendar):
        context = self.world.context
        with context.database.write() as conn:
            stored = objects.by_uid(conn, self.world.calendar, uid)
            href = stored.href if stored else f"{uid}.ics"
            data = calendar.to_ical()
            objects.put(conn, self.world.calendar, href, data, actor="device:1", now=context.now())

    @contextmanager
    def _edited(self, uid):
        """The calendar of an object and its master, to be changed and put back."""
        calendar = icalendar.Calendar.from_ical(self.stored()[uid])
        yield calendar, next(each for each in calendar.walk("VEVENT") if "RECURRENCE-ID" not in each)
        self._put(uid, calendar)

    def _say(self, uid, name, value):
        with self._edited(uid) as (_, master):
            _set(master, name, value)

    def retitle(self, uid, title):
        self._say(uid, "SUMMARY", title)

    def relocate(self, uid, text):
        self._say(uid, "LOCATION", text)

    def describe(self, uid, text):
        self._say(uid, "DESCRIPTION", text)

    def remind(self, uid, minutes):
        with self._edited(uid) as (_, master):
            master.subcomponents = [each for each in master.subcomponents if each.name != "VALARM"]
            master.add_component(_alarm(minutes))

    def shift(self, uid, by):
        """As phones do: a series that is moved starts afresh."""
        with self._edited(uid) as (calendar, master):
            _move(master, by)
            calendar.subcomponents = [each for each in calendar.subcomponents if "RECURRENCE-ID" not in each]
            master.pop("EXDATE", None)

    def remove(self, uid):
        self.phone.remove(uid)

    def copy(self, uid):
        return self._new(icalendar.Calendar.from_ical(self.stored()[uid]).walk("VEVENT"))

    # --- occurrences

    def occurrences(self, uid):
        """The original starts of those that take place, by the master's own rule."""
        calendar = icalendar.Calendar.from_ical(self.stored()[uid])
        found = set()
        for one in recurring_ical_events.of(calendar, keep_recurrence_attributes=True).between(FROM, TO):
            found.add((one["RECURRENCE-ID"] if "RECURRENCE-ID" in one else one["DTSTART"]).dt)
        return sorted(found, key=str)

    @contextmanager
    def _overridden(self, uid, original):
        with self._edited(uid) as (calendar, master):
            one = next((each for each in calendar.walk("VEVENT") if _is(each, original)), None)
            if one is None:
                one = icalendar.Event.from_ical(master.to_ical())
                for name in ("RRULE", "EXDATE", "RDATE", "DTSTART", "DTEND"):
                    one.pop(name, None)
                length = _length(master)
                one.add("DTSTART", original)
                one.add("DTEND", original + length)
                one.add("RECURRENCE-ID", original)
                calendar.add_component(one)
            yield one

    def retitle_occurrence(self, uid, original, title):
        with self._overridden(uid, original) as one:
            _set(one, "SUMMARY", title)

    def shift_occurrence(self, uid, original, by):
        with self._overridden(uid, original) as one:
            _move(one, by)

    def cancel_occurrence(self, uid, original):
        with self._edited(uid) as (calendar, master):
            calendar.subcomponents = [each for each in calendar.subcomponents if not _is(each, original)]
            master.add("EXDATE", [original])

    def truncate(self, uid, original):
        """This and all later ones go."""
        with self._edited(uid) as (calendar, master):
            self._end_before(calendar, master, original)

    def split(self, uid, original, title, by):
        """The phone's way: the old object ends, a new one with a UID of its own goes on, without the old overrides."""
        whole = icalendar.Calendar.from_ical(self.stored()[uid])
        later = next(each for each in whole.walk("VEVENT") if "RECURRENCE-ID" not in each)
        length = _length(later)
        rule = later["RRULE"]
        if "COUNT" in rule:
            earlier = sum(1 for each in _ruled(later) if _instant(each) < _instant(original))
            rule["COUNT"] = [rule["COUNT"][0] - earlier]
        later.pop("EXDATE", None)
        for name, value in (("DTSTART", original), ("DTEND", original + length)):
            later.pop(name, None)
            later.add(name, value)
        _set(later, "SUMMARY", title)
        _move(later, by)
        self.truncate(uid, original)
        return self._new([later])

    def _end_before(self, calendar, master, original):
        rule = master["RRULE"]
        rule.pop("COUNT", None)
        last = original - dt.timedelta(days=1)
        if isinstance(original, dt.datetime):
            last = (original.astimezone(dt.UTC) - dt.timedelta(seconds=1)).replace(tzinfo=dt.UTC)
        rule["UNTIL"] = [last]
        calendar.subcomponents = [
            each
            for each in calendar.subcomponents
            if "RECURRENCE-ID" not in each or _instant(each["RECURRENCE-ID"].dt) < _instant(original)
        ]


def _ruled(master):
    bare = icalendar.Calendar()
    alone = icalendar.Event.from_ical(master.to_ical())
    alone.pop("EXDATE", None)
    bare.add_component(alone)
    return [one["DTSTART"].dt for one in recurring_ical_events.of(bare).between(FROM, TO)]


def _is(component, original):
    return "RECURRENCE-ID" in component and _instant(component["RECURRENCE-ID"].dt) == _instant(original)


def _instant(value):
    if not isinstance(value, dt.datetime):
        return dt.datetime.combine(value, dt.time(), dt.UTC)
    return value.astimezone(dt.UTC) if value.tzinfo else value.replace(tzinfo=ZONE)


def _time(value, zone):
    return value if zone is None else value.replace(tzinfo=dt.UTC if zone == "UTC" else ZoneInfo(zone))


def _set(component, name, value):
    component.pop(name, None)
    component.add(name, value)


def _move(component, by):
    for name in ("DTSTART", "DTEND"):
        if name in component:
            _set(component, name, component[name].dt + by)


def _length(component):
    """An all-day event of one day need not say its end (RFC 5545, 3.6.1)."""
    return component["DTEND"].dt - component["DTSTART"].dt if "DTEND" in component else dt.timedelta(days=1)


def _alarm(minutes):
    alarm = icalendar.Alarm()
    alarm.add("ACTION", "DISPLAY")
    alarm.add("DESCRIPTION", "Reminder")
    alarm.add("TRIGGER", dt.timedelta(minutes=-minutes))
    return alarm
