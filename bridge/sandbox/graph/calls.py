"""One API request on its way: who asks, in whose mailbox, with what preferences; and what is answered."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from bridge.sandbox.graph import events, ids
from bridge.sandbox.graph.errors import GraphError, invalid, not_found, unreadable
from bridge.sandbox.graph.events import Desk, Item
from bridge.sandbox.graph.mailbox import DEFAULT_CALENDAR, Calendar, Mailbox
from bridge.sandbox.graph.oauth import Access
from bridge.sandbox.graph.views import Preferences, Reader

if TYPE_CHECKING:
    from bridge.sandbox.graph.service import Microsoft


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back: JSON, or nothing."""

    status: int = 200
    body: dict[str, Any] | None = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Call:
    """An authenticated request. ``path`` and ``query`` are as they came, for the links of further pages."""

    service: Microsoft
    access: Access
    box: Mailbox
    prefer: Preferences
    path: str
    query: str
    body: Any
    if_match: str

    @property
    def reader(self) -> Reader:
        """Shows items to this caller."""
        return Reader(self.box, self.service.ids, self.prefer, f"{self.service.base_url}/v1.0")

    @property
    def desk(self) -> Desk:
        """Writes for this caller."""
        return Desk(self.box, self.service.meter)

    @property
    def values(self) -> dict[str, list[str]]:
        """The query by name; a system option's name is compared as written, the others in any case."""
        found: dict[str, list[str]] = {}
        for name, value in parse_qsl(self.query, keep_blank_values=True):
            known = {"startdatetime": "startDateTime", "enddatetime": "endDateTime"}.get(name.lower(), name)
            found.setdefault(known, []).append(value)
        return found

    def link(self, query: str) -> str:
        """An address of this same resource."""
        return f"{self.service.base_url}{self.path}?{query}"

    def json(self) -> dict[str, Any]:
        """The body, which has to be a JSON object."""
        if not isinstance(self.body, dict):
            raise unreadable(
                "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format."
            )
        return self.body

    def calendar(self, calendar_id: str | None) -> Calendar:
        """The calendar of an id; None: the default one. Raises 404."""
        number = DEFAULT_CALENDAR
        if calendar_id is not None:
            found = self.service.ids.decode(calendar_id)
            if found.kind != "calendar" or found.mailbox != self.box.person.number:
                raise not_found()
            number = found.number
        if number not in self.box.calendars:
            raise not_found()
        return self.box.calendars[number]

    def item(self, event_id: str, calendar_id: str | None = None) -> Item:
        """The event of an id. Raises 404 ``ErrorItemNotFound`` (M-35)."""
        found = events.find(self.box, self.service.ids.decode(event_id))
        if calendar_id is not None and found.event.calendar != self.calendar(calendar_id).number:
            raise not_found()
        return found

    def check_version(self, item: Item) -> None:
        """If-Match against the version as it is; without it the last write wins (M-32)."""
        self.check_etag(ids.etag(self.reader.change_key(item.event)))

    def check_etag(self, current: str) -> None:
        """If-Match against an etag. Raises 412 ``ErrorIrresolvableConflict``."""
        wanted = [part.strip() for part in self.if_match.split(",") if part.strip()]
        if wanted and "*" not in wanted and current not in wanted:
            raise GraphError(
                412,
                "ErrorIrresolvableConflict",
                "The send or update operation could not be performed because the change key passed in the request does not "
                "match the current change key for the item.",
            )


def only(body: dict[str, Any], *known: str) -> dict[str, Any]:
    """An action's parameters: names in any case, nothing unknown among them (M-80)."""
    by_lower = {name.lower(): name for name in known}
    found = {}
    for name, value in body.items():
        if name.lower() not in by_lower:
            raise invalid(
                f"The parameter '{name}' in the request payload is not a valid parameter for this operation.",
                "RequestBodyRead",
            )
        found[by_lower[name.lower()]] = value
    return found
