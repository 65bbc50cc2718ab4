"""One API call: who asks, what for, with what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bridge.sandbox.google import times
from bridge.sandbox.google.events import Writer
from bridge.sandbox.google.rules import Options
from bridge.sandbox.google.state import Calendar, Person, State
from bridge.sandbox.google.view import Lens

if TYPE_CHECKING:
    from bridge.sandbox.google.service import Google

JsonObject = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """A checked request: parameters and body fit the discovery document."""

    google: Google
    person: Person
    client_id: str
    params: JsonObject
    body: JsonObject
    if_match: str | None

    @property
    def state(self) -> State:
        """What the service remembers."""
        return self.google.state

    def calendar(self, role: str = "reader") -> Calendar:
        """The calendar of the path, if this person's role suffices."""
        return self.state.calendar(self.params["calendarId"], self.person, role=role)

    def writer(self) -> Writer:
        """Writes to that calendar as the parameters say."""
        updates = self.params.get("sendUpdates") or ("all" if self.params.get("sendNotifications") else "none")
        options = Options(
            send_updates=updates,
            conference=self.params.get("conferenceDataVersion", 0) == 1,
            attachments=self.params.get("supportsAttachments", False),
        )
        calendar = self.calendar("writerWithoutPrivateAccess")
        return Writer(self.state, self.google.meter, self.person, calendar, options)

    def lens(self, calendar: Calendar) -> Lens:
        """How this person sees events there."""
        zone = self.params.get("timeZone", calendar.zone)
        times.zone(zone)
        return Lens(
            self.person.email,
            zone,
            max_attendees=self.params.get("maxAttendees"),
            full_tombstones=self.state.switches.full_tombstones,
            web=self.google.base_url,
        )


Handler = Callable[[Call], JsonObject | None]
"""Gives the answer's body, or None for 204."""
