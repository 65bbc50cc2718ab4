"""Subscriptions: Graph's promise to call us when a calendar changes (M-69…M-75). Only a hint (R30)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bridge.errors import Gone
from bridge.providers.graph.api import Api, escape
from bridge.sync.ports import Channel

LIFETIME = dt.timedelta(minutes=10_080 - 60)
"""Just under the seven days that an event subscription may live (M-70)."""


@dataclass(frozen=True)
class Subscriptions:
    """``resource`` is the path of what is watched (M-69)."""

    api: Api
    resource: str

    def watch(self, *, address: str, secret: str, now: dt.datetime) -> Channel:
        """Graph calls ``address`` back at once to see whether it is ours (M-71)."""
        answer = self.api.post(
            "/subscriptions",
            {
                "changeType": "created,updated,deleted",
                "notificationUrl": address,
                "lifecycleNotificationUrl": address,
                "resource": self.resource,
                "expirationDateTime": _text(now + LIFETIME),
                "clientState": secret,
            },
        )
        return self._channel(answer)

    def renew(self, channel: Channel, *, address: str, secret: str, now: dt.datetime) -> Channel:
        """An expired one is not there any more (M-74): then a new one takes its place."""
        try:
            answer = self.api.patch(_path(channel), {"expirationDateTime": _text(now + LIFETIME)})
        except Gone:
            return self.watch(address=address, secret=secret, now=now)
        return self._channel({"id": channel.id, **answer})

    def unwatch(self, channel: Channel) -> None:
        try:
            self.api.delete(_path(channel))
        except Gone:
            return

    def _channel(self, answer: Mapping[str, Any]) -> Channel:
        expires = dt.datetime.fromisoformat(answer["expirationDateTime"][:19]).replace(tzinfo=dt.UTC)
        return Channel(answer["id"], self.resource, expires)


def _path(channel: Channel) -> str:
    return f"/subscriptions/{escape(channel.id)}"


def _text(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
