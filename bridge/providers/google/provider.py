"""Google as a provider: consent, the account behind it, one of its calendars (``remote``) or task lists (``todo_remote``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bridge.errors import Gone, Refused
from bridge.providers.google import oauth, todo_lists
from bridge.providers.google.api import LIMITS, CalendarApi
from bridge.providers.google.remote import GoogleRemote
from bridge.providers.google.todo_remote import GoogleTodoRemote
from bridge.providers.oauth import Consent
from bridge.providers.pace import Paces
from bridge.sync.ledger import Clock
from bridge.sync.ports import RemoteCalendar, TokenStore

_PAGE = 250  # G-17
_WRITERS = frozenset({"writer", "owner"})  # G-19: who writes without seeing private details would overwrite them


class GoogleProvider:
    """Google at its endpoints. ``api_url`` may come with or without ``/calendar/v3``; batches follow it (G-02).

    ``tasks``: whether lists of to-dos are asked for and shown.
    """

    name = "google"

    def __init__(
        self,
        *,
        api_url: str,
        auth_url: str,
        token_url: str,
        client_id: str,
        client_secret: str,
        now: Clock,
        paces: Paces | None = None,
        tasks: bool = True,
    ) -> None:
        self._api_url = api_url
        self._paces = paces or Paces(LIMITS)
        self._client = oauth.Client(auth_url, token_url, client_id, client_secret, now, tasks)

    def begin(self, *, redirect_uri: str) -> Consent:
        return oauth.begin(self._client, redirect_uri=redirect_uri)

    def finish(self, memory: str, answer: Mapping[str, str]) -> str:
        return oauth.finish(self._client, memory, answer)

    def account(self, tokens: TokenStore, *, key: str = "") -> GoogleAccount:
        credentials = oauth.StoredCredentials(self._client, tokens)
        return GoogleAccount(CalendarApi(self._api_url, credentials, self._paces.of(key)), tasks=self._client.tasks)

    def revoke(self, grant: str) -> None:
        oauth.revoke(self._client, grant)

    def close(self) -> None:
        """Nothing to do: connections belong to the accounts, and end with them."""


class GoogleAccount:
    """One person's calendars and, with ``tasks``, her task lists.

    Her primary calendar's id is her address, and stands for her: no further scope is asked for.
    """

    def __init__(self, api: CalendarApi, *, tasks: bool = True) -> None:
        self._api = api
        self._tasks = tasks

    def identity(self) -> tuple[str, str]:
        address = str(self._primary()["id"])
        return address, address

    def calendars(self) -> Sequence[RemoteCalendar]:
        entries = self._entries()
        if entries and not any(entry.get("primary") for entry in entries):
            primary = self._primary()["id"]
            entries = [{**entry, "primary": entry["id"] == primary} for entry in entries]
        found = [_calendar(entry) for entry in entries]
        if not self._tasks:
            return found
        zone = next((each.zone for each in found if each.primary), "")  # tasks have none of their own
        return [*found, *todo_lists.lists(self._api, zone)]

    def _primary(self) -> Mapping[str, Any]:
        """By its alias (G-16); where that is not known, the calendar that is marked so, or the only one there is."""
        try:
            return self._api.execute(self._api.calendar_list.get(calendarId="primary"))
        except (Gone, Refused) as unknown:
            entries = self._entries()
            marked = [entry for entry in entries if entry.get("primary")]
            owned = marked or [entry for entry in entries if entry.get("accessRole") == "owner"] or entries
            if len(owned) != 1:
                raise Refused("Google tells no primary calendar", status=unknown.status, code=unknown.code) from None
            return owned[0]

    def _entries(self) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = []
        page: str | None = None
        while True:
            answer = self._api.execute(self._api.calendar_list.list(maxResults=_PAGE, pageToken=page))
            found += answer.get("items", ())
            page = answer.get("nextPageToken")
            if page is None:
                return found

    def remote(self, calendar: RemoteCalendar) -> GoogleRemote | GoogleTodoRemote:
        if calendar.component == "VTODO":
            return GoogleTodoRemote(self._api, calendar.id, calendar.zone)
        return GoogleRemote(self._api, calendar.id, calendar.zone)


def _calendar(entry: Mapping[str, Any]) -> RemoteCalendar:
    return RemoteCalendar(
        id=entry["id"],
        name=entry.get("summaryOverride") or entry.get("summary") or entry["id"],
        writable=entry.get("accessRole", "owner" if entry.get("primary") else "") in _WRITERS,
        primary=entry.get("primary", False),
        color=entry.get("backgroundColor", ""),
        zone=entry.get("timeZone", ""),
    )
