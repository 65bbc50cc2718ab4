"""What became of a calendar's objects, told in words, and any version of one put back (R35)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection

from bridge.errors import InvalidCalendarData, NotFound, ObjectChanged, UsageError
from bridge.services import scheduling, words
from bridge.services.context import Context
from bridge.services.naming import calendar_named, whole_uid
from bridge.services.scheduling import Scheduling
from bridge.store import audit, objects
from bridge.store import history as versions
from bridge.store.history import Version
from bridge.store.objects import Expected, StoredObject

PAGE = 50

What = Literal["created", "changed", "deleted", "restored"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One version. ``fields`` names what was changed, in words; empty where only details did that no field shows.

    ``restored``: it was there again after a deletion. ``title`` of a deletion is the one that the object had.
    """

    revision: int
    at: dt.datetime
    who: str
    what: What
    fields: tuple[str, ...]
    uid: str
    title: str


@dataclass(frozen=True, slots=True)
class Restored:
    """``changed`` is False where that version is the present one: nothing was written."""

    uid: str
    title: str
    revision: int
    changed: bool


def of_calendar(
    context: Context,
    name: str,
    *,
    since: dt.datetime | None = None,
    before: int | None = None,
    limit: int = PAGE,
) -> list[Entry]:
    """What was done in a calendar, newest first; the next page is ``before`` the last entry's revision.

    What one transaction did is never cut in two, so a page may be longer than ``limit``. Raises NotFound, UsageError.
    """
    if limit < 1:
        raise UsageError("a page has at least one entry")
    with context.database.read() as conn:
        calendar = calendar_named(conn, name)
        return _entries(conn, versions.recent(conn, calendar.id, since=since, before=before, limit=limit))


def of_object(context: Context, name: str, uid: str, *, since: dt.datetime | None = None) -> list[Entry]:
    """All versions of one object that are kept, newest first; the beginning of a UID will do. Raises NotFound, UsageError."""
    with context.database.read() as conn:
        calendar = calendar_named(conn, name)
        found = _kept(conn, calendar.id, uid)
        if not found:
            raise NotFound(f"the history of {name} knows no {uid!r}; see: caldav-bridge history list {name}")
        return _entries(conn, [version for version in found if since is None or version.at >= since])


def _kept(conn: Connection, calendar_id: int, uid: str) -> list[Version]:
    """Raises UsageError: that is the beginning of several UIDs."""
    if found := versions.of_object(conn, calendar_id, uid):
        return found
    meant = whole_uid(uid, versions.beginning(conn, calendar_id, uid, limit=2))
    return versions.of_object(conn, calendar_id, meant) if meant is not None else []


def _entries(conn: Connection, found: list[Version]) -> list[Entry]:
    """An object that moved to another name has two rows at one revision, of which the one that is alive tells it all."""
    alive = {(version.revision, version.uid) for version in found if version.data is not None}
    shown = [version for version in found if version.data is not None or (version.revision, version.uid) not in alive]
    who = {name: words.actor(conn, name) for name in {version.actor for version in shown}}
    return [_entry(version, versions.replaced_by(conn, version), who[version.actor]) for version in shown]


def _entry(version: Version, old: Version | None, who: str) -> Entry:
    what: What = "changed"
    fields: tuple[str, ...] = ()
    title = words.title(version.data)
    if version.data is None:
        what, title = "deleted", words.title(old.data if old else None)
    elif old is None:
        what = "created"
    elif old.data is None:
        what = "restored"
    else:
        fields = words.changed(old.data, version.data)
    return Entry(version.revision, version.at, who, what, fields, version.uid, title)


def restore(context: Context, name: str, uid: str, *, revision: int | None = None, actor: str = "cli") -> Restored:
    """Put a version back as the newest one, byte for byte; the calendar's pairs carry it on as any other edit.

    The beginning of a UID will do. Without ``revision`` it is the version before the present one, or the last one of what was
    deleted. Guests are told of it as of any change, and how they were told is then noted in it. Raises NotFound and UsageError.
    """
    now = context.now()
    with context.database.write() as conn:
        calendar = calendar_named(conn, name)
        kept = _kept(conn, calendar.id, uid)
        uid = kept[0].uid if kept else uid
        present = objects.by_uid(conn, calendar.id, uid)
        wanted = _wanted(kept, present is not None, uid, revision)
        if wanted.data is None:
            raise UsageError(f"at revision {wanted.revision} {uid!r} was deleted; choose one at which it was there")
        title = words.title(wanted.data)
        if present is not None and present.data == wanted.data:
            return Restored(uid, title, wanted.revision, changed=False)
        href, expected = _whither(conn, wanted, present)
        try:
            scheduling.put(
                conn,
                calendar,
                href,
                wanted.data,
                actor=actor,
                now=now,
                expected=expected,
                by=Scheduling.by(context.settings),
            )
        except InvalidCalendarData as error:
            raise UsageError(f"{title or uid!r} cannot be put back: {error.reason}") from error
        except ObjectChanged:
            raise UsageError(
                f"{title or uid!r} was changed at this very moment; look at it, and say it again"
            ) from None
        audit.record(
            conn,
            "object.restored",
            actor=actor,
            principal_id=calendar.principal_id,
            detail={"calendar": calendar.id, "revision": wanted.revision},
            now=now,
        )
    return Restored(uid, title, wanted.revision, changed=True)


def put_back(
    conn: Connection, version: Version, data: bytes, present: StoredObject | None, *, actor: str, now: dt.datetime
) -> None:
    """Make ``data`` of this version the newest one in a connected calendar, whose provider tells the guests."""
    href, expected = _whither(conn, version, present)
    objects.put(conn, version.calendar_id, href, data, actor=actor, now=now, expected=expected)


def _whither(conn: Connection, version: Version, present: StoredObject | None) -> tuple[str, str | Expected]:
    """Over ``present``; where that is gone under its old href, if it is free."""
    if present is not None:
        return present.href, present.etag
    taken = objects.get(conn, version.calendar_id, version.href) is not None
    href = objects.free_href(conn, version.calendar_id, version.uid) if taken else version.href
    return href, objects.ABSENT


def _wanted(kept: list[Version], there: bool, uid: str, revision: int | None) -> Version:
    if not kept:
        raise NotFound(f"the history knows no {uid!r}")
    if revision is not None:
        found = next((version for version in kept if version.revision == revision), None)
        if found is None:
            raise NotFound(f"{uid!r} has no version of revision {revision}; 'history list' shows which there are")
        return found
    alive = [version for version in kept if version.data is not None]
    if there:
        alive = alive[1:]
    if not alive:
        raise UsageError(f"history has no version of {uid!r} but the present one")
    return alive[0]
