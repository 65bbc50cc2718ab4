"""Setup links: a page that has everything a new device needs, until it first signs in or the link is too old.

The link's secret is stored as a hash (192 bits: a fast one is enough), the password beside it sealed by the vault.
"""

from __future__ import annotations

import datetime as dt
import secrets
from dataclasses import dataclass

from bridge.errors import NotFound
from bridge.services import addresses, device_check, passwords
from bridge.services.context import Context
from bridge.services.devices import NewDevice
from bridge.store import devices, setup_links
from bridge.store.setup_links import SetupLink


@dataclass(frozen=True, slots=True)
class Link:
    """``url`` holds the secret and is shown once."""

    url: str
    expires_at: dt.datetime


def link(context: Context, device: NewDevice, *, hours: int | None = None) -> Link:
    """A link for a device that was just made. ``hours``: how long it is good for; None: as the settings say."""
    secret = secrets.token_urlsafe(24)
    expires_at = context.now() + dt.timedelta(hours=hours or context.settings.onboarding.link_hours)
    with context.database.write() as conn:
        setup_links.put(
            conn, context.vault, device.id, passwords.digest(secret), device.password, expires_at=expires_at
        )
    return Link(f"{addresses.public_url(context)}/setup/{secret}", expires_at)


def renew(context: Context, principal: str, label: str, *, hours: int | None = None) -> tuple[NewDevice, Link]:
    """A new password and a new link; the old ones are good no more. Raises NotFound."""
    password = passwords.generate()
    with context.database.write() as conn:
        device = device_check.named(conn, principal, label)
        devices.renew(conn, device.id, passwords.hash_generated(password))
        setup_links.remove(conn, device.id)
    renewed = NewDevice(device.id, principal, label, password)
    return renewed, link(context, renewed, hours=hours)


def find(context: Context, secret: str) -> SetupLink:
    """What the link stands for; looking does not use it up. Raises NotFound: never made, used, too old, or revoked."""
    with context.database.read() as conn:
        found = setup_links.get(conn, context.vault, passwords.digest(secret), now=context.now())
    if found is None:
        raise NotFound("this setup link is good no more")
    return found
