"""A person's other CalDAV client, written on ``icalendar``: it knows nothing of the bridge's own reading and writing."""

import datetime as dt
import re
import uuid
import xml.etree.ElementTree as ET
from urllib.parse import unquote
from zoneinfo import ZoneInfo

import icalendar
import recurring_ical_events

STAMP = dt.datetime(2026, 2, 1, tzinfo=dt.UTC)


class Hands:
    """One calendar at its server. ``client`` is signed in; ids are paths."""

    def __init__(self, client, path):
        self.client, self.path = client, path

    def get(self, id):
        answer = self.client.get(id)
        answer.raise_for_status()
        return icalendar.Calendar.from_ical(answer.content)

    def put(self, id, calendar):
        calendar.add_missing_timezones()
        self.client.put(id, content=calendar.to_ical(), headers={"Content-Type": "text/calendar"}).raise_for_status()

    def put_text(self, name, text, *, kind="text/calendar"):
        """These very bytes under this name; its id."""
        data = text.encode() if isinstance(text, str) else text
        self.client.put(f"{self.path}{name}", content=data, headers={"Content-Type": kind}).raise_for_status()
        return f"{self.path}{name}"

    def ids(self):
        body = '<propfind xmlns="DAV:"><prop><getetag/></prop></propfind>'
        headers = {"Depth": "1", "Content-Type": "text/xml"}
        answer = self.client.request("PROPFIND", self.path, content=body, headers=headers)
        answer.raise_for_status()
        hrefs = [each.text for each in ET.fromstring(answer.content).iterfind("{DAV:}response/{DAV:}href")]
        return sorted(unquote(href) for href in hrefs if href.endswith(".ics"))

    # --- what a bench needs

    def add(self, event):
        calendar = icalendar.Calendar()
        calendar.add("version", "2.0")
        calendar.add("prodid", "-//another client//EN")
        made = icalendar.Event()
        name = str(uuid.uuid4())
        made.add("uid", name)
        made.add("dtstamp", STAMP)
        made.add("summary", event.title)
        made.add("dtstart", self._time(event.start, event.zone))
        made.add("dtend", self._time(event.end, event.zone))
        if event.rule:
            made.add("rrule", icalendar.vRecur.from_ical(event.rule))
        calendar.add_component(made)
        self.put(f"{self.path}{name}.ics", calendar)
        return f"{self.path}{name}.ics"

    def _time(self, value, zone):
        if not isinstance(value, dt.datetime) or zone is None:
            return value
        return value.replace(tzinfo=dt.UTC if zone == "UTC" else ZoneInfo(zone))

    def _master(self, calendar):
        return next(each for each in calendar.events if "RECURRENCE-ID" not in each)

    def _like(self, value, other):
        """A naive time in the zone that another one is in."""
        if not isinstance(value, dt.datetime) or not isinstance(other, dt.datetime):
            return value
        return value.replace(tzinfo=other.tzinfo)

    def _set(self, event, **values):
        for name, value in values.items():
            event.pop(name, None)
            event.add(name, value)
        event["SEQUENCE"] = int(event.get("SEQUENCE", 0)) + 1
        event.pop("LAST-MODIFIED", None)
        event.add("last-modified", STAMP + dt.timedelta(minutes=event["SEQUENCE"]))

    def retitle(self, id, title):
        calendar = self.get(id)
        self._set(self._master(calendar), summary=title)
        self.put(id, calendar)

    def reschedule(self, id, start, end):
        """As many clients do it: what became of single occurrences is forgotten."""
        calendar = self.get(id)
        master = self._master(calendar)
        for each in calendar.events:
            if each is not master:
                calendar.subcomponents.remove(each)
        master.pop("EXDATE", None)
        master.pop("DURATION", None)
        zone = master["DTSTART"].dt
        self._set(master, dtstart=self._like(start, zone), dtend=self._like(end, zone))
        self.put(id, calendar)

    def change_rule(self, id, rule):
        calendar = self.get(id)
        self._set(self._master(calendar), rrule=icalendar.vRecur.from_ical(rule))
        self.put(id, calendar)

    def remove(self, id):
        self.client.delete(id).raise_for_status()

    def _occurrence(self, calendar, original):
        master = self._master(calendar)
        original = self._like(original, master["DTSTART"].dt)
        for each in calendar.events:
            if "RECURRENCE-ID" in each and each["RECURRENCE-ID"].dt == original:
                return each
        length = master["DTEND"].dt - master["DTSTART"].dt
        made = icalendar.Event()
        for name in ("UID", "DTSTAMP", "SUMMARY"):
            made[name] = master[name]
        made.add("recurrence-id", original)
        made.add("dtstart", original)
        made.add("dtend", original + length)
        calendar.add_component(made)
        return made

    def move_occurrence(self, id, original, start, end):
        calendar = self.get(id)
        zone = self._master(calendar)["DTSTART"].dt
        self._set(self._occurrence(calendar, original), dtstart=self._like(start, zone), dtend=self._like(end, zone))
        self.put(id, calendar)

    def retitle_occurrence(self, id, original, title):
        calendar = self.get(id)
        self._set(self._occurrence(calendar, original), summary=title)
        self.put(id, calendar)

    def remove_occurrence(self, id, original):
        calendar = self.get(id)
        master = self._master(calendar)
        original = self._like(original, master["DTSTART"].dt)
        for each in calendar.events:
            if "RECURRENCE-ID" in each and each["RECURRENCE-ID"].dt == original:
                calendar.subcomponents.remove(each)
        master.add("exdate", original)
        self._set(master)
        self.put(id, calendar)

    def titles(self):
        calendars = [self.get(id) for id in self.ids()]
        return sorted(str(self._master(each).get("SUMMARY", "")) for each in calendars if each.events)

    def occurrences(self, id, start, end):
        found = recurring_ical_events.of(self.get(id), skip_bad_series=True).between(start, end)
        return sorted((_shown(each["DTSTART"].dt), str(each.get("SUMMARY", ""))) for each in found)


def _shown(value):
    if not isinstance(value, dt.datetime):
        return value.isoformat()
    if value.tzinfo is None:
        return f"{value:%Y%m%dT%H%M%S}"
    return f"{value.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}"


def unfolded(data):
    return re.sub(r"\r?\n[ \t]", "", data)
