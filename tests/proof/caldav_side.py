"""A stock Radicale of somebody else as the person's other client writes to it: over HTTP, whole objects, each with a name.

Nothing in a life depends on the server's own clock, which is the real one: its tokens and ETags are digests of what there is,
and only its unused tokens of a month ago run out by time. What orders edits is LAST-MODIFIED, and that the clients write.
"""

from __future__ import annotations

import datetime as dt
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import lru_cache

import httpx
import icalendar

from tests.proof.icalendar_side import IcalendarSide, NotTaken
from tests.support.caldav_server import PASSWORD, USER, Server, in_store, radicale

HOME, ELSEWHERE = "calendar", "elsewhere"
LACKS = ((), (), (), (), ("put-etag",), ("multiget",), ("sync",), ("sync", "ctag"))
"""Of servers: half of them lack nothing."""


@dataclass
class Dav:
    """The running server that all lives of a process share, and its owner's other client."""

    server: Server
    client: httpx.Client
    folder: object

    def reset(self):
        """Two empty calendars; the bridge takes the first by name for the default one."""
        self.server.screws.reset()
        for name in (HOME, ELSEWHERE):
            self.client.delete(f"{self.server.home}{name}/")
            self.server.make_calendar(name)

    def become(self, lot):
        """One of the servers there are: how many changes it tells at once, and what it lacks."""
        self.server.screws.limit = lot.choice([None, 2, 10])
        self.server.screws.without = set(lot.choice(LACKS))

    def sign_in(self):
        """What the person types to connect it."""
        return {"url": self.server.url, "username": USER, "password": PASSWORD}


@contextmanager
def running(folder):
    with ExitStack() as stack:
        server = stack.enter_context(radicale(folder))
        yield Dav(server, stack.enter_context(server.hands()), folder)


class CaldavSide(IcalendarSide):
    """``meetings`` is False, for it is no home that invites: the bridge writes no guests into what it makes there, and a
    server without scheduling (RFC 6638) tells nobody's addresses, so that there are no meetings of others (R3) either.
    """

    name = "caldav"
    provider = "caldav"
    meetings = False

    @property
    def _dav(self):
        return self.world.dav

    def _at(self, ref, calendar=HOME):
        return f"{self._dav.server.home}{calendar}/{ref}"

    def stored(self):
        """By name. Read from its store: what it is asked all the time would otherwise take longer than all it is told."""
        files = in_store(self._dav.folder, self._at("")).glob("*.ics")
        return {file.name: file.read_bytes().decode() for file in files}

    def _ref(self, uid):
        return f"{uid}.ics"

    def _put(self, ref, calendar):
        for event in calendar.walk("VEVENT"):
            event.pop("LAST-MODIFIED", None)
            event.add("LAST-MODIFIED", self.world.now())
        zones = {each.tz_name for each in calendar.timezones}
        for name in sorted(calendar.get_used_tzids() - zones):
            calendar.add_component(_timezone(name))
        headers = {"Content-Type": "text/calendar; charset=utf-8"}
        answer = self._dav.client.put(self._at(ref), content=calendar.to_ical(), headers=headers)
        if answer.status_code == httpx.codes.BAD_REQUEST:
            raise NotTaken
        answer.raise_for_status()

    def remove(self, ref):
        self._dav.client.delete(self._at(ref)).raise_for_status()

    def move_away(self, ref):
        for file in in_store(self._dav.folder, self._at("", ELSEWHERE)).glob("*.ics"):
            # the bridge may have brought back what was moved before, by its UID, which a calendar takes only once
            self._dav.client.delete(self._at(file.name, ELSEWHERE)).raise_for_status()
        there = {"Destination": f"{self._dav.server.url}{self._at(ref, ELSEWHERE)}", "Overwrite": "T"}
        self._dav.client.request("MOVE", self._at(ref), headers=there).raise_for_status()

    def lose_cursors(self):
        self._dav.server.screws.forget_tokens()


@lru_cache(16)
def _timezone(name):
    """As clients send it along (RFC 5545, 3.6.5)."""
    return icalendar.Timezone.from_tzid(name, first_date=dt.date(2035, 1, 1), last_date=dt.date(2038, 1, 1))
