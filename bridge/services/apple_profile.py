"""Configuration profiles for Apple devices: an account of which only the password is asked for, or a feed.

Pure: what is asked for comes as arguments, and the same device gets the same identifiers, so that a second installation
replaces the first instead of standing beside it (Apple, Device Management: CalDAV, SubscribedCalendars, CertificateRoot).
"""

from __future__ import annotations

import plistlib
import uuid
from typing import Any
from urllib.parse import urlsplit

MEDIA_TYPE = "application/x-apple-aspen-config"

_NAMESPACE = uuid.UUID("6f4a3c52-0f5e-5d0b-9a54-3d5a1f0c7e21")
_PORTS = {"https": 443, "http": 80}


def account(url: str, username: str, device: int, *, root: bytes | None = None) -> bytes:
    """The profile (XML) for the account of ``device`` at ``url``, the server's public address.

    It never holds a password: Apple asks for it, and keeps one in the clear only in profiles that are encrypted for one
    device. ``root`` is the certificate (DER) of a private authority; it still has to be switched on by hand.
    """
    parts = urlsplit(url)
    base = parts.path.rstrip("/")
    identity = f"{url.rstrip('/')}/ {username} {device}"
    name = f"caldav-bridge.{_uuid(identity)}"
    payload = _payload("com.apple.caldav.account", f"{name}.caldav", identity) | {
        "PayloadDisplayName": "Calendar",
        "CalDAVAccountDescription": "Calendar",
        "CalDAVHostName": parts.hostname or "",  # an IPv6 address without its brackets: the port is a field of its own
        "CalDAVPort": parts.port or _PORTS[parts.scheme],
        "CalDAVUseSSL": parts.scheme == "https",
        "CalDAVUsername": username,
    }
    if base:  # below a prefix well-known may be another server's: name the principal (iOS follows it, macOS does not)
        payload["CalDAVPrincipalURL"] = f"{base}/{username}/"
    adds = f"Adds the calendars of {username} at {parts.netloc.rpartition('@')[2]}."
    return _profile("Calendar", name, identity, payload, adds, root)


def subscription(url: str, title: str, feed: int, *, root: bytes | None = None) -> bytes:
    """The profile for one feed at ``url``, which is its whole secret address; iOS and visionOS take it, macOS does not.

    Installed again after the address has changed, it replaces the subscription.
    """
    parts = urlsplit(url)
    identity = f"{parts.scheme}://{parts.netloc} feed {feed}"
    name = f"caldav-bridge.{_uuid(identity)}"
    payload = _payload("com.apple.subscribedcalendar.account", f"{name}.feed", identity) | {
        "PayloadDisplayName": title,
        "SubCalAccountDescription": title,
        "SubCalAccountHostName": url,
        "SubCalAccountUseSSL": parts.scheme == "https",  # Apple's default is false
    }
    adds = f"Subscribes to {title} at {parts.netloc.rpartition('@')[2]}, to be read only."
    return _profile(title, name, identity, payload, adds, root)


def _profile(title: str, name: str, identity: str, payload: dict[str, Any], adds: str, root: bytes | None) -> bytes:
    content = [payload]
    trust = ""
    if root is not None:
        trusted = _payload("com.apple.security.root", f"{name}.root", identity)
        content.append(trusted | {"PayloadDisplayName": "Certificate authority", "PayloadContent": root})
        trust = " Brings the certificate of the server's own authority along, to be trusted or not."
    profile = _payload("Configuration", name, identity) | {
        "PayloadDisplayName": title,
        "PayloadDescription": adds,
        "ConsentText": {"default": f"{adds}{trust} Changes nothing else, and can be removed at any time."},
        "PayloadRemovalDisallowed": False,
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
