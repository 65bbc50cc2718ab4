"""The composition root of a web process: CalDAV (Radicale) and the web (Flask) behind one WSGI callable, served by Granian."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

from bridge import config
from bridge.services import logs, registering, witness
from bridge.services.context import open_context
from bridge.services.principals import RESERVED
from bridge.services.scheduling import Scheduling
from bridge.web.app import create_app
from bridge.web.turns import Turns, limited
from radicale_plugins import app as caldav
from radicale_plugins.porch import READ
from radicale_plugins.request import Limits

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

MOST_UNREAD = 1 << 20
"""Bytes of a refused body that are still taken; who sends more finds the connection closed."""

_drains = threading.BoundedSemaphore(2)
"""So many threads may wait for the rest of refused bodies: strangers who dawdle must never hold them all."""


def web_application() -> WSGIApplication:
    """What every web process runs; its settings come from the environment (Granian calls it by name)."""
    settings = config.load()
    logs.configure(settings.log)
    context = open_context(settings)
    in_turn = partial(limited, turns=Turns(settings.server.web_threads))
    dav = caldav.build(
        context.database,
        now=context.now,
        max_failures=settings.security.max_failures,
        block_seconds=settings.security.block_seconds,
        trusted_proxies=settings.security.trusted_proxies,
        limits=Limits(
            attachment_bytes=settings.caldav.attachment_bytes,
            attachments_per_object=settings.caldav.attachments_per_object,
            quota_bytes=settings.caldav.quota_bytes,
        ),
        public_url=settings.server.public_url,
        scheduling=Scheduling.by(settings),
        directory=settings.security.directory,
        push=registering.open_registrar(context),
        in_turn=in_turn,
        notes=witness.soon,
    )
    return dispatch(in_turn(create_app(context)), dav)


def dispatch(web: WSGIApplication, dav: WSGIApplication) -> WSGIApplication:
    """The CalDAV root is ``/``; the web has the reserved first segments, and what a browser GETs at ``/`` itself."""

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        first = path.lstrip("/").partition("/")[0]
        is_page = path in ("", "/") and environ["REQUEST_METHOD"] in ("GET", "HEAD")
        answer = (web if is_page or first in RESERVED else dav)(environ, start_response)
        _read_to_the_end(environ)
        return answer

    return application


def _read_to_the_end(environ: WSGIEnvironment) -> None:
    """Take the rest of a body that was refused unread: a closed connection would hide the 401 from who still sends."""
    body = environ.get("wsgi.input")
    left = MOST_UNREAD
    if body is None or READ in environ or not _drains.acquire(blocking=False):
        return
    try:
        while left > 0 and (chunk := body.read(min(left, 1 << 16))):
            left -= len(chunk)
    finally:
        _drains.release()
