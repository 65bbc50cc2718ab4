"""The third part of a cycle: carry out the intents, with no transaction open meanwhile.

One by one, each answer in a transaction of its own; where the service takes batches, several creations by one request, their
answers in one transaction. An answer becomes the remote's base (R20). Before a few intents are sent they are counted as
attempts, so after a crash it is known which of them may have reached the service: of such a creation the service is asked
first (R12); such an update or deletion either still has its If-Match or is planned anew.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from bridge.errors import (
    BridgeError,
    DuplicateKey,
    Gone,
    InvalidCalendarData,
    NeedsReconnect,
    ProviderError,
    Refused,
    Throttled,
    Unmappable,
    Unreachable,
    VersionMismatch,
)
from bridge.ical.fields import ObjectFields, diff, patch
from bridge.sync import asides, guests, parts, reading
from bridge.sync.ledger import Intent, Link, Replica, Writing
from bridge.sync.patience import IN_A_ROW
from bridge.sync.ports import (
    Invites,
    KeepsNoMark,
    New,
    Remote,
    RemoteItem,
    RemoteObject,
    SupportsBatches,
)
from bridge.sync.session import Session, batches, this_one
from bridge.sync.standing import adopted, adopted_unread, again, quarantined

AT_ONCE = 25
"""Intents that are counted as attempts together; as many as fit into a batch, where the service takes them."""

FEW = 3
"""Creations from which on a batch is worth while."""

FIRST_RETRY = dt.timedelta(minutes=1)
LAST_RETRY = dt.timedelta(hours=6)

SECOND_LOOK = dt.timedelta(minutes=1)
"""When to look again whether the object stands that an intent waits for."""


@dataclass(frozen=True, slots=True)
class Sent:
    """An intent on its way. ``replay``: it may have reached the service before. ``refusal``: why a batch left it undone.

    ``remote`` is quiet, but at home. ``overtaken``: the hub's object has been changed since, and that is not planned yet.
    """

    intent: Intent
    link: Link
    replica: Replica | None
    remote: Remote
    overtaken: bool = False
    refusal: BridgeError | None = None

    @property
    def replay(self) -> bool:
        return self.intent.attempts > 0


@dataclass(frozen=True, slots=True)
class Answer:
    """What the service made of an intent. ``base``: so much of it as the hub has been told of."""

    sent: Sent
    new: RemoteObject
    base: ObjectFields


def send_due(session: Session, *, backfill: bool = True) -> bool:
    """Carry out what is open and due; without ``backfill`` only what belongs to no first sync.

    What had no answer, or came a moment too soon, is tried once more behind the rest, as long as others get theirs.

    False: the hub has changed in between, so there may be something more urgent than the rest (R33). At least one batch was
    sent then. Raises Unreachable, Throttled or NeedsReconnect after it has noted what was not sent. An object that the
    service could not take waits longer each time, so it cannot hold up the others (R32).
    """
    with session.ledger.reading() as memory:
        uids = memory.intents(session.now(), backfill=backfill)
    remote = session.remote
    at_once = remote.batch_size if isinstance(remote, SupportsBatches) else AT_ONCE
    begun = False
    while uids:
        losses = _Losses()
        for batch in batches(uids, at_once):
            if begun and _unplanned(session):
                return False
            begun = True
            _send_batch(session, batch, losses)
        if losses.last is not None and len(losses.uids) == len(uids):
            raise losses.last
        uids = losses.uids
    return True


def _unplanned(session: Session) -> bool:
    """Whether somebody has changed the hub since it was last planned. A parked plan waits for its owner, not for us."""
    with session.ledger.reading() as memory:
        state = memory.state()
        return state.parked is None and state.hub_cursor != memory.hub_revision()


@dataclass(slots=True)
class _Losses:
    """What was not carried out on one way through the intents, or was not answered, and what was not sent for it."""

    uids: list[str] = field(default_factory=list)
    in_a_row: int = 0
    last: Unreachable | None = None

    def bear(self, error: Unreachable, uids: Iterable[str]) -> bool:
        """One more request in vain. False: it is the service that is away."""
        self.uids += uids
        self.last = error
        self.in_a_row += 1
        return self.in_a_row < IN_A_ROW


def _send_batch(session: Session, uids: Sequence[str], losses: _Losses) -> None:
    with session.ledger.writing() as memory:
        intents, links = memory.intents_of(uids), memory.links(uids)
        replicas = memory.replicas([link.remote_id for link in links.values() if link.remote_id])
        at_home = memory.homes(uids)
        changed = {change.uid for change in memory.hub_changes(memory.state().hub_cursor)}
        batch = [
            Sent(
                intents[uid],
                links[uid],
                replicas.get(links[uid].remote_id or ""),
                _voice(session.remote, intents[uid], home=at_home.get(uid, False)),
                overtaken=parts.split(uid)[0] in changed or links[uid].dirty,
            )
            for uid in uids
            if uid in intents and uid in links
        ]
        memory.save_intents([replace(each.intent, attempts=each.intent.attempts + 1) for each in batch])
    together = {new.uid: new for new in map(_fresh, batch) if new is not None}
    if len(together) < FEW or not isinstance(session.remote, SupportsBatches):
        _send_singly(session, batch, losses)
        return
    created = [sent for sent in batch if sent.intent.uid in together]
    _send_singly(session, [sent for sent in batch if sent.intent.uid not in together], losses, behind=created)
    left = _create_together(session, session.remote, created, list(together.values()), losses)
    _send_singly(session, left, losses)


def _fresh(sent: Sent) -> New | None:
    """A creation that nothing has to be asked or awaited for: it may go in a batch, whose parts have no order."""
    intent, key = sent.intent, sent.link.creation_key
    if (
        intent.kind != "create"
        or sent.replay
        or sent.overtaken
        or intent.after is not None
        or key is None
        or intent.target is None
    ):
        return None
    if guests.of(intent.target):
        return None  # its guests are told of it
    return New(intent.target, key, intent.uid)


def _send_singly(session: Session, batch: Sequence[Sent], losses: _Losses, *, behind: Sequence[Sent] = ()) -> None:
    """``behind`` is what would have been sent next."""
    for number, sent in enumerate(batch):
        try:
            _send(session, sent)
        except Throttled as error:
            borne = error.passing and losses.bear(error, [sent.intent.uid])
            _put_back(session, [_begun(sent)] if borne else [_begun(sent), *batch[number + 1 :], *behind])
            if not borne:
                raise
        except Unreachable as error:
            borne = losses.bear(error, [sent.intent.uid])
            _put_back(session, () if borne else [*batch[number + 1 :], *behind], _later(session, sent.intent))
            if not borne:
                raise
        except NeedsReconnect:
            _put_back(session, [_begun(sent), *batch[number + 1 :], *behind])
            raise
        else:
            losses.in_a_row = 0


def _begun(sent: Sent) -> Sent:
    """That request was not carried out; but a creation may take several, and the first of them may have been (R12)."""
    return _attempted(sent) if sent.intent.kind == "create" else sent


def _voice(remote: Remote, intent: Intent, *, home: bool) -> Remote:
    """Guests are told of what a person does to an event at home; of a first sync or of a copy nobody is (R1, R2)."""
    return (
        remote.inviting()
        if home and (intent.kind == "create" or not intent.backfill) and isinstance(remote, Invites)
        else remote
    )


def _later(session: Session, intent: Intent) -> Intent:
    """Whether it reached the service is unknown: it counts as attempted, and waits."""
    wait = min(FIRST_RETRY * (1 << min(intent.attempts, 16)), LAST_RETRY)
    return replace(intent, attempts=intent.attempts + 1, not_before=session.now() + wait)


def _create_together(
    session: Session, remote: SupportsBatches, batch: Sequence[Sent], wanted: Sequence[New], losses: _Losses
) -> list[Sent]:
    """Create objects by one request, and note all answers in one transaction; what is left over has to be sent singly.

    What was not carried out is put back before Throttled, Unreachable or NeedsReconnect is raised. Around a lost answer what
    was not sent goes in the next batch, behind the rest.
    """
    try:
        outcomes = remote.create_many(wanted)
    except Throttled as error:
        _put_back(session, batch)
        if error.passing and losses.bear(error, [sent.intent.uid for sent in batch]):
            return []
        raise
    except NeedsReconnect:
        _put_back(session, batch)
        raise
    except Unreachable as error:
        _put_back(session, (), *(_later(session, sent.intent) for sent in batch))
        if losses.bear(error, [sent.intent.uid for sent in batch]):
            return []
        raise
    except Exception:  # noqa: BLE001 - be it batches as such or one of the objects: singly it is seen (R32)
        return [_attempted(sent) for sent in batch]
    made: list[Answer] = []
    left: list[Sent] = []
    unsent: list[Intent] = []
    troubles: list[ProviderError] = []
    for sent, outcome in zip(batch, outcomes, strict=True):
        match outcome:
            case Throttled() | NeedsReconnect():
                unsent.append(sent.intent)
                troubles.append(outcome)
            case Unreachable():
                unsent.append(_later(session, sent.intent))
                troubles.append(outcome)
            case DuplicateKey():
                left.append(_attempted(sent))
            case None:
                left.append(sent)
            case BridgeError():
                left.append(replace(sent, refusal=outcome))
            case _:
                try:
                    made.append(_created(sent, _read(session, outcome)))
                except Unmappable as error:
                    left.append(replace(sent, refusal=error))
    if troubles:
        unsent += [sent.intent for sent in left]
    _answered(session, made, unsent)
    if not troubles:
        losses.in_a_row = 0
        return left
    if made:
        losses.in_a_row = 0
    worst = max(troubles, key=_weight)
    if isinstance(worst, Unreachable) and worst.passing and losses.bear(worst, [intent.uid for intent in unsent]):
        return []
    raise worst


def _attempted(sent: Sent) -> Sent:
    return replace(sent, intent=replace(sent.intent, attempts=sent.intent.attempts + 1))


def _weight(trouble: ProviderError) -> tuple[bool, bool, float]:
    """Of several troubles, the one that a cycle has to end with weighs most: the owner's, then the longest wait."""
    wait = trouble.retry_after if isinstance(trouble, Throttled) else None
    return isinstance(trouble, NeedsReconnect), isinstance(trouble, Throttled), wait or 0.0


def _put_back(session: Session, unsent: Sequence[Sent], *others: Intent) -> None:
    with session.ledger.writing() as memory:
        memory.save_intents([*(sent.intent for sent in unsent), *others])


def _send(session: Session, sent: Sent) -> None:
    if sent.intent.after is not None and not _stands(session, sent.intent.after):
        _put_back(session, (), replace(sent.intent, not_before=session.now() + SECOND_LOOK))
        return
    try:
        if sent.intent.kind == "create":
            _create(session, sent)
        else:
            _change(session, sent)
    except (Refused, DuplicateKey, Unmappable, InvalidCalendarData) as error:
        _give_up(session, sent, error)


def _stands(session: Session, uid: str) -> bool:
    """Whether this object is on the remote, or has been, or will never be: its owner has deleted it here meanwhile (R10)."""
    with session.ledger.reading() as memory:
        link = memory.links([uid]).get(uid)
        made = link is not None and (link.remote_id is not None or link.remote_base is not None)
        return made or not memory.hub_objects([uid])


def _create(session: Session, sent: Sent) -> None:
    intent, link, remote = sent.intent, sent.link, sent.remote
    key, target = link.creation_key, intent.target
    if key is None or target is None:
        raise InvalidCalendarData("valid-calendar-data", "a creation without key or target")
    if sent.replay and (found := _made_before(session, remote, key, target)):
        _adopt(session, sent, found)
        return
    if sent.overtaken:  # nobody is invited to what was called off before it went out (R1)
        _plan_again(session, link)
        return
    try:
        if sent.refusal is not None:
            raise sent.refusal
        with this_one():
            items = remote.create(target, key=key, uid=intent.uid)
    except Gone:
        # it was there once, so its owner has deleted it since: the plan decides what that means here
        gone = replace(again(link), hub_base=intent.hub_base, remote_base=target, remote_id=None, decision=None)
        with session.ledger.writing() as memory:
            memory.save_links([gone])
            memory.drop_intents([intent.uid])
        return
    except VersionMismatch as mismatch:
        # half made, and somebody wrote in between: what is there is taken up, and the rest planned from it
        found = remote.find(key)
        if not found:
            raise Unmappable(str(mismatch)) from None
        _adopt(session, sent, found)
        return
    _answered(session, [_created(sent, _read(session, items))])


def _made_before(session: Session, remote: Remote, key: str, target: ObjectFields) -> Sequence[RemoteItem]:
    """What an attempt before this one has made, if any: by its key, or else by what it was to become (R12).

    Of several alike, one that has no link: whose it is makes no difference, for it says just this.
    """
    if found := remote.find(key):
        return found
    if not isinstance(remote, KeepsNoMark):
        return ()
    alike = remote.alike(target)
    with session.ledger.reading() as memory:
        taken = memory.links_to([items[0].series for items in alike])
    return next((items for items in alike if items[0].series not in taken), ())


def _adopt(session: Session, sent: Sent, items: Sequence[RemoteItem], problem: str | None = None) -> None:
    """Take up what an earlier attempt has created; what differs from its target is planned then."""
    try:
        with this_one():
            remote = session.remote.lens.read(items)
        link = adopted(sent.link, sent.intent, remote)
    except Unmappable as error:
        problem = problem or str(error)
        link = adopted_unread(sent.link, sent.intent, items[0].series)
    if problem is not None:
        link = quarantined(replace(link, attempts=sent.link.attempts), problem, now=session.now())
    with session.ledger.writing() as memory:
        memory.refresh(items[0].series, items, pending=False)
        _supersede(memory, [link])
        memory.save_links([link])
        memory.drop_intents([link.uid])
        reading.recall(session, memory, {items[0].series: items[0].version}, created=[items[0].series])


def _change(session: Session, sent: Sent) -> None:
    """Update or delete, with If-Match of the very version that the plan merged from (R36)."""
    intent, link = sent.intent, sent.link
    current = None if sent.overtaken else _current(session, sent)
    if current is None:
        with session.ledger.writing() as memory:
            memory.save_links([again(link)])
            memory.drop_intents([intent.uid])
        return
    try:
        if intent.kind == "delete":
            with this_one():
                sent.remote.delete(current)
            _deleted(session, link, current)
        elif intent.target is not None:
            with this_one():
                items = sent.remote.update(current, intent.target)
            _answered(session, [_updated(sent, current, _read(session, items))])
    except VersionMismatch:
        reading.look(session, current.id)
        _plan_again(session, link)
    except Gone:
        with session.ledger.writing() as memory:
            memory.remove(current.id)
        _plan_again(session, link)


def _current(session: Session, sent: Sent) -> RemoteObject | None:
    """The remote object, if what the inbox holds is what the intent was planned from."""
    if sent.replica is None or sent.replica.removed:
        return None
    with this_one():
        current = session.remote.lens.read(sent.replica.items)
    return current if current.version == sent.link.version else None


def _plan_again(session: Session, link: Link) -> None:
    with session.ledger.writing() as memory:
        memory.save_links([again(link)])
        memory.drop_intents([link.uid])


def _deleted(session: Session, link: Link, current: RemoteObject) -> None:
    """What is still here was only taken away as one, to be shown in parts (R-29)."""
    with session.ledger.writing() as memory:
        memory.forget(current.id)
        memory.drop_links([link.uid])
        memory.save_links([Link(uid, dirty=True) for uid in memory.hub_objects([link.uid])])
        memory.drop_intents([link.uid])
    session.report.remote_writes += 1


def _read(session: Session, items: Sequence[RemoteItem]) -> RemoteObject:
    """The answer to a write. Raises Unmappable."""
    session.report.remote_writes += 1
    with this_one():
        return session.remote.lens.read(items)


def _answered(session: Session, answers: Sequence[Answer], put_back: Sequence[Intent] = ()) -> None:
    """Each answer is the remote's base; the hub's is what the intent was planned from."""
    links = [
        replace(
            answer.sent.link,
            remote_id=answer.new.id,
            version=answer.new.version,
            hub_base=answer.sent.intent.hub_base,
            remote_base=answer.base,
            dirty=answer.sent.link.dirty or answer.base != answer.new.fields,
            quarantine=None,
            attempts=0,
            retry_at=None,
            decision=None,
        )
        for answer in answers
    ]
    session.report.linked += sum(answer.sent.link.remote_base is None for answer in answers)
    with session.ledger.writing() as memory:
        for answer in answers:
            memory.refresh(answer.new.id, answer.new.items, pending=False)
        _supersede(memory, links)
        memory.save_links(links)
        memory.drop_intents([link.uid for link in links])
        memory.save_intents(put_back)
        created = [each.new.id for each in answers if each.sent.intent.kind == "create"]
        reading.recall(session, memory, {each.new.id: each.new.version for each in answers}, created=created)


def _supersede(memory: Writing, links: Sequence[Link]) -> None:
    """What was read of our own creation before it was known as such may have been noted for a trouble, under another name."""
    noted = memory.links_to([link.remote_id for link in links if link.remote_id])
    own = {link.uid for link in links}
    memory.drop_links([each.uid for each in noted.values() if each.uid not in own and each.remote_base is None])


def _created(sent: Sent, new: RemoteObject) -> Answer:
    return Answer(sent, new, new.fields)


def _updated(sent: Sent, before: RemoteObject, new: RemoteObject) -> Answer:
    return Answer(sent, new, _without_others(before.fields, sent.intent.target, new.fields))


def _without_others(before: ObjectFields, target: ObjectFields | None, answer: ObjectFields) -> ObjectFields:
    """The answer, less what somebody else did to events that we have not written: the hub has not been told of it (R36).

    Instances may have versions of their own. Then one that somebody edited meanwhile does not keep us from writing another,
    and the answer shows both. Where we have written, the rest is how the service puts it (R20).
    """
    ours = {*(key for key, _ in diff(before, target)), *asides.told(target)} if target else set()
    back = diff(answer, before)
    return patch(answer, {path: back[path] for path in back if path[0] not in ours})


def _give_up(session: Session, sent: Sent, error: Exception) -> None:
    """The service will not have it: leave it alone for a while (R32). Half a creation is a creation all the same."""
    session.report.quarantined += 1
    link = sent.link
    found: Sequence[RemoteItem] = ()
    if sent.intent.kind == "create" and link.creation_key is not None and not isinstance(error, DuplicateKey):
        with suppress(Refused):
            found = session.remote.find(link.creation_key)
        if found:
            _adopt(session, sent, found, str(error))
            return
    elif isinstance(error, DuplicateKey):
        link = replace(link, creation_key=None)
    elif sent.intent.kind == "update":
        link = _tried_in_vain(session, sent)
    with session.ledger.writing() as memory:
        memory.save_links([quarantined(link, str(error), now=session.now())])
        memory.drop_intents([link.uid])


def _tried_in_vain(session: Session, sent: Sent) -> Link:
    """A refused update may have renewed the version and nothing else: that is no news, or it would be sent for ever (R4)."""
    link, replica = sent.link, sent.replica
    if link.remote_id is None or replica is None:
        return link
    try:
        with this_one():
            items = session.remote.get(link.remote_id)
            before, now = (session.remote.lens.read(each) for each in (replica.items, items))
    except (Gone, Refused, Unmappable):
        return link  # the next cycle reads it
    if now.version == before.version or now.fields != before.fields:
        return link
    with session.ledger.writing() as memory:
        memory.refresh(now.id, items, pending=False)
        reading.recall(session, memory, {now.id: now.version})
    return replace(link, version=now.version)
