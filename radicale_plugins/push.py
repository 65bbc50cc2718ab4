"""WebDAV-Push (bitfireAT's draft): how a device learns what it can be told of, registers for it, and takes that back.

DAVx5 sends neither a trigger nor a content encoding, and means content-update and aes128gcm (CLIENTS 4).
"""

from __future__ import annotations

import datetime as dt
import xml.etree.ElementTree as ET
from email.utils import parsedate_to_datetime
from http import client

import sqlalchemy as sa

from bridge.errors import NotFound, Unreadable, UsageError
from bridge.notify.changed import NAMESPACE
from bridge.notify.webpush import Endpoint
from bridge.policy.access import Access
from bridge.services.registering import Registrar
from bridge.store import principals, push_subscriptions, shares
from bridge.store.calendars import Calendar
from bridge.store.principals import Principal
from bridge.store.push_subscriptions import Watched
from radicale_plugins import capabilities, dav
from radicale_plugins.dav import Answer
from radicale_plugins.request import NOT_FOUND, REGISTRATIONS, Kind, Place, Request

P = f"{{{NAMESPACE}}}"
TRANSPORTS, TOPIC, SUPPORTED_TRIGGERS = PROPERTIES = (f"{P}transports", f"{P}topic", f"{P}supported-triggers")


def watched(principal: Principal | None, calendar: Calendar | None) -> Watched | None:
    """What is watched where these two lead: the calendar, or the person's home."""
    if calendar is not None:
        return Watched("calendar", calendar.id)
    return None if principal is None else Watched("home", principal.id)


# --- properties ----------------------------------------------------------------------------------------------------


def transports(registrar: Registrar, _: Watched) -> ET.Element:
    key = dav.element(f"{P}vapid-public-key", content=registrar.keys.signer.public_key, type="p256ecdsa")
    return dav.element(TRANSPORTS, dav.element(f"{P}web-push", key))


def topic(registrar: Registrar, of: Watched) -> ET.Element:
    return dav.element(TOPIC, content=registrar.keys.topic(of))


def supported_triggers(_: Registrar, of: Watched) -> ET.Element:
    """A home's calendars have properties that people change; a calendar's objects have none."""
    content = dav.element(f"{P}content-update", dav.element("D:depth", content="1"))
    properties = dav.element(f"{P}property-update", dav.element("D:depth", content=str(_deepest(of.kind == "home"))))
    return dav.element(SUPPORTED_TRIGGERS, content, properties)


def _deepest(home: bool) -> int:
    return 1 if home else 0


# --- registrations -------------------------------------------------------------------------------------------------


def register(request: Request, root: ET.Element) -> Answer:
    """POST of a push-register: 201 for a new one, 204 for one that was there."""
    registrar = request.push
    if registrar is None or request.place.kind not in capabilities.PUSHED or request.level < Access.OWNER:
        return _refused("push-not-available")
    content, depth = _triggers(root, home=request.place.kind is Kind.HOME)
    if not content and depth is None:
        return _refused("no-supported-trigger")
    try:
        endpoint = _endpoint(root)
        registrar.check(endpoint)
    except (UsageError, Unreadable):
        return _refused("invalid-subscription")
    now = request.now()
    expires_at = registrar.until(_expires(root), now)
    with request.database.write() as conn:
        principal = principals.by_name(conn, request.user)
        if principal is None:
            return _refused("push-not-available")
        try:
            registered = registrar.register(
                conn,
                _watched_at(request, conn),
                endpoint,
                content=content,
                property_depth=depth,
                expires_at=expires_at,
                principal_id=principal.id,
                device_id=request.device_id,
                now=now,
            )
        except UsageError:  # so many that it must be a mistake
            return _refused("push-not-available")
        except NotFound:
            return NOT_FOUND
    location = request.absolute(Place(request.user, REGISTRATIONS, registered.token).path)
    headers = {"Location": location, "Expires": dav.http_date(expires_at)}
    return dav.empty(client.CREATED if registered.created else client.NO_CONTENT, headers)


def _refused(precondition: str) -> Answer:
    return dav.error(client.FORBIDDEN, f"{P}{precondition}")


def _watched_at(request: Request, conn: sa.Connection) -> Watched:
    """Raises dav.Refusal 404."""
    place = request.place
    calendar = request.calendar(conn) if place.kind is Kind.CALENDAR else None
    if calendar is not None and calendar.share_id is not None and not shares.hold(conn, calendar.share_id):
        raise dav.Refusal(NOT_FOUND)
    found = watched(principals.by_name(conn, place.owner), calendar)
    if found is None:
        raise dav.Refusal(NOT_FOUND)
    return found


def _triggers(root: ET.Element, *, home: bool) -> tuple[bool, int | None]:
    """Whether it wants to hear of members, and how deep of properties (None: not at all). What is deeper than we go is cut."""
    trigger = root.find(f"{P}trigger")
    if trigger is None:
        return True, None
    content = trigger.find(f"{P}content-update") is not None
    properties = trigger.find(f"{P}property-update")
    if properties is None:
        return content, None
    asked = (properties.findtext(f"{dav.D}depth") or "0").strip()
    return content, 0 if asked == "0" else _deepest(home)


def _endpoint(root: ET.Element) -> Endpoint:
    """Raises UsageError."""
    found = root.findall(f"{P}subscription/{P}web-push-subscription")
    if len(found) != 1:
        raise UsageError("one web-push-subscription is wanted")
    one = found[0]
    if (one.findtext(f"{P}content-encoding") or "aes128gcm").strip().lower() != "aes128gcm":
        raise UsageError("aes128gcm is the only content encoding")  # RFC 8291 knows no other
    key = one.find(f"{P}subscription-public-key")
    if key is None or key.get("type", "p256dh") != "p256dh":
        raise UsageError("a p256dh key is wanted")
    return Endpoint.of(one.findtext(f"{P}push-resource") or "", key.text or "", one.findtext(f"{P}auth-secret") or "")


def _expires(root: ET.Element) -> dt.datetime | None:
    """An IMF-fixdate; what is none says nothing."""
    try:
        asked = parsedate_to_datetime((root.findtext(f"{P}expires") or "").strip())
    except (TypeError, ValueError, OverflowError):
        return None
    return asked if asked.tzinfo is not None else None


def unregister(request: Request) -> Answer:
    """DELETE of a registration URL, which is below its owner's home."""
    with request.database.write() as conn:
        principal = principals.by_name(conn, request.user)
        if principal is None:
            return NOT_FOUND
        known = push_subscriptions.unregister(conn, principal.id, request.place.href, now=request.now())
    return dav.empty(client.NO_CONTENT) if known else NOT_FOUND
