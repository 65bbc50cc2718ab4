"""WebDAV properties: which a client may set; one by its name, whoever has it."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from radicale_plugins import dav, keeping, live, push
from radicale_plugins.live import Getter, Resource
from radicale_plugins.request import Kind, Request

PROTECTED = frozenset(
    {
        "D:creationdate", "D:getcontentlength", "D:getcontenttype", "D:getetag", "D:getlastmodified", "D:lockdiscovery",
        "D:supportedlock", "D:resourcetype", "D:sync-token", "D:owner", "D:group", "D:supported-privilege-set",
        "D:current-user-privilege-set", "D:acl", "D:acl-restrictions", "D:inherited-acl-set", "D:principal-collection-set",
        "D:principal-URL", "D:current-user-principal", "D:supported-report-set", "D:alternate-URI-set",
        "D:group-member-set", "D:group-membership", "D:supported-method-set", "D:quota-available-bytes",
        "D:quota-used-bytes", "C:supported-calendar-component-set", "C:supported-calendar-data", "C:max-resource-size",
        "C:min-date-time", "C:max-date-time", "C:max-instances", "C:max-attendees-per-instance",
        "C:max-attachment-size", "C:max-attachments-per-resource",
        "C:calendar-home-set", "C:calendar-user-address-set", "C:supported-collation-set", "CS:getctag",
        "CS:email-address-set", "D:add-member", "C:calendar-user-type", "C:schedule-inbox-URL", "C:schedule-outbox-URL",
        "C:schedule-tag", "CS:invite", "CS:calendar-proxy-read-for", "CS:calendar-proxy-write-for",
        "CS:allowed-sharing-modes", "CS:shared-url", "CS:notification-URL", "CS:notificationtype",
        "C:supported-calendar-component-sets", "C:calendar-data", *push.PROPERTIES,
    }
)  # fmt: skip
"""Nobody sets these: cannot-modify-protected-property (RFC 4918 §16). Everything else is the client's own and is kept (D-07)."""


_ANSWERED_HERE = PROTECTED | {"C:schedule-default-calendar-URL"}
"""What is kept of them is not what is shown."""

_NEEDS_ROW = frozenset(
    dav.clark(name) for name in ("D:getlastmodified", "D:getcontentlength", "C:calendar-data", "C:schedule-tag")
)
_OF_ROWS = frozenset(
    dav.clark(name)
    for name in (
        "CS:getctag", "D:sync-token", "D:getetag", "D:getlastmodified", "D:getcontenttype", "D:resourcetype", "D:owner",
        "D:current-user-privilege-set", "D:current-user-principal", "D:principal-collection-set", "D:supported-report-set",
        "D:supported-privilege-set", "D:acl-restrictions", "D:inherited-acl-set", "D:add-member", "D:displayname",
        "D:principal-URL", "D:alternate-URI-set", "D:group-member-set", "C:calendar-home-set", "C:calendar-user-address-set",
        "C:calendar-user-type", "C:supported-calendar-component-set", "C:supported-calendar-component-sets",
        "C:supported-calendar-data", "C:supported-collation-set", "C:calendar-timezone-id", "C:max-resource-size",
        "C:max-attachment-size", "C:max-attachments-per-resource", "C:schedule-inbox-URL", "C:schedule-outbox-URL",
        "CS:email-address-set", "CS:notification-URL", "CS:allowed-sharing-modes",
    )
)  # fmt: skip
_NOT_IN_ALLPROP = frozenset(
    dav.clark(name)
    for name in (
        "C:max-resource-size", "C:supported-calendar-data", "C:supported-collation-set", "D:supported-report-set",
        "D:current-user-privilege-set", "D:quota-used-bytes", "D:quota-available-bytes", "C:max-attachment-size",
        "C:max-attachments-per-resource", "C:calendar-home-set", "C:calendar-user-address-set",
        "D:add-member", "D:sync-token", *push.PROPERTIES,
        "D:acl", "D:acl-restrictions", "D:inherited-acl-set", "D:supported-privilege-set",
        "D:alternate-URI-set", "D:group-member-set", "D:group-membership", "C:calendar-user-type",
        "C:schedule-inbox-URL", "C:schedule-outbox-URL", "C:schedule-default-calendar-URL", "C:schedule-tag",
        "CS:invite", "CS:calendar-proxy-read-for", "CS:calendar-proxy-write-for",
        "CS:allowed-sharing-modes", "CS:shared-url", "CS:notification-URL", "CS:notificationtype",
    )
)  # fmt: skip


def is_protected(tag: str) -> bool:
    return dav.human(tag) in PROTECTED


def may_be_kept(tags: Iterable[str]) -> bool:
    """Whether an object could have one of them only because a client has set it."""
    return any(tag not in live.TABLES[Kind.OBJECT] and not is_protected(tag) for tag in tags)


def follow_from_rows(tags: Collection[str], *kinds: Kind) -> bool:
    """Whether all of these, of such resources, are in the rows of principals and calendars (``store.evidence``), or never change.

    What clients made up for those is; what they made up for objects is in none that tells of a change.
    """
    return all(
        tag in _OF_ROWS if tag in live.TABLES[kind] else kind is not Kind.OBJECT for kind in kinds for tag in tags
    )


def needs_row(tags: Iterable[str]) -> bool:
    """Whether href and etag of an object are not enough to answer."""
    return not _NEEDS_ROW.isdisjoint(tags)


def find(tag: str, resource: Resource, request: Request) -> ET.Element | None:
    """One property of a resource, live or kept; None: it has none of that name."""
    getter = _live(resource).get(tag)
    name = dav.human(tag)
    if getter is None or name not in _ANSWERED_HERE:
        kept = keeping.shown(_kept(resource), name)
        if kept is not None:
            return kept
    return None if getter is None else getter(resource, request)


def names(resource: Resource, *, every: bool = False) -> Iterator[str]:
    """The tags an allprop answer has, or with ``every`` those of a propname answer (RFC 4918 §9.1, RFC 4791 §5.2)."""
    live = _live(resource)
    yield from (tag for tag in live if every or tag not in _NOT_IN_ALLPROP)
    yield from (tag for name in keeping.names(_kept(resource)) if (tag := dav.clark(name)) not in live)


def _live(resource: Resource) -> Mapping[str, Getter]:
    return live.TABLES[resource.kind]


def _kept(resource: Resource) -> Mapping[str, Any]:
    if resource.kind in (Kind.CALENDAR, Kind.INBOX) and resource.calendar is not None:
        return resource.calendar.properties
    if resource.kind is Kind.OBJECT:
        return resource.properties or {}
    if resource.kind is Kind.HOME and resource.principal is not None:
        return resource.principal.properties
    return {}
