"""Whom a request means by an address: the path of a home, or a mail address."""

from __future__ import annotations

import sqlalchemy as sa

from bridge.store import principals
from bridge.store.principals import Principal
from radicale_plugins.request import Kind, Request

_MAILTO = "mailto:"


def find(request: Request, conn: sa.Connection, href: str) -> Principal | None:
    """None: nobody here, or several. Whether who asks may know of them is for the caller to say (``Request.directory``)."""
    href = href.strip()
    if href.lower().startswith(_MAILTO):
        return principals.by_email(conn, href[len(_MAILTO) :])
    if "@" in href and "/" not in href and ":" not in href:
        return principals.by_email(conn, href)
    place = request.place_of(href)
    return principals.by_name(conn, place.owner) if place is not None and place.kind is Kind.HOME else None
