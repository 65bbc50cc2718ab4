"""Taking back what was set up: a pair that mirrors no more, an account that is disconnected. No event goes, on either side.

What an object's home was is nobody's home then, and nobody invites its guests anew (R1). The service is told last and as far as
it answers: what we hold is gone by then, so nothing of it can be half removed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from bridge.errors import BridgeError, NotFound, UsageError
from bridge.providers.oauth import Revokes
from bridge.services import providers, pushes, words
from bridge.services.context import Context
from bridge.services.naming import name_of, nobody
from bridge.services.noticing import KINDS
from bridge.store import (
    accounts,
    audit,
    calendars,
    changes,
    channels,
    former,
    history,
    homes,
    notices,
    outbox,
    pairs,
    principals,
    remote_calendars,
)
from bridge.store.accounts import Account
from bridge.store.calendars import Calendar
from bridge.store.channels import PairChannel
from bridge.store.grants import Grants
from bridge.store.pairs import Pair
from bridge.store.remote_calendars import KnownCalendar
from bridge.store.side import Snapshot


@dataclass(frozen=True, slots=True)
class Parting:
    """A pair that goes, or is gone. ``unsent``: changes made here that had not reached ``service`` when it was looked at.

    ``settings`` are the commands whose word about this pair ends with it: ``calendar truth``, ``calendar home``.
    ``silenced`` is False where the service could not be told to notify us no more: it stops by itself.
    """

    pair: int
    here: str
    there: str
    service: str
    unsent: int
    settings: tuple[str, ...] = ()
    silenced: bool = True


@dataclass(frozen=True, slots=True)
class Leaving:
    """An account that goes, or is gone, with its ``pairs``.

    ``revoked``: its service has taken the consent back; None: not tried, and ``by_hand`` says why, and what to do.
    """

    account: int
    user: str
    provider: str
    email: str
    pairs: tuple[Parting, ...]
    revoked: bool | None = None
    by_hand: str = ""


@dataclass(frozen=True, slots=True)
class _Sides:
    """A pair with all that belongs to it."""

    pair: Pair
    calendar: Calendar
    remote: KnownCalendar
    account: Account


def foresee_pair(context: Context, pair_id: int) -> Parting:
    """What removing this pair would end. Raises NotFound, and UsageError for one that follows a feed."""
    with context.database.read() as conn:
        sides = _sides(conn, pairs.get(conn, pair_id))
        _refuse_feed(sides.account, sides.calendar)
        return _parting(conn, sides)


def remove_pair(context: Context, pair_id: int, *, actor: str = "cli") -> Parting:
    """Forget the pair and its memory; a worker that is at work on it writes nothing any more (LeaseLost).

    Should these two be paired again, they find each other's events (``store.former``). Raises as ``foresee_pair`` does.
    """
    with context.database.write() as conn:
        sides = _sides(conn, pairs.get(conn, pair_id))
        _refuse_feed(sides.account, sides.calendar)
        gone, held = _remove(conn, sides, actor=actor, now=context.now())
    return replace(gone, silenced=pushes.stop(context, sides.account, sides.remote.calendar, held))


def foresee_account(context: Context, user: str, which: str) -> Leaving:
    """What disconnecting would end. ``which`` is a provider's name, or an account's address or number.

    Raises NotFound, and UsageError where several are meant, or a feed.
    """
    with context.database.read() as conn:
        account = _account(conn, user, which)
        every = [_sides(conn, pair) for pair in _pairs_of(conn, account)]
        partings = tuple(_parting(conn, sides) for sides in every)
    return Leaving(account.id, user, account.provider, account.email, partings)


def disconnect(context: Context, user: str, which: str, *, actor: str = "cli") -> Leaving:
    """Remove the account's pairs, give its consent back where the service takes it, and delete its tokens.

    Raises as ``foresee_account`` does.
    """
    now = context.now()
    with context.database.write() as conn:
        account = _account(conn, user, which)
        every = [_sides(conn, pair) for pair in _pairs_of(conn, account)]
        removed = [(sides, *_remove(conn, sides, actor=actor, now=now)) for sides in every]
    gone = tuple(
        replace(parting, silenced=pushes.stop(context, account, sides.remote.calendar, held))
        for sides, parting, held in removed
    )
    revoked, by_hand = _give_back(context, account)
    with context.database.write() as conn:
        if accounts.by_id(conn, account.id) is not None:  # nobody else was quicker
            accounts.remove(conn, account.id)
        for kind in KINDS:
            notices.clear(conn, kind, f"account:{account.id}", now=now)
        audit.record(
            conn,
            "account.disconnected",
            actor=actor,
            principal_id=account.principal_id,
            detail={"account": account.id, "pairs": len(gone), "revoked": int(revoked is True)},
            now=now,
        )
    return Leaving(account.id, user, account.provider, account.email, gone, revoked, by_hand)


def _sides(conn: Connection, pair: Pair) -> _Sides:
    calendar = calendars.by_id(conn, pair.calendar_id)
    remote = remote_calendars.by_id(conn, pair.remote_calendar_id)
    account = accounts.by_id(conn, remote.account_id) if remote else None
    if calendar is None or remote is None or account is None:
        raise NotFound(f"there is no pair {pair.id}")
    return _Sides(pair, calendar, remote, account)


def _refuse_feed(account: Account, calendar: Calendar) -> None:
    if account.provider in providers.FEEDS:
        command = f"caldav-bridge calendar unsubscribe {calendar.owner} {calendar.slug}"
        raise UsageError(
            f"{name_of(calendar)} follows a feed: {command} ends that and deletes the calendar; with --keep it stays"
        )


def _parting(conn: Connection, sides: _Sides) -> Parting:
    pair, account = sides.pair, sides.account
    settings = []
    if sides.calendar.truth == f"pair:{pair.id}":
        settings.append("calendar truth")
    if sides.calendar.home_pair_id == pair.id:
        settings.append("calendar home")
    return Parting(
        pair.id,
        name_of(sides.calendar),
        f"{account.provider} {account.email}: {sides.remote.calendar.name}",
        words.provider(account.provider) if account.provider in providers.NAMES else "the server",
        _unsent(conn, pair),
        tuple(settings),
    )


def _unsent(conn: Connection, pair: Pair) -> int:
    """Events with a change that was made here and has not reached the remote: planned and not answered, or not planned yet."""
    if pair.direction == "pull":
        return 0
    memory = Snapshot(conn, pair)
    known = remote_calendars.by_id(conn, pair.remote_calendar_id)
    held = known.calendar.component if known else "VEVENT"
    fresh = [change.uid for change in memory.hub_changes(pair.hub_cursor)]
    events = memory.hub_objects(fresh)
    waiting = set(outbox.every_uid(conn, pair.id))
    for uid in fresh:
        if uid in events and events[uid].component != held:
            continue
        newest = next(iter(history.of_object(conn, pair.calendar_id, uid)), None)
        if newest is None or newest.actor != f"pair:{pair.id}":
            waiting.add(uid)
    return len(waiting)


def _remove(conn: Connection, sides: _Sides, *, actor: str, now: dt.datetime) -> tuple[Parting, list[PairChannel]]:
    """Take the pair out of the database, and hand back what its service is still to be told."""
    pair, calendar = sides.pair, sides.calendar
    changes.lock(conn, calendar.id)
    gone = _parting(conn, sides)
    held = channels.of_pair(conn, pair.id)
    former.remember(conn, calendar.id, sides.remote.id, pair_id=pair.id, now=now)
    homes.hush(conn, calendar.id, homes.at(conn, pair.id), but=pair.id)
    if "calendar truth" in gone.settings:
        calendars.set_truth(conn, calendar.id, "newest")
    if "calendar home" in gone.settings:
        calendars.set_home_pair(conn, calendar.id, None)
    pairs.remove(conn, pair.id)
    for kind in KINDS:
        notices.clear(conn, kind, f"pair:{pair.id}", now=now)
    audit.record(
        conn,
        "pair.removed",
        actor=actor,
        principal_id=calendar.principal_id,
        detail={
            "pair": pair.id,
            "calendar": calendar.id,
            "remote_calendar": sides.remote.id,
            "unsent": gone.unsent,
        },
        now=now,
    )
    return gone, held


def _pairs_of(conn: Connection, account: Account) -> list[Pair]:
    """By calendar, the order in which several of them are locked (``changes.lock``)."""
    known = {one.id for one in remote_calendars.of_account(conn, account.id)}
    found = [pair for pair in pairs.every(conn) if pair.remote_calendar_id in known]
    return sorted(found, key=lambda pair: (pair.calendar_id, pair.id))


def _account(conn: Connection, user: str, which: str) -> Account:
    principal = principals.by_name(conn, user)
    if principal is None:
        raise nobody(user)
    held = accounts.of_principal(conn, principal.id)
    found = [one for one in held if which in (one.provider, one.email, str(one.id))]
    if not found:
        raise NotFound(f"{user} has no account {which!r}; see: caldav-bridge account list")
    if len(found) > 1:
        names = ", ".join(f"{one.id} ({_name(one)})" for one in found)
        raise UsageError(f"{user} has several accounts {which!r}; name one by its number: {names}")
    (account,) = found
    if account.provider in providers.FEEDS:
        raise UsageError(f"a feed is no account: caldav-bridge calendar unsubscribe {user} CALENDAR ends following it")
    return account


def _name(account: Account) -> str:
    return f"{account.provider}{' sandbox' if account.sandbox else ''} {account.email}"


def _give_back(context: Context, account: Account) -> tuple[bool | None, str]:
    """Whether the service has taken the consent back (None: not tried), and what is left to the person."""
    name = words.provider(account.provider)
    match account.provider:
        case "google":
            by_hand = "it can be taken back at https://myaccount.google.com/connections"
        case "microsoft":
            by_hand = (
                "Microsoft lets no program take its consent back: do it at https://account.live.com/consent/Manage,"
                " for an account of work or school at https://myapps.microsoft.com"
            )
        case _:
            by_hand = "if the password was made for this server alone, delete it there"
    if _shared(context, account):
        return None, f"somebody else here is connected to the same {name} account, so its consent was left as it is"
    try:
        provider = context.providers.get(account.provider, sandbox=account.sandbox)
        if not isinstance(provider, Revokes):
            return None, by_hand
        provider.revoke(Grants(context.database, context.vault, account.id, now=context.now).load())
    except BridgeError:
        return False, f"{name} could not be told that the consent has ended: {by_hand}"
    return True, ""


def _shared(context: Context, account: Account) -> bool:
    """A consent belongs to a person at the service, not to one here: ending it would end the other one's, too."""
    with context.database.read() as conn:
        others: Sequence[Account] = accounts.every(conn)
    this = (account.provider, account.sandbox, account.subject)
    return any(each.id != account.id and (each.provider, each.sandbox, each.subject) == this for each in others)
