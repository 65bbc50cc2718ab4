"""Sharing a calendar by POST (CalendarServer's caldav-sharing): its owner says with whom, and who was asked says yes or no."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import dataclass
from http import client

import sqlalchemy as sa

from bridge.errors import AlreadyExists, NotFound, UsageError
from bridge.policy.access import Access
from bridge.services import inviting
from bridge.services.inviting import MOST_SHAREES, Wish
from bridge.store import principals, shares
from bridge.store.calendars import Calendar
from bridge.store.principals import Principal
from radicale_plugins import access, addressees, dav, notifications
from radicale_plugins.dav import Answer
from radicale_plugins.request import NOT_FOUND, Kind, Place, Request

_LEVELS = {f"{dav.CS}read": "read", f"{dav.CS}read-write": "write"}
_LONGEST_ADDRESS = 320
_LONGEST_NAME = 255


@dataclass(frozen=True, slots=True)
class _Asked:
    """A CS:set or, with an access of None, a CS:remove."""

    address: str
    access: str | None
    common_name: str
    summary: str


def share(request: Request, root: ET.Element) -> Answer:
    """CS:share, to a calendar of one's own: all of it is done, or nothing. Addresses that are nobody's are marked as invalid."""
    if request.place.kind is not Kind.CALENDAR:
        return _refused("Only a calendar can be shared.")
    asked = _read(root)
    with request.write() as conn:
        calendar = request.calendar(conn, needs=access.SHARE)
        wishes = [_wish(request, conn, calendar, each) for each in asked]
        try:
            inviting.change(conn, calendar, wishes, actor=request.actor, now=request.now())
        except UsageError as error:
            raise dav.Refusal(_refused(f"{error}.")) from None
        except NotFound:  # it was deleted a moment ago
            raise dav.Refusal(NOT_FOUND) from None
    return dav.empty(client.OK, {"Cache-Control": "no-cache"})


def reply(request: Request, root: ET.Element) -> Answer:
    """CS:invite-reply, to one's own home. Whose answer it is says who is signed in, whatever DAV:href stands in it."""
    if request.level is not Access.OWNER:
        return dav.need_privileges(request.url(request.place.path), "D:bind")
    if request.place.kind is not Kind.HOME:
        return _refused("An invitation is answered at one's home.")
    accepted = root.find(f"{dav.CS}invite-accepted") is not None
    if accepted == (root.find(f"{dav.CS}invite-declined") is not None):
        return _refused("An answer says either invite-accepted or invite-declined.")
    number = notifications.share_named(root.findtext(f"{dav.CS}in-reply-to") or "")
    summary = _text(root, "summary")
    actor, now = request.actor, request.now()
    with request.write() as conn:
        person = principals.by_name(conn, request.user)
        if person is None:
            return NOT_FOUND
        try:
            calendar = inviting.invitation(conn, number or 0, person)
            _require_same(request, root, calendar)
            if not accepted:
                inviting.decline(conn, calendar, person, actor=actor, now=now)
                return dav.empty(client.NO_CONTENT)
            made = inviting.accept(conn, calendar, person, summary=summary, actor=actor, now=now)
        except (NotFound, AlreadyExists) as error:
            raise dav.Refusal(_refused(f"{error}.")) from None
    where = Place(person.name, made.slug or "").path
    return dav.xml(client.OK, dav.element("CS:shared-as", dav.href(request.url(where))))


def _require_same(request: Request, root: ET.Element, calendar: Calendar) -> None:
    """The calendar that the answer names is that of the invitation. Raises dav.Refusal."""
    if request.place_of(root.findtext(f"{dav.CS}hosturl/{dav.D}href") or "") != Place(calendar.owner, calendar.slug):
        raise dav.Refusal(_refused("The invitation is to another calendar than the hosturl says."))


def _read(root: ET.Element) -> list[_Asked]:
    """Raises dav.Refusal."""
    asked = [_one(each) for each in root if each.tag in (f"{dav.CS}set", f"{dav.CS}remove")]
    if not asked:
        raise dav.Refusal(_refused("A share holds set or remove."))
    if len(asked) > MOST_SHAREES:
        raise dav.Refusal(_refused(f"At most {MOST_SHAREES} people are named at once."))
    return asked


def _one(element: ET.Element) -> _Asked:
    address = (element.findtext(f"{dav.D}href") or "").strip()
    if not 0 < len(address) <= _LONGEST_ADDRESS:
        raise dav.Refusal(_refused("Each set and remove names somebody by a href."))
    if element.tag == f"{dav.CS}remove":
        return _Asked(address, None, "", "")
    levels = [_LEVELS[each.tag] for each in element if each.tag in _LEVELS]
    if len(levels) != 1:
        raise dav.Refusal(_refused("Each set says either read or read-write."))
    return _Asked(address, levels[0], _text(element, "common-name"), _text(element, "summary"))


def _text(element: ET.Element, name: str) -> str:
    """Raises dav.Refusal."""
    text = " ".join((element.findtext(f"{dav.CS}{name}") or "").split())
    if len(text) > _LONGEST_NAME:
        raise dav.Refusal(_refused(f"A {name} has at most {_LONGEST_NAME} characters."))
    return text


def _wish(request: Request, conn: sa.Connection, calendar: Calendar, asked: _Asked) -> Wish:
    """Where people do not see each other, nobody is found who has not to do with the calendar already."""
    person = addressees.find(request, conn, asked.address)
    if person is not None and not _may_know(request, conn, calendar, person):
        person = None
    is_mail = asked.address.lower().startswith("mailto:")
    address = asked.address.lower() if is_mail else asked.address  # one, in whatever case
    return Wish(address, person, asked.access, asked.common_name, asked.summary)


def _may_know(request: Request, conn: sa.Connection, calendar: Calendar, person: Principal) -> bool:
    is_own = person.id == calendar.principal_id
    return request.directory or is_own or shares.of(conn, calendar.id, person.id) is not None


def _refused(why: str) -> Answer:
    """As Apple's server says it, with a reason for whoever looks into it."""
    details = dav.element("CS:valid-request"), dav.element("D:responsedescription", content=why)
    return dav.xml(client.FORBIDDEN, dav.element("D:error", *details))
