"""What each kind of resource can do: its DAV header and its reports, as they are advertised and as they are served.

Clients switch on by a token alone, so one stands here only where the whole feature works (CLIENTS 2, D-23): no "2" without
LOCK, no addressbook, no scheduling (R40).
"""

from __future__ import annotations

from radicale_plugins.request import Kind

METHODS = "DELETE, GET, HEAD, MKCALENDAR, MKCOL, MOVE, OPTIONS, PROPFIND, PROPPATCH, PUT, REPORT"

_TOKENS = ("1", "3", "extended-mkcol", "calendar-access")

REPORTS: dict[Kind, tuple[str, ...]] = {
    Kind.ROOT: ("D:principal-search-property-set",),
    Kind.HOME: ("C:free-busy-query",),
    Kind.CALENDAR: ("D:sync-collection", "C:calendar-multiget", "C:calendar-query", "C:free-busy-query"),
    Kind.OBJECT: (),
}
"""supported-report-set (RFC 3253 §3.1.5): what is not named is refused with that precondition."""


PUSHED = (Kind.HOME, Kind.CALENDAR)
"""What devices can ask to be told of (WebDAV-Push)."""


def dav_header(kind: Kind, *, push: bool) -> str:
    """RFC 4918 §10.1. Apple reads it on the principal, Evolution on whatever it was given, Thunderbird on a calendar's parent.

    ``push`` says whether this server tells devices of changes.
    """
    return ", ".join((*_TOKENS, "webdav-push") if push and kind in PUSHED else _TOKENS)
