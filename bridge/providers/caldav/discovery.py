"""From an address that a person typed to her calendars (RFC 6764 §6, RFC 5397, RFC 4791 §6.2).

Address, ``/.well-known/caldav`` or root → current-user-principal → calendar-home-set → its children.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from bridge.errors import Gone, InvalidCalendarData, NeedsReconnect, ProviderError, Refused, Unreachable, UsageError
from bridge.ical import objects, text, times
from bridge.providers.caldav import urls
from bridge.providers.caldav.api import Api
from bridge.providers.caldav.xml import Resource
from bridge.sync.ports import RemoteCalendar

_LAST = 1 << 31


@dataclass(frozen=True, slots=True)
class Person:
    """A principal. ``addresses`` are her calendar user addresses without ``mailto:``, the preferred one first."""

    principal: str
    homes: tuple[str, ...]
    addresses: tuple[str, ...]
    inbox: str


@dataclass(frozen=True, slots=True)
class _Listed:
    calendar: RemoteCalendar
    order: int


def person(api: Api, address: str) -> Person:
    """Who signs in at this address. Raises UsageError if there is no CalDAV server, and what requests raise."""
    tried: ProviderError | None = None
    for candidate in dict.fromkeys([address, f"{urls.origin(address)}/.well-known/caldav", f"{urls.origin(address)}/"]):
        try:
            principal = _principal(api, candidate)
            if principal:
                return details(api, principal)
        except NeedsReconnect:
            raise
        except ProviderError as error:
            if isinstance(error, Unreachable) and error.status == 0:
                raise
            if tried is None or getattr(error, "code", "") == "foreign-address":
                tried = error
    why = f" ({tried})" if tried else ""
    raise UsageError(f"no CalDAV server was found at {address}{why}")


def _principal(api: Api, url: str) -> str:
    there, answer = api.propfind(url, "d:current-user-principal", "c:calendar-home-set", "d:resourcetype")
    for one in answer.resources:
        if hrefs := one.hrefs("d:current-user-principal"):
            return urls.joined(there, hrefs[0])
    return there if any(one.hrefs("c:calendar-home-set") for one in answer.resources) else ""


def details(api: Api, principal: str) -> Person:
    names = ("c:calendar-home-set", "c:calendar-user-address-set", "c:schedule-inbox-URL")
    there, answer = api.propfind(principal, *names)
    homes = [urls.joined(there, href) for one in answer.resources for href in one.hrefs("c:calendar-home-set")]
    inboxes = [urls.joined(there, href) for one in answer.resources for href in one.hrefs("c:schedule-inbox-URL")]
    if not homes:
        raise Refused("the server names no calendars of this person", status=404, code="no-calendar-home")
    return Person(principal, tuple(dict.fromkeys(homes)), _addresses(answer.resources), inboxes[0] if inboxes else "")


def _addresses(resources: Iterable[Resource]) -> tuple[str, ...]:
    found = [
        (href.get("preferred") != "1", (href.text or "").strip()[len("mailto:") :].lower())
        for one in resources
        for found in one.props.values()
        for href in found
        if found.tag.endswith("}calendar-user-address-set") and (href.text or "").strip().lower().startswith("mailto:")
    ]
    return tuple(dict.fromkeys(address for _, address in sorted(found, key=lambda each: each[0]) if "@" in address))


def calendars(api: Api, who: Person, *, owner: str) -> list[RemoteCalendar]:
    """Her calendars for events; exactly one is primary: the server's default, else the first that can be written."""
    listed: dict[str, _Listed] = {}
    default = ""
    for home in who.homes:
        there, answer = api.propfind(home, *_ASKED, depth=1)
        for one in answer.resources:
            if one.status != 200:
                raise Unreachable("the list of calendars is cut short", status=207)
            default = default or _default(there, one)
            if _holds_events(one):
                url = urls.joined(there, one.href)
                listed[url] = _Listed(_calendar(url, one, owner), _order(one.text("a:calendar-order")))
    if not default and who.inbox:
        default = _asked_for_default(api, who.inbox)
    ranked = sorted(listed.values(), key=lambda each: (not each.calendar.writable, each.order, each.calendar.id))
    named = [each for each in ranked if each.calendar.id.rstrip("/") == default.rstrip("/")]
    first = (named or ranked)[:1]
    return [replace(each.calendar, primary=each in first) for each in ranked]


_ASKED = (
    "d:resourcetype",
    "d:displayname",
    "d:current-user-privilege-set",
    "c:supported-calendar-component-set",
    "c:calendar-timezone",
    "c:schedule-default-calendar-URL",
    "a:calendar-color",
    "a:calendar-order",
)


def _default(base: str, resource: Resource) -> str:
    hrefs = resource.hrefs("c:schedule-default-calendar-URL")
    return urls.joined(base, hrefs[0]) if hrefs else ""


def _asked_for_default(api: Api, inbox: str) -> str:
    try:
        there, answer = api.propfind(inbox, "c:schedule-default-calendar-URL")
    except (Gone, Refused):
        return ""
    return next((found for one in answer.resources if (found := _default(there, one))), "")


def _holds_events(resource: Resource) -> bool:
    """A calendar that says nothing of components takes all of them (RFC 4791 §5.2.3)."""
    if not resource.has("d:resourcetype", "c:calendar"):
        return False
    found = resource.props.get("{urn:ietf:params:xml:ns:caldav}supported-calendar-component-set")
    kinds = [] if found is None else [str(each.get("name", "")).upper() for each in found]
    return not kinds or "VEVENT" in kinds


def _calendar(url: str, resource: Resource, owner: str) -> RemoteCalendar:
    segment = url.rstrip("/").rpartition("/")[2]
    return RemoteCalendar(
        id=url,
        name=" ".join(resource.text("d:displayname").split()) or segment,
        writable=_is_writable(resource),
        primary=False,
        color=_color(resource.text("a:calendar-color")),
        zone=_zone(resource.text("c:calendar-timezone")),
        owner=owner,
    )


def _is_writable(resource: Resource) -> bool:
    """RFC 3744 §3: ``write`` and ``all`` hold the others. Where nothing is told, writing is tried."""
    if "{DAV:}current-user-privilege-set" not in resource.props:
        return True
    held = {
        kind
        for kind in ("all", "write", "write-content", "bind")
        if resource.has("d:current-user-privilege-set", f"d:{kind}")
    }
    return bool(held & {"all", "write"}) or held >= {"write-content", "bind"}


def _order(value: str) -> int:
    return int(value) if value.isdecimal() and len(value) < 10 else _LAST


def _color(value: str) -> str:
    """Apple's has an alpha channel behind it."""
    return value[:7].lower() if re.fullmatch(r"#[0-9a-fA-F]{6}(?:[0-9a-fA-F]{2})?", value) else ""


def _zone(data: str) -> str:
    """The IANA name of the zone in which a calendar's floating times are meant; "" if it names none."""
    if not data:
        return ""
    try:
        # a VTIMEZONE stands alone here, which no object may
        wrapped = re.sub(r"END:VCALENDAR\s*\Z", "BEGIN:VEVENT\nUID:-\nEND:VEVENT\nEND:VCALENDAR\n", data)
        zones = objects.parse(wrapped.encode()).timezones
    except InvalidCalendarData:
        return ""
    return next((name for tzid, zone in zones.items() if (name := times.resolve_zone(text.unescape(tzid), zone))), "")
