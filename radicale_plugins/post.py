"""POST: what it means depends on where it is sent and what it holds, so each answer says which requests are its own."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable
from http import client

from radicale_plugins import attachments, capabilities, dav, invitations, outbox, push, resources
from radicale_plugins.dav import Answer
from radicale_plugins.request import Request

_Handler = Callable[[Request], Answer | None]

_XML = ("application/xml", "text/xml")
_MOST_BYTES = 100_000
"""More than any of the documents needs. A posted file may be XML, too, and is not meant: ``attachments`` is asked before."""

_DOCUMENTS: dict[str, Callable[[Request, ET.Element], Answer]] = {
    f"{push.P}push-register": push.register,
    f"{dav.CS}share": invitations.share,
    f"{dav.CS}invite-reply": invitations.reply,
}


def _document(request: Request) -> Answer | None:
    """What a posted XML document asks for; None: it is none, or none that we know."""
    if request.environ.get("CONTENT_TYPE", "").lower() not in _XML:
        return None
    # before it is read; or after, if it came in chunks
    if int(request.environ.get("CONTENT_LENGTH") or 0) > _MOST_BYTES or len(request.body) > _MOST_BYTES:
        return dav.text(
            client.REQUEST_ENTITY_TOO_LARGE, f"An XML document that is posted has at most {_MOST_BYTES} bytes."
        )
    root = dav.read_xml(request.body)
    handler = None if root is None else _DOCUMENTS.get(root.tag)
    return None if root is None or handler is None else handler(request, root)


_HANDLERS: tuple[_Handler, ...] = (attachments.posted, _document, resources.add_member, outbox.posted)
"""Asked in this order; the first that does not return None has answered."""


def answer(request: Request) -> Answer:
    for handler in _HANDLERS:
        answered = handler(request)
        if answered is not None:
            return answered
    return dav.text(
        client.METHOD_NOT_ALLOWED,
        "Nothing is posted here.",
        {"Allow": capabilities.allow(request.place.kind, push=request.push is not None)},
    )
