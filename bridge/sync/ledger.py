"""A pair's memory, as the engine needs it: what both sides last agreed on, what came in, what is to go out.

The store implements it (``bridge.store.side``). Every ``writing()`` is one transaction: all of it or nothing, and nothing
at all (LeaseLost) once another worker has taken the pair over. No transaction is ever open while the remote is spoken to.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from bridge.ical.fields import MASTER, Change, ObjectFields
from bridge.sync.ports import Page, RemoteItem
from bridge.sync.projection import Projection

Clock = Callable[[], dt.datetime]
"""Aware UTC, asked anew whenever the time is needed: a first sync may run for longer than a lease."""

Direction = Literal["both", "pull", "push"]
Policy = Literal["newest", "hub", "remote", "ask"]
Winner = Literal["hub", "remote"]
Verdict = Literal["hub", "remote", "ask"]
Kind = Literal["create", "update", "delete"]


@dataclass(frozen=True, slots=True)
class PairState:
    """Where a pair stands. ``key`` names this pair for ever, also after its number has been given to another (R8).

    ``hub_cursor`` is the hub's revision up to which was planned; ``remote_cursor`` None means a complete listing is due,
    ``listing`` that one is under way. ``parked`` is what the guard showed the owner, ``approved`` the owner's yes.
    ``projection`` is what the remote is shown of events whose home is elsewhere; ``invitations``: guests are told to it, where
    it is their home; ``home_by_default``: events made in the hub get their home here.
    """

    key: str
    direction: Direction
    policy: Policy
    phase: Literal["pairing", "steady"]
    hub_cursor: int
    remote_cursor: str | None
    listing: bool
    parked: Mapping[str, Any] | None
    approved: bool
    projection: Projection = field(default_factory=Projection)
    invitations: bool = True
    home_by_default: bool = True


@dataclass(frozen=True, slots=True)
class Done:
    """One thing that a cycle did, to be seen and undone: never what an event says.

    ``side`` was written to; ``undo_to`` is the hub's revision before the change that it carries. What an owner has
    ``approved`` does not count for the guard any more.
    """

    uid: str
    side: Winner
    kind: Kind
    undo_to: int
    approved: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """One object on both sides. ``uid`` names the hub's, ``remote_id`` the remote's.

    Both bases are there, or none is: then the sides have not agreed yet (its creation is an open intent, or it is
    quarantined). Bases without a ``remote_id`` say that the remote's object was there and is gone.
    ``version`` is of the remote object that ``remote_base`` was read from; ``decision`` its owner's answer to a conflict,
    or that there was one to the question whether it is another one's counterpart. Before both sides have agreed it also says
    that nobody is to be told when it is created there: whoever is in it was told before (R2).
    A ``dirty`` link is planned again whatever the cursors say, but not before ``retry_at``.
    """

    uid: str
    remote_id: str | None = None
    creation_key: str | None = None
    version: str | None = None
    hub_base: ObjectFields | None = None
    remote_base: ObjectFields | None = None
    dirty: bool = False
    quarantine: str | None = None
    attempts: int = 0
    retry_at: dt.datetime | None = None
    decision: Winner | None = None


@dataclass(frozen=True, slots=True)
class Intent:
    """What the remote shall become. At most one is open for a link.

    ``hub_base`` is the hub's side it was planned from, which becomes the base once it is answered: what a phone changed
    in between is still to be told. ``attempts`` counts how often it may have reached the service. ``backfill``: it belongs to
    a first sync, and what a person has just done goes before it. ``after`` names an object whose creation must have succeeded
    first; ``undo_to`` is the hub's revision before the change it carries.
    """

    uid: str
    kind: Kind
    target: ObjectFields | None = None
    hub_base: ObjectFields | None = None
    attempts: int = 0
    not_before: dt.datetime | None = None
    backfill: bool = False
    after: str | None = None
    undo_to: int = 0


@dataclass(frozen=True, slots=True)
class HubObject:
    """A calendar object resource of the hub, as it is stored.

    ``part``: the instance that is meant, where ``uid`` names no more than that of it (``bridge.sync.parts``).
    """

    uid: str
    href: str
    component: str
    data: bytes
    etag: str
    revision: int
    modified_at: dt.datetime
    part: str = MASTER


@dataclass(frozen=True, slots=True)
class HubChange:
    uid: str
    deleted: bool


@dataclass(frozen=True, slots=True)
class Replica:
    """What the inbox holds of one remote object. ``removed``: the service said it is no more, ``certain`` or not."""

    series: str
    items: tuple[RemoteItem, ...] = ()
    removed: bool = False
    certain: bool = True


@dataclass(frozen=True, slots=True)
class Conflict:
    """What both sides had made of the same, by path: the one that gave way can be put back in one step (R35).

    ``winner`` is "ask" where neither has: the object waits for its owner's word.
    """

    uid: str
    winner: Verdict
    hub: Change = field(default_factory=dict)
    remote: Change = field(default_factory=dict)

    @property
    def lost(self) -> Change:
        """The values that gave way."""
        return self.remote if self.winner == "hub" else self.hub


class Reading(Protocol):
    """One snapshot of the memory and of the hub's calendar."""

    def state(self) -> PairState: ...

    def hub_revision(self) -> int: ...

    def hub_changes(self, after: int) -> Sequence[HubChange]:
        """Objects changed or deleted after that revision, in this order; everything, if it is too long ago."""
        ...

    def hub_objects(self, uids: Collection[str]) -> Mapping[str, HubObject]:
        """Those that exist, whatever their component."""
        ...

    def buried(self, uids: Collection[str]) -> Mapping[str, bytes]:
        """The last version of deleted objects, as far as history reaches."""
        ...

    def homes(self, uids: Collection[str]) -> Mapping[str, bool]:
        """Of the objects whose home is settled, whether it is this pair (R1)."""
        ...

    def addresses(self) -> frozenset[str]:
        """This person's own, in lower case: organised by one of them is organised by this person."""
        ...

    def deleted(self, since: dt.datetime) -> int:
        """How many deletions this pair has carried out since then, but for those that its owner had approved (R6)."""
        ...

    def unlinked(self) -> Sequence[str]:
        """UIDs of the hub's objects that no link names, of the kind that the remote holds."""
        ...

    def linked(self) -> Sequence[str]:
        """UIDs of all links."""
        ...

    def former(self) -> Mapping[str, str]:
        """What an earlier pair of these two calendars had linked, remote ids to UIDs: it was removed, and is made anew (R15)."""
        ...

    def deletions(self, uids: Collection[str]) -> Collection[str]:
        """Those that somebody has deleted, as far as history reaches."""
        ...

    def link_count(self) -> int:
        """Objects that both sides have agreed on."""
        ...

    def links(self, uids: Collection[str]) -> Mapping[str, Link]: ...

    def parts(self, uids: Collection[str]) -> Mapping[str, Collection[str]]:
        """Of these whole objects the names of the parts that are linked; none of those that have none."""
        ...

    def links_to(self, remote_ids: Collection[str]) -> Mapping[str, Link]:
        """By remote id."""
        ...

    def links_made_with(self, keys: Collection[str]) -> Mapping[str, Link]:
        """By creation key."""
        ...

    def dirty(self, now: dt.datetime) -> Sequence[str]:
        """UIDs of links to plan again, whose time has come. None of them has an open creation."""
        ...

    def pending(self) -> Sequence[str]:
        """Remote objects with something that was not planned yet, but for removals that are not certain."""
        ...

    def unknown(self, remote_ids: Collection[str]) -> Collection[str]:
        """Those of which the inbox holds nothing."""
        ...

    def removed(self, *, certain: bool) -> Sequence[str]:
        """Of the linked remote objects, those that the service says are no more."""
        ...

    def replicas(self, series: Collection[str]) -> Mapping[str, Replica]: ...

    def intents(self, now: dt.datetime, *, backfill: bool = True) -> Sequence[str]:
        """UIDs of the open intents whose time has come: what belongs to a first sync last (R33), or not at all.

        Among themselves, those that were never tried come first.
        """
        ...

    def attempted_creations(self) -> Mapping[str, Intent]:
        """Those that may have reached the service and have no answer yet, by UID."""
        ...

    def intents_of(self, uids: Collection[str]) -> Mapping[str, Intent]: ...


class Writing(Reading, Protocol):
    """One transaction."""

    def begin_listing(self) -> None:
        """Start a complete listing: what it will not show by its end is gone. What is known stays until then (R14)."""
        ...

    def keep_page(self, page: Page) -> None:
        """Take a page into the inbox, and its cursor. An item whose version is known is no news (R20).

        Behind the last page of a complete listing, what it has not shown is marked as removed, not certainly so (R5).
        """
        ...

    def keep_cursor(self, cursor: str) -> None:
        """What to read on from, without a page."""
        ...

    def refresh(self, series: str, items: Sequence[RemoteItem], *, pending: bool) -> None:
        """These are all items of this object now."""
        ...

    def remove(self, series: str) -> None:
        """This object is certainly no more."""
        ...

    def doubt(self, series: Collection[str]) -> None:
        """Nothing is known of these any more, be they known or not: somebody has to look."""
        ...

    def settle(self, series: Collection[str]) -> None:
        """They have been planned: nothing of them is pending, and what is removed is forgotten."""
        ...

    def forget(self, series: str) -> None:
        """We have deleted it ourselves."""
        ...

    def put_object(self, uid: str, href: str | None, data: bytes, *, expected: str | None) -> None:
        """Write to the hub if the etag is still the expected one; a new object has neither href nor etag.

        Raises ObjectChanged and InvalidCalendarData; then nothing was written.
        """
        ...

    def delete_object(self, href: str, *, expected: str) -> None:
        """Raises ObjectChanged if it is another version, or gone."""
        ...

    def save_links(self, links: Collection[Link]) -> None: ...

    def drop_links(self, uids: Collection[str]) -> None: ...

    def save_intents(self, intents: Collection[Intent]) -> None: ...

    def drop_intents(self, uids: Collection[str]) -> None: ...

    def record(self, conflicts: Collection[Conflict]) -> int:
        """How many of them are news: not those that their owner has answered, whose answer is being carried out.

        Of an object that waits for its owner's word only the newest is kept.
        """
        ...

    def take_home(self, uids: Collection[str]) -> None:
        """From now on this pair is the home of those that have none."""
        ...

    def share_home(self, uids: Mapping[str, str]) -> None:
        """These objects have the home of those that are named beside them, if that is settled."""
        ...

    def hush(self, uids: Collection[str]) -> None:
        """Other pairs of this calendar that have yet to make their copy of these tell nobody when they do (R1, R2)."""
        ...

    def journal(self, entries: Collection[Done]) -> None:
        """Note what this cycle has done."""
        ...

    def advance(self, hub_cursor: int, *, paired: bool = False) -> None:
        """Everything up to this revision of the hub is planned; ``paired`` ends the pairing phase."""
        ...

    def park(self, summary: Mapping[str, Any] | None) -> None:
        """Lay the plan before the owner; None: there is nothing to ask any more, and no approval is left over."""
        ...


class Ledger(Protocol):
    def reading(self) -> AbstractContextManager[Reading]: ...

    def writing(self) -> AbstractContextManager[Writing]: ...
