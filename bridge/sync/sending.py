"""The third part of a cycle: carry out the intents, one by one, with no transaction open meanwhile.

Each answer is a transaction of its own and becomes the remote's base (R20). Before a few intents are sent they are counted
as attempts, so after a crash it is known which of them may have reached the service: of such a creation the service is
asked first (R12); such an update or deletion either still has its If-Match or is planned anew.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

from bridge.errors import (
    BridgeError,
    DuplicateKey,
    Gone,
    InvalidCalendarData,
    NeedsReconnect,
    Refused,
    Throttled,
    Unmappable,
    Unreachable,
    VersionMismatch,
)
from bridge.sync import reading
from bridge.sync.ledger import Intent, Link, Replica
from bridge.sync.plan import adopted, again, quarantined
from bridge.sync.ports import RemoteItem, RemoteObject
from bridge.sync.session import Session, batches

AT_ONCE = 25
"""Intents that are counted as attempts together."""

FIRST_RETRY = dt.timedelta(minutes=1)
LAST_RETRY = dt.timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Sent:
    """An intent on its way. ``replay``: it may have reached the service before."""

    intent: Intent
    link: Link
    replica: Replica | None

    @property
    def replay(self) -> bool:
        return self.intent.attempts > 0


def send_due(session: Session) -> None:
    """Carry out what is open and due.

    Raises Unreachable, Throttled or NeedsReconnect after it has noted what was not sent. An object that the service could
    not take waits longer each time, so it cannot hold up the others (R32).
    """
    with session.ledger.reading() as memory:
        uids = memory.intents(session.now())
    for batch in batches(uids, AT_ONCE):
        _send_batch(session, batch)


def _send_batch(session: Session, uids: Sequence[str]) -> None:
    with session.ledger.writing() as memory:
        intents, links = memory.intents_of(uids), memory.links(uids)
        replicas = memory.replicas([link.remote_id for link in links.values() if link.remote_id])
        batch = [
            Sent(intents[uid], links[uid], replicas.get(links[uid].remote_id or ""))
            for uid in uids
            if uid in intents and uid in links
        ]
        memory.save_intents([replace(each.intent, attempts=each.intent.attempts + 1) for each in batch])
    for number, sent in enumerate(batch):
        try:
            _send(session, sent)
        except Throttled:
            _put_back(session, batch[number:])
            raise
        except Unreachable:
            wait = min(FIRST_RETRY * (1 << min(sent.intent.attempts, 16)), LAST_RETRY)
            late = replace(sent.intent, attempts=sent.intent.attempts + 1, not_before=session.now() + wait)
            _put_back(session, batch[number + 1 :], late)
            raise
        except NeedsReconnect:
            _put_back(session, batch[number:])
            raise


def _put_back(session: Session, unsent: Sequence[Sent], *others: Intent) -> None:
    with session.ledger.writing() as memory:
        memory.save_intents([*(sent.intent for sent in unsent), *others])


def _send(session: Session, sent: Sent) -> None:
    try:
        if sent.intent.kind == "create":
            _create(session, sent)
        else:
            _change(session, sent)
    except (Refused, DuplicateKey, Unmappable, InvalidCalendarData) as error:
        _give_up(session, sent, error)


@contextmanager
def _this_one() -> Iterator[None]:
    """Whatever one object makes a provider stumble over is this object's trouble alone (R32)."""
    try:
        yield
    except BridgeError:
        raise
    except Exception as error:
        raise Unmappable(f"unexpected {type(error).__name__}") from error


def _create(session: Session, sent: Sent) -> None:
    intent, link, remote = sent.intent, sent.link, session.remote
    key, target = link.creation_key, intent.target
    if key is None or target is None:
        raise InvalidCalendarData("valid-calendar-data", "a creation without key or target")
    if sent.replay and (found := remote.find(key)):
        _adopt(session, sent, found)
        return
    try:
        with _this_one():
            items = remote.create(target, key=key, uid=intent.uid)
    except Gone:
        # it was there once, so its owner has deleted it since: the plan decides what that means here
        gone = replace(again(link), hub_base=intent.hub_base, remote_base=target, remote_id=None)
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
    _answered(session, sent, items)


def _adopt(session: Session, sent: Sent, items: Sequence[RemoteItem], problem: str | None = None) -> None:
    """Take up what an earlier attempt has created; what differs from its target is planned then."""
    try:
        with _this_one():
            remote = session.remote.lens.read(items)
        link = adopted(sent.link, sent.intent, remote)
    except Unmappable as error:
        problem = problem or str(error)
        intent = sent.intent
        link = replace(
            sent.link,
            remote_id=items[0].series,
            version="",
            hub_base=intent.hub_base,
            remote_base=intent.target,
        )
    if problem is not None:
        link = quarantined(replace(link, attempts=sent.link.attempts), problem, now=session.now())
    with session.ledger.writing() as memory:
        memory.refresh(items[0].series, items, pending=False)
        memory.save_links([link])
        memory.drop_intents([link.uid])


def _change(session: Session, sent: Sent) -> None:
    """Update or delete, with If-Match of the very version that the plan merged from (R36)."""
    intent, link = sent.intent, sent.link
    current = _current(session, sent)
    if current is None:
        with session.ledger.writing() as memory:
            memory.save_links([again(link)])
            memory.drop_intents([intent.uid])
        return
    try:
        if intent.kind == "delete":
            with _this_one():
                session.remote.delete(current)
            _deleted(session, link, current)
        elif intent.target is not None:
            with _this_one():
                items = session.remote.update(current, intent.target)
            _answered(session, sent, items)
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
    with _this_one():
        current = session.remote.lens.read(sent.replica.items)
    return current if current.version == sent.link.version else None


def _plan_again(session: Session, link: Link) -> None:
    with session.ledger.writing() as memory:
        memory.save_links([again(link)])
        memory.drop_intents([link.uid])


def _deleted(session: Session, link: Link, current: RemoteObject) -> None:
    with session.ledger.writing() as memory:
        memory.forget(current.id)
        memory.drop_links([link.uid])
        memory.drop_intents([link.uid])
    session.report.remote_writes += 1


def _answered(session: Session, sent: Sent, items: Sequence[RemoteItem]) -> None:
    """The answer is the remote's base; the hub's is what the intent was planned from."""
    session.report.remote_writes += 1
    with _this_one():
        new = session.remote.lens.read(items)
    link = replace(
        sent.link,
        remote_id=new.id,
        version=new.version,
        hub_base=sent.intent.hub_base,
        remote_base=new.fields,
        quarantine=None,
        attempts=0,
        retry_at=None,
    )
    session.report.linked += sent.link.remote_base is None
    with session.ledger.writing() as memory:
        memory.refresh(new.id, items, pending=False)
        memory.save_links([link])
        memory.drop_intents([link.uid])


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
        items = session.remote.get(link.remote_id)
        with _this_one():
            before, now = (session.remote.lens.read(each) for each in (replica.items, items))
    except (Gone, Refused, Unmappable):
        return link  # the next cycle reads it
    if now.version == before.version or now.fields != before.fields:
        return link
    with session.ledger.writing() as memory:
        memory.refresh(now.id, items, pending=False)
    return replace(link, version=now.version)
