"""Devices that ask to be told when a collection changes (WebDAV-Push)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa
import structlog

from bridge.errors import UsageError
from bridge.notify.webpush import Client, Endpoint
from bridge.outside import Allowed
from bridge.services import push_keys
from bridge.services.context import Context
from bridge.services.push_keys import PushKeys
from bridge.store import push_subscriptions
from bridge.store.push_subscriptions import Registered, Watched, Wish
from bridge.store.vault import Vault

MOST_OF_COLLECTION = 32
MOST_OF_PERSON = 1000
LEAST = dt.timedelta(days=3)
"""What the draft wants every server to grant."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Registrar:
    """What the CalDAV side needs to take registrations."""

    keys: PushKeys
    vault: Vault
    services: Client
    longest: dt.timedelta

    def check(self, endpoint: Endpoint) -> None:
        """Whether anything would be sent there; it asks the name service. Raises Unreadable."""
        self.services.judge(endpoint)

    def until(self, asked: dt.datetime | None, now: dt.datetime) -> dt.datetime:
        """When a registration ends: when the client says, but not later than we allow."""
        if asked is None:
            return now + self.longest
        if asked <= now:  # by a clock that is wrong
            return now + LEAST
        return min(asked, now + self.longest)

    def register(
        self,
        conn: sa.Connection,
        watched: Watched,
        endpoint: Endpoint,
        *,
        content: bool,
        property_depth: int | None,
        expires_at: dt.datetime,
        principal_id: int,
        device_id: int | None,
        now: dt.datetime,
    ) -> Registered:
        """Keep it. Raises UsageError where the person has too many of them, NotFound for a collection that is gone."""
        digest = push_subscriptions.digest_of(endpoint.resource)
        push_subscriptions.prune(conn, now, principal_id=principal_id)
        here, everywhere = push_subscriptions.held(conn, principal_id, watched, but=digest)
        if here >= MOST_OF_COLLECTION or everywhere >= MOST_OF_PERSON:
            raise UsageError("too many registrations")
        sealed = self.vault.seal(endpoint.to_text())
        wish = Wish(digest, sealed, endpoint.host[:255], content, property_depth, expires_at)
        return push_subscriptions.register(conn, watched, wish, principal_id=principal_id, device_id=device_id, now=now)


def open_registrar(context: Context) -> Registrar | None:
    """None where nobody is to be told, or the keys do not open: calendars are served all the same."""
    settings = context.settings.push
    if not settings.enabled:
        return None
    try:
        keys = push_keys.load(context)
    except UsageError as error:
        log.warning("devices cannot register to be told of changes", reason=str(error))
        return None
    return Registrar(keys, context.vault, Client(Allowed.of(settings.allow)), dt.timedelta(days=settings.days))
