"""What each kind of resource can do: its DAV header and its reports, as they are advertised and as they are served.

Clients switch on by a token alone, so one stands here only where the whole feature works (CLIENTS 2, D-23): no "2" without
LOCK, no addressbook.
"""

from __future__ import annotations

from bridge.services.scheduling import Scheduling
from radicale_plugins.request import Kind, Limits

_METHODS: dict[Kind, tuple[str, ...]] = {
    Kind.ROOT: ("ACL", "OPTIONS", "PROPFIND", "REPORT"),
    # Evolution looks on the home whether calendars may be made in it
    Kind.HOME: ("ACL", "MKCALENDAR", "MKCOL", "OPTIONS", "POST", "PROPFIND", "PROPPATCH", "REPORT"),
    Kind.CALENDAR: (
        "ACL", "DELETE", "GET", "HEAD", "MKCALENDAR", "MKCOL", "OPTIONS", "POST", "PROPFIND", "PROPPATCH", "REPORT",
    ),
    Kind.OBJECT: ("ACL", "COPY", "DELETE", "GET", "HEAD", "MOVE", "OPTIONS", "POST", "PROPFIND", "PROPPATCH", "PUT", "REPORT"),
    Kind.ATTACHMENT: ("GET", "HEAD", "OPTIONS"),
    Kind.INBOX: ("OPTIONS", "PROPFIND", "PROPPATCH", "REPORT"),
    Kind.MESSAGE: ("DELETE", "GET", "HEAD", "OPTIONS", "PROPFIND", "REPORT"),
    Kind.OUTBOX: ("OPTIONS", "POST", "PROPFIND"),
    Kind.REGISTRATION: ("DELETE", "OPTIONS"),
    Kind.PROXY: ("OPTIONS", "PROPFIND", "PROPPATCH", "REPORT"),
    Kind.NOTIFICATIONS: ("OPTIONS", "PROPFIND"),
    Kind.NOTIFICATION: ("DELETE", "GET", "HEAD", "OPTIONS", "PROPFIND"),
    Kind.PERSON: ("OPTIONS", "PROPFIND", "REPORT"),
    Kind.NOWHERE: ("OPTIONS",),
}  # fmt: skip


PUSHED = (Kind.HOME, Kind.CALENDAR)
"""What devices can ask to be told of (WebDAV-Push), by a POST, where this server tells them."""


def allow(kind: Kind, *, push: bool) -> str:
    """The Allow header (RFC 9110 §10.2.1). ``push`` says whether this server tells devices of changes."""
    registering = {"POST"} if push and kind in PUSHED else set()
    return ", ".join(sorted({*_METHODS[kind], *registering}))


_TOKENS = (
    "1", "3", "access-control", "extended-mkcol", "calendar-access", "calendarserver-principal-property-search",
    "calendarserver-principal-search", "calendar-proxy",
)  # fmt: skip

_SEARCHES = (
    "D:principal-match",
    "D:principal-property-search",
    "D:principal-search-property-set",
    "CS:calendarserver-principal-search",
)

SHARED = (Kind.HOME, Kind.CALENDAR, Kind.NOTIFICATIONS, Kind.NOTIFICATION)
"""Where calendars are shared by invitation: offered, answered, and told of (CalendarServer's sharing)."""

_ATTACHMENTS = ("calendar-managed-attachments", "calendar-managed-attachments-no-recurrence")

_SCHEDULING = ("calendar-auto-schedule", "calendar-availability")

REPORTS: dict[Kind, tuple[str, ...]] = {
    Kind.ROOT: ("D:expand-property", *_SEARCHES),
    Kind.HOME: (
        "D:sync-collection", "C:calendar-query", "C:free-busy-query", "D:expand-property", "D:acl-principal-prop-set", *_SEARCHES,
    ),
    Kind.CALENDAR: (
        "D:sync-collection", "C:calendar-multiget", "C:calendar-query", "C:free-busy-query", "D:expand-property",
        "D:acl-principal-prop-set",
    ),
    Kind.OBJECT: ("C:calendar-multiget", "C:calendar-query", "D:expand-property", "D:acl-principal-prop-set"),
    Kind.ATTACHMENT: (),
    Kind.INBOX: ("D:sync-collection", "C:calendar-multiget", "C:calendar-query", "D:expand-property"),
    Kind.MESSAGE: ("C:calendar-multiget", "D:expand-property"),
    Kind.OUTBOX: (),
    Kind.REGISTRATION: (),
    Kind.PROXY: ("D:expand-property",),
    Kind.NOTIFICATIONS: (),
    Kind.NOTIFICATION: (),
    Kind.PERSON: ("D:expand-property",),
}  # fmt: skip
"""supported-report-set (RFC 3253 §3.1.5): what is not named is refused with that precondition."""


def dav_header(kind: Kind, limits: Limits, scheduling: Scheduling, *, push: bool, sharing: bool) -> str:
    """RFC 4918 §10.1. Apple reads it on the principal, Evolution on whatever it was given, Thunderbird on a calendar's parent.

    ``sharing``: people can invite each other to calendars, which they cannot where they do not see each other.
    """
    attachments = _ATTACHMENTS if limits.attachment_bytes else ()
    scheduled = _SCHEDULING if scheduling.enabled else ()
    pushed = ("webdav-push",) if push and kind in PUSHED else ()
    shared = ("calendarserver-sharing",) if sharing and kind in SHARED else ()
    return ", ".join((*_TOKENS, *attachments, *scheduled, *pushed, *shared))
