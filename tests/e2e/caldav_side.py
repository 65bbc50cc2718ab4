"""A person with a CalDAV program: the real ``caldav`` client, and icalendar to change what it fetched, as programs do."""

import datetime as dt
import uuid
from zoneinfo import ZoneInfo

import caldav
import icalendar
import recurring_ical_events


class CalDavSide:
    name = "caldav"

    def __init__(self, url, username, password):
        self._client = caldav.DAVClient(url, username=username, password=password)
        calendars = self._client.principal().get_calendars()
        self._calendar = next(one for one in calendars if "VEVENT" in one.get_supported_components())

    def close(self):
        self._client.close()

    # --- what the person does

    def add(self, event):
        uid = f"{uuid.uuid4()}@phone"
        component = icalendar.Event()
        component.add("uid", uid)
        component.add("dtstamp", dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
        component.add("summary", event.title)
        component.add("dtstart", _aware(event.start, event.zone))
        component.add("dtend", _aware(event.end, event.zone))
        if event.rule:
            component.add("rrule", icalendar.vRecur.from_ical(event.rule))
        whole = icalendar.Calendar()
        whole.add("version", "2.0")
        whole.add("prodid", "-//a phone//EN")
        whole.add_component(component)
        whole.add_missing_timezones()
        self._calendar.save_event(whole.to_ical().decode())
        return uid

    def retitle(self, uid, title):
        self._edit(uid, lambda master: _replace(master, "summary", title))

    def reschedule(self, uid, start, end):
        def move(master):
            zone = getattr(master.decoded("dtstart"), "tzinfo", None)
            _replace(master, "dtstart", _aware(start, zone and zone.key))
            _replace(master, "dtend", _aware(end, zone and zone.key))

        self._edit(uid, move)

    def move_occurrence(self, uid, original, start, end):
        self._edit_occurrence(uid, original, dtstart=start, dtend=end)

    def retitle_occurrence(self, uid, original, title):
        self._edit_occurrence(uid, original, summary=title)

    def remove_occurrence(self, uid, original):
        def exclude(master):
            master.add("exdate", _aware(original, master.decoded("dtstart").tzinfo.key))

        self._edit(uid, exclude)

    def remove(self, uid):
        self._calendar.get_event_by_uid(uid).delete()

    def find(self, title):
        """The UID of the event or series with this title."""
        return next(str(master["uid"]) for master in self._masters() if master["summary"] == title)

    def _edit(self, uid, change):
        event = self._calendar.get_event_by_uid(uid)
        whole = icalendar.Calendar.from_ical(event.data)
        change(next(one for one in whole.walk("VEVENT") if "recurrence-id" not in one))
        event.data = whole.to_ical().decode()
        event.save()

    def _edit_occurrence(self, uid, original, **values):
        event = self._calendar.get_event_by_uid(uid)
        whole = icalendar.Calendar.from_ical(event.data)
        master = next(one for one in whole.walk("VEVENT") if "recurrence-id" not in one)
        zone = master.decoded("dtstart").tzinfo.key
        at = _aware(original, zone)
        override = next((one for one in whole.walk("VEVENT") if _recurrence_id(one) == at), None)
        if override is None:
            override = icalendar.Event.from_ical(master.to_ical())
            for name in ("rrule", "exdate"):
                override.pop(name, None)
            length = master.decoded("dtend") - master.decoded("dtstart")
            override.add("recurrence-id", at)
            _replace(override, "dtstart", at)
            _replace(override, "dtend", at + length)
            whole.add_component(override)
        for name, value in values.items():
            _replace(override, name, _aware(value, zone) if isinstance(value, dt.datetime) else value)
        event.data = whole.to_ical().decode()
        event.save()

    # --- what the person sees

    def _masters(self):
        for event in self._calendar.get_events():
            whole = icalendar.Calendar.from_ical(event.data)
            yield next(one for one in whole.walk("VEVENT") if "recurrence-id" not in one)

    def shows(self, start, end):
        found = []
        for event in self._calendar.get_events():
            whole = icalendar.Calendar.from_ical(event.data)
            found += [
                (_shown(one.decoded("dtstart")), _shown(one.decoded("dtend")), str(one["summary"]))
                for one in recurring_ical_events.of(whole).between(start, end)
            ]
        return sorted(found)


def _aware(value, zone):
    return value.replace(tzinfo=ZoneInfo(zone)) if isinstance(value, dt.datetime) and zone else value


def _replace(component, name, value):
    component.pop(name, None)
    component.add(name, value)


def _recurrence_id(component):
    return component.decoded("recurrence-id") if "recurrence-id" in component else None


def _shown(value):
    """A date's ISO form for all-day, else the instant in UTC."""
    return value.astimezone(dt.UTC).strftime("%Y%m%dT%H%M%SZ") if isinstance(value, dt.datetime) else value.isoformat()
