"""Google Calendar as a provider: consent, the account behind it, and one of its calendars as a remote."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from bridge.errors import NeedsReconnect
from bridge.ical.fields import ObjectFields
from bridge.providers.google import oauth
from bridge.providers.google.api import CalendarApi
from bridge.providers.oauth import Consent
from bridge.sync.ports import Channel, Page, RemoteCalendar, RemoteItem, RemoteObject, TokenStore


class GoogleProvider:
    """Google at its endpoints. ``api_url`` may come with or without ``/calendar/v3``; batches follow it (G-02)."""

    name = "google"

    def __init__(self, *, api_url: str, auth_url: str, token_url: str, client_id: str, client_secret: str) -> None:
        self._api_url = api_url
        self._client = oauth.Client(auth_url, token_url, client_id, client_secret)

    def begin(self, *, redirect_uri: str) -> Consent:
        return oauth.begin(self._client, redirect_uri=redirect_uri)

    def finish(self, memory: str, answer: Mapping[str, str]) -> str:
        return oauth.finish(self._client, memory, answer)

    def account(self, tokens: TokenStore) -> GoogleAccount:
        return GoogleAccount(CalendarApi(self._api_url, oauth.StoredCredentials(self._client, tokens)))


class GoogleAccount:
    """One person's calendars. Her primary calendar's id is her address, and stands for her: no further scope is asked for."""

    def __init__(self, api: CalendarApi) -> None:
        self._api = api

    def identity(self) -> tuple[str, str]:
        for calendar in self.calendars():
            if calendar.primary:
                return calendar.id, calendar.id
        raise NeedsReconnect("this account has no primary calendar")

    def calendars(self) -> Sequence[RemoteCalendar]:
        raise NotImplementedError

    def remote(self, calendar: RemoteCalendar) -> GoogleRemote:
        raise NotImplementedError


class GoogleRemote:
    """``Remote`` and ``SupportsPush`` on one Google calendar."""

    def page(self, cursor: str | None, *, now: dt.datetime) -> Page:
        raise NotImplementedError

    def get(self, id: str) -> Sequence[RemoteItem]:
        raise NotImplementedError

    def find(self, key: str) -> Sequence[RemoteItem]:
        raise NotImplementedError

    def create(self, fields: ObjectFields, *, key: str, uid: str) -> Sequence[RemoteItem]:
        raise NotImplementedError

    def update(self, current: RemoteObject, target: ObjectFields) -> Sequence[RemoteItem]:
        raise NotImplementedError

    def delete(self, current: RemoteObject) -> None:
        raise NotImplementedError

    def watch(self, *, channel_id: str, address: str, secret: str, now: dt.datetime) -> Channel:
        raise NotImplementedError

    def renew(self, channel: Channel, *, address: str, secret: str, channel_id: str, now: dt.datetime) -> Channel:
        raise NotImplementedError

    def unwatch(self, channel: Channel) -> None:
        raise NotImplementedError
