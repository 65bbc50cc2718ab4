"""What needs a person is noticed, and told: by what the database says, not by what failed on the way (R28).

``review`` raises what is true and clears what is true no more; ``deliver`` sends what was not sent yet. A worker does both
every minute; where none runs, ``stale_pairs`` tells whoever asks.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import sqlalchemy as sa
import structlog

from bridge.errors import UsageError
from bridge.notify.sender import Sender, personal
from bridge.notify.words import About, Message, words
from bridge.policy import polling
from bridge.services import advice
from bridge.services.context import Context
from bridge.store import accounts, audit, figures, notices, principals
from bridge.store.accounts import Account
from bridge.store.figures import PairFigures
from bridge.store.notices import Detail, Notice
from bridge.store.pairs import Pair

log = structlog.get_logger(__name__)

KINDS = ("needs_reconnect", "stale", "parked", "paused", "quarantined", "diverged")

FIRST_RETRY = dt.timedelta(minutes=1)
LAST_RETRY = dt.timedelta(hours=6)

_QUIET = 1_000_000
"""Looks that found nothing, after which a pair in real time is looked after as seldom as ever."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A notice with its words."""

    notice: Notice
    message: Message


@dataclass(frozen=True, slots=True)
class _Fact:
    kind: str
    subject: str
    principal_id: int
    detail: Detail


def lateness(context: Context, pair: PairFigures | Pair, *, manual: bool) -> dt.timedelta | None:
    """How old a pair's last success is, if that is too old: beyond three intervals and the setting. A manual one's never is.

    In real time its interval is the longest pause that it may come to: a long quiet is no fault.
    """
    if manual:
        return None
    age = context.now() - (pair.last_success_at or pair.created_at)
    interval = dt.timedelta(seconds=pair.interval_seconds or 0)
    if pair.realtime:
        interval = polling.pause(interval, _QUIET, told=False)
    return age if age > max(3 * interval, dt.timedelta(minutes=context.settings.notify.stale_minutes)) else None


def is_late(context: Context, pair: PairFigures | Pair, *, manual: bool) -> bool:
    return lateness(context, pair, manual=manual) is not None


def stale_pairs(context: Context) -> list[int]:
    """Whether a worker runs or not."""
    with context.database.read() as conn:
        return [pair.id for pair in figures.of_pairs(conn) if is_late(context, pair, manual=pair.manual)]


def review(context: Context, *, since: dt.datetime | None = None) -> None:
    """Raise and clear. Events left alone are counted again only in pairs that had a cycle after ``since`` (None: in all).

    Where nothing has changed, nothing is written.
    """
    now = context.now()
    with context.database.read() as conn:
        before = {(each.kind, each.subject): each for each in notices.open_(conn) if each.kind in KINDS}
        every, known = accounts.every(conn), figures.of_pairs(conn)
        facts = [
            *_of_pairs(context, known, _alone(conn, known, before, since)),
            *_paused(context, every, known),
            *_ended(conn, every, before, now),
        ]
    true = {(fact.kind, fact.subject): fact for fact in facts}
    new = [fact for key, fact in true.items() if key not in before or before[key].detail != fact.detail]
    over = before.keys() - true.keys()
    if not new and not over:
        return
    with context.database.write() as conn:
        for fact in new:
            notices.raise_(conn, fact.kind, fact.subject, principal_id=fact.principal_id, detail=fact.detail, now=now)
        for kind, subject in over:
            notices.clear(conn, kind, subject, now=now)


_Open = Mapping[tuple[str, str], Notice]


def _alone(
    conn: sa.Connection, known: list[PairFigures], before: _Open, since: dt.datetime | None
) -> Mapping[int, int]:
    """Events left alone by pair; of a pair that has not moved, as they were counted last."""
    moved = {pair.id for pair in known if since is None or (pair.last_attempt_at or pair.created_at) >= since}
    counted = figures.left_alone(conn, moved)
    rest = {pair.id: before.get(("quarantined", f"pair:{pair.id}")) for pair in known if pair.id not in moved}
    return {**counted, **{id: int(notice.detail["events"]) for id, notice in rest.items() if notice is not None}}


def _ended(conn: sa.Connection, every: list[Account], before: _Open, now: dt.datetime) -> Iterator[_Fact]:
    """Accounts whose consent has ended, and after how many days: Google ends that of an app in testing after seven (G-10)."""
    for one in every:
        if not one.needs_reconnect:
            continue
        subject = f"account:{one.id}"
        notice = before.get(("needs_reconnect", subject))
        detail: dict[str, int | str] = {"account": one.id}
        if notice is not None:
            detail = dict(notice.detail)
        elif consent := audit.latest(conn, one.principal_id, "account.connected", of={"account": one.id}):
            detail["days"] = (now - consent.at).days
        yield _Fact("needs_reconnect", subject, one.principal_id, detail)


def _of_pairs(context: Context, pairs_: list[PairFigures], alone: Mapping[int, int]) -> Iterator[_Fact]:
    for pair in pairs_:
        subject, whose = f"pair:{pair.id}", pair.principal_id
        age = lateness(context, pair, manual=pair.manual)
        if age is not None:
            yield _Fact("stale", subject, whose, {"pair": pair.id, "minutes": int(age.total_seconds()) // 60})
        if pair.parked is not None and not pair.approved:
            counts = {name: int(pair.parked.get(name, 0)) for name in ("hub", "remote", "mails")}
            yield _Fact("parked", subject, whose, {"pair": pair.id, **counts})
        if alone.get(pair.id):
            yield _Fact("quarantined", subject, whose, {"pair": pair.id, "events": alone[pair.id]})
        if pair.divergences:
            yield _Fact("diverged", subject, whose, {"pair": pair.id, "events": pair.divergences})


def _paused(context: Context, every: list[Account], pairs_: list[PairFigures]) -> Iterator[_Fact]:
    """Accounts whose circuit stays open: for that long still, or without a success for that long."""
    now, patience = context.now(), dt.timedelta(minutes=context.settings.notify.paused_minutes)
    for one in every:
        if one.closed_until is None or one.closed_until <= now:
            continue
        successes = [pair.last_success_at or pair.created_at for pair in pairs_ if pair.account_id == one.id]
        if one.closed_until - now >= patience or (successes and now - max(successes) >= patience):
            yield _Fact("paused", f"account:{one.id}", one.principal_id, {"account": one.id})


def open_notices(context: Context) -> list[Shown]:
    """Everybody's, with their words; the oldest first."""
    with context.database.read() as conn:
        held = notices.open_(conn)
        names = _names(context, conn)
    return [Shown(each, _message(each, names)) for each in held]


def _names(context: Context, conn: sa.Connection) -> dict[str, About]:
    found = {
        f"pair:{pair.id}": About(f"{pair.user}/{pair.calendar} <-> {pair.provider} {pair.account_email}", pair.provider)
        for pair in figures.of_pairs(conn)
    }
    for one in accounts.every(conn):
        again = advice.reconnect(context, conn, one) if one.needs_reconnect else ""
        found[f"account:{one.id}"] = About(f"{one.provider} {one.email}", one.provider, again)
    return found


def _message(notice: Notice, names: Mapping[str, About]) -> Message:
    return words(notice.kind, notice.detail, names.get(notice.subject) or About(notice.subject, ""))


def deliver(context: Context) -> int:
    """Send what was not sent yet to the admin and to whose matter it is. Returns how many messages went out.

    Who could not be reached is tried again, later each time; nobody is told twice for the sake of another.
    """
    settings = context.settings.notify
    admin = [url.get_secret_value() for url in settings.urls]
    template = settings.person_url.get_secret_value()
    if not admin and not template:
        return 0
    with context.database.write() as conn:
        taken = notices.unsent(conn, now=context.now())
        people = {one.id: one for one in principals.every(conn)} if taken else {}
        names = _names(context, conn) if taken else {}
    sent = 0
    for notice in taken:
        person = people.get(notice.principal_id or 0)
        ways = {"admin": admin, "person": [personal(template, person.email)] if template and person else []}
        told = set(notice.told)
        for whom, urls in ways.items():
            if whom not in told and urls and Sender(urls).send(_message(notice, names)):
                told.add(whom)
                sent += 1
        left = {whom for whom, urls in ways.items() if urls} - told
        with context.database.write() as conn:
            if left:
                wait = min(FIRST_RETRY * (1 << min(notice.tries, 16)), LAST_RETRY)
                notices.put_off(conn, notice.id, told=told, until=context.now() + wait)
            else:
                notices.sent(conn, notice.id, now=context.now())
        if left:
            log.warning("a notice could not be sent", notice=notice.id, kind=notice.kind, tries=notice.tries + 1)
    return sent


def send_test(context: Context) -> bool:
    """Tell the admin's addresses that messages arrive. Raises UsageError if there is none, or one that is not known."""
    sender = Sender([url.get_secret_value() for url in context.settings.notify.urls])
    if not len(sender):
        raise UsageError("no address is set: put [notify] urls into config.toml (docs/how-to/be-told.md)")
    return sender.send(Message("caldav-bridge", "Messages of this server arrive here."))
