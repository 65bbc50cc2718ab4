"""What the sync needs of the world: a remote calendar, the lens through which it sees, and this pair's memory.

A provider implements ``Remote`` and ``Lens`` (and ``SupportsPush`` where its service can call us, ``SupportsBatches`` where it
takes many requests as one); the store implements the memory (``bridge.sync.ledger``). The engine knows none of them by name.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

from bridge.errors import BridgeError
from bridge.ical.fields import Change, ObjectFields

ObjectKind = Literal["VEVENT", "VTODO"]
"""What the objects of one remote calendar are: no service mixes events and to-dos."""


@dataclass(frozen=True, slots=True)
class RemoteItem:
    """One resource as the provider answered it: what the inbox keeps.

    A single event or a series master has ``series == id``. Google's exceptions and cancelled instances are items of their
    own, with the master's id as ``series`` (G-60, G-61); Graph's are inside the master's payload (M-47). ``payload`` is the
    service's JSON; only the provider's mapping reads it. ``modified`` (aware UTC), where the service tells it, is when the
    service last changed the item: a reading that shows an earlier state than one before it is a replay (M-27).
    """

    id: str
    series: str
    version: str
    payload: Mapping[str, Any]
    modified: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Removal:
    """The service says that ``id`` (a single event or a master) is no more.

    ``certain`` is False where the same word also means "left the window" (M-23): the engine then asks ``Remote.get``
    before it believes it (R26).
    """

    id: str
    certain: bool = True


@dataclass(frozen=True, slots=True)
class Page:
    """One page of changes. ``cursor`` resumes behind it, be it the next page or the next round.

    ``more`` is True while the round goes on. Absence proves a deletion only once a listing that began with ``cursor=None``
    has come to ``more=False`` without an error (R5). ``whole`` names the series of which this page holds every item there
    is: what was known of them beyond these is no more. Google drops a series' exceptions without telling (G-66). ``unshown``
    are there, and the service shows others and stumbles over these, so nothing is known of them (R32).
    """

    items: Sequence[RemoteItem]
    removals: Sequence[Removal]
    cursor: str
    more: bool
    whole: frozenset[str] = frozenset()
    unshown: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class RemoteObject:
    """A remote calendar object, read through the lens.

    ``creation_key`` is the key it was created with, if the service tells (Google: the id itself; Graph: transactionId).
    ``uid`` is the service's iCalUID. ``updated`` (aware UTC) orders edits only where policy must choose (X-33).
    ``organized_elsewhere``: someone else's meeting; only own reminders, show-as and response may be written (R3, M-56).
    """

    id: str
    version: str
    uid: str
    creation_key: str
    fields: ObjectFields
    updated: dt.datetime
    organized_elsewhere: bool
    items: Sequence[RemoteItem]


class Lens(Protocol):
    """How one provider sees calendar objects. Pure; knows no network, clock or database.

    Laws: ``view(view(x)) == view(x)``; ``view(read(items).fields) == read(items).fields``: what is read is already in
    the provider's normal form, so that two equal states compare equal and an echo is no change (R20, R21).
    """

    @property
    def component(self) -> ObjectKind:
        """Hub objects of any other kind are nothing to it."""
        ...

    def view(self, fields: ObjectFields) -> ObjectFields:
        """Reduce hub fields to what this provider can hold, in its normal form.

        Raises Unmappable where no faithful copy exists (R-29): never a nearby rule in silence.
        """
        ...

    def read(self, items: Sequence[RemoteItem]) -> RemoteObject:
        """Assemble the items of one object (its single or master first, or anywhere) into neutral fields.

        Raises Unmappable for what cannot be shown as an object (an exception whose master is unknown).
        """
        ...

    def restore(self, change: Change, hub: ObjectFields) -> Change:
        """Bring a remote change into the hub's own terms before it is laid upon the hub's object.

        A provider that only knows "W. Europe Standard Time" must not turn Europe/Vienna into Europe/Berlin (X-03).
        """
        ...


@runtime_checkable
class SetsAside(Protocol):
    """A lens whose service keeps notes beside an event, of what it has no place for (S-01). A note is a hint (S-03)."""

    def asides(self, fields: ObjectFields, seen: ObjectFields) -> Mapping[str, str]:
        """``EventFields.aside`` for each event of ``seen``, by instance key; ``fields`` is what ``seen`` is the view of."""
        ...

    def recalled(self, remote: RemoteObject) -> ObjectFields:
        """What a remote object says together with what is noted beside it; a note that is not whole says nothing."""
        ...


class Remote(Protocol):
    """One remote calendar, as a signed-in account sees it.

    Every method may raise Unreachable, Throttled, NeedsReconnect or Refused; others are named below. None of them keeps a
    database transaction open, for none knows of one.
    """

    @property
    def lens(self) -> Lens: ...

    def page(self, cursor: str | None, *, now: dt.datetime) -> Page:
        """Read one page: of a complete listing (None), or of what changed since ``cursor``.

        Raises CursorLost when the service has forgotten the cursor or the provider wants to list anew.
        """
        ...

    def get(self, id: str) -> Sequence[RemoteItem]:
        """All items of one object as they are now. Raises Gone."""
        ...

    def find(self, key: str) -> Sequence[RemoteItem]:
        """All items of the object made with this creation key; empty if there is none alive."""
        ...

    def create(self, fields: ObjectFields, *, key: str, uid: str) -> Sequence[RemoteItem]:
        """Create the object, or finish creating it: replaying a lost answer makes no second one and mails nobody (R12).

        ``key`` is 32 characters of [0-9a-v] and unique to this creation (G-44, M-34); ``uid`` is the hub's UID, left as a
        marker (X-01). Raises Gone if an object with this key existed and has been deleted since.
        """
        ...

    def update(self, current: RemoteObject, target: ObjectFields) -> Sequence[RemoteItem]:
        """Turn ``current`` into ``target`` in place, sending only what differs, with If-Match of ``current``'s versions.

        Raises VersionMismatch, Gone, Unmappable. May have done part of it when it raises; the next plan goes on from there.
        """
        ...

    def delete(self, current: RemoteObject) -> None:
        """Delete the whole object with If-Match. Already gone is success. Raises VersionMismatch."""
        ...


@runtime_checkable
class Invites(Protocol):
    """A remote whose service mails an event's guests. It is quiet as long as the service lets it (G-72, M-53)."""

    def inviting(self) -> Remote:
        """The same remote, whose writes tell the guests: for what a person has done to an event at home (R1, R2)."""
        ...


@runtime_checkable
class NamesOccurrences(Protocol):
    """A remote that says "removed" of more than our objects: of single occurrences (M-26), of what is beyond its window (M-23)."""

    def behind(self, ids: Collection[str]) -> tuple[Sequence[RemoteItem], frozenset[str]]:
        """What there is to be read where these were removed that are no objects we know: themselves, and their series.

        And what of that is there and ``unshown`` (``Page``).
        """
        ...


@runtime_checkable
class RecallsWrites(Protocol):
    """A remote whose listings tell us of our own writes, and may never tell of what came and went between two (RFC 6578 §3.5).

    So it is told what we have written: that need not be read again. And if it was we who created an object, and its owner who
    deleted it before the next look, nobody would hear of that unless it is asked for.
    """

    def with_written(self, cursor: str, versions: Mapping[str, str], *, created: Collection[str]) -> str:
        """The cursor of one who knows these objects, by id, in these versions; of those ``created`` it asks after each."""
        ...


@runtime_checkable
class Nests(Protocol):
    """A lens that sees which to-do is a part of which one (X-71). It names the parent by the service's id."""

    @property
    def nests(self) -> bool: ...


@runtime_checkable
class KeepsNoMark(Protocol):
    """A remote whose service keeps nothing of ours with an object (G-106): neither key nor UID is in what it reads.

    ``find`` finds nothing there. A creation whose answer was lost is known by what it was to become (R12).
    """

    def alike(self, fields: ObjectFields) -> Sequence[Sequence[RemoteItem]]:
        """All objects that read as ``fields``, whoever made them; each as all of its items, the newest first."""
        ...


@runtime_checkable
class Replays(Protocol):
    """A remote whose service may tell again, and late, what an object was like (M-27): also one that has gone since."""

    @property
    def replays(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class New:
    """An object to be created: what ``Remote.create`` takes."""

    fields: ObjectFields
    key: str
    uid: str


@runtime_checkable
class SupportsBatches(Protocol):
    """A remote that creates many objects by one request. The service counts each of them all the same (G-99, M-79)."""

    @property
    def batch_size(self) -> int:
        """The most that ``create_many`` takes."""
        ...

    def create_many(self, wanted: Sequence[New]) -> Sequence[Sequence[RemoteItem] | BridgeError | None]:
        """What became of each, in this order: its items, or the error that ``create`` would have raised.

        Beyond those, None: it was not sent, be it that it takes more than one request; Throttled: it was not carried out;
        DuplicateKey: there is something with its key already, which ``create`` takes up; Unreachable: nobody knows. One
        outcome says nothing of the others, and there is no order among them.

        Raises Unreachable where nobody knows of any, Throttled and NeedsReconnect where none was carried out.
        """
        ...


@dataclass(frozen=True, slots=True)
class Channel:
    """A promise of the service to call us: Google's channel, Graph's subscription.

    ``resource`` is what stopping needs besides the id (Google's resourceId, G-86). ``expires`` is aware UTC.
    """

    id: str
    resource: str
    expires: dt.datetime


@runtime_checkable
class SupportsPush(Protocol):
    """A remote whose service can call a public address when something changes. Push is only a hint (R30)."""

    def watch(self, *, channel_id: str, address: str, secret: str, now: dt.datetime) -> Channel:
        """Ask for notifications to ``address``, which will carry ``secret`` (≤ 128 characters)."""
        ...

    def renew(self, channel: Channel, *, address: str, secret: str, channel_id: str, now: dt.datetime) -> Channel:
        """Prolong it, or make a new one under ``channel_id`` where the service knows no renewal (G-85).

        Then the old one stays open: stop it once the new one is known to whoever takes the calls (R30).
        """
        ...

    def unwatch(self, channel: Channel) -> None:
        """Stop it; one that is unknown or expired is stopped already."""
        ...


@dataclass(frozen=True, slots=True)
class RemoteCalendar:
    """A calendar in an account's list. ``color`` is ``#rrggbb`` or ""; ``zone`` an IANA name or "".

    ``owner`` is the address under which its events are organised, or "". ``component``: it is a calendar of events or a list
    of to-dos.
    """

    id: str
    name: str
    writable: bool
    primary: bool
    color: str = ""
    zone: str = ""
    owner: str = ""
    component: ObjectKind = "VEVENT"


class Account(Protocol):
    """A signed-in account at a provider."""

    def identity(self) -> tuple[str, str]:
        """(the service's stable id of this person, an e-mail address to show). The id survives a reconnect (R15)."""
        ...

    def calendars(self) -> Sequence[RemoteCalendar]:
        """All calendars this person sees, and lists of to-dos, as far as the consent reaches."""
        ...

    def remote(self, calendar: RemoteCalendar) -> Remote:
        """One of them as a side to sync with. ``zone`` is where floating times are put (X-04)."""
        ...


class TokenStore(Protocol):
    """Where an account's grant lives: sealed at rest, one refresher at a time (R29)."""

    def load(self) -> str:
        """The grant as the provider serialised it."""
        ...

    def exchange(self, refresh: Refresh) -> str:
        """Run ``refresh`` on the current grant under the account's lock; make its result durable, then return it."""
        ...


class Refresh(Protocol):
    def __call__(self, grant: str) -> str:
        """From the grant as it is now (maybe already renewed by someone else) to one that is good now."""
        ...
