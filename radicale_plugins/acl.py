"""Who may do what, as RFC 3744 tells it. It can be read and not written: no one holds DAV:write-acl, so ACL is refused by
that name, and what is shared is shared in other ways (``invitations``).
"""

from __future__ import annotations

import xml.etree.ElementTree as ET

from radicale_plugins import dav
from radicale_plugins.access import FREE_BUSY
from radicale_plugins.dav import Answer
from radicale_plugins.request import NOT_FOUND, Kind, Request

DELIVER = ("C:schedule-deliver", "C:schedule-deliver-invite", "C:schedule-deliver-reply", "C:schedule-query-freebusy")
SEND = ("C:schedule-send", "C:schedule-send-invite", "C:schedule-send-reply", "C:schedule-send-freebusy")
"""Of an inbox and an outbox (RFC 6638 §6)."""

_TREE = (
    "D:all", "Any operation",
    ("D:read", "Read objects and properties", (FREE_BUSY, "Read when the owner is busy")),
    ("D:read-acl", "Read who may do what"),
    ("D:read-current-user-privilege-set", "Read what oneself may do"),
    (
        "D:write", "Write objects and properties",
        ("D:write-content", "Change objects"),
        ("D:write-properties", "Change properties"),
        ("D:bind", "Add members"),
        ("D:unbind", "Remove members"),
    ),
    (
        "C:schedule-deliver", "Send something here",
        ("C:schedule-deliver-invite", "Invite"),
        ("C:schedule-deliver-reply", "Answer an invitation"),
        ("C:schedule-query-freebusy", "Ask when the owner is busy"),
    ),
    (
        "C:schedule-send", "Send something in the owner's name",
        ("C:schedule-send-invite", "Invite"),
        ("C:schedule-send-reply", "Answer an invitation"),
        ("C:schedule-send-freebusy", "Ask when others are busy"),
    ),
    ("D:share", "Share with others"),
    ("D:write-acl", "Change who may do what"),
    ("D:unlock", "Remove the locks of others"),
)  # fmt: skip


def privileges(*names: str) -> list[ET.Element]:
    return [dav.element("D:privilege", dav.element(name)) for name in names]


def supported() -> ET.Element:
    """supported-privilege-set (RFC 3744 §5.3, RFC 4791 §6.1.1)."""
    return dav.element("D:supported-privilege-set", _supported(*_TREE))


def _supported(name: str, description: str, *inner: tuple) -> ET.Element:  # type: ignore[type-arg]
    words = dav.element("D:description", content=description)
    words.set("{http://www.w3.org/XML/1998/namespace}lang", "en")
    return dav.element("D:supported-privilege", *privileges(name), words, *(_supported(*each) for each in inner))


def granted_to(principal: str, *names: str) -> ET.Element:
    """An ACE that nobody can change (RFC 3744 §5.5)."""
    return dav.element(
        "D:ace",
        dav.element("D:principal", dav.href(principal)),
        dav.element("D:grant", *privileges(*names)),
        dav.element("D:protected"),
    )


def restrictions() -> ET.Element:
    """acl-restrictions (RFC 3744 §5.6)."""
    return dav.element("D:acl-restrictions", dav.element("D:grant-only"), dav.element("D:no-invert"))


def change(request: Request) -> Answer:
    """ACL (RFC 3744 §8.1)."""
    if request.kind is Kind.NOWHERE:
        return NOT_FOUND
    return dav.need_privileges(request.url(request.place.path), "D:write-acl")
