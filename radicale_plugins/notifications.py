"""What somebody is told of shares (CalendarServer's notifications): a collection of XML documents that only the server adds to."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from dataclasses import dataclass
from http import client

import sqlalchemy as sa

from bridge.policy.access import GIVEN
from bridge.services.sharing_news import Facts
from bridge.store import notifications, principals
from bridge.store.calendars import COMPONENT_SET
from bridge.store.notifications import INVITATION, Notification
from bridge.store.principals import Principal
from radicale_plugins import conditions, dav, sharing
from radicale_plugins.dav import Answer
from radicale_plugins.request import NOT_FOUND, NOTIFICATIONS, Place, Request

_HREF = re.compile(r"([1-9][0-9]{0,17})\.xml", re.ASCII)
_UID = re.compile(r"share-([1-9][0-9]{0,17})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Document:
    """A notification as it is read, under the path that it has in this person's home."""

    place: Place
    kind: str
    body: bytes
    told_at: dt.datetime

    @property
    def etag(self) -> str:
        return f'"{hashlib.sha256(self.body).hexdigest()[:32]}"'


def every(request: Request, conn: sa.Connection, principal: Principal) -> list[Document]:
    return [_document(each, request) for each in notifications.of_principal(conn, principal.id)]


def ctag(documents: Iterable[Document]) -> str:
    listed = "\n".join(f"{each.place.href} {each.etag}" for each in documents)
    return f'"notifications-{hashlib.sha256(listed.encode()).hexdigest()[:32]}"'


def at(request: Request, conn: sa.Connection) -> Document:
    """What stands at the place that is asked for. Raises dav.Refusal 404."""
    person, number = _named(request, conn)
    found = notifications.get(conn, person.id, number)
    if found is None:
        raise dav.Refusal(NOT_FOUND)
    return _document(found, request)


def get(request: Request) -> Answer:
    with request.database.read() as conn:
        found = at(request, conn)
        headers = {
            "ETag": found.etag,
            "Last-Modified": dav.http_date(found.told_at),
            "Cache-Control": "private, no-cache",
        }
        conditions.require(request, conn, found.etag, found.told_at, reading=True)
    if conditions.is_fresh(request, found.etag, found.told_at):
        return dav.empty(client.NOT_MODIFIED, headers)
    return client.OK, {"Content-Type": dav.XML_TYPE, **headers}, found.body, None


def delete(request: Request) -> Answer:
    """Dismiss it. What it tells of stays as it is."""
    with request.write() as conn:
        found = at(request, conn)
        conditions.require(request, conn, found.etag, found.told_at)
        person, number = _named(request, conn)
        notifications.remove(conn, person.id, number)
    return dav.empty(client.NO_CONTENT)


def _named(request: Request, conn: sa.Connection) -> tuple[Principal, int]:
    """Raises dav.Refusal 404."""
    match = _HREF.fullmatch(request.place.href)
    person = principals.by_name(conn, request.place.owner)
    if match is None or person is None:
        raise dav.Refusal(NOT_FOUND)
    return person, int(match[1])


# --- documents -----------------------------------------------------------------------------------------------------


def uid(share_id: int) -> str:
    """What an invitation is called, and its answer refers to (CS:uid, CS:in-reply-to)."""
    return f"share-{share_id}"


def share_named(text: str) -> int | None:
    """The other way round; None: it is no invitation of ours."""
    match = _UID.fullmatch(text.strip())
    return None if match is None else int(match[1])


def type_of(document: Document) -> ET.Element:
    """CS:notificationtype: by it a device sees what it can show."""
    return dav.element("CS:notificationtype", dav.element(f"CS:{document.kind}", **_attributes(document.kind)))


def _attributes(kind: str) -> dict[str, str]:
    return {"shared-type": "calendar"} if kind == INVITATION else {}


def _document(notification: Notification, request: Request) -> Document:
    facts = Facts(**notification.facts)
    parts = _invitation(facts, request) if notification.kind == INVITATION else _reply(facts, request)
    # as Apple's server writes it, though the draft wants RFC 3339's form
    stamp = notification.told_at.strftime("%Y%m%dT%H%M%SZ")
    root = dav.element(
        "CS:notification",
        dav.element("CS:dtstamp", content=stamp),
        dav.element(f"CS:{notification.kind}", *parts, **_attributes(notification.kind)),
    )
    place = Place(request.place.owner, NOTIFICATIONS, f"{notification.id}.xml")
    return Document(place, notification.kind, dav.written(root), notification.told_at)


def _invitation(facts: Facts, request: Request) -> Iterable[ET.Element]:
    yield dav.element("CS:uid", content=uid(facts.invitation))
    yield dav.href(request.url(f"/{facts.sharee}/"))
    yield dav.element(f"CS:invite-{facts.status}")
    yield sharing.access(GIVEN[facts.access])
    yield _hosturl(facts, request)
    owner = dav.href(request.url(f"/{facts.owner}/"))
    yield dav.element("CS:organizer", owner, sharing.common_name(facts.owner_name))
    yield dav.element("CS:summary", content=facts.summary)
    yield dav.element(COMPONENT_SET, *(dav.element("C:comp", name=kind) for kind in facts.components))


def _reply(facts: Facts, request: Request) -> Iterable[ET.Element]:
    yield dav.href(f"mailto:{facts.sharee_email}" if facts.sharee_email else request.url(f"/{facts.sharee}/"))
    yield dav.element(f"CS:invite-{facts.status}")
    yield _hosturl(facts, request)
    yield dav.element("CS:in-reply-to", content=uid(facts.invitation))
    if facts.summary:
        yield dav.element("CS:summary", content=facts.summary)
    yield sharing.common_name(facts.sharee_name)


def _hosturl(facts: Facts, request: Request) -> ET.Element:
    return dav.element("CS:hosturl", dav.href(request.url(f"/{facts.owner}/{facts.slug}/")))
