"""Configuration profiles for Apple devices: the account (and feeds) filled in, so that only the password is asked for.

Pure: what is asked for comes as arguments, and the same device gets the same identifiers, so that a second installation
replaces the first instead of standing beside it (Apple, Device Management: CalDAV, SubscribedCalendars, CertificateRoot).
"""

from __future__ import annotations

import plistlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

MEDIA_TYPE = "application/x-apple-aspen-config"

_NAMESPACE = uuid.UUID("6f4a3c52-0f5e-5d0b-9a54-3d5a1f0c7e21")
_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Feed:
    """A calendar to subscribe to; iOS and visionOS take it from a profile, macOS does not."""

    url: str
    title: str


def build(
    url: str,
    username: str,
    device: int,
    *,
    title: str = "Calendar",
    root: bytes | None = None,
    feeds: Sequence[Feed] = (),
) -> bytes:
    """The profile (XML) for the account of ``device`` at ``url``, the server's public address.

    It never holds a password: Apple asks for it, and keeps one in the clear only in profiles that are encrypted for one
    device. ``root`` is the certificate (DER) of a private authority; it still has to be switched on by hand.
    """
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    base = parts.path.rstrip("/")
    identity = f"{url.rstrip('/')}/ {username} {device}"
    name = f"caldav-bridge.{_uuid(identity)}"
    account = _payload("com.apple.caldav.account", f"{name}.caldav", identity) | {
        "PayloadDisplayName": title,
        "CalDAVAccountDescription": title,
        "CalDAVHostName": parts.hostname or "",  # an IPv6 address without its brackets: the port is a field of its own
        "CalDAVPort": parts.port or _PORTS[parts.scheme],
        "CalDAVUseSSL": secure,
        "CalDAVUsername": username,
    }
    if base:  # below a prefix well-known may be another server's: name the principal (iOS follows it, macOS does not)
        account["CalDAVPrincipalURL"] = f"{base}/{username}/"
    content = [account]
    if root is not None:
        trusted = _payload("com.apple.security.root", f"{name}.root", identity)
        content.append(trusted | {"PayloadDisplayName": "Certificate authority", "PayloadContent": root})
    for feed in feeds:
        subscribed = _payload("com.apple.subscribedcalendar.account", f"{name}.feed.{_uuid(feed.url)}", identity)
        content.append(
            subscribed
            | {
                "PayloadDisplayName": feed.title,
                "SubCalAccountDescription": feed.title,
                "SubCalAccountHostName": feed.url,
                "SubCalAccountUseSSL": urlsplit(feed.url).scheme == "https",  # Apple's default is false
            }
        )
    profile = _payload("Configuration", name, identity) | {
        "PayloadDisplayName": title,
        "PayloadDescription": f"Adds the calendars of {username} at {parts.netloc.rpartition('@')[2]}.",
        "PayloadContent": content,
    }
    return plistlib.dumps(profile)


def _payload(kind: str, identifier: str, identity: str) -> dict[str, Any]:
    return {
        "PayloadType": kind,
        "PayloadVersion": 1,
        "PayloadIdentifier": identifier,
        "PayloadUUID": _uuid(f"{identity} {identifier}"),
    }


def _uuid(text: str) -> str:
    return str(uuid.uuid5(_NAMESPACE, text)).upper()
