"""Which events take place in a range, and when somebody is busy, by an index of occurrences: what is found is what it costs.

The rows of an object are written with it (``objects.put``) and go with it by the foreign key. They say what
``bridge.ical.unrolled`` lists; where that list is not complete for a range, the object is ``unsure`` and has to be read. What
lies in a range is RFC 4791 §9.9's table for events: one without length does so at its start.

How long an occurrence lasts is a class, so that all of one class that touch a range have begun within a known time before it:
otherwise each look would go through everything since the beginning.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import sqlalchemy as sa

from bridge.ical import times, values
from bridge.ical.unrolled import BEGINNING, FOREVER, MARGIN, Occurrence, Unrolled
from bridge.store.tables import Instant, instant, micros, objects, occurrences

_DAY = dt.timedelta(days=1)
_CLASSES = (_DAY, 8 * _DAY, 64 * _DAY)  # lasts no longer than that; one more class is for all that does


@dataclass(frozen=True, slots=True)
class Found:
    """By href: what certainly takes place in the range; and what only its text can tell of."""

    sure: frozenset[str]
    unsure: frozenset[str]


class Taken(NamedTuple):
    """A time that an event takes, in microseconds since 1970 (UTC): there may be very many of them."""

    start: int
    end: int
    kind: str
    answers: Mapping[str, str] | None


# --- statements, built once ------------------------------------------------------------------------------------------

_C = occurrences.c
_IN_CALENDAR = sa.bindparam("calendar_id", type_=sa.BigInteger)
_START, _END = (sa.bindparam(name, type_=Instant) for name in ("start", "end"))
_SINCE, _UNTIL = (sa.bindparam(name, type_=Instant) for name in ("since", "until"))  # the range and its margin


def _touching() -> list[list[sa.ColumnElement[bool]]]:
    """A condition for each class. Of those in no zone it lets through what lies in the range somewhere on earth."""
    exactly = sa.and_(
        _C.start_at < _END, sa.or_(_C.end_at > _START, sa.and_(_C.end_at == _C.start_at, _C.start_at >= _START))
    )
    made = []
    for number in range(len(_CLASSES) + 1):
        begun = sa.bindparam(f"begun_{number}", type_=Instant)
        near = _C.calendar_id == _IN_CALENDAR, _C.length == number, _C.start_at >= begun, _C.start_at < _UNTIL
        made.append([*near, sa.or_(_C.floating, exactly)])
    return made


def _number(column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    return sa.type_coerce(column, sa.BigInteger)


_FIND = sa.union(
    *(
        sa.select(
            _C.href,
            sa.case((_C.floating, _number(_C.start_at))).label("start_at"),
            sa.case((_C.floating, _number(_C.end_at))).label("end_at"),
        ).where(*conditions)
        for conditions in _touching()
    )
)
_TAKEN = sa.union_all(
    *(
        sa.select(_number(_C.start_at), _number(_C.end_at), _C.kind, _C.answers, _C.floating).where(
            *conditions, _C.kind.is_not(None), _C.href != sa.bindparam("but")
        )
        for conditions in _touching()
    )
)
_UNSURE = sa.union_all(
    *(
        sa.select(objects.c.href).where(
            objects.c.calendar_id == _IN_CALENDAR,
            outside,
            objects.c.component == "VEVENT",
            sa.or_(
                objects.c.first_at.is_(None),
                sa.and_(
                    objects.c.first_at < _END,
                    # even at the very end: the last occurrence of a series may last no time
                    sa.or_(objects.c.last_at.is_(None), objects.c.last_at >= _START),
                ),
            ),
        )
        # two searches, each by its own index: with OR, or with both conditions in one, SQLite walks through the calendar
        for outside in (objects.c.listed_until < _UNTIL, objects.c.listed_from > _SINCE)
    )
)
_OF_OBJECT = sa.and_(_C.calendar_id == _IN_CALENDAR, _C.href == sa.bindparam("href"))
_HELD = (
    sa.select(_number(_C.start_at), _number(_C.end_at), _C.floating, _C.kind, _C.answers)
    .where(_OF_OBJECT)
    .order_by(_C.number)
)
_DROP = sa.delete(occurrences).where(_OF_OBJECT)
_ADD = sa.insert(occurrences)
_MARK = (
    sa.update(objects)
    .where(objects.c.calendar_id == sa.bindparam("in_calendar"), objects.c.href == sa.bindparam("named"))
    .values(
        listed_from=sa.bindparam("listed_from", type_=Instant), listed_until=sa.bindparam("listed_until", type_=Instant)
    )
)
_STALE = (
    sa.select(objects.c.href, objects.c.listed_until)
    .where(
        objects.c.calendar_id == _IN_CALENDAR,
        objects.c.listed_until < _UNTIL,
        objects.c.component == "VEVENT",
        objects.c.href > sa.bindparam("after"),
    )
    .order_by(objects.c.href)
    .limit(sa.bindparam("limit", type_=sa.Integer))
)
_DROP_ALL = sa.delete(occurrences).where(_C.calendar_id == _IN_CALENDAR)
_FORGET = (
    sa.update(objects)
    .where(
        objects.c.calendar_id == sa.bindparam("in_calendar"),
        objects.c.listed_until > BEGINNING,
        objects.c.component == "VEVENT",
    )
    .values(listed_from=FOREVER, listed_until=BEGINNING)
)


# --- asking ----------------------------------------------------------------------------------------------------------


def find(
    conn: sa.Connection,
    calendar_id: int,
    start: dt.datetime | None,
    end: dt.datetime | None,
    *,
    floating: dt.tzinfo,
) -> Found:
    """The events that touch [start, end); None is open. ``floating`` is the zone in which times without one are looked at."""
    bound = _bound(calendar_id, start, end)
    sure, unsure = set(), set(conn.scalars(_UNSURE, bound))
    for href, begins, ends in conn.execute(_FIND, bound):
        if begins is None:
            sure.add(href)
            continue
        first, last = (_in_zone(each, floating) for each in (begins, ends))
        if last < first:  # a change of the clock turns it round: how that counts depends on where it comes from
            unsure.add(href)
        elif first < bound["end"] and (last > bound["start"] or first >= bound["start"]):
            sure.add(href)
    return Found(frozenset(sure), frozenset(unsure - sure))


def taken(
    conn: sa.Connection, calendar_id: int, start: dt.datetime, end: dt.datetime, *, floating: dt.tzinfo, but: str = ""
) -> tuple[list[Taken], frozenset[str]]:
    """What takes time in [start, end), also beyond its ends, and the hrefs of which only their text can tell.

    ``but`` is an href that does not count.
    """
    bound = _bound(calendar_id, start, end)
    found = []
    for begins, ends, kind, answers, floats in conn.execute(_TAKEN, {**bound, "but": but}):
        if floats:
            first, last = (micros(_in_zone(each, floating)) for each in (begins, ends))
            found.append(Taken(first, last, kind, answers))
        else:
            found.append(Taken(begins, ends, kind, answers))
    return found, frozenset(conn.scalars(_UNSURE, bound)) - {but}


def _bound(calendar_id: int, start: dt.datetime | None, end: dt.datetime | None) -> dict[str, Any]:
    """An open end is the end of all time, where nothing is complete that goes on for ever."""
    since, until = values.shifted(start or BEGINNING, -MARGIN), values.shifted(end or FOREVER, MARGIN)
    begun = {f"begun_{number}": values.shifted(since, -longest) for number, longest in enumerate(_CLASSES)}
    return {
        "calendar_id": calendar_id,
        "start": start or BEGINNING,
        "end": end or FOREVER,
        "since": since,
        "until": until,
        **begun,
        f"begun_{len(_CLASSES)}": BEGINNING,
    }


def _in_zone(number: int, floating: dt.tzinfo) -> dt.datetime:
    return times.instant(instant(number).replace(tzinfo=None), None, floating=floating)


# --- writing ---------------------------------------------------------------------------------------------------------


def write(conn: sa.Connection, calendar_id: int, href: str, listed: Unrolled, *, is_new: bool = False) -> None:
    """Make these the rows of an object that is there. Where they are that already, nothing is written."""
    wanted = [_row(each) for each in listed.occurrences]
    if not is_new:
        of_object = {"calendar_id": calendar_id, "href": href}
        held = [tuple(row) for row in conn.execute(_HELD, of_object)]
        if held == wanted:
            return
        if held:
            conn.execute(_DROP, of_object)
    if wanted:
        conn.execute(_ADD, list(_rows(calendar_id, href, listed.occurrences)))


def mark(conn: sa.Connection, calendar_id: int, href: str, listed: Unrolled) -> None:
    """Say where an object's rows are complete."""
    bound = {"in_calendar": calendar_id, "named": href, "listed_from": listed.since, "listed_until": listed.until}
    conn.execute(_MARK, bound)


def stale(
    conn: sa.Connection, calendar_id: int, until: dt.datetime, *, after: str, limit: int
) -> dict[str, dt.datetime]:
    """The hrefs of events whose rows do not reach that far, and how far they do: the next ``limit`` behind ``after``."""
    bound = {"calendar_id": calendar_id, "until": until, "after": after, "limit": limit}
    return {row.href: row.listed_until for row in conn.execute(_STALE, bound)}


def forget(conn: sa.Connection, calendar_id: int) -> None:
    """Drop all of a calendar's rows: they were made by other rules than those of today."""
    conn.execute(_DROP_ALL, {"calendar_id": calendar_id})
    conn.execute(_FORGET, {"in_calendar": calendar_id})


def _row(each: Occurrence) -> tuple[int, int, bool, str | None, dict[str, str] | None]:
    return (
        micros(each.start),
        micros(each.end),
        each.floating,
        each.kind,
        dict(each.answers) if each.answers else None,
    )


def _rows(calendar_id: int, href: str, listed: Sequence[Occurrence]) -> Iterable[dict[str, Any]]:
    for number, each in enumerate(listed):
        lasts = each.end - each.start
        yield {
            "calendar_id": calendar_id,
            "href": href,
            "number": number,
            "start_at": each.start,
            "end_at": each.end,
            "length": next((n for n, longest in enumerate(_CLASSES) if lasts <= longest), len(_CLASSES)),
            "floating": each.floating,
            "kind": each.kind,
            "answers": dict(each.answers) if each.answers else None,
        }
