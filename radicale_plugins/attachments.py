"""Attachments that the server keeps (RFC 8607): posted to their object, fetched by whoever has an object that refers to them.

All instances of a series have the same ones (``calendar-managed-attachments-no-recurrence``), as at Apple's own server.
A MANAGED-ID that is not ours came with an object from elsewhere: it is that object's data, and no reason to refuse it.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from http import client
from urllib.parse import parse_qs, quote

import sqlalchemy as sa
from werkzeug.http import parse_options_header

from bridge.ical import attachments as ical
from bridge.ical.attachments import Attachment
from bridge.policy.access import Access
from bridge.services.scheduling import Written
from bridge.store import attachments, delegates, objects, principals
from bridge.store.attachments import Kept
from bridge.store.calendars import Calendar
from bridge.store.objects import StoredObject
from radicale_plugins import conditions, dav, quota, resources
from radicale_plugins.dav import Answer
from radicale_plugins.request import ATTACHMENTS, NOT_FOUND, Kind, Place, Request

_MEDIA_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]{1,127}/[A-Za-z0-9!#$&^_.+-]{1,127}")
_NAME_LENGTH = 200
_ACTIONS = frozenset({"attachment-add", "attachment-update", "attachment-remove"})


@dataclass(frozen=True, slots=True)
class _Asked:
    action: str
    managed_id: str


def posted(request: Request) -> Answer | None:
    """What is POSTed to an object with an ``action`` (RFC 8607 §3.3); None: it is something else."""
    place = request.place
    query = parse_qs(request.environ.get("QUERY_STRING", ""), keep_blank_values=True)
    if place.kind is not Kind.OBJECT or "action" not in query or not request.limits.attachment_bytes:
        return None
    if not request.writable:
        return dav.need_privileges(request.url(place.path), "D:write-content")
    asked = _Asked(query["action"][0], query.get("managed-id", [""])[0])
    if asked.action not in _ACTIONS or len(query["action"]) > 1:
        return _refused("C:valid-action")
    if query.get("rid"):
        return _refused("C:valid-rid")
    if (asked.action == "attachment-add") != ("managed-id" not in query):
        return _refused("C:valid-managed-id")
    body = b"" if asked.action == "attachment-remove" else request.body
    if len(body) > request.limits.attachment_bytes:
        return _refused("C:max-attachment-size")
    with request.write() as conn:
        calendar = request.calendar(conn, needs="D:write-content")
        existing = objects.get(conn, calendar.id, place.href)
        if existing is None:
            return NOT_FOUND
        expected = conditions.expectation(request, conn, existing)
        data, made = _changed(request, conn, existing, asked, body, calendar)
        written = resources.store(request, conn, calendar, place.href, data, expected, over=existing)
    return _answer(request, asked, written, made)


def _changed(
    request: Request, conn: sa.Connection, existing: StoredObject, asked: _Asked, body: bytes, calendar: Calendar
) -> tuple[bytes, str | None]:
    """The object as it shall be, and the new attachment's id. Raises dav.Refusal."""
    data, now = existing.data, request.now()
    if asked.action != "attachment-add" and asked.managed_id not in ical.managed_ids(data):
        raise dav.Refusal(_refused("C:valid-managed-id"))
    if asked.action == "attachment-remove":
        return ical.remove(data, asked.managed_id, now=now), None
    if asked.action == "attachment-add" and ical.most(data) >= request.limits.attachments_per_object:
        raise dav.Refusal(_refused("C:max-attachments-per-resource"))
    quota.require_room(request, conn, calendar.principal_id, len(body))
    kept = Kept(secrets.token_urlsafe(24), calendar.principal_id, _name(request), _media_type(request), len(body))
    attachments.add(conn, kept, body, now=now)
    url = request.absolute(Place(calendar.owner, ATTACHMENTS, kept.managed_id).path)
    new = Attachment(kept.managed_id, url, kept.name, kept.media_type, kept.size)
    if asked.action == "attachment-add":
        return ical.add(data, new, now=now), kept.managed_id
    return ical.update(data, asked.managed_id, new, now=now), kept.managed_id


def _answer(request: Request, asked: _Asked, written: Written, made: str | None) -> Answer:
    added = asked.action == "attachment-add"
    status, headers, body, _ = resources.representation(
        request, client.CREATED if added else client.NO_CONTENT, written
    )
    named = {name: value for name, value in headers.items() if name != "Location"}  # the object is not new
    return status, named if made is None else {**named, "Cal-Managed-ID": made}, body, None


def _refused(precondition: str) -> Answer:
    return dav.error(client.FORBIDDEN, precondition)


def _name(request: Request) -> str:
    """The file's name as its sender gives it, without a path and without what no name holds."""
    _, options = parse_options_header(request.header("Content-Disposition"))
    last = re.split(r"[/\\]", options.get("filename", ""))[-1]
    name = "".join(character for character in last if character.isprintable() and character != '"').strip()
    return name[:_NAME_LENGTH] or "attachment"


def _media_type(request: Request) -> str:
    given = str(request.environ.get("CONTENT_TYPE", ""))
    return given.lower() if _MEDIA_TYPE.fullmatch(given) else "application/octet-stream"


def get(request: Request) -> Answer:
    """The file, for its owner and for whoever has an object that refers to it; it never changes, for an update has another id.

    It comes from anybody who may write here: a browser must save it and never run it.
    """
    place = request.place
    with request.database.read() as conn:
        kept = attachments.get(conn, place.href)
        if kept is None or not _may_read(conn, kept, request):
            return NOT_FOUND
        etag = f'"{kept.managed_id}"'
        headers = {"ETag": etag, "Cache-Control": "private, max-age=31536000, immutable"}
        if etag in {each.removeprefix("W/") for each in dav.etags(request.header("If-None-Match"))}:
            return dav.empty(client.NOT_MODIFIED, headers)
        body = attachments.data(conn, kept.managed_id)
    harmless = {
        "Content-Type": kept.media_type,
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(kept.name, safe='')}",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "X-Content-Type-Options": "nosniff",
    }
    return client.OK, {**harmless, **headers}, body, None


def _may_read(conn: sa.Connection, kept: Kept, request: Request) -> bool:
    person = principals.by_name(conn, request.user)
    owner = principals.by_name(conn, request.place.owner)
    if person is None or owner is None or kept.principal_id != owner.id:
        return False
    if person.id == owner.id or attachments.is_used_in(conn, kept.managed_id, person.id):
        return True
    return delegates.level(conn, owner.name, person.name) is not Access.NONE
