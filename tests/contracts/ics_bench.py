"""The bench of feeds: the owner edits a calendar with the icalendar library, and a web server publishes it."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from contextlib import contextmanager
from zoneinfo import ZoneInfo

import icalendar
import pytest
import recurring_ical_events

from bridge.providers.ics.feed import Fetcher
from bridge.providers.ics.provider import IcsProvider
from bridge.providers.pace import Limits, Paces
from tests.contracts.bench import KeptTokens
from tests.support.feeds import FeedServer, Reply

READ_ONLY = True
PUSHES = False
BATCHES = False
PATH = "/private-4711/basic.ics"
STAMP = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


class IcsBench:
    def __init__(self, server):
        self.server = server
        self.edition = 0
        self.made = 0
        self.events: dict[str, list[icalendar.Event]] = {}
        self.publish()
        provider = IcsProvider(Fetcher(allow_private=True), paces=Paces(Limits()))
        grant = provider.grant(url=f"{server.base}{PATH}", username="", password="")
        self.provider = provider
        self.account = provider.account(KeptTokens(grant))
        (self.calendar,) = self.account.calendars()
        self.remote = self.account.remote(self.calendar)

    def publish(self):
        calendar = icalendar.Calendar()
        calendar.add("version", "2.0")
        calendar.add("prodid", "-//bench//EN")
        calendar.add("x-wr-calname", "Bench")
        for components in self.events.values():
            for component in components:
                calendar.add_component(component)
        calendar.add_missing_timezones()
        self.edition += 1
        self.server.at[PATH] = Reply(calendar.to_ical(), etag=f'"{self.edition}"')

    def _of(self, id):
        (uid,) = [uid for uid in self.events if hashlib.sha256(json.dumps([uid]).encode()).hexdigest()[:24] == id]
        return self.events[uid]

    # --- the owner's hands

    def add(self, event):
        self.made += 1
        uid = f"event-{self.made}@bench.example"
        made = icalendar.Event()
        made.add("uid", uid)
        made.add("dtstamp", STAMP)
        self._place(made, event.start, event.end, event.zone)
        made.add("summary", event.title)
        if event.rule:
            made.add("rrule", icalendar.vRecur.from_ical(event.rule))
        self.events[uid] = [made]
        self.publish()
        return hashlib.sha256(json.dumps([uid]).encode()).hexdigest()[:24]

    def _place(self, event, start, end, zone):
        for name, value in (("dtstart", start), ("dtend", end)):
            event.pop(name, None)
            event.add(name, self._in(value, zone))

    def _in(self, value, zone):
        return value.replace(tzinfo=ZoneInfo(zone)) if isinstance(value, dt.datetime) and zone else value

    def _zone(self, event):
        start = event["dtstart"].dt
        return start.tzinfo.key if isinstance(start, dt.datetime) and start.tzinfo else None

    def retitle(self, id, title):
        event = self._of(id)[0]
        del event["summary"]
        event.add("summary", title)
        self.publish()

    def remove(self, id):
        gone = self._of(id)
        self.events = {uid: each for uid, each in self.events.items() if each is not gone}
        self.publish()

    def _override(self, id, original):
        components = self._of(id)
        master = components[0]
        made = icalendar.Event.from_ical(master.to_ical())
        for name in ("rrule", "exdate"):
            made.pop(name, None)
        zone = self._zone(master)
        length = master["dtend"].dt - master["dtstart"].dt
        made.add("recurrence-id", self._in(original, zone))
        self._place(made, original, original + length, zone)
        components.append(made)
        return made, zone

    def move_occurrence(self, id, original, start, end):
        made, zone = self._override(id, original)
        self._place(made, start, end, zone)
        self.publish()

    def retitle_occurrence(self, id, original, title):
        made, _ = self._override(id, original)
        del made["summary"]
        made.add("summary", title)
        self.publish()

    def remove_occurrence(self, id, original):
        master = self._of(id)[0]
        master.add("exdate", self._in(original, self._zone(master)))
        self.publish()

    def titles(self):
        return sorted(str(components[0]["summary"]) for components in self.events.values())

    def occurrences(self, id, start, end):
        calendar = icalendar.Calendar()
        for component in self._of(id):
            calendar.add_component(component)
        seen = []
        for each in recurring_ical_events.of(calendar).between(start, end):
            at = each["dtstart"].dt
            seen.append((f"{at.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}", str(each["summary"])))
        return sorted(seen)

    # --- the service

    def page_size(self, size):
        self.remote.page_size = size

    def forget_cursors(self):
        pytest.fail("a feed keeps no cursors, so it forgets none")

    @contextmanager
    def trouble(self, kind):
        reply = self.server.at[PATH]
        troubles = {
            "down": Reply(b"", 503, None),
            "busy": Reply(b"", 503, None, {"Retry-After": "7"}),
            "answer lost": Reply(b"BEGIN:VCALENDAR", promised=4711),
        }
        self.server.at[PATH] = troubles[kind]
        yield
        self.server.at[PATH] = reply

    def requests(self):
        return len(self.server.asked)

    def writes(self):
        return 0

    def mails(self):
        return 0


@contextmanager
def open_bench(sandbox):
    server = FeedServer()
    bench = IcsBench(server)
    try:
        yield bench
    finally:
        bench.provider.close()
        server.close()
