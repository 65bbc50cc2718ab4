"""Subscribing to a feed: a calendar of its own here that follows it, and nothing goes the other way."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from dataclasses import dataclass

from sqlalchemy import Connection

from bridge.errors import AlreadyExists, NotFound, ProviderError, UsageError
from bridge.providers.ics.provider import Described, IcsProvider
from bridge.services import pairing, sharing
from bridge.services.context import Context
from bridge.services.naming import nobody
from bridge.store import accounts, audit, calendars, links, pairs, principals, remote_calendars
from bridge.store.accounts import Account
from bridge.store.calendars import Calendar
from bridge.store.pairs import Pair
from bridge.store.remote_calendars import KnownCalendar
from bridge.sync.ports import Refresh

PROVIDER = "ics"

USUAL = dt.timedelta(hours=1)
"""How often a feed is asked that does not say."""
OFTEN, SELDOM = dt.timedelta(minutes=15), dt.timedelta(days=1)
"""Between these a feed's own word counts."""

LONGEST_NAME = 255
"""What a feed calls itself is cut there."""


@dataclass(frozen=True, slots=True)
class Subscribed:
    """``events`` is how many the feed showed when it was looked at."""

    pair: Pair
    calendar: Calendar
    account: Account
    events: int


def subscribe(
    context: Context, owner: str, url: str, *, name: str | None = None, how_often: str | None = None
) -> Subscribed:
    """Look at the feed, then make a calendar for it that follows it from now on.

    ``how_often`` as ``pairing.frequency`` reads it, but for realtime; None: as the feed asks. Raises NotFound, AlreadyExists and
    UsageError (no address, an address that shows no calendar, a name that is too long); none of them repeats the address.
    """
    asked = None if how_often is None else pairing.frequency(how_often, safety=0)
    if asked is not None and asked.realtime:
        raise UsageError("a feed does not tell when it changes: give a number of minutes, or manual")
    if name is not None and len(name) > LONGEST_NAME:
        raise UsageError(f"a calendar's name has at most {LONGEST_NAME} characters, and this one has {len(name)}")
    with context.database.read() as conn:
        if principals.by_name(conn, owner) is None:
            raise nobody(owner)
    provider = _provider(context)
    grant = provider.grant(url=url, username="", password="")
    signed_in = provider.account(_Fresh(grant))
    try:
        seen = signed_in.describe()
    except ProviderError as error:
        raise UsageError(str(error)) from None
    subject, host = signed_in.identity()
    interval = _interval(seen.feed.refresh) if asked is None else asked.interval_seconds
    now = context.now()
    with context.database.write() as conn:
        principal = principals.by_name(conn, owner)
        if principal is None:
            raise nobody(owner)
        account = accounts.add(
            conn,
            context.vault,
            principal_id=principal.id,
            provider=PROVIDER,
            sandbox=False,
            subject=subject,
            email=host,
            grant=grant,
            now=now,
        )
        known = _only(remote_calendars.remember(conn, account.id, [seen.calendar]))
        _refuse_twice(conn, known)
        calendar = _calendar(conn, principal.id, owner, seen, title=name or seen.calendar.name, now=now)
        pair = pairs.add(
            conn,
            calendar_id=calendar.id,
            remote_calendar_id=known.id,
            direction="pull",
            interval_seconds=interval,
            realtime=False,
            now=now,
        )
        audit.record(
            conn,
            "feed.subscribed",
            actor="cli",
            principal_id=principal.id,
            detail={"account": account.id, "pair": pair.id, "calendar": calendar.id},
            now=now,
        )
    return Subscribed(pair, calendar, account, len(seen.feed.objects))


def unsubscribe(context: Context, owner: str, slug: str, *, keep: bool = False) -> None:
    """Forget the feed, and its calendar with it; ``keep`` leaves the calendar and what it holds as the person's own.

    Raises NotFound, and UsageError where the calendar holds, or serves, more than the feed.
    """
    now = context.now()
    with context.database.write() as conn:
        calendar = calendars.get(conn, owner, slug)
        if calendar is None:
            raise NotFound(f"there is no calendar {owner}/{slug}; see: caldav-bridge calendar list {owner}")
        here = pairs.of_calendar(conn, calendar.id)
        feeds = [(pair, account) for pair in here if (account := _feed_of(conn, pair)) is not None]
        if not feeds:
            raise NotFound(f"{owner}/{slug} does not follow a feed")
        if not keep:
            _refuse_loss(conn, calendar, here, feeds[0][0])
        for pair, account in feeds:
            accounts.remove(conn, account.id)
            audit.record(
                conn,
                "feed.unsubscribed",
                actor="cli",
                principal_id=calendar.principal_id,
                detail={"account": account.id, "pair": pair.id, "calendar": calendar.id, "kept": keep},
                now=now,
            )
        if not keep:
            sharing.delete(conn, calendar, now=context.now())


def _provider(context: Context) -> IcsProvider:
    provider = context.providers.get(PROVIDER, sandbox=False)
    if not isinstance(provider, IcsProvider):
        raise TypeError(f"{PROVIDER} is served by {type(provider).__name__}")
    return provider


class _Fresh:
    """A grant that has no row yet; where its feed has moved is found again by the first cycle."""

    def __init__(self, grant: str) -> None:
        self._grant = grant

    def load(self) -> str:
        return self._grant

    def exchange(self, refresh: Refresh) -> str:
        return refresh(self._grant)


def _interval(refresh: dt.timedelta | None) -> int:
    return int(min(max(refresh or USUAL, OFTEN), SELDOM).total_seconds())


def _only(known: list[KnownCalendar]) -> KnownCalendar:
    (one,) = known
    return one


def _refuse_twice(conn: Connection, known: KnownCalendar) -> None:
    pair = pairs.of_remote_calendar(conn, known.id)
    calendar = calendars.by_id(conn, pair.calendar_id) if pair else None
    if calendar is not None:
        raise AlreadyExists(f"{calendar.owner}/{calendar.slug} follows this feed already")


def _calendar(
    conn: Connection, principal_id: int, owner: str, seen: Described, *, title: str, now: dt.datetime
) -> Calendar:
    properties = {
        "tag": "VCALENDAR",
        "D:displayname": " ".join(title.split())[:LONGEST_NAME],
        "C:supported-calendar-component-set": "VEVENT",
    }
    if seen.calendar.color:
        properties["ICAL:calendar-color"] = seen.calendar.color
    taken = {one.slug for one in calendars.of_principal(conn, owner)}
    return calendars.create(conn, principal_id, _slug(title, taken), properties=properties, now=now)


def _slug(title: str, taken: set[str]) -> str:
    """A name for its path that a person recognises: "Müllabfuhr 2026" is mullabfuhr-2026."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    base = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40] or "feed"
    return next(name for n in range(1, len(taken) + 2) if (name := base if n == 1 else f"{base}-{n}") not in taken)


def _feed_of(conn: Connection, pair: Pair) -> Account | None:
    remote = remote_calendars.by_id(conn, pair.remote_calendar_id)
    account = accounts.by_id(conn, remote.account_id) if remote else None
    return account if account is not None and account.provider == PROVIDER else None


def _refuse_loss(conn: Connection, calendar: Calendar, here: list[Pair], feed: Pair) -> None:
    path = f"{calendar.owner}/{calendar.slug}"
    if len(here) > 1:
        raise UsageError(f"{path} is mirrored with other calendars, too; --keep leaves it as it is")
    if own := links.unlinked(conn, feed.id, calendar.id):
        raise UsageError(f"{path} holds {len(own)} event(s) that are not from the feed; --keep leaves them there")
