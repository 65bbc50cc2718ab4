"""Events whose owner says which belongs to which (R16): they look alike at a first sync, or have lost their counterparts (R42).

Until then each of them waits, quarantined as one of ``cases.QUESTIONS``. An answer only changes links; what follows from it is the
next plan's: one event of two, or a copy on the other side.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from bridge.errors import InvalidCalendarData, Unmappable, UsageError
from bridge.services import words
from bridge.services.context import Context
from bridge.services.holding import held
from bridge.services.lenses import lens_of
from bridge.store import audit, calendars, inbox, links, objects, pairs
from bridge.store.pairs import Pair
from bridge.sync import cases
from bridge.sync.identity import fingerprint
from bridge.sync.ledger import Link
from bridge.sync.parts import split
from bridge.sync.plan import seen
from bridge.sync.ports import Lens


@dataclass(frozen=True, slots=True)
class Candidate:
    """``id`` is the UID of an event here, the service's id of one there; ``link`` its place in the pair's memory."""

    id: str
    title: str
    when: str
    link: Link = field(repr=False)
    alike: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Question:
    """Which of ``here`` is which of ``there``? One side is empty where its events have gone or changed since.

    Those that have lost their counterparts are one question, for any of them may be any.
    """

    here: tuple[Candidate, ...]
    there: tuple[Candidate, ...]


def unanswered(context: Context, pair_id: int) -> list[Question]:
    """Grouped by what looks alike now, or is lost. Raises NotFound."""
    with context.database.read() as conn:
        pair = pairs.get(conn, pair_id)
    lens = lens_of(context, pair)
    with context.database.read() as conn:
        return _grouped(_here(conn, pair, lens), _there(conn, pair, lens))


def _grouped(here: Mapping[str, Candidate], there: Mapping[str, Candidate]) -> list[Question]:
    alike = dict.fromkeys(each.alike for each in (*here.values(), *there.values()))
    return [
        Question(*(tuple(each for each in side.values() if each.alike == look) for side in (here, there)))
        for look in alike
    ]


def _waiting(conn: Connection, pair: Pair) -> list[Link]:
    return [link for link in links.quarantined(conn, pair.id) if link.quarantine in cases.QUESTIONS]


def _here(conn: Connection, pair: Pair, lens: Lens) -> dict[str, Candidate]:
    found: dict[str, Candidate] = {}
    for link in _waiting(conn, pair):
        uid, part = split(link.uid)
        stored = None if link.remote_id else objects.by_uid(conn, pair.calendar_id, uid)
        if stored is None:
            continue
        try:
            fields = seen(stored.data, lens, part)
        except (Unmappable, InvalidCalendarData):
            found[link.uid] = Candidate(link.uid, words.title(stored.data), "", link, alike=_alike(link, link.uid))
            continue
        title, when = words.value("summary", fields.master.summary), words.when(fields.master.when)
        found[link.uid] = Candidate(link.uid, title, when, link, _alike(link, fingerprint(fields)))
    return found


def _there(conn: Connection, pair: Pair, lens: Lens) -> dict[str, Candidate]:
    placed = {link.remote_id: link for link in _waiting(conn, pair) if link.remote_id}
    found: dict[str, Candidate] = {}
    for id, replica in sorted(inbox.replicas(conn, pair.id, list(placed)).items()):
        if replica.removed:
            continue
        remote = cases.read(replica, lens).remote
        if remote is None:
            found[id] = Candidate(id, "", "", placed[id], alike=_alike(placed[id], id))
            continue
        when = words.when(remote.fields.master.when)
        title = words.value("summary", remote.fields.master.summary)
        found[id] = Candidate(id, title, when, placed[id], _alike(placed[id], fingerprint(remote.fields)))
    return found


def _alike(link: Link, look: str) -> str:
    return cases.LOST if link.quarantine == cases.LOST else look


def same(context: Context, pair_id: int, uid: str, remote_id: str, *, actor: str = "cli") -> None:
    """They are one event. What differs between them is united by the next plan, and what gives way is a conflict (R35).

    Raises NotFound, and UsageError where either is not in question (any more).
    """
    with context.database.read() as conn:
        pair = pairs.get(conn, pair_id)
    lens = lens_of(context, pair)
    with held(context, pair.calendar_id, [pair_id]) as conn:
        here, there = _here(conn, pair, lens), _there(conn, pair, lens)
        open_ = _open(conn, pair, here, there)
        if uid not in here:
            raise UsageError(_settled(uid, pair_id))
        if remote_id not in there:
            raise UsageError(_settled(remote_id, pair_id))
        links.drop(conn, pair_id, [there.pop(remote_id).link.uid])
        links.save(conn, pair_id, [Link(here.pop(uid).link.uid, remote_id=remote_id, dirty=True)])
        _let_go(conn, pair, [], _left_over(here, there, open_))
        _answered(conn, context, pair, "same", 2, actor)


def different(context: Context, pair_id: int, names: Collection[str] | None, *, actor: str = "cli") -> int:
    """Those events, by UID or the service's id, are like none on the other side; None: all that are in question.

    Each gets a copy there. So does what then has nothing left that it could be mistaken for. Returns how many were
    in question and are no more. Raises NotFound, and UsageError where one of them is not in question (any more).
    """
    with context.database.read() as conn:
        pair = pairs.get(conn, pair_id)
    lens = lens_of(context, pair)
    with held(context, pair.calendar_id, [pair_id]) as conn:
        here, there = _here(conn, pair, lens), _there(conn, pair, lens)
        open_ = _open(conn, pair, here, there)
        chosen = [*here, *there] if names is None else list(dict.fromkeys(names))
        if not chosen:
            raise UsageError(f"pair {pair_id} has no open question")
        for name in chosen:
            if name not in here and name not in there:
                raise UsageError(_settled(name, pair_id))
        named = [side.pop(name) for name in chosen for side in (here, there) if name in side]
        count = _let_go(conn, pair, named, _left_over(here, there, open_))
        _answered(conn, context, pair, "different", count, actor)
    return count


def _settled(name: str, pair_id: int) -> str:
    return f"{name!r} is not in question: answered already, or gone; see: caldav-bridge pair questions {pair_id}"


def _open(
    conn: Connection, pair: Pair, here: Mapping[str, Candidate], there: Mapping[str, Candidate]
) -> set[str] | None:
    """How those look of which there are some on both sides; None while the service does not show all that wait."""
    placed = [link.remote_id for link in _waiting(conn, pair) if link.remote_id]
    if any(each.removed and not each.certain for each in inbox.replicas(conn, pair.id, placed).values()):
        return None
    return {each.alike for each in here.values()} & {each.alike for each in there.values()}


def _left_over(
    here: Mapping[str, Candidate], there: Mapping[str, Candidate], open_: Collection[str] | None
) -> list[Candidate]:
    """Those whom this answer has left nothing on the other side to be mistaken for; an edit, or an error there, is no answer."""
    if open_ is None:
        return []
    one_sided = [each for each in _grouped(here, there) if not each.here or not each.there]
    left = [candidate for question in one_sided for candidate in (*question.here, *question.there)]
    return [candidate for candidate in left if candidate.alike in open_ or not here or not there]


def _let_go(conn: Connection, pair: Pair, named: Sequence[Candidate], left: Sequence[Candidate]) -> int:
    """Have them planned as what is on one side alone: an event there comes in as a new one does, under its own UID if free."""
    released = [each.link for each in (*named, *left)]
    ids = [link.remote_id for link in released if link.remote_id]
    links.drop(conn, pair.id, [link.uid for link in released if link.remote_id])
    inbox.plan_again(conn, pair.id, ids)
    # that its owner was asked about it says that it was there before: its guests know of it (R1)
    asked = [Link(link.uid, dirty=True, decision="hub") for link in released if not link.remote_id]
    links.save(conn, pair.id, asked)
    return len(released)


def _answered(conn: Connection, context: Context, pair: Pair, answer: str, count: int, actor: str) -> None:
    now = context.now()
    pairs.wake(conn, pair.id, now=now)
    calendar = calendars.by_id(conn, pair.calendar_id)
    audit.record(
        conn,
        "question.answered",
        actor=actor,
        principal_id=calendar.principal_id if calendar else None,
        detail={"pair": pair.id, "answer": answer, "events": count},
        now=now,
    )
