"""Push channels: watch, stop, and what is told when something changes (G-80…G-87)."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlsplit

from bridge.sandbox.deliveries import Deliveries, Message
from bridge.sandbox.google.errors import ApiError, invalid, not_found, required

JsonObject = dict[str, Any]
LONGEST = dt.timedelta(days=7)
LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(slots=True)
class Channel:
    """A channel that somebody opened on a resource."""

    id: str
    resource: str
    uri: str
    address: str
    token: str
    person: str
    client_id: str
    expires: dt.datetime
    number: int = 0

    @property
    def resource_id(self) -> str:
        """Opaque, the same for every channel on that resource."""
        return hashlib.sha256(self.resource.encode()).hexdigest()[:27]


class Channels:
    """The open channels. ``resource`` is what the state calls dirty: ``events/<calendar>``, ``calendarList/<person>``."""

    def __init__(self, clock: Callable[[], dt.datetime], deliveries: Deliveries) -> None:
        self._clock = clock
        self._deliveries = deliveries
        self.open: dict[str, Channel] = {}

    def watch(self, given: JsonObject, *, resource: str, uri: str, person: str, client_id: str) -> JsonObject:
        """Open a channel; its first message, sync, is on its way at once (G-83)."""
        id, address = given.get("id", ""), given.get("address", "")
        if not id or not address:
            raise required(
                "Missing channel id." if not id else "Missing channel address.", "id" if not id else "address"
            )
        if not re.fullmatch(r"[A-Za-z0-9\-_+/=]{1,64}", id):
            raise invalid("Invalid channel id.", "id")
        if given.get("type") not in ("web_hook", "webhook"):
            raise invalid("Unknown channel type.", "type")
        if len(given.get("token", "")) > 256:
            raise invalid("Channel token is too long.", "token")
        parts = urlsplit(address)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
            raise ApiError(400, "push.webhookUrlNotHttps", f"WebHook callback must be HTTPS: {address}")
        now = self._clock()
        if id in self.open and self.open[id].expires > now:
            raise ApiError(400, "channelIdNotUnique", f"Channel id {id} not unique")
        expires = now + LONGEST
        if "expiration" in given:
            expires = min(expires, dt.datetime.fromtimestamp(int(given["expiration"]) / 1000, dt.UTC))
            if expires <= now:
                raise invalid("Expiration is in the past.", "expiration")
        channel = Channel(id, resource, uri, address, given.get("token", ""), person, client_id, expires)
        self.open[id] = channel
        self._send(channel, "sync")
        answer = {"kind": "api#channel", "id": id, "resourceId": channel.resource_id, "resourceUri": uri}
        answer |= {"token": channel.token} if channel.token else {}
        return answer | {"expiration": str(int(expires.timestamp() * 1000))}

    def stop(self, given: JsonObject, *, person: str, client_id: str) -> None:
        """Close a channel; only who opened it, with the same client, can (G-86)."""
        channel = self.open.get(given.get("id", ""))
        known = (
            channel is not None and channel.resource_id == given.get("resourceId") and channel.expires > self._clock()
        )
        if channel is None or not known or (channel.person, channel.client_id) != (person, client_id):
            raise not_found()
        del self.open[channel.id]

    def tell(self, resources: Iterable[str]) -> None:
        """Something changed there; one message a channel, numbered with gaps."""
        changed, now = set(resources), self._clock()
        for channel in [each for each in self.open.values() if each.expires <= now]:
            del self.open[channel.id]
        for channel in self.open.values():
            if channel.resource in changed:
                self._send(channel, "exists")

    def clear(self) -> None:
        """Close all of them."""
        self.open.clear()

    def _send(self, channel: Channel, state: str) -> None:
        # Numbers grow, with gaps (G-83); the steps are regular so that a run can be repeated.
        channel.number += 1 if channel.number == 0 else 1 + channel.number % 3
        headers = {
            "X-Goog-Channel-ID": channel.id,
            "X-Goog-Message-Number": str(channel.number),
            "X-Goog-Resource-ID": channel.resource_id,
            "X-Goog-Resource-State": state,
            "X-Goog-Resource-URI": channel.uri,
            "X-Goog-Channel-Expiration": format_datetime(channel.expires, usegmt=True),
        }
        if channel.token:
            headers["X-Goog-Channel-Token"] = channel.token
        self._deliveries.post(Message(channel.id, channel.address, headers))
