"""POST: what it means depends on where it is sent and what it holds, so each answer says which requests are its own."""

from __future__ import annotations

from collections.abc import Callable
from http import client

from radicale_plugins import attachments, capabilities, dav, outbox, push, resources
from radicale_plugins.dav import Answer
from radicale_plugins.request import Request

_Handler = Callable[[Request], Answer | None]

_HANDLERS: tuple[_Handler, ...] = (push.register, resources.add_member, attachments.posted, outbox.posted)
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
