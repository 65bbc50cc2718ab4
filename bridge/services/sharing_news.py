"""What people are told of shares by notification: a sharee of an invitation and of what becomes of it, an owner of the answer.

Facts are what a notification's document is written from (``radicale_plugins.notifications``). The names in them are those of
that moment, for a notification outlives the share and perhaps the people.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass

import sqlalchemy as sa

from bridge.services.naming import title_of
from bridge.store import calendars, notifications, principals
from bridge.store.calendars import Calendar
from bridge.store.notifications import INVITATION, REPLY
from bridge.store.principals import Principal
from bridge.store.shares import Share


@dataclass(frozen=True, slots=True)
class Facts:
    """``status`` is what the sharee has said; "deleted": the share is no more. ``owner`` and ``slug`` are the calendar's path.

    ``summary`` is what the calendar is called, by its owner to the sharee or the other way round. A field that is added needs a
    default, for rows of before have none.
    """

    invitation: int
    status: str
    access: str
    owner: str
    owner_name: str
    slug: str
    sharee: str
    sharee_name: str
    sharee_email: str
    summary: str
    components: list[str]


def invited(conn: sa.Connection, calendar: Calendar, share: Share, *, now: dt.datetime) -> None:
    """Tell the sharee what they are asked, or what they may do from now on."""
    facts = _facts(conn, calendar, share, share.status)
    notifications.put(conn, share.principal_id, INVITATION, facts, share_id=share.id, now=now)


def answered(conn: sa.Connection, calendar: Calendar, share: Share, summary: str, *, now: dt.datetime) -> None:
    """Tell the owner what the sharee has said, and the sharee's other devices that they need not ask any more."""
    told = _facts(conn, calendar, share, share.status)
    notifications.correct(conn, share.principal_id, INVITATION, told, share_id=share.id, now=now)
    answer = {**told, "summary": summary}
    notifications.put(conn, calendar.principal_id, REPLY, answer, share_id=share.id, now=now)


def settled(conn: sa.Connection, calendar: Calendar, share: Share, *, now: dt.datetime) -> None:
    """Somebody else has accepted for the sharee: nobody is told anew, and no device asks any more."""
    facts = _facts(conn, calendar, share, share.status)
    notifications.correct(conn, share.principal_id, INVITATION, facts, share_id=share.id, now=now)


def taken(conn: sa.Connection, calendar: Calendar, share: Share, *, now: dt.datetime) -> None:
    """Tell somebody that what they had is gone. Whoever had not accepted is told nothing: the invitation is gone by itself."""
    if share.accepted_at is not None:
        facts = _facts(conn, calendar, share, "deleted")
        notifications.put(conn, share.principal_id, INVITATION, facts, share_id=None, now=now)


def _facts(conn: sa.Connection, calendar: Calendar, share: Share, status: str) -> dict[str, object]:
    owner = principals.by_id(conn, calendar.principal_id)
    facts = Facts(
        invitation=share.id,
        status=status,
        access=share.access.name.lower(),
        owner=calendar.owner,
        owner_name=_called(owner) or calendar.owner,
        slug=calendar.slug,
        sharee=share.sharee,
        sharee_name=principals.called(share.sharee, share.properties_of_sharee),
        sharee_email=share.email,
        summary=share.summary or title_of(calendar),
        components=list(calendars.components(calendar.properties)),
    )
    return asdict(facts)


def _called(person: Principal | None) -> str:
    return "" if person is None else principals.called(person.name, person.properties)
