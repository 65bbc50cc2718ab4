"""Whose word counts in a calendar where both sides changed the same, and which pair is the home of what is made here."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection

from bridge.errors import NotFound, UsageError
from bridge.services.context import Context
from bridge.services.holding import held
from bridge.services.naming import calendar_named, name_of
from bridge.store import audit, calendars, links, pairs, remote_calendars
from bridge.store.calendars import Calendar
from bridge.store.pairs import Pair
from bridge.sync.plan import ASKED
from bridge.sync.standing import again

RULES = ("newest", "hub", "ask")
AUTO = "auto"


def set_truth(context: Context, name: str, truth: str, *, actor: str = "cli") -> str:
    """``newest``, ``hub``, ``ask``, or a pair's number: then its remote's word counts. Returns it as it is stored.

    What waits for an answer is decided by the new rule, unless that is to ask. Raises UsageError and NotFound.
    """
    with context.database.read() as conn:
        calendar = calendar_named(conn, name)
        all_pairs = [pair.id for pair in pairs.of_calendar(conn, calendar.id)]
    now = context.now()
    with held(context, calendar.id, [] if truth == "ask" else all_pairs) as conn:
        stored = truth
        if truth not in RULES:
            pair = _pair_of(conn, calendar, truth, f"{', '.join(RULES)} or the number of one of its pairs")
            if pair.direction == "push":
                raise UsageError(f"pair {pair.id} only pushes: nothing its remote calendar says ever comes here")
            stored = f"pair:{pair.id}"
        calendars.set_truth(conn, calendar.id, stored)
        if truth != "ask":
            for pair_id in all_pairs:
                _ask_no_more(conn, pair_id)
                pairs.wake(conn, pair_id, now=now)
        _note(conn, calendar, "calendar.truth", stored, actor, context)
    return stored


def _ask_no_more(conn: Connection, pair_id: int) -> None:
    waiting = [link for link in links.quarantined(conn, pair_id) if link.quarantine == ASKED]
    links.save(conn, pair_id, [replace(again(link), quarantine=None, attempts=0) for link in waiting])


def set_home(context: Context, name: str, home: str, *, actor: str = "cli") -> int | None:
    """The pair that events made here belong to; ``auto``: the first one that may be written. Raises UsageError and NotFound."""
    with context.database.write() as conn:
        calendar = calendar_named(conn, name)
        pair_id = None
        if home != AUTO:
            pair = _pair_of(conn, calendar, home, f"{AUTO} or the number of one of its pairs")
            known = remote_calendars.by_id(conn, pair.remote_calendar_id)
            if pair.direction == "pull" or known is None or not known.calendar.writable:
                raise UsageError(
                    f"pair {pair.id} writes nothing to its remote calendar, so no event can be at home there"
                )
            pair_id = pair.id
        calendars.set_home_pair(conn, calendar.id, pair_id)
        _note(conn, calendar, "calendar.home", home, actor, context)
    return pair_id


def _pair_of(conn: Connection, calendar: Calendar, text: str, choices: str) -> Pair:
    if not (text.isascii() and text.isdigit()):
        raise UsageError(f"{text!r} is none of: {choices}")
    pair = next((one for one in pairs.of_calendar(conn, calendar.id) if str(one.id) == text.lstrip("0")), None)
    if pair is None:
        raise NotFound(f"{name_of(calendar)} has no pair {text}; see: caldav-bridge pair list")
    return pair


def _note(conn: Connection, calendar: Calendar, action: str, value: str, actor: str, context: Context) -> None:
    audit.record(
        conn,
        action,
        actor=actor,
        principal_id=calendar.principal_id,
        detail={"calendar": calendar.id, "value": value},
        now=context.now(),
    )
