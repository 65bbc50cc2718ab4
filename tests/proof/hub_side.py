"""The hub as phones write to it: whole calendar objects, put and deleted by name."""

from __future__ import annotations

from bridge.store import objects
from tests.proof.icalendar_side import IcalendarSide
from tests.support.bridged import Phone


class HubSide(IcalendarSide):
    name = "hub"
    provider = None
    meetings = False

    @property
    def phone(self):
        return Phone(self.world.context, self.world.calendar)

    def stored(self):
        return self.phone.stored()

    def _ref(self, uid):
        return uid

    def _put(self, uid, calendar):
        context = self.world.context
        with context.database.write() as conn:
            stored = objects.by_uid(conn, self.world.calendar, uid)
            href = stored.href if stored else f"{uid}.ics"
            data = calendar.to_ical()
            objects.put(conn, self.world.calendar, href, data, actor="device:1", now=context.now())

    def remove(self, uid):
        self.phone.remove(uid)
