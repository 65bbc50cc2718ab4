"""Hands that write whole calendar objects, as phones and programs do: fetch one, change it, put it back.

Where they are fetched from and put to, a side says: ``HubSide`` and ``CaldavSide``.
"""

from __future__ import annotations

import datetime as dt
from contextlib import contextmanager
from functools import lru_cache
from zoneinfo import ZoneInfo

import icalendar
import recurring_ical_events

from tests.proof.drafts import FROM, TO, Thing
from tests.support.bridged import occurrences

ZONE = ZoneInfo("Europe/Vienna")


class NotTaken(Exception):
    """The server has refused what its person wanted to write, and nothing has changed: a series without an occurrence, say."""


class IcalendarSide:
    """A side has ``stored()``, the texts by its names for them, ``_ref(uid)``, ``_put(ref, calendar)`` and ``remove(ref)``.

    All that writes may raise NotTaken.
    """

    def __init__(self, world):
        self.world = world

    def shows(self):
        return sorted(one for text in self.stored().values() for one in _shown(text))

    def things(self):
        found = [Thing(ref, *_facts(text)) for ref, text in self.stored().items()]
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
        ref = self._ref(uid)
        self._put(ref, calendar)
        return ref

    @contextmanager
    def _edited(self, ref):
        """The calendar of an object and its master, to be changed and put back."""
        calendar = icalendar.Calendar.from_ical(self.stored()[ref])
        yield calendar, next(each for each in calendar.walk("VEVENT") if "RECURRENCE-ID" not in each)
        self._put(ref, calendar)

    def _say(self, ref, name, value):
        with self._edited(ref) as (_, master):
            _set(master, name, value)

    def retitle(self, ref, title):
        self._say(ref, "SUMMARY", title)

    def relocate(self, ref, text):
        self._say(ref, "LOCATION", text)

    def describe(self, ref, text):
        self._say(ref, "DESCRIPTION", text)

    def remind(self, ref, minutes):
        with self._edited(ref) as (_, master):
            master.subcomponents = [each for each in master.subcomponents if each.name != "VALARM"]
            master.add_component(_alarm(minutes))

    def shift(self, ref, by):
        """As phones do: a series that is moved starts afresh."""
        with self._edited(ref) as (calendar, master):
            _move(master, by)
            calendar.subcomponents = [each for each in calendar.subcomponents if "RECURRENCE-ID" not in each]
            master.pop("EXDATE", None)

    def copy(self, ref):
        return self._new(icalendar.Calendar.from_ical(self.stored()[ref]).walk("VEVENT"))

    # --- occurrences

    def occurrences(self, ref):
        """The original starts of those that take place, by the master's own rule."""
        calendar = icalendar.Calendar.from_ical(self.stored()[ref])
        found = set()
        for one in recurring_ical_events.of(calendar, keep_recurrence_attributes=True).between(FROM, TO):
            found.add((one["RECURRENCE-ID"] if "RECURRENCE-ID" in one else one["DTSTART"]).dt)
        return sorted(found, key=str)

    @contextmanager
    def _overridden(self, ref, original):
        with self._edited(ref) as (calendar, master):
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

    def retitle_occurrence(self, ref, original, title):
        with self._overridden(ref, original) as one:
            _set(one, "SUMMARY", title)

    def shift_occurrence(self, ref, original, by):
        with self._overridden(ref, original) as one:
            _move(one, by)

    def cancel_occurrence(self, ref, original):
        with self._edited(ref) as (calendar, master):
            calendar.subcomponents = [each for each in calendar.subcomponents if not _is(each, original)]
            master.add("EXDATE", [original])

    def truncate(self, ref, original):
        """This and all later ones go."""
        with self._edited(ref) as (calendar, master):
            self._end_before(calendar, master, original)

    def extend(self, ref):
        """It goes on for longer; what became of its occurrences stays."""
        with self._edited(ref) as (_, master):
            rule = master["RRULE"]
            if "COUNT" in rule:
                rule["COUNT"] = [rule["COUNT"][0] + 3]
            elif "UNTIL" in rule:
                rule["UNTIL"] = [rule["UNTIL"][0] + dt.timedelta(days=21)]
            else:
                raise NotTaken

    def split(self, ref, original, title, by):
        """The phone's way: the old object ends, a new one with a UID of its own goes on, without the old overrides."""
        whole = icalendar.Calendar.from_ical(self.stored()[ref])
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
        made = self._new([later])
        self.truncate(ref, original)
        return made

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


@lru_cache(4096)
def _shown(text):
    return tuple(occurrences(text, FROM, TO))


@lru_cache(4096)
def _facts(text):
    """Title, and whether it is a series, somebody else's, has guests, and is all-day."""
    components = icalendar.Calendar.from_ical(text).walk("VEVENT")
    master = next((each for each in components if "RECURRENCE-ID" not in each), components[0])
    foreign = "ORGANIZER" in master and "alex@" not in str(master["ORGANIZER"])
    all_day = not isinstance(master["DTSTART"].dt, dt.datetime)
    return str(master.get("SUMMARY", "")), "RRULE" in master, foreign, "ATTENDEE" in master, all_day


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
