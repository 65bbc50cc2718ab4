"""A person's task lists at Google (G-101), as far as her consent reaches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bridge.errors import Gone, Refused
from bridge.providers.google.api import CalendarApi
from bridge.sync.ports import RemoteCalendar

_PAGE = 1000  # G-101
_DEFAULT = "@default"


def lists(api: CalendarApi, zone: str) -> Sequence[RemoteCalendar]:
    """None where the consent leaves tasks out, or the API is not there for this OAuth client. ``zone`` is her calendar's."""
    try:
        found = _entries(api)
    except Refused:
        return ()
    default = _default(api, found)
    return [
        RemoteCalendar(
            id=each["id"],
            name=each.get("title") or each["id"],
            writable=True,
            primary=each["id"] == default,
            zone=zone,
            component="VTODO",
        )
        for each in found
    ]


def _entries(api: CalendarApi) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    page: str | None = None
    while True:
        answer = api.execute(api.task_lists.list(maxResults=_PAGE, pageToken=page), listing=True)
        found += answer.get("items", ())
        if (page := answer.get("nextPageToken")) is None:
            return found


def _default(api: CalendarApi, found: Sequence[Mapping[str, Any]]) -> str:
    """The one that cannot be deleted; it need not be the first. Where there is one only, it is that."""
    if len(found) > 1:
        try:
            return str(api.execute(api.task_lists.get(tasklist=_DEFAULT)).get("id", ""))
        except (Gone, Refused):
            pass
    return str(found[0]["id"]) if found else ""
