"""Microsoft as a provider: where people give consent, and the account that a grant opens."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

from bridge.errors import Gone, Refused, UsageError
from bridge.outside import trust
from bridge.providers.graph import todo_lists, zones
from bridge.providers.graph.api import LIMITS, TIMEOUT, Api, entries
from bridge.providers.graph.oauth import AccessTokens, Client
from bridge.providers.graph.remote import GraphRemote
from bridge.providers.graph.todo_remote import GraphTodoRemote
from bridge.providers.oauth import Consent
from bridge.providers.pace import Paces
from bridge.sync.ports import RemoteCalendar, TokenStore

MAX_WINDOW = dt.timedelta(days=1825)  # M-15


@dataclass(frozen=True)
class _Window:
    past: dt.timedelta
    future: dt.timedelta


class GraphProvider:
    """Microsoft Graph at these endpoints, with the app registration made for them in Entra.

    ``graph_url`` may stand with or without ``/v1.0``, ``authority`` with or without a tenant. ``client_secret`` "" makes a
    public client. ``window_past`` and ``window_future`` bound what a delta round sees (M-19); the rest is found by the
    next complete listing. ``tasks``: whether lists of to-dos are asked for and shown.
    """

    name = "microsoft"

    def __init__(
        self,
        graph_url: str,
        authority: str,
        client_id: str,
        client_secret: str,
        window_past: dt.timedelta,
        window_future: dt.timedelta,
        paces: Paces | None = None,
        *,
        tasks: bool = True,
    ) -> None:
        if window_past + window_future > MAX_WINDOW:
            raise UsageError("Microsoft shows at most 1825 days of a calendar: make [microsoft] window_*_days smaller")
        self._http = httpx.Client(timeout=TIMEOUT, follow_redirects=False, verify=trust())
        self._url = _versioned(graph_url)
        self._paces = paces or Paces(LIMITS)
        self._client = Client(self._http, _with_tenant(authority), client_id, client_secret, tasks)
        self._window = _Window(window_past, window_future)

    def begin(self, *, redirect_uri: str) -> Consent:
        return self._client.begin(redirect_uri=redirect_uri)

    def finish(self, memory: str, answer: Mapping[str, str]) -> str:
        return self._client.finish(memory, answer)

    def account(self, tokens: TokenStore, *, key: str = "") -> GraphAccount:
        access = AccessTokens(self._client.renewed, tokens)
        return GraphAccount(
            Api(self._http, self._url, access, self._paces.of(key)), self._window, tasks=self._client.tasks
        )

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()


class GraphAccount:
    """A signed-in person at Microsoft; with ``tasks``, her lists of to-dos too."""

    def __init__(self, api: Api, window: _Window, *, tasks: bool = True) -> None:
        self._api = api
        self._tasks = tasks
        self._window = window

    def identity(self) -> tuple[str, str]:
        """The home account's id (M-05); Graph is asked for what the sign-in did not tell."""
        id, email = self._api.tokens.home_account()
        if not id or "@" not in email:
            me = self._me()
            email = str(me.get("mail") or me.get("userPrincipalName") or email)
            id = id or str(me.get("id") or email)
        if not id:
            raise Refused("Microsoft does not tell whose account this is")
        return id, email

    def _me(self) -> Mapping[str, Any]:
        try:
            return self._api.get("/me", **{"$select": "id,mail,userPrincipalName"})
        except (Refused, Gone):  # who owns the default calendar is the person as well
            return {"mail": (self._api.get("/me/calendar").get("owner") or {}).get("address")}

    def calendars(self) -> Sequence[RemoteCalendar]:
        """Calendars have no zone of their own here (M-11): all are in the mailbox's."""
        zone = self._zone()
        answer = self._api.get("/me/calendars", **{"$top": "100"})
        found = list(entries(answer))
        while link := answer.get("@odata.nextLink"):
            answer = self._api.follow(link)
            found += entries(answer)
        default = {each["id"] for each in found if each.get("isDefaultCalendar")} or {self._default(found)}
        calendars = [
            RemoteCalendar(
                id=each["id"],
                name=each.get("name") or "",
                writable=bool(each.get("canEdit", each["id"] in default)),
                primary=each["id"] in default,
                color=_color(each.get("hexColor") or ""),
                zone=zone,
                owner=(each.get("owner") or {}).get("address") or "",
            )
            for each in found
        ]
        return [*calendars, *todo_lists.lists(self._api, zone)] if self._tasks else calendars

    def _default(self, calendars: Sequence[Mapping[str, Any]]) -> str:
        """The id of the default calendar (M-11), where the list does not mark it."""
        try:
            return str(self._api.get("/me/calendar").get("id") or "")
        except (Refused, Gone):
            return str(calendars[0]["id"]) if len(calendars) == 1 else ""

    def _zone(self) -> str:
        """The mailbox's time zone; "" where the person has not let us see it or Graph knows none."""
        try:
            settings = self._api.get("/me/mailboxSettings", **{"$select": "timeZone"})
        except (Refused, Gone):
            return ""
        return zones.named(settings.get("timeZone") or "") or ""

    def remote(self, calendar: RemoteCalendar) -> GraphRemote | GraphTodoRemote:
        if calendar.component == "VTODO":
            return GraphTodoRemote(self._api, calendar.id, calendar.zone)
        return GraphRemote(self._api, calendar, window_past=self._window.past, window_future=self._window.future)


def _color(hex_color: str) -> str:
    return hex_color.lower() if re.fullmatch(r"#[0-9a-fA-F]{6}", hex_color) else ""


def _versioned(graph_url: str) -> str:
    url = graph_url.rstrip("/")
    return url if re.fullmatch(r"v\d+\.\d+|beta", url.rpartition("/")[2]) else f"{url}/v1.0"


def _with_tenant(authority: str) -> str:
    url = authority.rstrip("/")
    return url if urlsplit(url).path else f"{url}/common"
