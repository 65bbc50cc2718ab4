"""What the server answers itself of the root, a home, a calendar and its objects (RFC 4918 §15, RFC 4791 §5.2, §6.2)."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from bridge.policy.access import Access
from bridge.services import delivery
from bridge.services.registering import Registrar
from bridge.store import principals
from bridge.store.calendars import COMPONENT_SET, COMPONENTS, INBOX, Calendar, components
from bridge.store.objects import StoredObject
from bridge.store.principals import Principal
from bridge.store.push_subscriptions import Watched
from radicale_plugins import (
    access,
    acl,
    capabilities,
    dav,
    filters,
    home,
    keeping,
    notifications,
    proxies,
    push,
    quota,
    sharing,
    tokens,
)
from radicale_plugins.notifications import Document
from radicale_plugins.request import NOTIFICATIONS, OUTBOX, PROXIES, Kind, Place, Request

OBJECT_TYPE = "text/calendar; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Resource:
    """What a PROPFIND or REPORT tells about: exactly one of the five is the resource, its containers are set too.

    An object may be known by href and etag alone (``stored`` is None) where nothing else is asked for, and without what
    clients made up for it (``properties``). A ``stranger`` sees of a principal only who that is.
    """

    place: Place
    principal: Principal | None = None
    calendar: Calendar | None = None
    etag: str = ""
    stored: StoredObject | None = None
    members: tuple[Calendar, ...] = ()
    """Of a home: the calendars in it, which are its state."""
    properties: Mapping[str, Any] | None = None
    """Of an object."""
    stranger: bool = False
    notification: Document | None = None

    @property
    def kind(self) -> Kind:
        return Kind.PERSON if self.stranger else self.place.kind


Getter = Callable[[Resource, Request], ET.Element | None]


def _hrefs(name: str, *paths: str) -> ET.Element:
    return dav.element(name, *(dav.href(path) for path in paths))


def _text(name: str, content: str | None) -> ET.Element | None:
    return None if content is None else dav.element(name, content=content)


def _privileges(*names: str) -> ET.Element:
    return dav.element("D:current-user-privilege-set", *acl.privileges(*names))


def _acl(*names: str) -> Getter:
    """All of it is the owner's."""
    return lambda r, q: dav.element("D:acl", acl.granted_to(q.url(r.place.home), *names))


_READ, _WRITE = access.READ, access.WRITE


class _OfLevel(Protocol):
    def __call__(self, access: Access, *, as_delegate: bool = False) -> tuple[str, ...]: ...


def _own_privileges(of: _OfLevel) -> Getter:
    """What may be done in a calendar that may be somebody else's."""

    def get(resource: Resource, request: Request) -> ET.Element:
        calendar = resource.calendar
        if calendar is None:
            return _privileges(*of(Access.OWNER))
        as_delegate = calendar.share_id is None and calendar.access < Access.OWNER
        return _privileges(*_understood(of(calendar.access, as_delegate=as_delegate), request))

    return get


def _understood(held: tuple[str, ...], request: Request) -> tuple[str, ...]:
    """Thunderbird takes the right to a name and colour of one's own for the right to write events (CLIENTS 1.3; Nextcloud has the
    same, nextcloud/server#10217), offers the calendar for new ones and shows the person an error for each. It sets neither at
    the server, so it misses nothing by not hearing of it; Apple's programs set both.
    """
    if "D:write-content" in held or "Thunderbird/" not in request.header("User-Agent"):
        return held
    return tuple(name for name in held if name != access.DESCRIBE)


def _acl_of(of: _OfLevel) -> Getter:
    def get(resource: Resource, request: Request) -> ET.Element:
        everybody = sharing.everybody(resource.calendar, resource.place, request)
        granted = ((name, of(level, as_delegate=delegate)) for name, level, delegate in everybody)
        return dav.element("D:acl", *(acl.granted_to(request.url(f"/{name}/"), *names) for name, names in granted))

    return get


def _reports(resource: Resource, _: Request) -> ET.Element:
    names = capabilities.REPORTS[resource.kind]
    made = (dav.element("D:supported-report", dav.element("D:report", dav.element(name))) for name in names)
    return dav.element("D:supported-report-set", *made)


def name_of(principal: Principal) -> str:
    """What they call themselves, else the name they sign in with."""
    return principals.called(principal.name, principal.properties)


def _user_addresses(resource: Resource, request: Request) -> ET.Element | None:
    """The mail address first and marked: Thunderbird takes the first mailto, Apple the preferred one (CLIENTS 1.1, 1.3)."""
    if resource.principal is None:
        return None
    made = dav.element("C:calendar-user-address-set")
    if resource.principal.email:
        mail = dav.href(f"mailto:{resource.principal.email}")
        mail.set("preferred", "1")
        made.append(mail)
    made.append(dav.href(request.url(resource.place.home)))
    return made


def _emails(resource: Resource, _: Request) -> ET.Element | None:
    if resource.principal is None or not resource.principal.email:
        return None
    return dav.element("CS:email-address-set", dav.element("CS:email-address", content=resource.principal.email))


def _limit(name: str, request: Request, limit: int) -> ET.Element | None:
    """Of attachments, where any are kept."""
    return _text(name, str(limit)) if request.limits.attachment_bytes else None


def _quota(name: str) -> Getter:
    """RFC 4331, where it is asked for: Apple does, with every look at the home."""

    def show(resource: Resource, request: Request) -> ET.Element | None:
        if resource.principal is None:
            return None
        limit = request.limits.quota_bytes
        if name == "D:quota-available-bytes" and not limit:
            return None
        with request.database.read() as conn:
            used = quota.used(conn, resource.principal.id)
        return _text(name, str(used if name == "D:quota-used-bytes" else max(0, limit - used)))

    return show


_OF_ALL: dict[str, Getter] = {
    "D:current-user-principal": lambda _, q: _hrefs("D:current-user-principal", q.url(f"/{q.user}/")),
    "D:principal-collection-set": lambda _, q: _hrefs("D:principal-collection-set", q.url("/")),
    "D:supported-report-set": _reports,
}

_OF_WHAT_IS_OWNED: dict[str, Getter] = {
    **_OF_ALL,
    "D:owner": lambda r, q: _hrefs("D:owner", q.url(f"/{r.place.owner if r.calendar is None else r.calendar.owner}/")),
    "D:supported-privilege-set": lambda *_: acl.supported(),
    "D:acl-restrictions": lambda *_: acl.restrictions(),
    "D:inherited-acl-set": lambda *_: dav.element("D:inherited-acl-set"),
}

INDIVIDUAL = "INDIVIDUAL"
_OF_PRINCIPAL: dict[str, Getter] = {
    "C:calendar-home-set": lambda r, q: _hrefs("C:calendar-home-set", q.url(r.place.home)),
    "D:displayname": lambda r, _: _text("D:displayname", name_of(r.principal) if r.principal else None),
    "D:principal-URL": lambda r, q: _hrefs("D:principal-URL", q.url(r.place.home)),
    "D:alternate-URI-set": lambda *_: dav.element("D:alternate-URI-set"),
    "D:group-member-set": lambda *_: dav.element("D:group-member-set"),
    "D:group-membership": lambda r, q: _hrefs("D:group-membership", *map(q.url, proxies.groups_of(r.place.owner, q))),
    "C:calendar-user-address-set": _user_addresses,
    "C:calendar-user-type": lambda *_: _text("C:calendar-user-type", INDIVIDUAL),
    "CS:email-address-set": _emails,
}

_OF_PERSON: dict[str, Getter] = {
    **_OF_ALL,
    **_OF_PRINCIPAL,
    "D:resourcetype": lambda *_: dav.element("D:resourcetype", dav.element("D:principal")),
    "C:calendar-home-set": lambda r, q: _hrefs(
        "C:calendar-home-set", q.url(r.place.home)
    ),  # Evolution asks there who is busy
    "D:current-user-privilege-set": lambda *_: _privileges(),
}

_OF_ROOT: dict[str, Getter] = {
    **_OF_ALL,
    "D:resourcetype": lambda *_: dav.element("D:resourcetype", dav.element("D:collection")),
    "D:current-user-privilege-set": lambda *_: _privileges(*_READ),
}


def _where_scheduled(name: str, slug: str) -> Getter:
    """The inbox and outbox of a principal (RFC 6638 §2.4)."""
    return lambda r, q: (
        _hrefs(name, q.url(Place(r.place.owner, slug).path))
        if q.scheduling.enabled and q.level is Access.OWNER
        else None
    )


def _notification_url(resource: Resource, request: Request) -> ET.Element | None:
    """Where one is told of shares; nobody else's business."""
    if request.level is not Access.OWNER:
        return None
    return _hrefs("CS:notification-URL", request.url(Place(resource.place.owner, NOTIFICATIONS).path))


def _of_push(show_it: Callable[[Registrar, Watched], ET.Element]) -> Getter:
    """A property of what devices can be told of; there is none where they cannot."""

    def get(resource: Resource, request: Request) -> ET.Element | None:
        watched = push.watched(resource.principal, resource.calendar)
        if request.push is None or watched is None or request.level < Access.OWNER:
            return None
        return show_it(request.push, watched)

    return get


_OF_PUSHED: dict[str, Getter] = {
    push.TRANSPORTS: _of_push(push.transports),
    push.TOPIC: _of_push(push.topic),
    push.SUPPORTED_TRIGGERS: _of_push(push.supported_triggers),
}


def _looked_after(name: str, level: Access) -> Getter:
    """Whose calendars one looks after: macOS and DAVx5 find their homes by it."""
    return lambda r, q: _hrefs(name, *map(q.url, proxies.owners(r.place.owner, level, q)))


_OF_HOME: dict[str, Getter] = {
    **_OF_WHAT_IS_OWNED,
    **_OF_PRINCIPAL,
    **_OF_PUSHED,
    "D:resourcetype": lambda *_: dav.element("D:resourcetype", dav.element("D:principal"), dav.element("D:collection")),
    "CS:calendar-proxy-read-for": _looked_after("CS:calendar-proxy-read-for", Access.READ),
    "CS:calendar-proxy-write-for": _looked_after("CS:calendar-proxy-write-for", Access.WRITE),
    "D:quota-used-bytes": _quota("D:quota-used-bytes"),
    "D:quota-available-bytes": _quota("D:quota-available-bytes"),
    "C:supported-calendar-component-sets": lambda *_: dav.element(
        "C:supported-calendar-component-sets",
        *(dav.element(COMPONENT_SET, dav.element("C:comp", name=kind)) for kind in COMPONENTS),
    ),
    "CS:getctag": lambda r, _: _text("CS:getctag", home.ctag(r.members)),
    "D:sync-token": lambda r, _: _text("D:sync-token", home.token(home.state(r.members))),
    "C:schedule-inbox-URL": _where_scheduled("C:schedule-inbox-URL", INBOX),
    "C:schedule-outbox-URL": _where_scheduled("C:schedule-outbox-URL", OUTBOX),
    "CS:notification-URL": _notification_url,
    "D:current-user-privilege-set": lambda _, q: _privileges(*access.of_home(q.level)),
    "D:acl": _acl(*_READ, *_WRITE),
}


def _of_calendar(show_it: Callable[[Calendar], ET.Element | None]) -> Getter:
    return lambda resource, _: None if resource.calendar is None else show_it(resource.calendar)


def _component_set(calendar: Calendar) -> ET.Element:
    kinds = (dav.element("C:comp", name=kind) for kind in components(calendar.properties))
    return dav.element(COMPONENT_SET, *kinds)


def _resource_type(calendar: Calendar) -> ET.Element:
    kind = "CS:subscribed" if calendar.properties.get("tag") == "VSUBSCRIBED" else "C:calendar"
    shared = () if (name := sharing.resource_type(calendar)) is None else (dav.element(name),)
    return dav.element("D:resourcetype", dav.element("D:collection"), dav.element(kind), *shared)


_OF_CALENDAR: dict[str, Getter] = {
    **_OF_WHAT_IS_OWNED,
    **_OF_PUSHED,
    "D:resourcetype": _of_calendar(_resource_type),
    "D:getetag": _of_calendar(lambda c: _text("D:getetag", tokens.ctag(c))),
    "CS:getctag": _of_calendar(lambda c: _text("CS:getctag", tokens.ctag(c))),
    "D:sync-token": _of_calendar(lambda c: _text("D:sync-token", tokens.sync_token(c))),
    "D:getlastmodified": _of_calendar(lambda c: _text("D:getlastmodified", dav.http_date(c.modified_at))),
    "D:getcontenttype": lambda *_: _text("D:getcontenttype", "text/calendar"),
    COMPONENT_SET: _of_calendar(_component_set),
    "C:calendar-timezone-id": _of_calendar(lambda c: _text("C:calendar-timezone-id", keeping.zone_name(c.properties))),
    "C:supported-calendar-data": lambda *_: dav.element(
        "C:supported-calendar-data",
        dav.element("C:calendar-data", **{"content-type": "text/calendar", "version": "2.0"}),
    ),
    "C:supported-collation-set": lambda *_: dav.element(
        "C:supported-collation-set",
        *(dav.element("C:supported-collation", content=name) for name in filters.COLLATIONS),
    ),
    "D:quota-used-bytes": _of_calendar(lambda c: _text("D:quota-used-bytes", str(c.size))),
    "C:max-attachment-size": lambda _, q: _limit("C:max-attachment-size", q, q.limits.attachment_bytes),
    "C:max-attachments-per-resource": lambda _, q: _limit(
        "C:max-attachments-per-resource", q, q.limits.attachments_per_object
    ),
    "C:max-resource-size": lambda _, q: _text("C:max-resource-size", str(q.limits.object_bytes)),
    "D:add-member": lambda r, q: _hrefs("D:add-member", q.url(r.place.calendar)),
    "CS:invite": lambda r, q: None if r.calendar is None else sharing.invite(r.calendar, q),
    "CS:allowed-sharing-modes": lambda r, q: None if r.calendar is None else sharing.allowed_modes(r.calendar, q),
    "CS:shared-url": lambda r, q: None if r.calendar is None else sharing.shared_url(r.calendar, q),
    "D:current-user-privilege-set": _own_privileges(access.of_calendar),
    "D:acl": _acl_of(access.of_calendar),
}


def _default_calendar(resource: Resource, request: Request) -> ET.Element | None:
    """Where new meetings come to (RFC 6638 §9.2): what was chosen, else what would be taken."""
    with request.database.read() as conn:
        owner = principals.by_name(conn, resource.place.owner)
        chosen = None if owner is None else delivery.default_calendar(conn, owner, "VEVENT")
    if chosen is None:
        return None
    return _hrefs("C:schedule-default-calendar-URL", request.url(Place(chosen.owner, chosen.slug).path))


_OF_INBOX: dict[str, Getter] = {
    **_OF_WHAT_IS_OWNED,
    "D:resourcetype": lambda *_: dav.element(
        "D:resourcetype", dav.element("D:collection"), dav.element("C:schedule-inbox")
    ),
    "D:displayname": lambda *_: _text("D:displayname", "Inbox"),
    **{name: _OF_CALENDAR[name] for name in ("D:getetag", "CS:getctag", "D:sync-token", COMPONENT_SET)},
    "C:supported-calendar-data": _OF_CALENDAR["C:supported-calendar-data"],
    "C:schedule-default-calendar-URL": _default_calendar,
    "D:current-user-privilege-set": lambda *_: _privileges(*_READ, "D:write-properties", "D:unbind", *acl.DELIVER),
    "D:acl": _acl(*_READ, "D:write-properties", "D:unbind", *acl.DELIVER),
}

_OF_OUTBOX: dict[str, Getter] = {
    **_OF_WHAT_IS_OWNED,
    "D:resourcetype": lambda *_: dav.element(
        "D:resourcetype", dav.element("D:collection"), dav.element("C:schedule-outbox")
    ),
    "D:displayname": lambda *_: _text("D:displayname", "Outbox"),
    "D:current-user-privilege-set": lambda *_: _privileges(*_READ, *acl.SEND),
    "D:acl": _acl(*_READ, *acl.SEND),
}


_OF_PROXY: dict[str, Getter] = {
    **_OF_WHAT_IS_OWNED,
    "D:resourcetype": lambda r, _: dav.element(
        "D:resourcetype",
        dav.element("D:principal"),
        dav.element("D:collection"),
        dav.element(f"CS:calendar-proxy-{PROXIES[r.place.slug]}"),
    ),
    "D:displayname": lambda r, _: _text("D:displayname", r.place.slug.removeprefix(".")),
    "D:principal-URL": lambda r, q: _hrefs("D:principal-URL", q.url(r.place.calendar)),
    "D:alternate-URI-set": lambda *_: dav.element("D:alternate-URI-set"),
    "D:group-member-set": lambda r, q: _hrefs("D:group-member-set", *map(q.url, proxies.members(r.place, q))),
    "D:group-membership": lambda *_: dav.element("D:group-membership"),
    "D:current-user-privilege-set": lambda _, q: _privileges(
        *_READ, *(("D:write-properties",) if q.level is Access.OWNER else ())
    ),
    "D:acl": _acl(*_READ, "D:write-properties"),
}


_OF_NOTIFICATIONS: dict[str, Getter] = {
    **_OF_WHAT_IS_OWNED,
    "D:resourcetype": lambda *_: dav.element(
        "D:resourcetype", dav.element("D:collection"), dav.element("CS:notification")
    ),
    "D:displayname": lambda *_: _text("D:displayname", "Notifications"),
    "CS:getctag": lambda r, _: _text("CS:getctag", r.etag),
    "D:current-user-privilege-set": lambda *_: _privileges(*_READ, "D:unbind"),
    "D:acl": _acl(*_READ, "D:unbind"),
}


def _of_notification(show_it: Callable[[Document], ET.Element | None]) -> Getter:
    return lambda resource, _: None if resource.notification is None else show_it(resource.notification)


_OF_NOTIFICATION: dict[str, Getter] = {
    **_OF_WHAT_IS_OWNED,
    "D:resourcetype": lambda *_: dav.element("D:resourcetype"),
    "D:getetag": lambda r, _: _text("D:getetag", r.etag),
    "D:getcontenttype": lambda *_: _text("D:getcontenttype", dav.XML_TYPE),
    "D:getcontentlength": _of_notification(lambda n: _text("D:getcontentlength", str(len(n.body)))),
    "D:getlastmodified": _of_notification(lambda n: _text("D:getlastmodified", dav.http_date(n.told_at))),
    "CS:notificationtype": _of_notification(notifications.type_of),
    "D:current-user-privilege-set": lambda *_: _privileges(*_READ),
    "D:acl": _acl(*_READ),
}


def _schedule_tag(resource: Resource, request: Request) -> ET.Element | None:
    tag = None if resource.stored is None else tokens.schedule_tag(resource.stored)
    return _text("C:schedule-tag", tag) if request.scheduling.enabled else None


def _of_stored(show_it: Callable[[StoredObject], str]) -> Callable[[str], Getter]:
    return lambda name: lambda resource, _: _text(name, show_it(resource.stored)) if resource.stored else None


_OF_OBJECT: dict[str, Getter] = {
    **_OF_WHAT_IS_OWNED,
    "D:resourcetype": lambda *_: dav.element("D:resourcetype"),
    "D:getetag": lambda r, _: _text("D:getetag", r.etag),
    "D:getcontenttype": lambda *_: _text("D:getcontenttype", OBJECT_TYPE),
    "D:getlastmodified": _of_stored(lambda s: dav.http_date(s.modified_at))("D:getlastmodified"),
    "D:getcontentlength": _of_stored(lambda s: str(len(s.data)))("D:getcontentlength"),
    "C:schedule-tag": _schedule_tag,
    "D:current-user-privilege-set": _own_privileges(access.of_object),
    "D:acl": _acl_of(access.of_object),
}

_OF_MESSAGE: dict[str, Getter] = {
    **{name: getter for name, getter in _OF_OBJECT.items() if name != "C:schedule-tag"},
    "D:current-user-privilege-set": lambda *_: _privileges(*_READ),
    "D:acl": _acl(*_READ),
}

Table = Mapping[str, Getter]

TABLES: Mapping[Kind, Table] = {
    kind: {dav.clark(name): getter for name, getter in table.items()}
    for kind, table in (
        (Kind.ROOT, _OF_ROOT),
        (Kind.HOME, _OF_HOME),
        (Kind.CALENDAR, _OF_CALENDAR),
        (Kind.OBJECT, _OF_OBJECT),
        (Kind.INBOX, _OF_INBOX),
        (Kind.MESSAGE, _OF_MESSAGE),
        (Kind.OUTBOX, _OF_OUTBOX),
        (Kind.PROXY, _OF_PROXY),
        (Kind.NOTIFICATIONS, _OF_NOTIFICATIONS),
        (Kind.NOTIFICATION, _OF_NOTIFICATION),
        (Kind.PERSON, _OF_PERSON),
    )
}
"""By Clark's name, for each kind of resource."""
