"""Radicale's Application, and what its interface lacks for our server."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from bridge.store.session import Database

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


def build(
    database: Database,
    *,
    now: Callable[[], dt.datetime],
    max_failures: int = 10,
    block_seconds: int = 300,
    trusted_proxies: Sequence[str] = (),
    max_resource_size: int = 10_000_000,
) -> WSGIApplication:
    """The CalDAV side as a WSGI application (PEP 3333), for any threaded server."""
    raise NotImplementedError
