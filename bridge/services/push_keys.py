"""The installation's keys for telling devices: made once, sealed by the vault, and never changed by themselves.

Devices bind their subscriptions to the key they were shown (RFC 8292 §4): under another one they hear nothing until each has
registered anew. So a key that does not open is not replaced; somebody has to say so (``renew``).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from bridge.notify import webpush
from bridge.notify.webpush import Signer
from bridge.services.context import Context
from bridge.store import push_subscriptions, sealed_settings
from bridge.store.push_subscriptions import Watched

_NAME = "push"
_TOPIC_BYTES = 24
"""32 characters, the most that RFC 8030 §5.4 allows."""


@dataclass(frozen=True, slots=True)
class PushKeys:
    signer: Signer
    topics: bytes = field(repr=False)

    def topic(self, watched: Watched) -> str:
        """A collection's name for devices: always the same, and nobody can tell it or a collection from it."""
        return self._named(f"{watched.kind}:{watched.id}")

    def replaces(self, watched: Watched, *, content: bool, properties: bool) -> str:
        """The name under which a push service lets a newer message take the place of one that says the same."""
        return self._named(f"{watched.kind}:{watched.id}:{content:d}{properties:d}")

    def _named(self, text: str) -> str:
        return webpush.base64url(hmac.digest(self.topics, text.encode(), hashlib.sha256)[:_TOPIC_BYTES])


def load(context: Context) -> PushKeys:
    """The keys, made by whoever is first. Raises UsageError when the vault's key is not the one they were sealed with."""
    with context.database.read() as conn:
        kept = sealed_settings.get(conn, context.vault, _NAME)
    if kept is None:
        with context.database.write() as conn:
            sealed_settings.keep_first(conn, context.vault, _NAME, _made())
            kept = sealed_settings.get(conn, context.vault, _NAME)
    assert kept is not None  # noqa: S101 - written a line ago
    held = json.loads(kept)
    return PushKeys(Signer(webpush.key_from(held["vapid"]), _contact(context)), webpush.from_base64url(held["topics"]))


def renew(context: Context) -> int:
    """Make new keys and forget all registrations, whose devices register anew by themselves. Returns how many those were."""
    with context.database.write() as conn:
        sealed_settings.replace(conn, context.vault, _NAME, _made())
        return push_subscriptions.remove_all(conn)


def _made() -> str:
    return json.dumps({"vapid": webpush.new_key(), "topics": webpush.base64url(secrets.token_bytes(32))})


def _contact(context: Context) -> str:
    settings = context.settings
    url = settings.server.public_url or ""
    return settings.push.contact or (url if urlsplit(url).scheme == "https" else "")
