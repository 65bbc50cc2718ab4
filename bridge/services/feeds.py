"""Feeds: addresses that are secrets, under which a calendar may be read by whoever has them.

An address is shown once and kept as a digest. Reading one that has not changed costs a look at the calendars' revisions: its
ETag is made of them and of all else that its text depends on, so it is known without the text.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import get_args

import sqlalchemy as sa

from bridge.errors import NotFound, UsageError
from bridge.ical import lines, text, times
from bridge.services import passwords, publishing
from bridge.services.naming import nobody
from bridge.services.publishing import Heading, Window
from bridge.store import audit, calendars, feeds, objects, principals
from bridge.store.feeds import Feed
from bridge.store.principals import Principal
from bridge.store.session import Database
from bridge.sync.projection import Level

LARGEST = 1_000_000
"""Bytes. Google takes no more (CLIENTS 1.9), so a feed that would be larger shows fewer days."""

_NOTED_EVERY = dt.timedelta(minutes=1)
_DAY = dt.timedelta(days=1)
_MOST_DAYS = 3650
_NAME_LENGTH = 100
_HINT_LENGTH = 6
_SETTLED = dt.timedelta(minutes=1)
_FILE_NAME = re.compile(r"[^A-Za-z0-9]+")


class Ended(NotFound):
    """An address that was good once: its feed was taken back, or has another one now."""


@dataclass(frozen=True, slots=True)
class Address:
    """``path`` is below the server's own address, and a secret."""

    feed: Feed
    path: str


@dataclass(frozen=True, slots=True)
class Listed:
    feed: Feed
    calendars: list[str]


@dataclass(frozen=True, slots=True)
class State:
    """What is known of a feed's text without it: equal ``etag`` means equal text.

    ``dated`` is what it is dated: not within the last minute, for more may be written that bears the same second, and who
    asks by the date alone must hear of it (RFC 9110 §8.8.2.2).
    """

    feed: Feed
    etag: str
    modified_at: dt.datetime
    dated: dt.datetime
    since: dt.datetime


@dataclass(frozen=True, slots=True)
class Content:
    """``narrowed`` are the past and future days that the text was cut to, None if it has the whole window.

    ``left_out`` are objects that cannot be read, or that are too large.
    """

    text: bytes
    narrowed: list[int] | None
    left_out: int


def add(
    database: Database,
    principal: str,
    slugs: Sequence[str],
    *,
    name: str = "",
    shows: str = "full",
    past_days: int = 90,
    future_days: int = 730,
    actor: str = "cli",
    now: dt.datetime,
) -> Address:
    """Make a feed of some of a person's calendars, called as the first of them unless it has a ``name``.

    Raises UsageError, NotFound and AlreadyExists.
    """
    if shows not in get_args(Level):
        raise UsageError(f"a feed shows one of {', '.join(get_args(Level))}, not {shows!r}")
    for days in (past_days, future_days):
        if not 0 <= days <= _MOST_DAYS:
            raise UsageError(f"a feed's window has 0 to {_MOST_DAYS} days before and after today")
    with database.write() as conn:
        owner = _owner(conn, principal)
        found = []
        for slug in dict.fromkeys(slugs):
            calendar = calendars.get(conn, principal, slug)
            if calendar is None or slug.startswith("."):
                raise NotFound(f"there is no calendar {principal}/{slug}; see: caldav-bridge calendar list {principal}")
            found.append(calendar)
        if not found:
            raise UsageError("name at least one calendar")
        title = (name or _title(found[0].properties, found[0].slug)).strip()
        if not title or len(title) > _NAME_LENGTH or not title.isprintable():
            raise UsageError(f"a feed's name has 1 to {_NAME_LENGTH} printable characters")
        secret = _new_secret()
        feed = feeds.add(
            conn,
            owner.id,
            title,
            passwords.digest(secret),
            [each.id for each in found],
            hint=_hint(secret),
            shows=shows,
            past_days=past_days,
            future_days=future_days,
            now=now,
        )
        _note(conn, "feed.add", feed, owner, actor, now)
    return Address(feed, _path(secret, title))


def listed(conn: sa.Connection, principal: str) -> list[Listed]:
    """A person's feeds, with the names of their calendars. Raises NotFound."""
    owner = _owner(conn, principal)
    return [
        Listed(feed, [each.slug for each in feeds.calendars_of(conn, feed.id)])
        for feed in feeds.of_principal(conn, owner.id)
    ]


def rotate(database: Database, principal: str, name: str, *, actor: str = "cli", now: dt.datetime) -> Address:
    """Give a feed another address; under the old one it is gone at once. Raises NotFound."""
    with database.write() as conn:
        owner, feed = _named(conn, principal, name)
        secret = _new_secret()
        feeds.set_digest(conn, feed, passwords.digest(secret), hint=_hint(secret), now=now)
        _note(conn, "feed.rotate", feed, owner, actor, now)
    return Address(feed, _path(secret, feed.name))


def revoke(database: Database, principal: str, name: str, *, actor: str = "cli", now: dt.datetime) -> None:
    """Its address is good no more. Raises NotFound."""
    with database.write() as conn:
        owner, feed = _named(conn, principal, name)
        feeds.delete(conn, feed.id, feed.digest, now=now)
        _note(conn, "feed.revoke", feed, owner, actor, now)


def _owner(conn: sa.Connection, principal: str) -> Principal:
    owner = principals.by_name(conn, principal)
    if owner is None:
        raise nobody(principal)
    return owner


def _named(conn: sa.Connection, principal: str, name: str) -> tuple[Principal, Feed]:
    owner = _owner(conn, principal)
    for feed in feeds.of_principal(conn, owner.id):
        if feed.name == name:
            return owner, feed
    raise NotFound(f"{principal!r} has no feed {name!r}; see: caldav-bridge feed list {principal}")


def _note(conn: sa.Connection, action: str, feed: Feed, owner: Principal, actor: str, now: dt.datetime) -> None:
    audit.record(
        conn, action, actor=actor, now=now, principal_id=owner.id, detail={"feed": feed.id, "shows": feed.shows}
    )


def _new_secret() -> str:
    return secrets.token_urlsafe(32)


def _hint(secret: str) -> str:
    """Enough to know an address by, and far too little to guess the rest."""
    return secret[:_HINT_LENGTH]


def _path(secret: str, name: str) -> str:
    """With a name at the end, for programs that call the calendar by it, and ``.ics`` for those that look for that."""
    return f"/feeds/{secret}/{_FILE_NAME.sub('-', name).strip('-').lower() or 'calendar'}.ics"


def state(conn: sa.Connection, secret: str, *, now: dt.datetime) -> State:
    """Raises NotFound, and Ended for an address that was good once."""
    digest = passwords.digest(secret)
    feed = feeds.by_digest(conn, digest)
    if feed is None:
        raise Ended("that feed has ended") if feeds.is_former(conn, digest) else NotFound("there is no such feed")
    today = now.astimezone(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    since, until = today - feed.past_days * _DAY, today + (feed.future_days + 1) * _DAY
    held = feeds.calendars_of(conn, feed.id)
    holds = [(each.id, each.revision, each.modified_at.isoformat()) for each in held]
    depends = (
        publishing.VERSION,
        feed.id,
        feed.digest,
        feed.name,
        feed.shows,
        since.isoformat(),
        until.isoformat(),
        holds,
    )
    modified_at = max([today, feed.changed_at or feed.created_at, *(each.modified_at for each in held)])
    return State(
        feed,
        f'"{hashlib.sha256(repr(depends).encode()).hexdigest()[:32]}"',
        modified_at,
        min(modified_at, now - _SETTLED),
        since,
    )


def content(conn: sa.Connection, of: State) -> Content:
    """The text. Of the window there is as much as Google takes: fewer days back first, then fewer ahead."""
    feed = of.feed
    held = feeds.calendars_of(conn, feed.id)
    first = held[0].properties if held else {}
    color = first.get("ICAL:calendar-color", "") if len(held) == 1 else ""
    heading = Heading(feed.name, _zone(first), color if isinstance(color, str) else "")
    spans = list(_spans(feed.past_days, feed.future_days))
    today = of.since + feed.past_days * _DAY
    windows = [Window(today - past * _DAY, today + (future + 1) * _DAY) for past, future in spans]
    stored = [
        each for calendar in held for each in objects.in_range(conn, calendar.id, windows[0].since, windows[0].until)
    ]
    level: Level = feed.shows  # type: ignore[assignment]
    made = publishing.render(stored, heading, level=level, secret=feed.digest, windows=windows, largest=LARGEST)
    return Content(made.text, list(spans[made.window]) if made.window else None, made.left_out)


def _spans(past: int, future: int) -> Iterator[tuple[int, int]]:
    """Ever fewer days back and ahead."""
    yield past, future
    while past or future > 1:
        past, future = (past // 2, future) if past else (past, future // 2)
        yield past, future


def fetched(database: Database, feed: Feed, made: Content | None, *, agent: str, now: dt.datetime) -> None:
    """Note that somebody came, at most once a minute; ``made`` is what was sent, and at once if it leaves out more or less."""
    before = feed.narrowed, feed.left_out
    narrowed, left_out = before if made is None else (made.narrowed, made.left_out)
    if feed.fetched_at is None or now - feed.fetched_at >= _NOTED_EVERY or (narrowed, left_out) != before:
        with database.write() as conn:
            feeds.fetched(conn, feed.id, agent=agent, narrowed=narrowed, left_out=left_out, now=now)


def _title(properties: object, slug: str) -> str:
    name = properties.get("D:displayname") if isinstance(properties, dict) else None
    return name if isinstance(name, str) and name.strip() else slug


def _zone(properties: object) -> str:
    """The IANA name of a calendar's own zone."""
    given = properties.get("C:calendar-timezone") if isinstance(properties, dict) else None
    if not isinstance(given, str):
        return ""
    tzid = next((line.value for line in lines.read(given) if line.name == "TZID"), "")
    return times.resolve_zone(text.unescape(tzid).strip(), None) or "" if tzid else ""
