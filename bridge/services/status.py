"""How each pair is: what an admin wants to know first, in plain words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from bridge.errors import BridgeError
from bridge.services import advice, noticing, pairing, syncing, words
from bridge.services.context import Context
from bridge.services.lenses import lens_of
from bridge.services.naming import name_of
from bridge.store import conflicts, inbox, links, objects, outbox
from bridge.sync import cases
from bridge.sync.ledger import Link
from bridge.sync.parts import split


@dataclass(frozen=True, slots=True)
class LeftAlone:
    """One event that is not synced, and why.

    ``id`` is how the commands name it: its UID, or the service's id of one that is not here yet. ``title`` is "" where there is
    none or none can be read. ``command`` shows the question that it waits for; None: it waits for no word of anybody.
    """

    uid: str
    id: str
    title: str
    reason: str
    command: str | None


@dataclass(frozen=True, slots=True)
class PairStatus:
    """``lag_seconds`` is the age of the last success (None: never synced): the figure to alert on (R28).

    ``stale``: that is too long. ``divergences`` is what the last comparison of both sides, at ``audited_at``, found (R42).
    ``paused_until`` (None: it is not) and ``paused_because`` tell of the account's open circuit (R33).
    ``waiting`` are intents whose answer is still open; ``quarantined`` are single events left alone, with the reasons.
    ``command`` brings the pair on that waits for a person; None: it goes on by itself. ``trouble`` is the latest, in plain words.
    What it ``holds`` is events or to-dos.
    """

    pair: int
    here: str
    there: str
    direction: str
    state: str
    last_success: dt.datetime | None
    lag_seconds: float | None
    links: int
    conflicts: int
    waiting: int
    quarantined: tuple[LeftAlone, ...]
    last_error: str | None
    stale: bool
    audited_at: dt.datetime | None
    divergences: int | None
    paused_until: dt.datetime | None = None
    paused_because: str | None = None
    command: str | None = None
    trouble: str | None = None
    holds: str = "events"


def every(context: Context) -> list[PairStatus]:
    now = context.now()
    found = []
    for one in pairing.every(context):
        pair, rests = one.pair, one.account.rests(now)
        manual = pair.manual
        stale = noticing.is_late(context, pair, manual=manual)
        with context.database.read() as conn:
            counted = links.count(conn, pair.id)
            open_conflicts = len(conflicts.unresolved(conn, pair.id))
            waiting = outbox.count(conn, pair.id)
            left_alone = links.quarantined(conn, pair.id)
            again = advice.reconnect(context, conn, one.account) if one.account.needs_reconnect else ""
        state = _state(one, rests=rests, stale=stale)
        found.append(
            PairStatus(
                pair=pair.id,
                here=name_of(one.calendar),
                there=f"{one.account.provider} {one.account.email}: {one.remote.calendar.name}",
                direction=pair.direction,
                state=state,
                last_success=pair.last_success_at,
                lag_seconds=None if pair.last_success_at is None else (now - pair.last_success_at).total_seconds(),
                links=counted,
                conflicts=open_conflicts,
                waiting=waiting,
                quarantined=tuple(_left_alone(context, one, left_alone)) if left_alone else (),
                last_error=pair.last_error,
                stale=stale,
                audited_at=pair.audited_at,
                divergences=pair.divergences,
                paused_until=one.account.closed_until if rests else None,
                paused_because=one.account.closed_reason if rests else None,
                command=_command(state, pair.id, again=again, manual=manual),
                trouble=_trouble(one, rests=rests, manual=manual),
                holds=words.KINDS[one.remote.calendar.component],
            )
        )
    return found


def _state(one: pairing.Bridged, *, rests: bool, stale: bool) -> str:
    if one.account.needs_reconnect:
        return "needs reconnect"
    if rests:
        return "paused"
    if one.pair.parked is not None and not one.pair.approved:
        return "waits for approval"
    if one.pair.last_error:
        return "failing"
    if stale:
        return "stale"
    if one.pair.last_success_at is None:
        return "first sync"
    return "ok"


def _command(state: str, pair_id: int, *, again: str, manual: bool) -> str | None:
    match state:
        case "needs reconnect":
            return again
        case "waits for approval":
            return advice.approve(pair_id)
        case "failing" | "paused" if manual:
            return advice.sync(pair_id)
    return None


def _trouble(one: pairing.Bridged, *, rests: bool, manual: bool) -> str | None:
    if rests and one.account.closed_until is not None:
        return syncing.paused(one.account.closed_until, one.account.closed_reason, one.pair.id, manual=manual)
    error = one.pair.last_error
    # the words were those of its terms then
    return error.replace(syncing.BY_ITSELF, syncing.by_hand(one.pair.id)) if error and manual else error


def _left_alone(context: Context, one: pairing.Bridged, held: list[Link]) -> Iterator[LeftAlone]:
    """By the names that the commands take. Titles of what is only there are read without asking the service."""
    with context.database.read() as conn:
        wholes = {link.uid: split(link.uid)[0] for link in held}
        here = {
            uid: stored for uid, whole in wholes.items() if (stored := objects.by_uid(conn, one.calendar.id, whole))
        }
    there = _titles_there(context, one, [link.remote_id for link in held if link.remote_id and link.uid not in here])
    calendar = name_of(one.calendar)
    for link in held:
        stored, reason = here.get(link.uid), link.quarantine or ""
        title = words.title(stored.data) if stored else there.get(link.remote_id or "", "")
        name = wholes[link.uid] if stored or not link.remote_id else link.remote_id
        command = advice.of_left_alone(reason, pair_id=one.pair.id, calendar=calendar)
        yield LeftAlone(link.uid, name, title, reason, command)


def _titles_there(context: Context, one: pairing.Bridged, ids: list[str]) -> dict[str, str]:
    if not ids:
        return {}
    try:
        lens = lens_of(context, one.pair)
    except BridgeError:  # disconnected, or no OAuth client any more: they have a name still
        return {}
    with context.database.read() as conn:
        replicas = inbox.replicas(conn, one.pair.id, ids)
    found = {id: cases.read(replica, lens).remote for id, replica in replicas.items()}
    return {id: words.one_line(remote.fields.master.summary) for id, remote in found.items() if remote is not None}
