"""The bench of the reference provider: the owner's hands are methods of the service itself."""

from __future__ import annotations

import datetime as dt
from contextlib import contextmanager
from dataclasses import replace
from zoneinfo import ZoneInfo

import httpx

from bridge.errors import Refused, Throttled, Unmappable, Unreachable
from bridge.ical import recurrence, times
from bridge.ical.fields import EventFields, ObjectFields, When
from bridge.providers.memory import MemoryAccount, MemoryCalendar

METHODS = ("page", "get", "find", "create", "create_many", "update", "delete")
TROUBLES = {
    "down": (Unreachable("down", status=503), False),
    "busy": (Throttled("busy", retry_after=7), False),
    "answer lost": (Unreachable("no answer"), True),
}


class MemoryBench:
    revives = True
    refusal = Unmappable
    remembers = True
    by_name = False
    forgets = True
    forgets_listings = True

    def __init__(self) -> None:
        self.service = MemoryCalendar(clock=lambda: dt.datetime(2026, 3, 1, tzinfo=dt.UTC), deliver=self._deliver)
        self.account = MemoryAccount([self.service])
        (self.calendar,) = self.account.calendars()
        self.remote = self.account.remote(self.calendar)

    def _deliver(self, address, channel, secret):
        httpx.post(address, json={"value": [{"subscriptionId": channel, "clientState": secret}]})

    def add(self, event):
        fields = EventFields(When(event.start, event.end, event.zone), summary=event.title)
        return self.service.add(ObjectFields(fields, (f"RRULE:{event.rule}",) if event.rule else ()))

    def retitle(self, id, title):
        fields = self.service.objects()[id]
        self.service.edit(id, replace(fields, master=replace(fields.master, summary=title)))

    def reschedule(self, id, start, end):
        fields = self.service.objects()[id]
        when = replace(fields.master.when, start=start, end=end)
        self.service.edit(id, recurrence.normalize(replace(fields, master=replace(fields.master, when=when))))

    def change_rule(self, id, rule):
        fields = replace(self.service.objects()[id], recurrence=(f"RRULE:{rule}",))
        self.service.edit(id, recurrence.normalize(fields))

    def remove(self, id):
        self.service.remove(id)

    def move_occurrence(self, id, original, start, end):
        self._override(id, original, lambda event: replace(event, when=replace(event.when, start=start, end=end)))

    def retitle_occurrence(self, id, original, title):
        self._override(id, original, lambda event: replace(event, summary=title))

    def remove_occurrence(self, id, original):
        fields, key = self._key(id, original)
        overrides = {each: event for each, event in fields.overrides.items() if each != key}
        self.service.edit(id, replace(fields, overrides=overrides, cancelled=fields.cancelled | {key}))

    def _override(self, id, original, change):
        fields, key = self._key(id, original)
        event = fields.overrides.get(key) or replace(fields.master, when=recurrence.regular(fields, key))
        self.service.edit(id, replace(fields, overrides={**fields.overrides, key: change(event)}))

    def _key(self, id, original):
        fields = self.service.objects()[id]
        if not isinstance(original, dt.datetime):
            return fields, times.instance_key(original)
        return fields, times.instance_key(times.instant(original, fields.master.when.zone, floating=dt.UTC))

    def titles(self):
        return sorted(fields.master.summary for fields in self.service.objects().values())

    def occurrences(self, id, start, end):
        seen = []
        for each in recurrence.instances(self.service.objects()[id], start, end, floating=ZoneInfo(self.calendar.zone)):
            when = each.when
            moment = times.instant(when.start, when.zone, floating=ZoneInfo(self.calendar.zone))
            seen.append((when.start.isoformat() if when.all_day else f"{moment:%Y%m%dT%H%M%SZ}", each.fields.summary))
        return sorted(seen)

    def page_size(self, size):
        self.service.page_size = size

    def forget_cursors(self):
        self.service.forget_cursors()

    @contextmanager
    def trouble(self, kind):
        error, after = TROUBLES[kind]
        for method in METHODS:
            self.service.fail(method, error, after_effect=after, times=10)
        yield
        self.service.faults.clear()

    def strike_creation(self, number, kind):
        error, after = TROUBLES.get(kind, (Refused("no", status=400), False))
        request, seen = self.service.request, []

        @contextmanager
        def struck(method):
            seen.append(method)
            if method == "create" and seen.count(method) == number:
                self.service.fail(method, error, after_effect=after)
            with request(method):
                yield

        self.service.request = struck

    def wait_over(self):
        pass

    def requests(self):
        return self.service.requests.total()

    def writes(self):
        return self.service.writes

    def mails(self):
        return 0


@contextmanager
def open_bench(sandbox):
    yield MemoryBench()
