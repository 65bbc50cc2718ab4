"""People: who they are, and what their home holds from the first day."""

from __future__ import annotations

import datetime as dt
import re

from bridge.errors import UsageError
from bridge.services import passwords
from bridge.store import calendars, principals
from bridge.store.principals import Principal
from bridge.store.session import Database

RESERVED = frozenset(
    {
        "admin", "api", "demo", "docs", "favicon.ico", "feeds", "healthz", "login", "logout", "metrics", "oauth",
        "openapi.json", "portal", "push", "readyz", "robots.txt", "setup", "static", "webhooks",
    }
)  # fmt: skip
"""First segments of paths that the web answers. Nobody is called so, and no name begins with a dot (``/.well-known``)."""

DEFAULT_CALENDAR = "calendar"
"""The slug of everybody's unified calendar (DESIGN §2)."""

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?", re.ASCII)
_EMAIL = re.compile(r"[^\s@<>\"',;:\\\x00-\x1f\x7f]+@[^\s@<>\"',;:\\/\x00-\x1f\x7f]+")
_EMAIL_LENGTH = 320


def add(database: Database, name: str, email: str, *, password: str | None = None, now: dt.datetime) -> Principal:
    """Create a person, their home, and in it "Calendar" for events and "Tasks" for to-dos; phones want the two apart.

    ``password`` is for signing in to the portal; devices have passwords of their own. Raises UsageError and AlreadyExists.
    """
    check_name(name)
    check_email(email)
    password_hash = None if password is None else passwords.hash_chosen(password)
    with database.write() as conn:
        principal = principals.add(conn, name, email, password_hash=password_hash, now=now)
        for slug, title, component in ((DEFAULT_CALENDAR, "Calendar", "VEVENT"), ("tasks", "Tasks", "VTODO")):
            properties = {
                "tag": "VCALENDAR",
                "D:displayname": title,
                "C:supported-calendar-component-set": component,
            }
            calendars.create(conn, principal.id, slug, properties=properties, now=now)
    return principal


def check_name(name: str) -> None:
    """A name is the first segment of every path of its owner. Raises UsageError in words for people."""
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} cannot be a user name: 1 to 64 lower-case letters, digits, '.', '_' or '-', "
            "beginning and ending with a letter or digit"
        )
    if name in RESERVED:
        raise UsageError(f"{name!r} cannot be a user name: the server uses that address itself")


def check_email(email: str) -> None:
    """Not a proof that it exists: just that it can stand in a mailto: address. Raises UsageError."""
    if len(email) > _EMAIL_LENGTH or not _EMAIL.fullmatch(email):
        raise UsageError(f"{email[:_EMAIL_LENGTH]!r} is not an e-mail address")
