"""On what condition a request is to be carried out (RFC 9110 §13, the If header of RFC 4918 §10.4, RFC 6578 §5).

What does not hold is answered 412, and nothing has happened. Always asked in the transaction that acts.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import client

import sqlalchemy as sa

from bridge.policy.access import Access
from bridge.store import changes, objects
from bridge.store.objects import ABSENT, ANY, Expected, StoredObject
from radicale_plugins import access, dav, home, tokens
from radicale_plugins.request import Kind, Place, Request

PRECONDITION_FAILED = dav.text(client.PRECONDITION_FAILED, "The resource is not in the state the request assumes.")

_SCHEDULE_TAG = "If-Schedule-Tag-Match"
_TOKEN = re.compile(r"\s*(?:(\()|(\))|(Not)\b|<([^<>\s]*)>|\[([^\[\]]*)\])", re.IGNORECASE)


def expectation(request: Request, conn: sa.Connection, existing: StoredObject | None) -> str | Expected:
    """What the request says must be there. Raises dav.Refusal 412.

    An If-Match for an object that is gone fails, it does not make it anew: DAVx5 settles for the deletion (R37).
    """
    if is_by_schedule_tag(request):
        tag = None if existing is None else tokens.schedule_tag(existing)
        if existing is None or tag is None or tag not in dav.etags(request.header(_SCHEDULE_TAG)):
            raise dav.Refusal(PRECONDITION_FAILED)
        return existing.etag
    if existing is None:
        require(request, conn, None, None)
        return ABSENT if request.header("If-None-Match") else ANY
    require(request, conn, existing.etag, existing.modified_at)
    is_named = any(request.header(name) for name in ("If-Match", "If-Unmodified-Since", "If"))
    return existing.etag if is_named else ANY


def is_by_schedule_tag(request: Request) -> bool:
    """Whether the client says it knows all but the answers of others (RFC 6638 §8.3), which the server then keeps.

    It counts instead of If-Match. iOS sometimes sends it empty, and means nothing by it (CLIENTS 1.1).
    """
    return request.scheduling.enabled and bool(request.header(_SCHEDULE_TAG).strip())


def require(
    request: Request, conn: sa.Connection, etag: str | None, modified: dt.datetime | None, *, reading: bool = False
) -> None:
    """Raises dav.Refusal 412 if the resource, which has this etag, is not as the request wants it; None: there is none.

    In the order of RFC 9110 §13.2.2. If-Match is compared strongly, If-None-Match weakly; when only ``reading``, that one
    is no condition but a question (``is_fresh``).
    """
    match, none_match = request.header("If-Match"), request.header("If-None-Match")
    if match:
        if etag is None or (match.strip() != "*" and etag not in dav.etags(match)):
            raise dav.Refusal(PRECONDITION_FAILED)
    elif modified is not None:
        since = _date(request.header("If-Unmodified-Since"))
        if since is not None and modified.replace(microsecond=0) > since:
            raise dav.Refusal(PRECONDITION_FAILED)
    if none_match and not reading and etag is not None and _is_among(etag, none_match):
        raise dav.Refusal(PRECONDITION_FAILED)
    if request.header("If"):
        _require_states(request, conn)


def is_fresh(request: Request, etag: str, modified: dt.datetime) -> bool:
    """Whether the client has it already: RFC 9110 §13.1.3 counts only where there is no If-None-Match."""
    known = request.header("If-None-Match")
    if known:
        return _is_among(etag, known)
    since = _date(request.header("If-Modified-Since"))
    return since is not None and modified.replace(microsecond=0) <= since


def _is_among(etag: str, header: str) -> bool:
    return header.strip() == "*" or etag in {each.removeprefix("W/") for each in dav.etags(header)}


def _date(header: str) -> dt.datetime | None:
    """None for what is no HTTP date: such a condition does not count."""
    try:
        at = parsedate_to_datetime(header)
    except (TypeError, ValueError):
        return None
    return at if at.tzinfo is not None else None


# --- the If header -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Condition:
    """``value`` is an etag or a state token, of the resource ``of`` (None: the requested one)."""

    of: str | None
    value: str
    negated: bool


def _require_states(request: Request, conn: sa.Connection) -> None:
    """RFC 4918 §10.4.3: one of the lists must hold whole."""
    lists = list(_lists(request.header("If")))
    if request.place.kind in (Kind.CALENDAR, Kind.OBJECT) and request.environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
        calendar = access.find(request, conn, request.place)
        if calendar is not None:
            changes.lock(conn, calendar.id)  # or what is found to hold might not hold any more
    if not any(all(_holds(request, conn, each) for each in conditions) for conditions in lists):
        raise dav.Refusal(PRECONDITION_FAILED)


def _holds(request: Request, conn: sa.Connection, condition: _Condition) -> bool:
    place = request.place if condition.of is None else request.place_of(condition.of)
    known = set() if place is None else _states(request, conn, place)
    return (condition.value in known) != condition.negated


def _states(request: Request, conn: sa.Connection, place: Place) -> set[str]:
    """The etag and the state tokens of what is there; no locks, so a lock's token never holds (D-23)."""
    if access.level(request, place.owner) is Access.NONE:
        return set()
    if place.kind is Kind.HOME:
        return {home.token(home.state(access.members(request, conn, place.owner)))}
    calendar = access.find(request, conn, place) if place.kind in (Kind.CALENDAR, Kind.OBJECT) else None
    if calendar is None:
        return set()
    if not place.href:
        return {tokens.ctag(calendar), tokens.sync_token(calendar)}
    stored = objects.get(conn, calendar.id, place.href)
    return set() if stored is None else {stored.etag}


def _lists(header: str) -> Iterator[list[_Condition]]:
    """Raises dav.Refusal 400 for what is none of RFC 4918's."""
    malformed = dav.Refusal(dav.text(client.BAD_REQUEST, "The If header is not well-formed."))
    inside: list[_Condition] | None = None
    of: str | None = None
    negated = found = False
    at = 0
    while header[at:].strip():
        match = _TOKEN.match(header, at)
        if match is None:
            raise malformed
        at = match.end()
        opening, closing, negation, uri, etag = match.groups()
        if inside is None:
            if opening:
                inside = []
            elif uri is not None:
                of = uri
            else:
                raise malformed
        elif closing and inside and not negated:
            yield inside
            inside, found = None, True
        elif negation and not negated:
            negated = True
        elif uri is not None or etag is not None:
            inside.append(_Condition(of, uri if uri is not None else etag, negated))
            negated = False
        else:
            raise malformed
    if inside is not None or not found:
        raise malformed
