"""The first complete listing of a pair: find what is on both sides already (R8, R16)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

from bridge.errors import InvalidCalendarData, Unmappable
from bridge.sync import cases, parts
from bridge.sync.identity import Matches, derived_uid, fingerprint, match
from bridge.sync.ledger import HubObject, Link
from bridge.sync.ports import Lens
from bridge.sync.session import Session, batches
from bridge.sync.standing import quarantined


def counterparts(session: Session, series: Sequence[str]) -> Matches:
    """Match what is linked on neither side. Keeps two short strings an object in memory, never the objects."""
    with session.ledger.reading() as memory:
        unlinked, former = memory.unlinked(), memory.former()
    if not unlinked or not series:
        return Matches()
    found = match(dict(_hub_prints(session, unlinked)), dict(_remote_prints(session, series)), former)
    _keep_questions(session, found)
    return found


def _keep_questions(session: Session, found: Matches) -> None:
    """Both sides of a question in one transaction: who has only one half of it, after a crash, would take it for new."""
    if not found.ambiguous_hub and not found.ambiguous_remote:
        return
    with session.ledger.writing() as memory:
        pair, now = memory.state().key, session.now()
        asked = [Link(uid) for uid in sorted(found.ambiguous_hub)]
        asked += [Link(derived_uid(pair, id), remote_id=id) for id in sorted(found.ambiguous_remote)]
        memory.save_links([quarantined(link, cases.AMBIGUOUS, now=now, retry=False) for link in asked])


def _hub_prints(session: Session, uids: Sequence[str]) -> Iterator[tuple[str, str]]:
    for batch in batches(uids):
        with session.ledger.reading() as memory:
            found = memory.hub_objects(batch)
        for uid, stored in found.items():
            try:
                yield from _prints_of(uid, stored, session.remote.lens, session.now())
            except (Unmappable, InvalidCalendarData, OverflowError):
                continue  # the plan will say why it cannot be copied


def _prints_of(uid: str, stored: HubObject, lens: Lens, now: dt.datetime) -> Iterator[tuple[str, str]]:
    """Of the object as it is shown: of what is there in parts each part's, or it would be made beside its like (R15, R16)."""
    seen = parts.read(stored.data)
    spread = parts.spread(seen, lens, now=now)
    if spread.whole:
        yield uid, fingerprint(lens.view(seen.fields))
    for key in spread.keys:
        yield parts.name(uid, key), fingerprint(lens.view(parts.single(seen.fields, key)))


def _remote_prints(session: Session, series: Sequence[str]) -> Iterator[tuple[str, tuple[str, str]]]:
    for batch in batches(series):
        with session.ledger.reading() as memory:
            replicas, links = memory.replicas(batch), memory.links_to(batch)
        for id, replica in replicas.items():
            remote = None if id in links else cases.read(replica, session.remote.lens).remote
            if remote is not None:
                yield id, (remote.uid, fingerprint(remote.fields))
