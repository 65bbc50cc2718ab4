"""Which calendar here is mirrored with which one there."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import cast, get_args

from sqlalchemy import Connection

from bridge.errors import AlreadyExists, InvalidCalendarData, NotFound, Unmappable, UsageError
from bridge.ical import objects as ical
from bridge.ical import view
from bridge.services.context import Context
from bridge.services.naming import calendar_named, name_of, nobody
from bridge.store import accounts, audit, calendars, changes, homes, links, objects, pairs, principals, remote_calendars
from bridge.store.accounts import Account
from bridge.store.calendars import Calendar
from bridge.store.pairs import Pair
from bridge.store.remote_calendars import KnownCalendar
from bridge.sync.ledger import Direction, Link
from bridge.sync.projection import Projection, read

_AT_ONCE = 200
_DIGITS = 18
"""No calendar's number is longer; the database takes none that is much larger."""


@dataclass(frozen=True, slots=True)
class Bridged:
    """A pair with both of its sides."""

    pair: Pair
    calendar: Calendar
    remote: KnownCalendar
    account: Account


@dataclass(frozen=True, slots=True)
class Frequency:
    """``realtime``: at once, with ``interval_seconds`` as the safety poll. No interval: only when told to."""

    realtime: bool
    interval_seconds: int | None


def frequency(text: str, *, safety: int) -> Frequency:
    """Read ``realtime``, ``manual`` or a number of minutes. Raises UsageError."""
    match text:
        case "realtime":
            return Frequency(realtime=True, interval_seconds=safety)
        case "manual":
            return Frequency(realtime=False, interval_seconds=None)
    if text.isascii() and text.isdigit() and len(text) <= _DIGITS and 1 <= int(text) <= 7 * 24 * 60:
        return Frequency(realtime=False, interval_seconds=int(text) * 60)
    raise UsageError(f"the frequency {text!r} is none of: realtime, manual, a number of minutes up to a week")


def every(context: Context, owner: str | None = None) -> list[Bridged]:
    """All pairs, or one person's, in the order they were made."""
    with context.database.read() as conn:
        known: list[Bridged] = []
        for pair in pairs.every(conn):
            calendar = calendars.by_id(conn, pair.calendar_id)
            remote = remote_calendars.by_id(conn, pair.remote_calendar_id)
            account = accounts.by_id(conn, remote.account_id) if remote else None
            if calendar and remote and account and owner in (None, calendar.owner):
                known.append(Bridged(pair, calendar, remote, account))
        return known


def add(context: Context, local: str, remote: str, *, direction: str, how_often: str) -> Bridged:
    """Pair ``local`` ("alice/calendar") with ``remote`` (the number that ``calendar list`` shows).

    Raises NotFound, AlreadyExists (the remote calendar has a pair: R19) and UsageError (somebody else's account, a direction
    the remote calendar does not allow).
    """
    if direction not in get_args(Direction):
        raise UsageError(f"the direction {direction!r} is none of: {', '.join(get_args(Direction))}")
    asked = frequency(how_often, safety=context.settings.sync.interval_seconds)
    owner = local.strip("/").partition("/")[0]
    if not (remote.isascii() and remote.isdigit()):
        raise UsageError(f"name the remote calendar by the number that 'calendar list {owner}' shows, not {remote!r}")
    now = context.now()
    with context.database.write() as conn:
        calendar = calendar_named(conn, local)
        known = remote_calendars.by_id(conn, int(remote)) if len(remote) <= _DIGITS else None
        account = accounts.by_id(conn, known.account_id) if known else None
        if known is None or account is None or account.principal_id != calendar.principal_id:
            raise NotFound(f"{owner} has no remote calendar number {remote}; see: caldav-bridge calendar list {owner}")
        _check_kind(conn, calendar, known)
        if pairs.of_remote_calendar(conn, known.id) is not None:
            raise AlreadyExists(f"remote calendar {remote} is mirrored already; two pairs on it would chase each other")
        if (twin := same_calendar_paired(conn, calendar.id, account, known)) is not None:
            raise AlreadyExists(
                f"remote calendar {remote} is mirrored with {name_of(calendar)} already, by pair {twin.id} through another"
                " account that shares it; two pairs on it would chase each other"
            )
        if not known.calendar.writable and direction != "pull":
            raise UsageError(f"remote calendar {remote} is read-only for this account; use --direction pull")
        pair = pairs.add(
            conn,
            calendar_id=calendar.id,
            remote_calendar_id=known.id,
            direction=cast("Direction", direction),
            interval_seconds=asked.interval_seconds,
            realtime=asked.realtime,
            now=now,
        )
        audit.record(
            conn,
            "pair.added",
            actor="cli",
            principal_id=calendar.principal_id,
            detail={"pair": pair.id, "calendar": calendar.id, "remote_calendar": known.id},
            now=now,
        )
    return Bridged(pair, calendar, known, account)


def _check_kind(conn: Connection, calendar: Calendar, known: KnownCalendar) -> None:
    """Raises UsageError for a list of to-dos and a calendar of events: phones want the two apart."""
    if known.calendar.component in calendars.components(calendar.properties):
        return
    what = {"VEVENT": "a calendar of events", "VTODO": "a list of to-dos"}[known.calendar.component]
    others = calendars.of_principal(conn, calendar.owner)
    fit = next((one for one in others if known.calendar.component in calendars.components(one.properties)), None)
    instead = f"; mirror it with {name_of(fit)}" if fit else ""
    raise UsageError(f"remote calendar {known.id} is {what}, which {name_of(calendar)} does not take{instead}")


def same_calendar_paired(conn: Connection, calendar_id: int, account: Account, known: KnownCalendar) -> Pair | None:
    """The pair that mirrors this very calendar of the service with the same one here, through another account (R19).

    A service that gives a shared calendar another id for each who sees it cannot be found out (Microsoft).
    """
    for pair in pairs.of_calendar(conn, calendar_id):
        other = remote_calendars.by_id(conn, pair.remote_calendar_id)
        through = accounts.by_id(conn, other.account_id) if other else None
        if other is None or through is None or other.id == known.id:
            continue
        if (through.provider, through.sandbox, other.calendar.id) == (
            account.provider,
            account.sandbox,
            known.calendar.id,
        ):
            return pair
    return None


def change(
    context: Context,
    pair_id: int,
    *,
    direction: str | None = None,
    how_often: str | None = None,
    projection: Projection | None = None,
    invitations: bool | None = None,
) -> Pair:
    """Keep a pair in another way; None leaves that as it is. Raises NotFound and UsageError.

    Another projection is applied as a diff by the next sync (R22): see ``effect``.
    """
    if direction is not None and direction not in get_args(Direction):
        raise UsageError(f"the direction {direction!r} is none of: {', '.join(get_args(Direction))}")
    with context.database.write() as conn:
        pair = pairs.get(conn, pair_id)
        known = remote_calendars.by_id(conn, pair.remote_calendar_id)
        if known is not None and not known.calendar.writable and direction not in (None, "pull"):
            raise UsageError(
                f"the remote calendar of pair {pair_id} is read-only for this account; only pull is possible"
            )
        asked = Frequency(pair.realtime, pair.interval_seconds)
        if how_often is not None:
            asked = frequency(how_often, safety=context.settings.sync.interval_seconds)
        shown = pair.projection if projection is None else projection.to_json()
        changes.lock(conn, pair.calendar_id)
        kept = pairs.set_terms(
            conn,
            pair_id,
            direction=cast("Direction", direction or pair.direction),
            interval_seconds=asked.interval_seconds,
            realtime=asked.realtime,
            projection=shown,
            invitations=pair.invitations if invitations is None else invitations,
            now=context.now(),
        )
        if (kept.direction, kept.projection, kept.invitations) != (pair.direction, pair.projection, pair.invitations):
            pairs.stop(conn, pair_id)
            links.plan_all_again(conn, pair_id)
        if pair.direction == "pull" != kept.direction and pair.phase == "steady":
            # what is here is copied now as by a first sync: whoever made it has told its guests (R2)
            here = links.unlinked(conn, pair_id, pair.calendar_id)
            links.save(conn, pair_id, [Link(uid, dirty=True, decision="hub") for uid in here])
        return kept


def projected(
    context: Context, pair_id: int, *, level: str | None = None, rules: Sequence[str] | None = None
) -> Projection:
    """What the pair would show with another level, or with these rules in the place of its own; None leaves that as it is.

    So whoever changes the one never shows more by losing the other. Raises NotFound and UsageError.
    """
    with context.database.read() as conn:
        present = Projection.from_json(pairs.get(conn, pair_id).projection)
    wanted = read(present.level if level is None else level, rules or ())
    return wanted if rules is not None else replace(wanted, redactions=present.redactions)


def effect(context: Context, pair_id: int, projection: Projection) -> tuple[int, int]:
    """How many events another projection would change at the remote, of how many that are shown to it (R22).

    Compares what would be shown with what is; nothing is asked of the service. Raises NotFound.
    """
    with context.database.read() as conn:
        pair = pairs.get(conn, pair_id)
        uids = links.settled(conn, pair_id)
    present = Projection.from_json(pair.projection)
    changed = 0
    for first in range(0, len(uids), _AT_ONCE):
        part = uids[first : first + _AT_ONCE]
        with context.database.read() as conn:
            at_home = homes.of(conn, pair.calendar_id, part)
            stored = [objects.by_uid(conn, pair.calendar_id, uid) for uid in part if at_home.get(uid) != pair_id]
        for each in stored:
            with suppress(Unmappable, InvalidCalendarData):
                fields = view.read(ical.parse(each.data)) if each is not None else None
                changed += fields is not None and present.show(fields) != projection.show(fields)
    return changed, len(uids)


def calendars_of(context: Context, owner: str) -> tuple[list[Calendar], list[tuple[Account, list[KnownCalendar]]]]:
    """A person's calendars here, and those of each connected account as they were listed last."""
    with context.database.read() as conn:
        principal = principals.by_name(conn, owner)
        if principal is None:
            raise nobody(owner)
        held = accounts.of_principal(conn, principal.id)
        return calendars.of_principal(conn, owner), [(one, remote_calendars.of_account(conn, one.id)) for one in held]
