"""Both sides of a pair compared whole, with each other and with what the pair remembers of them (R42).

A cycle looks only at what was told to have changed. Here everything is looked at: the remote calendar is listed anew, beside
the inbox, which may be what is wrong. "Alike" means "as the two bases say": the sides themselves may differ by design, where a
remote cannot hold or is not shown all of an event. What a side is about to tell (a pending item, an open intent, a quarantine,
a revision not planned yet) is news and no divergence. Values are compared, never versions.

Nothing is written to either side. What diverges is put before the next ordinary cycle, whose plan and guard set it right.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal
from zoneinfo import ZoneInfo

from bridge.errors import Refused, Unmappable, Unreachable
from bridge.ical.fields import MASTER, Change, ObjectFields, Path, Span, When, diff, patch
from bridge.ical.times import instant
from bridge.sync import cases, families, guard, guests, parts, reading
from bridge.sync.cases import AMBIGUOUS, LOST
from bridge.sync.identity import Matches, creation_key, derived_uid, fingerprint, match, normal_title
from bridge.sync.ledger import Clock, HubObject, Ledger, Link, PairState, Reading, Replica
from bridge.sync.patience import Vain
from bridge.sync.plan import shown
from bridge.sync.ports import Lens, Remote, RemoteItem, RemoteObject
from bridge.sync.report import Report
from bridge.sync.session import Session, batches
from bridge.sync.shelf import Shelf, listed
from bridge.sync.standing import again, quarantined

Kind = Literal[
    "inbox",  # what is held of a remote object is not what the service shows
    "remote-changed",  # a remote object is not as last agreed, and nothing of it is pending
    "hub-changed",  # a hub object is not as last agreed, and no revision tells of it
    "sides-differ",  # both are as last agreed, and yet they do not say the same
    "hub-missing",
    "remote-missing",
    "both-missing",  # a link of nothing
    "hub-unlinked",  # an object that no link names
    "remote-unlinked",
    "never-agreed",  # a link without bases that nothing would ever plan
]

GUESTS = "both sides differ, it has guests, and nobody knows what they were told: it goes on when either side is edited"


@dataclass(frozen=True, slots=True)
class Divergence:
    """``uid`` is the object's name in the hub, or the one that it would get there."""

    kind: Kind
    uid: str


@dataclass(slots=True)
class Findings:
    """``compared`` counts the links that were at rest, ``listed`` the objects that the remote showed."""

    compared: int = 0
    listed: int = 0
    found: list[Divergence] = field(default_factory=list)

    @property
    def kinds(self) -> dict[str, int]:
        return dict(sorted(Counter(each.kind for each in self.found).items()))

    def note(self, kind: Kind, uid: str) -> None:
        self.found.append(Divergence(kind, uid))


def examine(ledger: Ledger, remote: Remote, *, now: Clock) -> Findings | None:
    """Compare everything, and see to it that the next cycle plans what diverges. None: the pair is not at rest yet.

    Raises what ``engine.cycle`` raises; nothing is known then.
    """
    session = Session(ledger, remote, now, Report())
    with ledger.reading() as memory:
        state = memory.state()
    if state.phase != "steady" or state.listing or state.parked is not None:
        return None
    shelf = listed(session)
    reading.read(session)  # what the service did while it was listed comes by the cursor, and is news
    examination = _Examination(session, shelf, Findings(listed=len(shelf)))
    examination.look_at_links()
    examination.look_at_strangers()
    examination.look_for_missing()
    return examination.findings


@dataclass(frozen=True, slots=True)
class _News:
    """What the next cycle would plan anyway."""

    uids: frozenset[str]
    series: frozenset[str]

    @classmethod
    def of(cls, memory: Reading, state: PairState) -> _News:
        uids = frozenset(change.uid for change in memory.hub_changes(state.hub_cursor))
        series = {*memory.pending(), *memory.removed(certain=True), *memory.removed(certain=False)}
        return cls(uids, frozenset(series))

    def touches(self, link: Link) -> bool:
        return parts.split(link.uid)[0] in self.uids or link.remote_id in self.series


@dataclass(slots=True)
class _Repair:
    """What makes the next cycle plan what was found."""

    links: list[Link] = field(default_factory=list)
    inbox: list[tuple[str, Sequence[RemoteItem]]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Sides:
    """One link with all that is there of it. ``shown`` is from the listing, ``held`` from the inbox; ``home`` is the case's."""

    link: Link
    hub: HubObject | None
    shown: Replica | None
    held: Replica | None
    home: bool


@dataclass(frozen=True, slots=True)
class _Here:
    """A hub object as the remote may see it, and whether its title is among that."""

    fields: ObjectFields
    home: bool
    titled: bool


@dataclass(slots=True)
class _Examination:
    session: Session
    shelf: Shelf
    findings: Findings
    missing: list[Link] = field(default_factory=list)
    linked: set[str] = field(default_factory=set)

    @property
    def _lens(self) -> Lens:
        return self.session.remote.lens

    def _seeing(self, hub: HubObject) -> Lens:
        return families.seeing(self.session.ledger, hub, self._lens)

    def look_at_links(self) -> None:
        with self.session.ledger.reading() as memory:
            every = memory.linked()
        for uids in batches(every):
            repair = _Repair()
            with self.session.ledger.reading() as memory:
                state = memory.state()
                links, open_ = memory.links(uids), memory.intents_of(uids)
                hub, in_parts = parts.hub_objects(memory, uids, self._lens), memory.parts(uids)
                held = memory.replicas([link.remote_id for link in links.values() if link.remote_id])
                news, homes = _News.of(memory, state), memory.homes(uids)
                gone = [uid for uid in links if uid not in hub]
                deleted = memory.deletions(gone)
            self.linked.update(link.remote_id for link in links.values() if link.remote_id)
            for link in links.values():
                if link.dirty or link.quarantine is not None or link.uid in open_ or news.touches(link):
                    continue
                if link.uid in in_parts and link.remote_base is None:
                    continue  # each of its occurrences has a link of its own
                there = hub.get(link.uid)
                there = there if there is not None and there.component == self._lens.component else None
                shown = self.shelf.get(link.remote_id) if link.remote_id else None
                home = homes.get(link.uid, False)
                sides = _Sides(link, there, shown, held.get(link.remote_id or ""), home)
                self._look_at(sides, state, repair, deleted=link.uid in deleted)
            self._save(repair)

    def _look_at(self, sides: _Sides, state: PairState, repair: _Repair, *, deleted: bool) -> None:
        link = sides.link
        if link.remote_id is None and link.remote_base is not None and sides.hub is not None:
            return  # a push pair's, whose remote object was deleted there
        self.findings.compared += 1
        if link.hub_base is None or link.remote_base is None:
            self.findings.note("never-agreed", link.uid)
            there = cases.read(sides.shown, self._lens).remote if sides.shown else None
            quiet = replace(link, decision="hub") if sides.hub else link  # who its guests are was told, perhaps (R2)
            agreed = self._agreed(link, sides.hub, there, state, home=sides.home) if sides.hub and there else None
            repair.links.append(agreed or again(quiet))
        elif link.remote_id is None:
            self.findings.note("both-missing", link.uid)
            repair.links.append(again(link))
        elif sides.shown is None:
            self.missing.append(link)
        elif sides.hub is None:
            if state.direction != "pull":
                self.findings.note("hub-missing", link.uid)
                repair.links.append(again(link) if deleted else _vanished(link, state))
        else:
            self._compare(sides, sides.hub, sides.shown, state, repair)

    def _compare(self, sides: _Sides, hub: HubObject, shown: Replica, state: PairState, repair: _Repair) -> None:
        link = sides.link
        there = cases.read(shown, self._lens).remote
        if there is None or _older(shown, sides.held):
            return  # what cannot be read the plan will say; a service may show a state from before (M-27)
        held = cases.read(sides.held, self._lens).remote if sides.held else None
        if held is None or diff(held.fields, there.fields):
            self.findings.note("inbox", link.uid)
            repair.inbox.append((there.id, shown.items))
            repair.links.append(again(link))
            return
        here = _read(hub, self._seeing(hub), state, home=sides.home)
        if state.direction != "push" and link.remote_base is not None and _since(link.remote_base, there.fields):
            self.findings.note("remote-changed", link.uid)
            repair.links.append(again(link))
        elif state.direction != "pull" and (here is None or _since(link.hub_base or here.fields, here.fields)):
            self.findings.note("hub-changed", link.uid)
            doubtful = here is not None and _mails(here, there) and diff(here.fields, there.fields)
            repair.links.append(self._left_alone(link, GUESTS) if doubtful else again(link))
        elif state.direction == "both" and here is not None and _unlike(here, there.fields):
            self.findings.note("sides-differ", link.uid)
            repair.links.append(self._disagreed(link, here, there))

    def look_at_strangers(self) -> None:
        """Objects that no link names: counterparts are linked again, as at the first sync, and no copy is made (R12, R16)."""
        with self.session.ledger.reading() as memory:
            state = memory.state()
            news = _News.of(memory, state)
            unlinked = [uid for uid in memory.unlinked() if uid not in news.uids]
            homes = memory.homes(unlinked)
        here = self._strangers_here(unlinked) if state.direction != "pull" else {}
        there = self._strangers_there(news) if state.direction != "push" or here else {}
        if not here and not there:
            return
        matches = self._matches(state, here, there, homes)
        repair = _Repair()
        for id, uid in matches.found.items():
            self.findings.note("hub-unlinked", uid)
            home = homes.get(uid, False)
            repair.links.append(self._agreed(Link(uid), here[uid], there[id], state, home=home))
        for uid in here.keys() - set(matches.found.values()):
            self.findings.note("hub-unlinked", uid)
            others = there.keys() - matches.found.keys() if state.direction == "both" else ()
            doubt = self._doubt(uid in matches.ambiguous_hub, others)
            # it was there before, so its guests know of it (R2)
            repair.links.append(self._alone(Link(uid, dirty=True, decision="hub"), doubt))
        if state.direction != "push":
            for id in there.keys() - matches.found.keys():
                uid = derived_uid(state.key, id)
                self.findings.note("remote-unlinked", uid)
                doubt = self._doubt(id in matches.ambiguous_remote, here.keys() - set(matches.found.values()))
                if doubt is not None:
                    repair.links.append(self._left_alone(Link(uid, remote_id=id), doubt))
                if shown := self.shelf.get(id):
                    repair.inbox.append((id, shown.items))
        for id in matches.found:
            if shown := self.shelf.get(id):
                repair.inbox.append((id, shown.items))
        self._save(repair)

    def _strangers_here(self, uids: Sequence[str]) -> dict[str, HubObject]:
        found: dict[str, HubObject] = {}
        for batch in batches(uids):
            with self.session.ledger.reading() as memory:
                found |= memory.hub_objects(batch)
        return found

    def _strangers_there(self, news: _News) -> dict[str, RemoteObject]:
        found: dict[str, RemoteObject] = {}
        for id in self.shelf:
            shown = self.shelf.get(id) if id not in self.linked and id not in news.series else None
            remote = cases.read(shown, self._lens).remote if shown else None
            if remote is not None:
                found[id] = remote
        keys = {remote.creation_key for remote in found.values() if remote.creation_key}
        with self.session.ledger.reading() as memory:
            made = memory.links_made_with(keys)
            late = memory.links_to(found)
        # the outcome of a creation whose answer was lost is taken up by its intent
        open_ = {id for id, remote in found.items() if (own := made.get(remote.creation_key)) and own.remote_id is None}
        return {id: remote for id, remote in found.items() if id not in open_ and id not in late}

    def _matches(
        self,
        state: PairState,
        here: Mapping[str, HubObject],
        there: Mapping[str, RemoteObject],
        homes: Mapping[str, bool],
    ) -> Matches:
        """By our own creation's key, then as pairing does."""
        keys = {creation_key(state.key, uid, each.revision): uid for uid, each in here.items()}
        made = {id: keys[each.creation_key] for id, each in there.items() if each.creation_key in keys}
        prints = {}
        for uid, each in here.items():
            home = homes.get(uid, state.home_by_default)
            read = _read(each, self._seeing(each), state, home=home) if uid not in made.values() else None
            if read is not None:
                prints[uid] = fingerprint(read.fields)
        others = {id: (each.uid, fingerprint(each.fields)) for id, each in there.items() if id not in made}
        rest = match(prints, others)
        return Matches({**made, **rest.found}, rest.ambiguous_hub, rest.ambiguous_remote)

    def _doubt(self, ambiguous: bool, others: Collection[str]) -> str | None:
        """Why a stranger must not simply be copied: it may be the counterpart of one on the other side."""
        return AMBIGUOUS if ambiguous else LOST if others else None

    def _alone(self, link: Link, doubt: str | None) -> Link:
        return link if doubt is None else self._left_alone(link, doubt)

    def _left_alone(self, link: Link, why: str) -> Link:
        return quarantined(link, why, now=self.session.now(), retry=False)

    def _agreed(self, link: Link, hub: HubObject, there: RemoteObject, state: PairState, *, home: bool) -> Link:
        """A link of two that belong together: as they are they agree, but for what both must say alike."""
        here = _read(hub, self._seeing(hub), state, home=home)
        if here is None:
            return again(replace(link, remote_id=there.id))
        link = replace(link, remote_id=there.id, version=there.version, hub_base=here.fields, remote_base=there.fields)
        return self._disagreed(link, here, there)

    def _disagreed(self, link: Link, here: _Here, there: RemoteObject) -> Link:
        """Where both sides must say the same and do not, its policy decides, or nobody if that could mail guests (R1)."""
        paths = _unlike(here, there.fields)
        if paths and _mails(here, there):
            return self._left_alone(link, GUESTS)
        return _disagreed(link, here.fields, there.fields, paths)

    def look_for_missing(self) -> None:
        """Ask for what the listing did not show; once more are gone than the guard lets pass, looking on changes nothing (R6)."""
        with self.session.ledger.reading() as memory:
            allowed = guard.allowance(memory.link_count())
        gone, vain = 0, Vain()
        for batch in batches(self.missing):
            with self.session.ledger.reading() as memory:
                hub = parts.hub_objects(memory, [link.uid for link in batch], self._lens)
            for link in batch:
                if gone <= allowed and link.remote_id and self._is_there(link.remote_id, vain):
                    continue
                gone += 1
                self.findings.note("remote-missing" if link.uid in hub else "both-missing", link.uid)

    def _is_there(self, id: str, vain: Vain) -> bool:
        """Listings may lag, or not show it; whoever is not answered knows nothing, and the others go on (R32)."""
        try:
            there = reading.look(self.session, id)
        except (Refused, Unmappable, Unreachable) as error:
            vain.bear(error)
            return True
        vain.over()
        return there

    def _save(self, repair: _Repair) -> None:
        if not repair.links and not repair.inbox:
            return
        with self.session.ledger.writing() as memory:
            for series, items in repair.inbox:
                memory.refresh(series, items, pending=True)
            memory.save_links(repair.links)


_HELD_LATER = ("color", "geo")


def _since(base: ObjectFields, now: ObjectFields) -> Change:
    """What has changed since a base was kept.

    Some bases are older than the fields of COLOR and GEO: that they have none says nothing, and is no divergence. What there
    is of it comes along when somebody edits that event.
    """
    before = {MASTER: base.master, **base.overrides}
    return {
        path: value
        for path, value in diff(base, now).items()
        if path[1] not in _HELD_LATER or path[0] not in before or getattr(before[path[0]], path[1])
    }


def _vanished(link: Link, state: PairState) -> Link:
    """The hub's object is not there, and nobody has deleted it: nothing may be deleted on the strength of that.

    To the plan the remote looks edited, and an edit beats a deletion: the hub gets back what it last had. To a pair that only
    pushes, the remote's object becomes a stranger.
    """
    if state.direction == "push" or link.remote_base is None:
        return again(replace(link, hub_base=None, remote_base=None))
    base = link.remote_base
    return again(replace(link, remote_base=patch(base, {(MASTER, "when"): _another(base.master.when)})))


def _another(when: When | Span) -> When | Span:
    """Any other time."""
    if isinstance(when, Span):
        return Span() if when != Span() else Span(due=(dt.date.min, None))
    day = dt.timedelta(days=1 if when.start.year < dt.MAXYEAR else -1)
    return replace(when, start=when.start + day, end=when.end + day)


def _read(hub: HubObject, lens: Lens, state: PairState, *, home: bool) -> _Here | None:
    """None if the provider cannot hold it: the plan says why."""
    try:
        fields = shown(hub.data, lens, state.projection, home=home, part=hub.part)
        titled = home or "summary" not in state.projection.hidden(parts.read(hub.data).fields)
        return _Here(fields, home, titled)
    except Exception:  # noqa: BLE001 - whatever one object makes us stumble over, the others go on (R32)
        return None


def _older(shown: Replica, held: Replica | None) -> bool:
    """Whether the service has shown us a later state than this already."""
    times = [[item.modified for item in each.items if item.modified] for each in (shown, held) if each]
    return len(times) == 2 and all(times) and max(times[0]) < max(times[1])


def _mails(here: _Here, there: RemoteObject) -> bool:
    """Whether writing it to the remote could be a mail to somebody."""
    return here.home and bool(guests.of(here.fields) | guests.of(there.fields))


def _unlike(read: _Here, there: ObjectFields) -> set[Path]:
    """Where both sides must say the same, whatever their bases say.

    Texts may be rewritten by a service (R20); when an event takes place may not, nor its title, where that is shown at all,
    become another one.
    """
    here = read.fields
    change, back = diff(here, there), diff(there, here)
    paths = {path for path in change if path[1] in ("recurrence", "state")}
    for path in change:
        if path[1] == "when" and not _same_time(_when(here, path), _when(there, path)):
            paths.add(path)
        if path == (MASTER, "summary") and read.titled and not _same_title(here.master.summary, there.master.summary):
            paths.add(path)
    states = {key for key, name in paths if name == "state"}
    return {path for path in {*change, *back} if path in paths or path[0] in states}


def _same_title(one: str, other: str) -> bool:
    """But for case, spaces and width, and for what a service has cut off."""
    short, long = sorted((normal_title(one), normal_title(other)), key=len)
    return long.startswith(short) if short else not long


def _when(fields: ObjectFields, path: Path) -> When | Span | None:
    if path[0] == MASTER:
        return fields.master.when
    return fields.overrides[path[0]].when if path[0] in fields.overrides else None


def _same_time(one: When | Span | None, other: When | Span | None) -> bool:
    if not isinstance(one, When) or not isinstance(other, When):
        return one == other
    return one.all_day == other.all_day and _instants(one) == _instants(other)


def _instants(when: When) -> tuple[object, object]:
    utc = ZoneInfo("UTC")
    return (
        instant(when.start, when.zone, floating=utc),
        instant(when.end, when.end_zone or when.zone, floating=utc),
    )


def _disagreed(link: Link, here: ObjectFields, there: ObjectFields, paths: Collection[Path]) -> Link:
    """Each side's base says there what the other side has: to the plan both have changed it, so the policy decides (R35)."""

    def only(change: Change) -> Change:
        return {path: value for path, value in change.items() if path in paths}

    return again(
        replace(
            link,
            hub_base=patch(here, only(diff(here, there))),
            remote_base=patch(there, only(diff(there, here))),
        )
    )
