"""A request as our own answers to it see it: who asks, for what, and what they may use."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from http import client
from urllib.parse import unquote, urlsplit

import sqlalchemy as sa

from bridge.policy.access import Access
from bridge.services.registering import Registrar
from bridge.services.scheduling import Scheduling
from bridge.services.witness import Told
from bridge.store import login_failures, principals, push_subscriptions
from bridge.store.calendars import INBOX, Calendar
from bridge.store.evidence import Asked
from bridge.store.session import Database
from radicale_plugins import access, dav, door
from radicale_plugins.door import Environ
from radicale_plugins.porch import Porch, poll_in


class Kind(Enum):
    """What is at a path, or would be: it decides which properties, reports and methods there are."""

    ROOT = "root"
    HOME = "home"
    CALENDAR = "calendar"
    OBJECT = "object"
    ATTACHMENT = "attachment"
    INBOX = "inbox"
    MESSAGE = "message"
    """What stands in an inbox."""
    OUTBOX = "outbox"
    REGISTRATION = "registration"
    PROXY = "proxy"
    """The group of those who look after the calendars of a home."""
    NOTIFICATIONS = "notifications"
    NOTIFICATION = "notification"
    """What somebody is told of shares."""
    PERSON = "person"
    """Somebody else's home for one who may see no more than whose it is: no path is this of itself (``Request.kind``)."""
    NOWHERE = "nowhere"


ATTACHMENTS = ".attachments"
REGISTRATIONS = ".push"
NOTIFICATIONS = ".notifications"

OUTBOX = ".outbox"
PROXIES = {".proxy-read": "read", ".proxy-write": "write"}
"""By their second segment, what access they have."""

_SPECIAL: dict[str, tuple[Kind, Kind]] = {
    INBOX: (Kind.INBOX, Kind.MESSAGE),
    OUTBOX: (Kind.OUTBOX, Kind.NOWHERE),
    ATTACHMENTS: (Kind.NOWHERE, Kind.ATTACHMENT),  # nobody needs to list them
    NOTIFICATIONS: (Kind.NOTIFICATIONS, Kind.NOTIFICATION),
    **dict.fromkeys(PROXIES, (Kind.PROXY, Kind.NOWHERE)),
    REGISTRATIONS: (Kind.NOWHERE, Kind.REGISTRATION),  # of devices that are told of changes: deleted, and nothing else
}
"""Collections that every home has of itself, by their second segment, and what their members are.

Such a segment begins with a dot, as no calendar's may (``store.calendars.create``): nobody's calendar is in the way.
"""


_OF_EVIDENCE = (Kind.HOME, Kind.CALENDAR, Kind.INBOX)
"""What ``store.evidence`` has the rows of; of notifications, for instance, it knows nothing."""

_MOST_EXCEPTED = 100
_BODY = "caldav_bridge.body"  # where the environment keeps it


@dataclass(frozen=True, slots=True)
class Place:
    """Where a path leads; ``deeper`` is further down than anything is."""

    owner: str = ""
    slug: str = ""
    href: str = ""
    deeper: bool = False

    @classmethod
    def of(cls, path: str) -> Place:
        parts = [part for part in path.split("/") if part]
        owner, slug, href = (parts[:3] + [""] * 3)[:3]
        return cls(owner, slug, href, deeper=len(parts) > 3)

    @property
    def kind(self) -> Kind:
        if not self.owner:
            return Kind.ROOT
        if self.deeper:
            return Kind.NOWHERE
        if not self.slug:
            return Kind.HOME
        collection, member = (Kind.CALENDAR, Kind.OBJECT)
        if self.slug.startswith("."):
            collection, member = _SPECIAL.get(self.slug, (Kind.NOWHERE, Kind.NOWHERE))
        return member if self.href else collection

    @property
    def home(self) -> str:
        return f"/{self.owner}/"

    @property
    def calendar(self) -> str:
        return f"/{self.owner}/{self.slug}/"

    @property
    def path(self) -> str:
        """With a slash at the end exactly where it is a collection."""
        if not self.owner:
            return "/"
        if not self.slug:
            return self.home
        return self.calendar + self.href


@dataclass(frozen=True, slots=True)
class Limits:
    """What may be kept. ``attachment_bytes`` 0: no attachments; ``quota_bytes`` 0: no limit."""

    object_bytes: int = 10_000_000
    attachment_bytes: int = 10_000_000
    attachments_per_object: int = 100
    quota_bytes: int = 0


_SCHEDULING = Scheduling()


@dataclass(frozen=True)
class Request:
    """``user`` is the principal's name, ``actor`` what the history says (a device).

    Who gets here may do what the method needs; ``writable`` is for a method that may mean one or the other (POST).
    With ``directory`` people see each other; a ``stranger`` may see nothing else of the home that is asked for.
    """

    environ: Environ
    base: str
    place: Place
    user: str
    actor: str
    key: str
    """Of the password that was right (``auth.key``)."""

    database: Database
    now: Callable[[], dt.datetime]
    limits: Limits
    writable: bool
    public_url: str | None = None
    push: Registrar | None = None
    """What devices register with to be told of changes; None: they cannot."""
    told: list[Told] = field(default_factory=list)
    """What the answer tells of calendars, for the device's record (``services.witness``)."""
    given: list[str] = field(default_factory=list)
    """The objects that the answer hands out, by href."""

    porch: Porch | None = None
    """Where the answer may be kept."""
    snapshot: sa.Connection | None = None
    """In which whoever asks was found to be known, and from which the answer is to be made."""
    found: Calendar | None = None
    """The calendar of the place, as it is in that snapshot; None: it is not known yet."""

    def tells(self, calendar: Calendar, *, whole: bool) -> None:
        """The answer has the calendar's revision in it, or (``whole``) everything up to it."""
        self.told.append(Told(calendar.id, calendar.revision, whole))

    scheduling: Scheduling = _SCHEDULING
    directory: bool = True
    stranger: bool = False
    level: Access = Access.OWNER
    """How far this person may go in the home that is asked for: one's own, or that of somebody whose delegate they are."""

    @property
    def kind(self) -> Kind:
        return Kind.PERSON if self.stranger else self.place.kind

    def header(self, name: str) -> str:
        return str(self.environ.get("HTTP_" + name.upper().replace("-", "_"), ""))

    @property
    def depth(self) -> str:
        return self.header("Depth")

    @property
    def minimal(self) -> bool:
        """The client does not want to hear of properties that are not there (RFC 8144; Apple's Brief; D-22)."""
        wishes = {wish.partition(";")[0].strip().replace(" ", "") for wish in self.header("Prefer").lower().split(",")}
        return "return=minimal" in wishes or self.header("Brief").strip().lower() == "t"

    @property
    def body(self) -> bytes:
        """Read when it is first asked for. Not by ``cached_property``: Python 3.11's holds a lock of all requests meanwhile."""
        if _BODY not in self.environ:
            self.environ[_BODY] = door.read_body(self.environ)
        body: bytes = self.environ[_BODY]
        return body

    @property
    def device_id(self) -> int | None:
        """Of the device that asks; None where somebody signed in otherwise."""
        kind, _, number = self.actor.partition(":")
        return int(number) if kind == "device" and number.isdecimal() else None

    def look(self, conn: sa.Connection) -> None:
        """The answer follows from rows, and from what the request says: it may be given at the door the next time.

        In one's own home only, and in the snapshot that the answer is made of.
        """
        poll = poll_in(self.environ)
        if poll is not None and self.snapshot is not None:
            poll.follows = True  # from what was seen in it already
            return
        device = self.device_id
        if poll is None or self.porch is None or device is None or self.place.owner != self.user:
            return
        if self.kind not in _OF_EVIDENCE:
            return
        there = login_failures.of_address(str(self.environ.get("REMOTE_ADDR", "")))
        here = login_failures.of_account(f"{self.user} at {there}")
        asked = Asked(device, self.key, self.user, here, there, self.place.slug)
        self.porch.look(conn, poll, asked, self.body, base=self.base, path=self.place.path)

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """The snapshot in which somebody was recognised, or one of its own."""
        if self.snapshot is not None:
            yield self.snapshot
            return
        with self.database.read() as conn:
            yield conn

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A transaction of which those are told nothing whom the client excepts: it knows what it has done itself."""
        with self.database.write() as conn:
            if (excepted := self._excepted(conn)) is not None:
                push_subscriptions.keep_quiet(conn, excepted)
            yield conn

    def _excepted(self, conn: sa.Connection) -> list[int] | None:
        """Push-Dont-Notify: registration URLs in quotation marks, or * for all that are the device's own. Nobody else's count."""
        told = self.header("Push-Dont-Notify").strip()
        principal = principals.by_name(conn, self.user) if told and self.push is not None else None
        if principal is None:
            return None
        places = [self.place_of(each.strip().strip('"')) for each in told.split(",")[:_MOST_EXCEPTED]]
        tokens = None if told == "*" else [each.href for each in places if each and each.kind is Kind.REGISTRATION]
        return push_subscriptions.mine(conn, principal.id, device_id=self.device_id, tokens=tokens)

    def url(self, path: str) -> str:
        return dav.url(self.base, path)

    def absolute(self, path: str) -> str:
        """With scheme and host, for what is kept in an object and read elsewhere."""
        if self.public_url is not None:
            return self.public_url + dav.url("", path)
        host = self.environ.get("HTTP_HOST") or f"{self.environ['SERVER_NAME']}:{self.environ['SERVER_PORT']}"
        return f"{self.environ['wsgi.url_scheme']}://{host}{self.url(path)}"

    def place_of(self, reference: str) -> Place | None:
        """What a DAV:href or Destination means: a URL or an absolute path below our base; None: nothing of ours."""
        try:
            path = unquote(urlsplit(reference.strip()).path, errors="strict")
            door.check_path(path)
        except (ValueError, UnicodeError, dav.Refusal):
            return None
        if not path.startswith(self.base + "/"):
            return None
        place = Place.of(path[len(self.base) :])
        return None if place.deeper else place

    def calendar(self, conn: sa.Connection, needs: str = "") -> Calendar:
        """The calendar of the place. Raises dav.Refusal 404, and 403 where the privilege it ``needs`` is not theirs."""
        calendar = self.found or access.find(self, conn, self.place)
        if calendar is None:
            raise dav.Refusal(NOT_FOUND)
        if needs:
            access.require(self, calendar, self.place, needs)
        return calendar


NOT_FOUND = dav.text(client.NOT_FOUND, "There is nothing here.")
NO_PARENT = dav.text(client.CONFLICT, "There is no such collection.")
"""Where nothing can be made, for there is nothing that could hold it (RFC 4918 §9.3.1, §9.7.1)."""
