"""The second part of a cycle: plan everything that was touched on either side, guard the plan, apply it batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from bridge.errors import InvalidCalendarData, ObjectChanged, Refused, Unmappable, Unreachable
from bridge.sync import cases, guard, pairing, parts, reading
from bridge.sync.cases import Batch
from bridge.sync.families import Family
from bridge.sync.identity import Matches
from bridge.sync.ledger import Done, Intent, Kind, Link, PairState, Writing
from bridge.sync.patience import Vain
from bridge.sync.plan import Case, HubDelete, HubPut, Rules, Step, plan
from bridge.sync.session import BATCH, Session, batches
from bridge.sync.splits import compounded, halves
from bridge.sync.standing import again, quarantined


@dataclass(frozen=True, slots=True)
class Foreseen:
    """A plan as it stands. ``held`` is what its owner would be asked before any of it is done.

    ``steps`` are made as they are asked for: a first sync has tens of thousands.
    """

    steps: Iterator[Step]
    held: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Touched:
    """Names of what is to be planned, and the hub's ``revision`` up to which that is all.

    ``doomed_series`` and ``doomed_uids`` are those of them that may turn out to be deletions.
    """

    state: PairState
    series: list[str]
    uids: list[str]
    doomed_series: list[str]
    doomed_uids: list[str]
    doubtful: int
    revision: int

    @property
    def nothing(self) -> bool:
        return self.only_doubts and not self.doubtful

    @property
    def only_doubts(self) -> bool:
        """Nothing to plan: the guard may have to ask its owner, and else those in doubt wait for an answer."""
        idle = not self.series and not self.uids
        return idle and self.state.phase == "steady" and self.state.parked is None


def run(session: Session) -> bool:
    """Plan and apply one round. False if there was nothing to do, or if the plan waits for its owner."""
    touched = _touched(session)
    if touched.nothing:
        if touched.revision != touched.state.hub_cursor:
            with session.ledger.writing() as memory:
                memory.advance(touched.revision)
        return False
    if _parked(session, touched) or touched.only_doubts:
        return False
    session.report.rounds += 1
    _Round(session, touched).apply()
    return True


def foresee(session: Session) -> Foreseen:
    """What the next round would do, without doing it; what the guard would hold back, too."""
    touched = _touched(session)
    if touched.nothing:
        return Foreseen(iter(()), None)
    return Foreseen(_Round(session, touched).foresee(), _held(session, touched))


def _touched(session: Session) -> Touched:
    with session.ledger.reading() as memory:
        state = memory.state()
        changes = memory.hub_changes(state.hub_cursor)
        dirty = memory.dirty(session.now())
        doubtful = memory.links_to(memory.removed(certain=False)).values()
        return Touched(
            state=state,
            series=list(memory.pending()),
            uids=list(dict.fromkeys([*(change.uid for change in changes), *dirty])),
            doomed_series=list(memory.removed(certain=True)),
            doomed_uids=list(dict.fromkeys([*(change.uid for change in changes if change.deleted), *dirty])),
            doubtful=sum(link.remote_base is not None for link in doubtful),
            revision=memory.hub_revision(),
        )


def _rules(session: Session, state: PairState) -> Rules:
    with session.ledger.reading() as memory:
        own = memory.addresses()
    return Rules(
        lens=session.remote.lens,
        pair=state.key,
        direction=state.direction,
        policy=state.policy,
        pairing=state.phase == "pairing",
        now=session.now(),
        projection=state.projection,
        invitations=state.invitations,
        own=own,
    )


def _parked(session: Session, touched: Touched) -> bool:
    """Whether the guard holds the plan back."""
    state = touched.state
    summary = _held(session, touched)
    session.report.parked = summary
    if summary is None:
        return False
    if summary != state.parked or state.approved:
        with session.ledger.writing() as memory:
            memory.park(summary)
    return True


def _held(session: Session, touched: Touched) -> Mapping[str, Any] | None:
    """What the guard asks the owner. Only what may be deleted or mailed is planned for that, if it may be many."""
    state = touched.state
    approved = state.parked if state.approved else None
    worst = len(touched.doomed_series) + len(touched.doomed_uids) + touched.doubtful
    summary = None
    if state.phase != "pairing" and (worst or len(touched.uids) > guard.FEW):
        with session.ledger.reading() as memory:
            past = memory.deleted(session.now() - guard.WINDOW) if worst else 0
        if worst + past > guard.FEW or len(touched.uids) > guard.FEW:
            toll = _toll(session, touched, past)
            if guard.holds(toll, approved=approved):
                summary = toll.summary()
    return summary


def _toll(session: Session, touched: Touched, past: int) -> guard.Toll:
    """What the plan would delete, and mail; what nobody has looked after counts as gone."""
    lost: dict[str, list[str]] = {"hub": [], "remote": []}
    mails: list[str] = []
    with session.ledger.reading() as memory:
        links = memory.link_count()
    for step in _suspects(session, touched, _rules(session, touched.state)):
        if step.deletes is not None:
            lost[step.deletes].append(step.case.uid)
        if step.mails:
            mails.append(step.case.uid)
    return guard.Toll(lost["hub"], lost["remote"], links, touched.doubtful, past, mails)


def condemned(session: Session) -> tuple[Rules, list[Step]]:
    """The steps of the next round that the guard counts, and by which rules they were planned."""
    touched = _touched(session)
    rules = _rules(session, touched.state)
    steps = _suspects(session, touched, rules)
    return rules, [step for step in steps if step.deletes is not None or step.mails]


def _suspects(session: Session, touched: Touched, rules: Rules) -> Iterator[Step]:
    """Everything that may delete or mail, planned."""
    nothing = Matches()
    done: set[str] = set()
    many = rules.invitations and len(touched.uids) > guard.FEW
    suspects = touched.uids if many else touched.doomed_uids
    found = chain(
        (cases.of_remote(session, each, pair=rules.pair, matches=nothing) for each in batches(touched.doomed_series)),
        (cases.of_hub(session, each, matches=nothing) for each in batches(suspects)),
    )
    for batch in found:
        with session.ledger.reading() as memory:
            family = Family.of(memory, batch.cases, rules)
        for case in batch.cases:
            if case.uid in done:
                continue
            done.add(case.uid)
            yield plan(case, family.rules)


class _Round:
    """Batches of one round, each planned and applied on its own.

    The hub's revision is followed as long as nobody but us moves it, so that our own writes are not planned again.
    """

    def __init__(self, session: Session, touched: Touched) -> None:
        self._session = session
        self._touched = touched
        self._rules = _rules(session, touched.state)
        self._revision = touched.revision
        self._done: set[str] = set()
        self._parts: dict[str, None] = {}
        self._vain = Vain()
        self._firsts = self._halves()

    def _halves(self) -> Mapping[str, Case]:
        """Looked for before all else: the first half may be planned with what the remote has changed, and the second later."""
        found: dict[str, Case] = {}
        for uids in () if self._rules.pairing else batches(self._touched.uids):
            found |= halves(cases.of_hub(self._session, uids, matches=Matches()).cases, self._rules.lens)
        if found:
            with self._session.ledger.reading() as memory:
                settled = memory.homes(found)
            found = {uid: first for uid, first in found.items() if uid not in settled}
        return found

    def foresee(self) -> Iterator[Step]:
        """What ``apply`` would do, step by step; nothing is written."""
        for batch in self._batches():
            yield from self._plan(batch)

    def _batches(self) -> Iterator[Batch]:
        """What is touched on the remote, and then what is touched in the hub and was not among it."""
        touched, session = self._touched, self._session
        matches = pairing.counterparts(session, touched.series) if self._rules.pairing else Matches()
        for series in batches(touched.series):
            batch = cases.of_remote(session, series, pair=self._rules.pair, matches=matches)
            yield batch
            if there := [id for id in batch.revenants if self._is_there(id)]:
                yield cases.of_remote(session, there, pair=self._rules.pair, matches=matches, looked_at=True)
        for uids in batches(uid for uid in touched.uids if uid not in self._done):
            yield cases.of_hub(session, uids, matches=matches)
        for uids in batches(uid for uid in self._parts if uid not in self._done):
            yield cases.of_hub(session, uids, matches=matches)

    def _plan(self, batch: Batch) -> list[Step]:
        # the echo of a deletion of ours is of nothing: an object of the hub may have the UID that it would have got (R10)
        self._done.update(case.uid for case in batch.cases if case.link or case.hub or case.remote)
        with self._session.ledger.reading() as memory:
            family = Family.of(memory, batch.cases, self._rules)
        return [
            self._spread(family.waited_for(step))
            for step in compounded([plan(self._at_home(case), family.rules) for case in batch.cases])
        ]

    def _spread(self, step: Step) -> Step:
        """Its parts are planned behind it: all of them if the whole has changed, else what has come into the window since.

        What was changed in the hub is planned again should we die on the way there, until the round has come to its end;
        what else made us look at the whole does not last that long.
        """
        case, fresh = step.case, set(step.parts) - step.case.parts
        news = case.hub is None or case.hub.revision > self._touched.state.hub_cursor
        self._parts |= dict.fromkeys({*step.parts, *case.parts} if news or isinstance(step.hub, HubPut) else fresh)
        if news or not fresh or step.link is None:
            return step
        return replace(step, link=replace(step.link, dirty=True, retry_at=None))

    def _at_home(self, case: Case) -> Case:
        first = self._firsts.get(case.uid)
        return case if first is None else replace(case, home=first.home)

    def apply(self) -> None:
        for batch in self._batches():
            self._apply(batch)
        state, session, pairing_now = self._touched.state, self._session, self._rules.pairing
        if self._revision == state.hub_cursor and not pairing_now and state.parked is None:
            return
        with session.ledger.writing() as memory:
            memory.advance(self._revision, paired=pairing_now)
            if state.parked is not None:
                memory.park(None)

    def _apply(self, batch: Batch) -> None:
        for link in batch.unknown:
            self._look(link)
        steps = self._plan(batch)
        with self._session.ledger.writing() as memory:
            before = memory.hub_revision()
            _remember(memory, batch)
            memory.share_home({uid: first.uid for uid, first in self._firsts.items()})
            done = list(self._to_hub(memory, steps))
            conflicts = _keep(memory, done, batch.open, self._marked)
            memory.journal([entry for step in done for entry in self._entries(step, before)])
            after = memory.hub_revision()
        if before == self._revision and not any(self._regroups(step) for step in done):
            self._revision = after
        report = self._session.report
        report.conflicts += conflicts
        report.quarantined += sum(step.link is not None and step.link.quarantine is not None for step in done)
        report.linked += sum(_agrees(step.link) and not _agrees(step.case.link) for step in done)

    def _regroups(self, step: Step) -> bool:
        """Whether a part's own write is to be planned again, for the whole that it belongs to."""
        case, put = step.case, step.hub
        if not case.part or case.hub is None or not isinstance(put, HubPut):
            return False
        return parts.regroups(case.hub.data, put.data, self._rules.lens)

    def _look(self, link: Link) -> None:
        """Nothing is known of this one. Where nothing can be known, it alone is left alone (R32)."""
        try:
            reading.look(self._session, link.remote_id or "")
        except (Refused, Unmappable, Unreachable) as error:
            self._vain.bear(error)
            with self._session.ledger.writing() as memory:
                memory.save_links([quarantined(link, str(error), now=self._session.now())])
        else:
            self._vain.over()

    def _is_there(self, series: str) -> bool:
        """What cannot be looked at now is looked at with the next cycle."""
        try:
            there = reading.look(self._session, series)
        except (Refused, Unmappable, Unreachable) as error:
            self._vain.bear(error)
            return False
        self._vain.over()
        return there

    def _entries(self, step: Step, revision: int) -> Iterator[Done]:
        """For the journal: what was done to the hub, which was at ``revision``, and what the remote is about to be told."""
        state, (uid, part) = self._touched.state, parts.split(step.case.uid)
        if step.hub is not None:
            yield Done(uid, "hub", _kind(step.hub), revision, approved=state.approved)
        if step.intent is not None:  # of a series one occurrence more or less is a change of it
            kind = "update" if part else step.intent.kind
            yield Done(uid, "remote", kind, state.hub_cursor, approved=state.approved)

    def _marked(self, intent: Intent) -> Intent:
        """With the hub's revision before what it carries, and whether it belongs to a first sync.

        That may be another pair's, which has filled the hub: nobody creates that many by hand.
        """
        crowd = len(self._touched.series) + len(self._touched.uids) > BATCH
        backfill = self._rules.pairing or (crowd and intent.kind == "create")
        return replace(intent, undo_to=self._touched.state.hub_cursor, backfill=backfill)

    def _to_hub(self, memory: Writing, steps: Iterable[Step]) -> Iterator[Step]:
        """Write to the hub; yields what is to be remembered.

        Where a phone was faster, its version stands and that object is planned again (R36).
        """
        for planned in steps:
            step = self._afresh(memory, planned)
            case = step.case
            try:
                if isinstance(step.hub, HubPut):
                    memory.put_object(
                        parts.split(case.uid)[0], step.hub.href, step.hub.data, expected=step.hub.expected
                    )
                elif isinstance(step.hub, HubDelete):
                    memory.delete_object(step.hub.href, expected=step.hub.expected)
            except ObjectChanged:
                yield _again(step)
                continue
            except InvalidCalendarData as error:
                if error.precondition == "no-uid-conflict":
                    yield _again(step)
                    continue
                link = case.link or Link(case.uid, remote_id=case.series)
                yield Step(case, quarantined(link, str(error), now=self._rules.now))
                continue
            self._session.report.hub_writes += step.hub is not None
            yield step

    def _afresh(self, memory: Writing, step: Step) -> Step:
        """A part's step, planned upon what its siblings have just written into the object that they are all parts of."""
        case = step.case
        if not isinstance(step.hub, HubPut) or case.hub is None or not case.part:
            return step
        now = parts.hub_objects(memory, [case.uid], self._rules.lens).get(case.uid)
        if now == case.hub:
            return step
        again = replace(case, hub=now)
        return plan(again, Family.of(memory, [again], self._rules).rules)


def _kind(operation: HubPut | HubDelete) -> Kind:
    if isinstance(operation, HubDelete):
        return "delete"
    return "create" if operation.href is None else "update"


def _agrees(link: Link | None) -> bool:
    return link is not None and link.remote_base is not None


def _again(step: Step) -> Step:
    link = step.case.link
    return Step(step.case, None if link is None else again(link), deferred=True)


def _remember(memory: Writing, batch: Batch) -> None:
    memory.drop_links([link.uid for link in batch.superseded])
    memory.save_links(batch.adoptions)
    memory.drop_intents([link.uid for link in batch.adoptions])
    memory.settle([link.remote_id for link in batch.adoptions if link.remote_id])
    memory.save_links([again(link) for link in batch.waiting if not link.dirty])


def _keep(memory: Writing, steps: list[Step], with_intent: set[str], marked: Callable[[Intent], Intent]) -> int:
    """Returns how many conflicts are new."""
    old = [link.uid for link in map(_superseded, steps) if link is not None]
    # with the last instance of a series that is not here the object has gone that they were parts of
    old += [parts.split(step.case.uid)[0] for step in steps if step.calls_off and isinstance(step.hub, HubDelete)]
    memory.drop_links(old)
    memory.save_links([step.link for step in steps if step.link is not None and step.link != step.case.link])
    intents = [marked(step.intent) for step in steps if step.intent is not None]
    planned = {intent.uid for intent in intents}
    memory.drop_intents([uid for uid in (*(step.case.uid for step in steps), *old) if uid in with_intent - planned])
    memory.save_intents(intents)
    memory.take_home([step.case.uid for step in steps if step.case.home and step.link is not None])
    memory.settle([step.case.series for step in steps if step.case.series is not None and not step.deferred])
    return memory.record([conflict for step in steps for conflict in step.conflicts])


def _superseded(step: Step) -> Link | None:
    old = step.case.link
    return old if old is not None and (step.link is None or step.link.uid != old.uid) else None
