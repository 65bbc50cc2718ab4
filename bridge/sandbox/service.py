"""What a simulated service is made of, and what the sandbox asks of it."""

from __future__ import annotations

from typing import Any, Protocol
from wsgiref.types import WSGIApplication

from bridge.sandbox.deliveries import Deliveries
from bridge.sandbox.meter import Meter

ROUTE = "sandbox.route"
"""environ key: the application names the route it took, for the meter (``/calendars/{calendarId}/events``)."""
REASON = "sandbox.reason"
"""environ key: why a request was refused, in the service's own words."""
ATTENDEES = "sandbox.attendees"
"""environ key: True if the request's body named attendees."""
WRITE = "sandbox.write"
"""environ key: True or False where the method does not tell whether it writes (a POST that only reads)."""


class Service(Protocol):
    """A simulated service. It is mounted at ``/<name>`` and guards its own state with one lock."""

    name: str
    meter: Meter
    deliveries: Deliveries
    wsgi: WSGIApplication
    entrance: WSGIApplication
    """The front door (faults, meter) before ``wsgi``; set by the sandbox. A batch sends its parts through it."""
    base_url: str
    """``http://host:port/<name>`` once the sandbox has started; set by it."""

    def reset(self) -> None:
        """Back to the demo people with empty calendars; every token and channel is gone. The meter too."""
        ...

    def seed(self, person: str, count: int, *, calendar: str | None = None) -> list[str]:
        """Put ``count`` different events into a person's calendar (default: the main one); their ids."""
        ...

    def expire_tokens(self, person: str | None = None) -> int:
        """Let access tokens expire now; how many."""
        ...

    def kill_grants(self, person: str | None = None) -> int:
        """Revoke refresh tokens and what came of them; how many."""
        ...

    def configure(self, options: dict[str, Any]) -> dict[str, Any]:
        """Change the service's own switches; all of them as they are now. ValueError for an unknown one or a bad value."""
        ...
