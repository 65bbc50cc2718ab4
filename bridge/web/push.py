"""Receivers of Google's and Microsoft's notifications. They check the secret, make the pair due, and do nothing else (R31)."""

from __future__ import annotations

import threading
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, request

from bridge.services import pushes
from bridge.services.context import Context

_PATIENCE = 0.2
_readers = threading.BoundedSemaphore(2)
"""Anybody may post here, and dawdle over it: that must never hold all threads. Graph tries again after a 503 (M-72)."""

_AT_ONCE = 1000
"""Notices of one request that are heard; the safety poll makes good for more (R30)."""

_LIFECYCLE = {"subscriptionRemoved": pushes.lapsed, "reauthorizationRequired": pushes.doubted}
"""What is to be done about the subscription itself (M-75); like any notice they make the pair due, and "missed" does only that."""


def receivers(context: Context) -> Blueprint:
    blueprint = Blueprint("push", __name__, url_prefix="/push")

    @blueprint.post("/google")
    def google() -> tuple[str, int]:
        # no body; everything is in the headers (G-82), and the first message only says "sync" (G-83)
        channel = request.headers.get("X-Goog-Channel-ID", "")
        token = request.headers.get("X-Goog-Channel-Token", "")
        if not pushes.notified(context, channel, token):
            return "", HTTPStatus.NOT_FOUND
        return "", HTTPStatus.NO_CONTENT

    @blueprint.post("/microsoft")
    def microsoft() -> Response | tuple[str, int]:
        if (token := request.args.get("validationToken")) is not None:  # the handshake before a subscription (M-71)
            return Response(token, mimetype="text/plain", headers={"X-Content-Type-Options": "nosniff"})
        if not _readers.acquire(timeout=_PATIENCE):
            return "", HTTPStatus.SERVICE_UNAVAILABLE
        try:
            body: Any = request.get_json(silent=True)
        finally:
            _readers.release()
        if not isinstance(body, dict) or not isinstance(body.get("value"), list):
            return "", HTTPStatus.BAD_REQUEST
        for notice in body["value"][:_AT_ONCE]:  # of several subscriptions, perhaps (M-72)
            if isinstance(notice, dict):
                heard = str(notice.get("subscriptionId", "")), str(notice.get("clientState", ""))
                if pushes.notified(context, *heard) and (event := str(notice.get("lifecycleEvent"))) in _LIFECYCLE:
                    _LIFECYCLE[event](context, heard[0])
        return "", HTTPStatus.ACCEPTED

    return blueprint
