"""Conflicts, with both versions side by side, and their owner's word on them (R35).

What the sync has decided is changed by an edit of the hub's object, which then goes to all sides as any edit does. What it
has asked is answered by a word in the link, which the next plan of the pair heeds.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import Literal

from sqlalchemy import Connection

from bridge.errors import Unmappable, UsageError
from bridge.ical.fields import MASTER, Change, ObjectFields, Path, diff, patch
from bridge.services import words
from bridge.services.context import Context
from bridge.services.holding import held
from bridge.services.lenses import lens_of
from bridge.services.naming import calendar_named, name_of
from bridge.store import accounts, audit, calendars, changes, homes, inbox, links, objects, pairs, remote_calendars
from bridge.store import conflicts as recorded
from bridge.store import history as versions
from bridge.store.conflicts import RecordedConflict
from bridge.store.objects import StoredObject
from bridge.store.pairs import Pair
from bridge.sync import cases, parts
from bridge.sync.laying import edited
from bridge.sync.ledger import Verdict, Winner
from bridge.sync.plan import PERSONAL, seen
from bridge.sync.ports import Lens
from bridge.sync.projection import GUESTS, Projection, own_words
from bridge.sync.standing import again

Outcome = Literal["kept", "taken", "answered", "already so"]


@dataclass(frozen=True, slots=True)
class Difference:
    """One field, in words; None on a side that said nothing about it, "" where it had emptied it."""

    field: str
    hub: str | None
    remote: str | None


@dataclass(frozen=True, slots=True)
class OpenConflict:
    """``winner`` is "ask" where both sides wait for their owner's word."""

    id: int
    pair: int
    calendar: str
    there: str
    uid: str
    title: str
    at: dt.datetime
    winner: Verdict
    differences: tuple[Difference, ...]


def unresolved(context: Context, name: str | None = None) -> list[OpenConflict]:
    """Those of one calendar, or all, pair by pair, the oldest first. Raises NotFound and UsageError."""
    with context.database.read() as conn:
        wanted = pairs.every(conn) if name is None else pairs.of_calendar(conn, calendar_named(conn, name).id)
        return [_shown(conn, pair, each) for pair in wanted for each in recorded.unresolved(conn, pair.id)]


def _shown(conn: Connection, pair: Pair, found: RecordedConflict) -> OpenConflict:
    calendar = calendars.by_id(conn, pair.calendar_id)
    known = remote_calendars.by_id(conn, pair.remote_calendar_id)
    account = accounts.by_id(conn, known.account_id) if known else None
    uid, part = parts.split(found.uid)
    return OpenConflict(
        found.id,
        pair.id,
        name_of(calendar) if calendar else "",
        f"{words.provider(account.provider)} {account.email}: {known.calendar.name}" if account and known else "",
        uid,
        next(filter(None, map(words.title, _versions(conn, pair.calendar_id, uid))), ""),
        found.at,
        found.winner,
        tuple(
            Difference(words.field((path[0] or part, path[1])), _value(path, found.hub), _value(path, found.remote))
            for path in sorted({*found.hub, *found.remote})
        ),
    )


def _versions(conn: Connection, calendar_id: int, uid: str) -> list[bytes | None]:
    stored = objects.by_uid(conn, calendar_id, uid)
    return [stored.data] if stored else [version.data for version in versions.of_object(conn, calendar_id, uid)]


def _value(path: Path, change: Change) -> str | None:
    return words.value(path[1], change[path]) if path in change else None


def resolve(
    context: Context, conflict_id: int, *, take: Winner | None, force: bool = False, actor: str = "cli"
) -> Outcome:
    """Let one side's version stand; None accepts what was decided. ``force`` overwrites what was edited since.

    Raises NotFound, and UsageError in plain words for what cannot be: it is resolved, the event is gone, the values were
    changed since, or (of a question) no side was named.
    """
    with context.database.read() as conn:
        found = recorded.get(conn, conflict_id)
        pair = pairs.get(conn, found.pair_id)
        _check_open(conn, found)
    if found.winner == "ask":
        if take is None:
            raise UsageError(f"in conflict {conflict_id} nothing was decided that could be kept: take hub or remote")
        return _answer(context, found, pair, take, actor)
    if take in (None, found.winner):
        with context.database.write() as conn:
            _check_open(conn, recorded.get(conn, conflict_id))
            _close(conn, context, found, pair, "kept", actor)
        return "kept"
    return _give_the_other(context, found, pair, take or "hub", actor, force=force)


def _check_open(conn: Connection, found: RecordedConflict) -> None:
    if all(each.id != found.id for each in recorded.unresolved(conn, found.pair_id)):
        raise UsageError(f"conflict {found.id} is settled already, or there is nothing left to decide")


def _close(
    conn: Connection, context: Context, found: RecordedConflict, pair: Pair, outcome: Outcome, actor: str
) -> None:
    now = context.now()
    recorded.resolve(conn, found.id, now=now)
    calendar = calendars.by_id(conn, pair.calendar_id)
    audit.record(
        conn,
        "conflict.resolved",
        actor=actor,
        principal_id=calendar.principal_id if calendar else None,
        detail={"conflict": found.id, "pair": pair.id, "outcome": outcome.replace(" ", "-")},
        now=now,
    )


def _answer(context: Context, found: RecordedConflict, pair: Pair, take: Winner, actor: str) -> Outcome:
    with held(context, pair.calendar_id, [pair.id]) as conn:
        _check_open(conn, recorded.get(conn, found.id))
        link = links.by_uid(conn, pair.id, [found.uid])[found.uid]
        links.save(conn, pair.id, [replace(again(link), decision=take, quarantine=None, attempts=0)])
        pairs.wake(conn, pair.id, now=context.now())
        _close(conn, context, found, pair, "answered", actor)
    return "answered"


def _give_the_other(
    context: Context, found: RecordedConflict, pair: Pair, take: Winner, actor: str, *, force: bool
) -> Outcome:
    """Lay the values that gave way upon the hub's object."""
    lens = lens_of(context, pair)
    change = found.lost
    uid, part = parts.split(found.uid)
    with context.database.write() as conn:
        changes.lock(conn, pair.calendar_id)
        _check_open(conn, recorded.get(conn, found.id))
        stored = objects.by_uid(conn, pair.calendar_id, uid)
        if stored is None:
            raise UsageError(
                f"the event of conflict {found.id} has been deleted since; 'history restore' brings it back"
            )
        now = _seen(stored.data, lens, part)
        own = parts.read(stored.data).fields
        home = homes.of(conn, pair.calendar_id, [uid]).get(uid) == pair.id and not part
        hidden = frozenset() if home else Projection.from_json(pair.projection).hidden(own)
        change = own_words(change, parts.single(own, part) if part else own, hidden | GUESTS)
        if _patched(now, change) == now:
            _close(conn, context, found, pair, "already so", actor)
            return "already so"
        if take == "hub":
            _check_own(conn, pair, found, lens)
        if not force and _edited_since(conn, found, stored, now, lens):
            raise UsageError(
                f"these fields were changed again after conflict {found.id}; --force overwrites them"
                " (the present version stays in the history)"
            )
        data = _edited(stored.data, part, change, lens, context.now())
        objects.put(conn, stored.calendar_id, stored.href, data, actor=actor, now=context.now(), expected=stored.etag)
        _close(conn, context, found, pair, "taken", actor)
    return "taken"


_NO_LONGER = (
    "the series has changed so much that these values have no place in it; 'history list' has the whole versions"
)


def _patched(now: ObjectFields, change: Change) -> ObjectFields:
    try:
        return patch(now, change)
    except ValueError:
        raise UsageError(_NO_LONGER) from None


def _seen(data: bytes, lens: Lens, part: str) -> ObjectFields:
    try:
        return seen(data, lens, part)
    except Unmappable:
        raise UsageError(_NO_LONGER) from None


def _edited(data: bytes, part: str, change: Change, lens: Lens, now: dt.datetime) -> bytes:
    try:
        return parts.edited(data, part, change, lens, now=now) if part else edited(data, change, lens, now=now)
    except (ValueError, Unmappable):
        raise UsageError(_NO_LONGER) from None


def _edited_since(
    conn: Connection, found: RecordedConflict, stored: StoredObject, now: ObjectFields, lens: Lens
) -> bool:
    """Whether what the conflict was about has another value than right behind it, whoever changed that."""
    uid, part = parts.split(found.uid)
    kept = versions.of_object(conn, stored.calendar_id, uid)
    then = next((version.data for version in kept if version.at <= found.at and version.data is not None), None)
    if then is None:
        return True
    if then == stored.data:
        return False
    try:
        changed = diff(seen(then, lens, part), now)
    except Unmappable:
        return True
    about = {*found.hub, *found.remote}
    instances = {key for key, _ in about if key != MASTER}
    return any(path in about or path[0] in instances for path in changed)


def _check_own(conn: Connection, pair: Pair, found: RecordedConflict, lens: Lens) -> None:
    """In someone else's meeting nothing but the personal fields is anybody's to change: it would be set back at once (R3)."""
    link = links.by_uid(conn, pair.id, [found.uid]).get(found.uid)
    replica = inbox.replicas(conn, pair.id, [link.remote_id]) if link and link.remote_id else {}
    for each in replica.values():
        remote = cases.read(each, lens).remote
        if remote and remote.organized_elsewhere and any(name not in PERSONAL for _, name in found.hub):
            raise UsageError("someone else organises this meeting, so only its organiser can change it")
