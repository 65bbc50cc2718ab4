"""People: who they are, and what their home holds from the first day."""

from __future__ import annotations

import datetime as dt

from bridge.store.principals import Principal
from bridge.store.session import Database

RESERVED = frozenset(
    {
        "api", "feeds", "healthz", "metrics", "oauth", "portal", "push", "robots.txt", "favicon.ico", "static", "readyz",
        "login", "logout", "admin", "demo", "docs", "openapi.json", "webhooks",
    }
)  # fmt: skip
"""First segments of paths that the web answers; nobody can be called so. Names never begin with a dot either (.well-known)."""


def add(database: Database, name: str, email: str, *, password: str | None = None, now: dt.datetime) -> Principal:
    """Create a person, their home, and in it "Calendar" (events) and "Tasks" (to-dos; phones want the two apart).

    ``password`` is for signing in to the portal; devices have passwords of their own. Raises UsageError and AlreadyExists.
    """
    raise NotImplementedError
