"""The names we give to states and resources: ctag, sync token, href."""

from __future__ import annotations

import hashlib
import re
from urllib.parse import quote, unquote

from bridge.errors import SyncTokenInvalid
from bridge.store import sync_tokens
from bridge.store.calendars import Calendar
from bridge.store.changes import Position
from bridge.store.objects import StoredObject

_TOKEN = re.compile(
    re.escape(sync_tokens.PREFIX) + r"(\d{1,18})-(\d{1,18})(?:/(\d{1,18})/(alive|deleted)/(.+))?", re.ASCII
)
_PLAIN = re.compile(r"[A-Za-z0-9@._+=-]{1,200}", re.ASCII)


def ctag(calendar: Calendar) -> str:
    """The id is part of it: a calendar made anew under an old name is another one."""
    return f'"{calendar.id}-{calendar.revision}"'


def sync_token(calendar: Calendar) -> str:
    return sync_tokens.of(calendar)


def partial_token(calendar: Calendar, at: Position) -> str:
    """A token that goes on in the middle of a listing which a limit has cut (RFC 6578 §3.6)."""
    kind = "deleted" if at.deleted else "alive"
    return f"{sync_tokens.PREFIX}{calendar.id}-{at.revision}/{at.fresh}/{kind}/{quote(at.href, safe='')}"


def position(calendar: Calendar, token: str) -> Position:
    """Where a token stands. Raises SyncTokenInvalid: not ours, another calendar's, or from the future.

    The last one comes from a database that was restored from a backup: the device has seen what we no longer know.
    """
    match = _TOKEN.fullmatch(token.strip())
    if match is None or int(match[1]) != calendar.id:
        raise SyncTokenInvalid(token[:200])
    try:
        href = unquote(match[5] or "", errors="strict")
    except UnicodeError:
        raise SyncTokenInvalid(token[:200]) from None
    found = Position(int(match[2]), match[4] == "deleted", href, int(match[3] or 0))
    if max(found.revision, found.fresh) > calendar.revision or "\0" in href:
        raise SyncTokenInvalid(token[:200])
    return found


def href_for(uid: str) -> str:
    """A path segment for an object that came without one."""
    if _PLAIN.fullmatch(uid) and not uid.startswith("."):
        return f"{uid}.ics"
    return f"{hashlib.sha256(uid.encode()).hexdigest()[:32]}.ics"


_GROUPED = re.compile(rb"(?:^|[\r\n])ATTENDEE[;:]", re.IGNORECASE)


def schedule_tag(stored: StoredObject) -> str | None:
    """RFC 6638 §3.2.10: the state of a meeting but for the answers of others; None: it is no meeting."""
    return stored.schedule_tag or stored.etag if _GROUPED.search(stored.data) else None
