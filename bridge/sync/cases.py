"""The memory's rows made into cases: which hub object belongs to which remote object, one batch at a time.

Identity lives in the links, keyed by the provider's id; whatever an event itself carries is a hint (R9). An unlinked remote
object is, in this order: the outcome of our own creation (R12), known by its key, or where the service keeps none by what it was
to become, the counterpart that pairing found or that has its UID
(R16), or a new event, under a UID that is free.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bridge.errors import Unmappable
from bridge.ical.objects import can_be_kept
from bridge.sync import parts
from bridge.sync.identity import Matches, derived_uid, is_ours
from bridge.sync.ledger import HubObject, Intent, Link, Reading, Replica
from bridge.sync.plan import BEYOND, Case
from bridge.sync.ports import KeepsNoMark, Lens, ObjectKind, RemoteObject, Replays
from bridge.sync.session import Session
from bridge.sync.standing import adopted

AMBIGUOUS = "several events look alike on both sides; which belongs to which is for their owner to say"
LOST = "it has lost its counterpart, and on the other side more than one event has too: its owner is to say which it is"
QUESTIONS = {AMBIGUOUS, LOST}
"""Quarantines that wait for an answer, and for nothing else."""
UNNAMED = "its UID is taken by another event, and so is the one made in its stead"


@dataclass(slots=True)
class Batch:
    """``cases`` are to be planned; ``adoptions`` only remembered, and planned then; ``waiting`` once their creation is done.

    ``revenants`` are remote objects that we have deleted once, it seems: somebody has to look whether they are there again.
    ``waiting`` may also wait for somebody to look whether they are still there. ``unknown`` are links to remote objects of
    which the inbox holds nothing: somebody has to look, too. ``open`` names the UIDs that have an intent; ``superseded`` are
    links that only noted a trouble with what turns out to be our own creation.
    """

    cases: list[Case] = field(default_factory=list)
    adoptions: list[Link] = field(default_factory=list)
    waiting: list[Link] = field(default_factory=list)
    unknown: list[Link] = field(default_factory=list)
    open: set[str] = field(default_factory=set)
    superseded: list[Link] = field(default_factory=list)
    revenants: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Read:
    """A remote object as far as it could be read."""

    remote: RemoteObject | None
    problem: str | None = None


def read(replica: Replica, lens: Lens) -> Read:
    if replica.removed:
        return Read(None)
    try:
        remote = lens.read(replica.items)
        # a UID that no database takes names nothing in the hub: its event gets one of ours (R32)
        return Read(remote if can_be_kept(remote.uid) else replace(remote, uid=""))
    except Unmappable as error:
        return Read(None, str(error))
    except OverflowError:
        return Read(None, BEYOND)
    except Exception as error:  # noqa: BLE001 - whatever one object makes us stumble over, the others go on
        return Read(None, f"unexpected {type(error).__name__}")


def of_remote(
    session: Session, series: Sequence[str], *, pair: str, matches: Matches, looked_at: bool = False
) -> Batch:
    """Cases for remote objects. ``looked_at``: they are there, whatever the listing may have told late."""
    with session.ledger.reading() as memory:
        replicas, links = memory.replicas(series), dict(memory.links_to(series))
    reads = {id: read(replicas[id], session.remote.lens) for id in series if id in replicas}
    unlinked = {id: each.remote for id, each in reads.items() if each.remote and _unsettled(links.get(id))}
    uids = {link.uid for link in links.values()}
    for id, remote in unlinked.items():
        uids |= {remote.uid, derived_uid(pair, id), matches.found.get(id, remote.uid)}
    with session.ledger.reading() as memory:
        hub, by_uid = parts.hub_objects(memory, uids, session.remote.lens), memory.links(uids)
        made = memory.links_made_with({remote.creation_key for remote in unlinked.values() if remote.creation_key})
        known = _Known(pair, session.remote.lens.component, matches, dict(hub), dict(by_uid), made)
        homes = _Homes.of(memory, [*uids, *(link.uid for link in made.values())])
        if isinstance(session.remote, KeepsNoMark) and unlinked:
            known.lost = memory.attempted_creations()
            known.made_unmarked = memory.links(known.lost)
        known.intents = {**known.lost, **memory.intents_of({*uids, *(link.uid for link in made.values())})}
        known.hub |= parts.hub_objects(memory, {link.uid for link in made.values()}, session.remote.lens)
        buried = _buried(memory, [link for id, link in links.items() if id in reads and reads[id].remote], hub)
        in_parts = memory.parts({*uids, *(link.uid for link in made.values())})
        revenants = _revenants(session, memory, known, links, unlinked) if not looked_at else ()
    batch = Batch(open=set(known.intents), revenants=list(revenants))
    for id, each in reads.items():
        link = links.get(id)
        if id in revenants:
            continue
        if not _unsettled(link):
            assert link is not None  # noqa: S101 - for the type checker
            batch.cases.append(
                Case(link.uid, link, hub.get(link.uid), each.remote, id, buried.get(link.uid), each.problem)
            )
        elif each.remote is None:
            uid = link.uid if link else derived_uid(pair, id)
            batch.cases.append(Case(uid, link, None, None, id, problem=each.problem))
        else:
            known.place(batch, link, each.remote)
    return _with_parts(homes.told(batch), in_parts)


def _revenants(
    session: Session,
    memory: Reading,
    known: _Known,
    links: Mapping[str, Link],
    unlinked: Mapping[str, RemoteObject],
) -> Collection[str]:
    """Made by us, or known here and deleted: a service that replays may tell of them long after they have gone (M-27)."""
    if not isinstance(session.remote, Replays) or not session.remote.replays or memory.state().phase == "pairing":
        return ()
    strange = {id: remote for id, remote in unlinked.items() if id not in links and remote.uid not in known.hub}
    deleted = memory.deletions({remote.uid for remote in strange.values() if remote.uid})
    return [
        id
        for id, remote in strange.items()
        if (is_ours(remote.creation_key) and remote.creation_key not in known.made) or remote.uid in deleted
    ]


@dataclass(frozen=True, slots=True)
class _Homes:
    """Which objects have their home here (R1): what is settled, else who comes from the remote, or is made in the hub if so set.

    What is linked without a home was linked before there were any, or has lost it with its pair: it is at home nowhere, for
    nobody asked us to invite its guests.
    """

    settled: Mapping[str, bool]
    by_default: bool

    @classmethod
    def of(cls, memory: Reading, uids: Collection[str]) -> _Homes:
        return cls(memory.homes(uids), memory.state().home_by_default)

    def told(self, batch: Batch) -> Batch:
        batch.cases = [replace(case, home=self._here(case)) for case in batch.cases]
        return batch

    def _here(self, case: Case) -> bool:
        if case.part:
            return False
        if case.uid in self.settled:
            return self.settled[case.uid]
        if not _unsettled(case.link):
            return False
        return self.by_default if case.hub is not None else True


def _with_parts(batch: Batch, names: Mapping[str, Collection[str]]) -> Batch:
    batch.cases = [replace(case, parts=frozenset(names.get(case.uid, ()))) for case in batch.cases]
    return batch


def _unsettled(link: Link | None) -> bool:
    return link is None or link.remote_base is None


def _in_question(link: Link | None) -> bool:
    """An edit is no answer: it stays a question until its owner has said so."""
    return link is not None and link.quarantine in QUESTIONS


def _question(link: Link | None) -> str:
    return link.quarantine if link is not None and link.quarantine in QUESTIONS else AMBIGUOUS


def _buried(memory: Reading, links: Sequence[Link], hub: Mapping[str, HubObject]) -> Mapping[str, bytes]:
    return memory.buried([link.uid for link in links if link.uid not in hub and link.hub_base is not None])


@dataclass(slots=True)
class _Known:
    """What the hub and the links say about a batch of unlinked remote objects."""

    pair: str
    component: ObjectKind
    matches: Matches
    hub: dict[str, HubObject]
    links: dict[str, Link]
    made: Mapping[str, Link]
    intents: Mapping[str, Intent] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)
    ours: set[str] = field(default_factory=set)
    lost: Mapping[str, Intent] = field(default_factory=dict)
    made_unmarked: Mapping[str, Link] = field(default_factory=dict)

    def place(self, batch: Batch, link: Link | None, remote: RemoteObject) -> None:
        """``link`` is one that was made only to note a quarantine."""
        own = self.made.get(remote.creation_key) if remote.creation_key else self._lost(remote)
        if own is not None and own.remote_id is None and own.uid not in self.ours:
            self.ours.add(own.uid)  # another one with its key is a copy that its owner made (R9)
            batch.superseded += [link] if link is not None and link.uid != own.uid else []
            self._ours(batch, own, remote)
        elif remote.id in self.matches.ambiguous_remote or _in_question(link):
            uid = link.uid if link else derived_uid(self.pair, remote.id)
            batch.cases.append(Case(uid, link, None, remote, remote.id, problem=_question(link)))
        else:
            batch.cases.append(self._stranger(link, remote))

    def _lost(self, remote: RemoteObject) -> Link | None:
        """The creation without an answer that was to become just this."""
        uids = (uid for uid, each in self.lost.items() if uid not in self.ours and each.target == remote.fields)
        return next((self.made_unmarked[uid] for uid in uids if uid in self.made_unmarked), None)

    def _ours(self, batch: Batch, own: Link, remote: RemoteObject) -> None:
        intent = self.intents.get(own.uid)
        if intent is not None and intent.kind == "create":
            batch.adoptions.append(adopted(own, intent, remote))
        else:
            batch.cases.append(Case(own.uid, own, self.hub.get(own.uid), remote, remote.id))

    def _stranger(self, link: Link | None, remote: RemoteObject) -> Case:
        """A link that names one of the hub's is its owner's word, or what pairing found; else see above."""
        derived = derived_uid(self.pair, remote.id)
        linked = link.uid if link is not None and link.uid in self.hub else None
        for uid in (linked, self.matches.found.get(remote.id), remote.uid or None, derived):
            if uid is None or uid in self.taken:
                continue
            hub, held = self.hub.get(uid), self.links.get(uid)
            if not self._free(held, link):
                continue
            if hub is not None and hub.component != self.component:
                continue
            self.taken.add(uid)
            return Case(uid, link or held, hub, remote, remote.id)
        return Case(link.uid if link else derived, link, None, remote, remote.id, problem=UNNAMED)

    def _free(self, held: Link | None, own: Link | None) -> bool:
        """No other link has this UID, or only one that has never come to anything."""
        if held is None or (own is not None and held.uid == own.uid):
            return True
        return held.remote_id is None and held.remote_base is None and held.uid not in self.intents


def of_hub(session: Session, uids: Sequence[str], *, matches: Matches) -> Batch:
    """Cases for hub objects and links."""
    with session.ledger.reading() as memory:
        links, hub, intents = (
            memory.links(uids),
            parts.hub_objects(memory, uids, session.remote.lens),
            memory.intents_of(uids),
        )
        replicas = memory.replicas([link.remote_id for link in links.values() if link.remote_id])
        buried = _buried(memory, list(links.values()), hub)
        homes, in_parts = _Homes.of(memory, uids), memory.parts(uids)
    batch = Batch(open=set(intents))
    for uid in uids:
        link, there = links.get(uid), hub.get(uid)
        if there is not None and there.component != session.remote.lens.component:
            there = None
        if link is None and there is None and uid not in in_parts:
            continue
        series = link.remote_id if link else None
        replica = replicas.get(series) if series else None
        if link is not None and uid in intents and intents[uid].kind == "create" and intents[uid].attempts:
            batch.waiting.append(link)  # it may be there already; a creation that was never sent is planned anew
        elif link is not None and series is not None and replica is None:
            batch.unknown.append(link)
        elif link is not None and replica is not None and replica.removed and not replica.certain:
            # What is found may be no news, and what was done here has to be planned then
            batch.waiting.append(link)
        else:
            each = read(replica, session.remote.lens) if replica else Read(None)
            asked = uid in matches.ambiguous_hub or (_in_question(link) and (there or each.remote) is not None)
            problem = _question(link) if asked else each.problem
            batch.cases.append(Case(uid, link, there, each.remote, series, buried.get(uid), problem))
    return _with_parts(homes.told(batch), in_parts)
