"""Letting somebody else look after one's calendars: what the owner's word does."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from bridge.errors import NotFound, UsageError
from bridge.policy.access import GIVEN
from bridge.services.naming import nobody
from bridge.services.sharing import access_named
from bridge.store import audit, delegates, principals
from bridge.store.audit import Detail
from bridge.store.principals import Principal
from bridge.store.session import Database


@dataclass(frozen=True, slots=True)
class Delegation:
    owner: str
    delegate: str
    access: str


def add(database: Database, owner: str, delegate: str, access: str, *, now: dt.datetime) -> None:
    """Once more changes what they may. Raises UsageError and NotFound."""
    if access not in GIVEN:
        raise UsageError(f"calendars are given to {' or to '.join(GIVEN)}, not to {access!r}")
    if owner == delegate:
        raise UsageError(f"the calendars are {owner}'s already")
    with database.write() as conn:
        change(conn, _person(conn, owner), {_person(conn, delegate).id: access}, actor="cli", now=now)


def remove(database: Database, owner: str, delegate: str, *, now: dt.datetime) -> None:
    """From the next request on. Raises NotFound."""
    with database.write() as conn:
        if not change(conn, _person(conn, owner), {_person(conn, delegate).id: None}, actor="cli", now=now):
            raise NotFound(f"{delegate} does not look after {owner}'s calendars; see: caldav-bridge delegate list")


def change(
    conn: sa.Connection, owner: Principal, wanted: Mapping[int, str | None], *, actor: str, now: dt.datetime
) -> bool:
    """Give people, by id, that access, or none. False: nothing was new."""
    changed = delegates.change(conn, owner.id, wanted, now=now)
    for delegate_id in changed:
        detail: Detail = {"with": delegate_id, "access": wanted[delegate_id] or "none"}
        audit.record(conn, "delegate", actor=actor, now=now, principal_id=owner.id, detail=detail)
    return bool(changed)


def every(database: Database, user: str | None = None) -> list[Delegation]:
    """Of all, or of one person and those whose calendars they look after. Raises NotFound."""
    with database.read() as conn:
        if user is not None:
            _person(conn, user)
        found = [
            Delegation(person.name, delegate, access_named(access))
            for person in principals.every(conn)
            for delegate, access in delegates.of(conn, person.name).items()
        ]
    return [each for each in found if user in (None, each.owner, each.delegate)]


def _person(conn: sa.Connection, name: str) -> Principal:
    person = principals.by_name(conn, name)
    if person is None:
        raise nobody(name)
    return person
