"""Google Meet on events: asked for with a createRequest, there a moment later (G-75)."""

from __future__ import annotations

import hashlib
from typing import Any

from bridge.sandbox.google.errors import invalid
from bridge.sandbox.google.state import Calendar, Event, State


def request(state: State, calendar: Calendar, event: Event) -> None:
    """Note a conference that this event asks for; the answer says pending."""
    wanted = event.body.get("conferenceData", {}).get("createRequest")
    if not wanted or "status" in wanted:
        return
    if not wanted.get("requestId"):
        raise invalid("Missing requestId.", "conferenceData.createRequest.requestId")
    if wanted.get("conferenceSolutionKey", {}).get("type", "hangoutsMeet") != "hangoutsMeet":
        raise invalid("Invalid conference type value.", "conferenceData.createRequest.conferenceSolutionKey.type")
    event.body["conferenceData"] = {"createRequest": wanted | {"status": {"statusCode": "pending"}}}
    state.pending.append((calendar.id, event.id))


def settle(state: State) -> None:
    """Create what was asked for since; each is a change of its event."""
    pending, state.pending = state.pending, []
    for calendar_id, event_id in pending:
        calendar = state.calendars.get(calendar_id)
        event = calendar.events.get(event_id) if calendar else None
        wanted = event.body.get("conferenceData", {}).get("createRequest") if event else None
        if calendar is None or event is None or event.cancelled or not wanted:
            continue
        event.body["conferenceData"] = _meeting(wanted)
        state.touch(calendar, event)


def _meeting(wanted: dict[str, Any]) -> dict[str, Any]:
    letters = "".join(chr(97 + byte % 26) for byte in hashlib.sha256(wanted["requestId"].encode()).digest()[:10])
    code = f"{letters[:3]}-{letters[3:7]}-{letters[7:]}"
    return {
        "createRequest": wanted | {"status": {"statusCode": "success"}},
        "conferenceId": code,
        "conferenceSolution": {"key": {"type": "hangoutsMeet"}, "name": "Google Meet"},
        "entryPoints": [
            {"entryPointType": "video", "uri": f"https://meet.google.com/{code}", "label": f"meet.google.com/{code}"}
        ],
    }


def link(body: dict[str, Any]) -> str | None:
    """The read-only ``hangoutLink`` of an event."""
    data = body.get("conferenceData", {})
    if data.get("conferenceSolution", {}).get("key", {}).get("type") != "hangoutsMeet":
        return None
    return next(
        (str(each["uri"]) for each in data.get("entryPoints", ()) if each.get("entryPointType") == "video"), None
    )
