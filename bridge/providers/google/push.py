"""Notification channels (G-80…G-87). Google calls the address without a body; all it says stands in its headers."""

from __future__ import annotations

import datetime as dt
from ipaddress import ip_address
from urllib.parse import urlsplit

from bridge.errors import Gone, Refused
from bridge.providers.google.api import CalendarApi
from bridge.sync.ports import Channel

_USUAL_LIFE = dt.timedelta(days=7)  # G-85


def watch(
    api: CalendarApi, calendar_id: str, *, channel_id: str, address: str, secret: str, now: dt.datetime
) -> Channel:
    """Open a channel. Its first notification may come before this returns (G-83).

    Raises Refused for an address Google would not call (G-81), or a calendar that knows no notifications (G-87).
    """
    if urlsplit(address).scheme != "https" and not _loopback(address):
        raise Refused("notifications need an https address", code="webhookUrlNotHttps")
    body = {"id": channel_id, "type": "web_hook", "address": address, "token": secret}
    answer = api.execute(api.events.watch(calendarId=calendar_id, body=body))
    expires = now + _USUAL_LIFE
    if "expiration" in answer:
        expires = dt.datetime.fromtimestamp(int(answer["expiration"]) / 1000, dt.UTC)
    return Channel(channel_id, answer.get("resourceId", ""), expires)


def unwatch(api: CalendarApi, channel: Channel) -> None:
    """Close it (G-86). One that Google does not know is closed already."""
    try:
        api.execute(api.channels.stop(body={"id": channel.id, "resourceId": channel.resource}))
    except Gone:
        return


def _loopback(address: str) -> bool:
    host = urlsplit(address).hostname or ""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
