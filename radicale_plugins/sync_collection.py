"""sync-collection (RFC 6578): what is new since a token, in O(changes); of a home, in O(calendars)."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from http import client

import sqlalchemy as sa

from bridge.errors import SyncTokenInvalid
from bridge.store import changes, principals
from bridge.store.calendars import Calendar
from bridge.store.changes import Position
from radicale_plugins import access, dav, home, markup, preferences, tokens, wanted
from radicale_plugins.calendar_data import CalendarData
from radicale_plugins.dav import Answer
from radicale_plugins.home import Known
from radicale_plugins.live import Resource
from radicale_plugins.request import NOT_FOUND, Kind, Place, Request


@dataclass(frozen=True, slots=True)
class _Asked:
    """``limit`` is how many members one answer may name; None: all. ``deep``: those of the members, too."""

    token: str
    limit: int | None
    deep: bool
    data: CalendarData


@dataclass(slots=True)
class _Found:
    """The responses. ``cut``: a limit left something for the next time, which ``token`` begins with."""

    present: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    token: str = ""
    cut: bool = False


def answer(request: Request, root: ET.Element) -> Answer:
    """Depth does not matter: Thunderbird sends 1, others the 0 of the standard (CLIENTS 1.3); sync-level says how deep."""
    asked = _asked(request, root)
    try:
        with request.read() as conn:
            if asked.data.wanted.follow_from_rows(Kind.OBJECT, Kind.CALENDAR):
                request.look(conn)
            find = _of_home if request.place.kind is Kind.HOME else _of_calendar
            found = find(conn, request, asked)
    except SyncTokenInvalid:
        return dav.error(client.FORBIDDEN, "D:valid-sync-token")
    parts = [*found.present, *found.gone]
    if found.cut:
        parts.append(markup.text(dav.too_many(request.url(request.place.path))))
    parts.append(markup.text(dav.element("D:sync-token", content=found.token)))
    return preferences.multistatus(request, "".join(parts))


def _asked(request: Request, root: ET.Element) -> _Asked:
    level = root.findtext(f"{dav.D}sync-level", "1").strip().lower()
    if level not in ("1", "infinite", "infinity"):
        raise dav.Refusal(dav.text(client.BAD_REQUEST, "A sync-level is 1 or infinite."))
    token = (root.findtext(f"{dav.D}sync-token") or "").strip()
    return _Asked(token, _limit(root.find(f"{dav.D}limit")), level != "1", CalendarData(request, root))


def _limit(element: ET.Element | None) -> int | None:
    if element is None:
        return None
    number = element.findtext(f"{dav.D}nresults", "").strip()
    if not (number.isascii() and number.isdigit()):
        raise dav.Refusal(dav.text(client.BAD_REQUEST, "A limit holds nresults, a number."))
    if not number.strip("0"):
        raise dav.Refusal(dav.error(client.FORBIDDEN, "D:number-of-matches-within-limits"))
    return min(int(number[:10]), 1_000_000)


def _of_calendar(conn: sa.Connection, request: Request, asked: _Asked) -> _Found:
    calendar = request.calendar(conn)
    after = tokens.position(calendar, asked.token) if asked.token else None
    found = _members(conn, calendar, request.place, after, asked)
    request.tells(calendar, whole=not found.cut)
    return found


def _members(conn: sa.Connection, calendar: Calendar, place: Place, after: Position | None, asked: _Asked) -> _Found:
    """What changed in a calendar behind a position; all its members without one, and no deleted ones (D-11)."""
    found = _Found(token=tokens.sync_token(calendar))
    members = asked.data.members(calendar, place)
    if after is None:
        if asked.limit is None:
            found.present = list(members.every(conn))
            return found
        after = Position(0, fresh=calendar.revision)
    limit = None if asked.limit is None else asked.limit + 1
    changed = changes.page(conn, calendar.id, after, limit, known=(calendar.floor, calendar.revision))
    if asked.limit is not None and len(changed) > asked.limit:
        del changed[asked.limit :]
        last = changed[-1]
        found.token = tokens.partial_token(calendar, Position(last.revision, last.deleted, last.href, after.fresh))
        found.cut = True
    found.present = members.named(conn, {each.href: each.etag for each in changed if not each.deleted})
    found.gone = [members.gone(each.href) for each in changed if each.deleted]
    return found


def _of_home(conn: sa.Connection, request: Request, asked: _Asked) -> _Found:
    """Which calendars changed, were made or went; with ``deep`` also which of their members.

    A limit ends the answer between two calendars: its token knows those that were told, and the rest as before.
    """
    owner = request.place.owner
    principal = principals.by_name(conn, owner)
    if principal is None:
        raise dav.Refusal(NOT_FOUND)
    known = home.read(asked.token) if asked.token else {}
    members = {each.slug: each for each in access.members(request, conn, owner)}
    now = home.state(members.values())
    if any(
        slug in now and now[slug].id == each.id and each.revision > now[slug].revision for slug, each in known.items()
    ):
        raise SyncTokenInvalid("from the future")  # see tokens.position
    told = dict(known)
    found = _Found()
    for slug in (*(slug for slug in known if slug not in now), *now):
        if known.get(slug) == now.get(slug):
            continue
        part = _of_member(conn, request, Place(owner, slug), principal, members.get(slug), known.get(slug), asked)
        size = len(found.present) + len(found.gone) + len(part.present) + len(part.gone)
        if asked.limit is not None and size > asked.limit:
            if told == known:
                raise dav.Refusal(dav.error(client.FORBIDDEN, "D:number-of-matches-within-limits"))
            found.cut = True
            break
        found.present += part.present
        found.gone += part.gone
        if slug in now:
            told[slug] = now[slug]
        else:
            told.pop(slug)
    # in the home's own order, or the same state would have two tokens
    found.token = home.token({slug: told[slug] for slug in (*now, *told) if slug in told})
    return found


def _of_member(
    conn: sa.Connection,
    request: Request,
    place: Place,
    principal: principals.Principal,
    calendar: Calendar | None,
    known: Known | None,
    asked: _Asked,
) -> _Found:
    if calendar is None:
        return _Found(gone=[markup.text(dav.response(request.url(place.path), dav.status_line(client.NOT_FOUND)))])
    here = wanted.response(Resource(place, principal, calendar), asked.data.wanted, request)
    found = _Found(present=[markup.text(here)])
    if asked.deep:
        if known is not None and known.id != calendar.id:
            raise SyncTokenInvalid("another one of that name")  # what the old one held could not be named any more
        after = None if known is None else Position(known.revision)
        inner = _members(conn, calendar, place, after, _Asked("", None, deep=False, data=asked.data))
        found.present += inner.present
        found.gone += inner.gone
    return found
