"""The names we give to states and resources: ctag, sync token, href."""

from __future__ import annotations

import hashlib
import re

from bridge.errors import SyncTokenInvalid
from bridge.store import sync_tokens
from bridge.store.calendars import Calendar

_TOKEN = re.compile(re.escape(sync_tokens.PREFIX) + r"(\d{1,18})-(\d{1,18})", re.ASCII)
_PLAIN = re.compile(r"[A-Za-z0-9@._+=-]{1,200}", re.ASCII)


def ctag(calendar: Calendar) -> str:
    """The id is part of it: a calendar made anew under an old name is another one."""
    return f'"{calendar.id}-{calendar.revision}"'


def sync_token(calendar: Calendar) -> str:
    return sync_tokens.of(calendar)


def revision(calendar: Calendar, token: str) -> int:
    """The revision a token stands for. Raises SyncTokenInvalid: not ours, another calendar's, or from the future.

    The last one comes from a database that was restored from a backup: the device has seen what we no longer know.
    """
    match = _TOKEN.fullmatch(token.strip())
    if match is None or int(match[1]) != calendar.id or int(match[2]) > calendar.revision:
        raise SyncTokenInvalid(token[:200])
    return int(match[2])


def href_for(uid: str) -> str:
    """A path segment for an object that came without one."""
    if _PLAIN.fullmatch(uid) and not uid.startswith("."):
        return f"{uid}.ics"
    return f"{hashlib.sha256(uid.encode()).hexdigest()[:32]}.ics"
