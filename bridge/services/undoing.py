"""Taking back what a cycle did: the hub gets back what it had before, and the normal plan carries that to all sides.

Undo is an edit of the hub's calendar like a phone's, in one transaction: with history, a new revision, and the guard, the
rules about guests and If-Match still before whatever leaves the hub. It never speaks to a remote.

What the hub had is the newest version at or before the revision that the journal noted; where there is none the object did not
exist, if history reaches that far. When in doubt an object is left alone, with the reason: deleting what somebody made is the
one mistake that this must not make.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from sqlalchemy import Connection

from bridge.errors import InvalidCalendarData, NotFound, Unmappable, UsageError
from bridge.ical import view
from bridge.ical.fields import diff
from bridge.ical.objects import parse
from bridge.services import cycles, history, words
from bridge.services.context import Context
from bridge.services.lenses import lens_of
from bridge.services.naming import whole_uid
from bridge.store import audit, calendars, changes, inbox, journal, links, objects, pairs
from bridge.store import history as versions
from bridge.store.history import Version
from bridge.store.journal import Entry
from bridge.store.objects import StoredObject
from bridge.store.pairs import Pair
from bridge.sync import cases, guard
from bridge.sync.plan import PERSONAL
from bridge.sync.ports import Lens

What = Literal["restore", "change", "delete", "none", "leave"]

SINCE = "it was changed after this cycle; --force puts the older state over it"
LOST = "history no longer reaches back so far"
ONE_SIDED = "here it was as it is now: only the copy at the remote was written, and there is nothing to put back"
NOT_OURS = "it came here from elsewhere, and only its copy was made: undo the cycle that brought it"
UNITED = "it was on both sides before the first sync, which found that the two are one"
SO_ALREADY = "it is so already"
FOREIGN = "someone else organises this meeting, so it would be set back at once: only its organiser can change it"


@dataclass(frozen=True, slots=True)
class Item:
    """What is to become of one event here. ``fields`` names what would change, in words; ``why`` is said of "leave" and "none".

    ``restore``: it is gone and would be there again; ``none``: it is so already. ``guests``: it has some, whom its home may
    tell. ``when`` it begins, or began when it was last there.
    """

    uid: str
    title: str
    what: What
    fields: tuple[str, ...] = ()
    guests: bool = False
    why: str = ""
    when: str = ""


@dataclass(frozen=True, slots=True)
class Undo:
    """``parks`` are the pairs whose guard will hold it and ask, for so many deletions at once (R6)."""

    pair: int
    cycle: int
    items: tuple[Item, ...]
    parks: tuple[int, ...]

    @property
    def acts(self) -> list[Item]:
        """What would be written."""
        return [item for item in self.items if item.what not in ("none", "leave")]


@dataclass(frozen=True, slots=True)
class _Plan:
    """An item with what has to be written for it: ``target`` None deletes ``present``."""

    item: Item
    present: StoredObject | None = None
    target: Version | None = None


def foresee(context: Context, pair_id: int, number: int, *, uid: str | None = None, force: bool = False) -> Undo:
    """What undoing this cycle, or one event of it, would do here; the beginning of its UID will do.

    Raises NotFound and UsageError: nothing can be undone.
    """
    lens = _lens(context, pair_id)
    with context.database.read() as conn:
        return _decide(conn, context, pair_id, lens, number, uid, force=force).told


def undo(
    context: Context, pair_id: int, number: int, *, uid: str | None = None, force: bool = False, actor: str = "cli"
) -> Undo:
    """Do it, all or nothing; the calendar's pairs carry it on. Returns what was done.

    It is decided before the calendar is locked, for that takes longer than to write it, and anew if something has happened
    since. A cycle counts as undone once nothing of it is left that ``force`` could still take back. Raises as ``foresee`` does.
    """
    now, lens = context.now(), _lens(context, pair_id)
    with context.database.read() as conn:
        decided = _decide(conn, context, pair_id, lens, number, uid, force=force)
    pair = decided.pair
    with context.database.write() as conn:
        changes.lock(conn, pair.calendar_id)
        if decided.moment is None or decided.moment != _moment(conn, pair_id, number):
            decided = _decide(conn, context, pair_id, lens, number, uid, force=force)
        told = decided.told
        for plan in decided.plans:
            _write(conn, plan, actor=actor, now=now)
        over = told.acts or any(item.what == "none" for item in told.items)
        if decided.whole and over and all(item.why != SINCE for item in told.items):
            journal.undone(conn, pair_id, number, now=now)
        if told.acts:
            calendar = calendars.by_id(conn, pair.calendar_id)
            audit.record(
                conn,
                cycles.UNDONE,
                actor=actor,
                principal_id=calendar.principal_id if calendar else None,
                detail={"pair": pair_id, "cycle": number, "objects": len(told.acts)},
                now=now,
            )
    return told


@dataclass(frozen=True, slots=True)
class _Decision:
    """``moment`` None: a cycle was at work meanwhile. ``whole``: it is about all that the cycle did."""

    pair: Pair
    moment: tuple[object, ...] | None
    plans: Sequence[_Plan]
    told: Undo
    whole: bool


def _decide(
    conn: Connection, context: Context, pair_id: int, lens: Lens, number: int, uid: str | None, *, force: bool
) -> _Decision:
    pair = pairs.get(conn, pair_id)
    plans = _plans(conn, context, pair, lens, number, uid, force=force)
    told = _told(conn, context, pair, number, plans)
    whole = uid is None or len({entry.uid for entry in journal.entries(conn, pair_id, number)}) == 1
    return _Decision(pair, _moment(conn, pair_id, number), plans, told, whole)


def _moment(conn: Connection, pair_id: int, number: int) -> tuple[object, ...] | None:
    """What moves with whatever a decision rests on: the calendar, and the pair's journal."""
    pair = pairs.get(conn, pair_id)
    calendar = calendars.by_id(conn, pair.calendar_id)
    if calendar is None or pair.lease_owner is not None:
        return None
    return calendar.revision, pair.cycles, pair.hub_cursor, journal.cycle(conn, pair_id, number)


def _lens(context: Context, pair_id: int) -> Lens:
    with context.database.read() as conn:
        pair = pairs.get(conn, pair_id)
    return lens_of(context, pair)


def _write(conn: Connection, plan: _Plan, *, actor: str, now: dt.datetime) -> None:
    if plan.item.what in ("none", "leave"):
        return
    if plan.target is not None and plan.target.data is not None:
        history.put_back(conn, plan.target, plan.target.data, plan.present, actor=actor, now=now)
    elif plan.present is not None:
        present = plan.present
        objects.delete(conn, present.calendar_id, present.href, actor=actor, now=now, expected=present.etag)


def _plans(
    conn: Connection, context: Context, pair: Pair, lens: Lens, number: int, uid: str | None, *, force: bool
) -> list[_Plan]:
    cycle = journal.cycle(conn, pair.id, number)
    at_work = pair.lease_until is not None and pair.lease_until > context.now()
    if cycle.finished_at is None and pair.cycles == number and at_work:
        raise UsageError(f"cycle {number} of pair {pair.id} is under way; undo it when it is through")
    if cycle.undone_at is not None and uid is None and not force:
        raise UsageError(
            f"cycle {number} of pair {pair.id} is undone already, since {cycle.undone_at:%Y-%m-%d %H:%M} UTC"
        )
    by_uid: dict[str, list[Entry]] = defaultdict(list)
    for entry in journal.entries(conn, pair.id, number):
        by_uid[entry.uid].append(entry)
    meant = None if uid is None else whole_uid(uid, by_uid)
    if uid is not None and meant is None:
        raise NotFound(
            f"cycle {number} of pair {pair.id} did nothing to {uid!r}; see: caldav-bridge sync log {pair.id} {number}"
        )
    judge = _Judge(
        pair,
        horizon=context.now() - dt.timedelta(days=context.settings.sync.history_days),
        later=journal.told_since(conn, pair.id, number),
        force=force,
    )
    plans = [
        judge.plan(
            entries,
            versions.of_object(conn, pair.calendar_id, each),
            objects.by_uid(conn, pair.calendar_id, each),
        )
        for each, entries in by_uid.items()
        if meant in (None, each)
    ]
    foreign = _organized_elsewhere(conn, pair, lens, [plan.item.uid for plan in plans if _rewrites(plan)])
    return [
        _Plan(replace(plan.item, what="leave", fields=(), why=FOREIGN)) if plan.item.uid in foreign else plan
        for plan in plans
    ]


def _rewrites(plan: _Plan) -> bool:
    """Whether more than what is this person's own in any meeting would be changed, in one that has guests at all (R3)."""
    if plan.present is None or not plan.item.guests or plan.item.what in ("none", "leave"):
        return False
    if plan.target is None or plan.target.data is None:
        return True
    try:
        change = diff(view.read(parse(plan.present.data)), view.read(parse(plan.target.data)))
    except (InvalidCalendarData, Unmappable):
        return True
    return any(name not in PERSONAL for _, name in change)


def _organized_elsewhere(conn: Connection, pair: Pair, lens: Lens, uids: Sequence[str]) -> set[str]:
    """Those which the pair's next plan would put back as their organiser has them."""
    if pair.direction != "both" or not uids:
        return set()
    by_id = {link.remote_id: link.uid for link in links.by_uid(conn, pair.id, uids).values() if link.remote_id}
    reads = {id: cases.read(replica, lens).remote for id, replica in inbox.replicas(conn, pair.id, list(by_id)).items()}
    return {by_id[id] for id, remote in reads.items() if remote is not None and remote.organized_elsewhere}


@dataclass(frozen=True, slots=True)
class _Judge:
    """Decides about one object after the other. ``horizon``: what was replaced before it may have left history.

    ``later``: what the remote was told after the cycle, with the revision from which on it was.
    """

    pair: Pair
    horizon: dt.datetime
    later: Mapping[str, int]
    force: bool

    def plan(self, entries: Sequence[Entry], kept: Sequence[Version], present: StoredObject | None) -> _Plan:
        """``kept`` is what history has of it, newest first."""
        uid = entries[0].uid
        states = [present.data] if present else [version.data for version in kept]
        title = next(filter(None, map(words.title, states)), "")
        when = next(filter(None, map(words.begins, states)), "")

        def no(what: What, why: str) -> _Plan:
            return _Plan(Item(uid, title, what, why=why, when=when))

        own = [each for each in entries if not self._united(each, kept)]
        if not own:
            return no("leave", LOST if self._forgotten(kept) else UNITED)
        undo_to = max(min(each.undo_to for each in own), self._begun(kept))
        target = next((version for version in kept if version.revision <= undo_to), None)
        if target is None and self._forgotten(kept):
            return no("leave", LOST)
        data = target.data if target is not None else None
        if data == (present.data if present is not None else None):
            quiet = all(version.revision <= undo_to for version in kept)
            return no("leave", ONE_SIDED) if quiet else no("none", SO_ALREADY)
        if data is None and self._brought(own, kept, undo_to):
            return no("leave", NOT_OURS)
        if not self.force and self._changed_since(uid, entries, kept):
            return no("leave", SINCE)
        guests = any(_has_guests(each) for each in (data, present.data if present else None) if each is not None)
        if present is None:
            return _Plan(Item(uid, title, "restore", guests=guests, when=when), None, target)
        if data is None:
            return _Plan(Item(uid, title, "delete", guests=guests, when=when), present)
        fields = words.changed(present.data, data)
        return _Plan(Item(uid, title, "change", fields, guests, when=when), present, target)

    def _forgotten(self, kept: Sequence[Version]) -> bool:
        """Whether there may have been versions before those that are kept."""
        return not kept or kept[-1].at < self.horizon

    def _united(self, entry: Entry, kept: Sequence[Version]) -> bool:
        """Whether it was there before it came here, and the two were found to be one: it is nothing that the cycle has made."""
        before = max(entry.undo_to, self._begun(kept))
        there = next((version.data for version in kept if version.revision <= before), None)
        return entry.side == "remote" and entry.kind == "update" and there is None

    def _begun(self, kept: Sequence[Version]) -> int:
        """The revision that the object had when the pair was made: nothing before that is this pair's to take back."""
        return next((version.revision for version in kept if version.at <= self.pair.created_at), 0)

    def _brought(self, entries: Sequence[Entry], kept: Sequence[Version], undo_to: int) -> bool:
        """Whether the cycle only made a copy of what another pair had brought here."""
        if any(each.side == "hub" for each in entries):
            return False
        maker = next((version.actor for version in reversed(kept) if version.revision > undo_to), "")
        return maker.startswith("pair:") and maker != f"pair:{self.pair.id}"

    def _changed_since(self, uid: str, entries: Sequence[Entry], kept: Sequence[Version]) -> bool:
        """Whether anybody has written to it here after the cycle, be it this pair.

        What the cycle wrote here is known by its time. What it told the remote was here by then, but for what came while it
        was planned: that was told later, or is newer than the pair's cursor.
        """
        actor, last = f"pair:{self.pair.id}", max(each.at for each in entries)
        if all(each.side == "hub" for each in entries):
            before = max(each.undo_to for each in entries)
            wrote = next((v.revision for v in kept if v.actor == actor and v.at == last), before)
            return any(version.revision > wrote for version in kept)
        told = min(self.later.get(uid, self.pair.hub_cursor), self.pair.hub_cursor)
        return any(v.at > last or (v.revision > told and v.actor != actor) for v in kept)


def _has_guests(data: bytes) -> bool:
    try:
        parsed = parse(data)
    except InvalidCalendarData:
        return False
    events = [*filter(None, [parsed.master]), *parsed.overrides]
    return any(event.first("ATTENDEE") is not None for event in events)


def _told(conn: Connection, context: Context, pair: Pair, number: int, plans: Sequence[_Plan]) -> Undo:
    doomed = [plan.item.uid for plan in plans if plan.item.what == "delete"]
    parks = tuple(_parking(conn, context, pair.calendar_id, doomed)) if doomed else ()
    return Undo(pair.id, number, tuple(plan.item for plan in plans), parks)


def _parking(conn: Connection, context: Context, calendar_id: int, doomed: Sequence[str]) -> Iterator[int]:
    """The pairs that would have to delete more there than passes without a question."""
    since = context.now() - guard.WINDOW
    for pair in pairs.of_calendar(conn, calendar_id):
        if pair.direction == "pull":
            continue
        there = [uid for uid, link in links.by_uid(conn, pair.id, doomed).items() if link.remote_id is not None]
        past = journal.deletions(conn, pair.id, since)
        if guard.holds(guard.Toll([], there, links.count(conn, pair.id), past=past), approved=None):
            yield pair.id
