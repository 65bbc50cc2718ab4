"""Laying what an organizer says upon the copy that an attendee has, and telling the organizer's copy how it was sent.

The organizer's word counts for all but what everybody has for themselves: alarms, colours, whether it makes one busy.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping

from bridge.ical import lines, values
from bridge.ical.attendees import address
from bridge.ical.draft import Draft
from bridge.ical.itip import parts
from bridge.ical.itip.parts import MASTER
from bridge.ical.lines import Line
from bridge.ical.objects import CalendarObject, Component


def accepted(existing: CalendarObject | None, view: CalendarObject, *, anew: Collection[str] = ()) -> CalendarObject:
    """The attendee's copy after a REQUEST of all they are asked to (``requests.seen_by``).

    ``anew`` are the instances that take place at another time now: there, what they are shown as begins anew, too.
    """
    if existing is None:
        return view
    had = parts.of(existing).by_key
    wanted = parts.of(view)
    keys = {id(component): key for key, component in wanted.by_key.items()}

    def change(component: Component) -> Component:
        key = keys.get(id(component), MASTER)
        mine = had.get(key, had.get(MASTER))
        return component if mine is None else _with_own(component, mine, wanted.eol, shown=key not in anew)

    return parts.rewritten(view, change)


def _with_own(component: Component, mine: Component, eol: str, *, shown: bool) -> Component:
    draft = Draft(component, eol)
    own = [line for line in mine.children if isinstance(line, Line) and parts.is_own(line.name)]
    kept = [line for line in own if shown or line.name != "TRANSP"]
    names = {line.name for line in kept}
    draft.remove(*(line for line in component.children if isinstance(line, Line) and line.name in names))
    draft.insert(*kept)
    for alarm in mine.components("VALARM"):
        draft.append(alarm)
    return draft.component()


def cancelled(existing: CalendarObject, view: CalendarObject, *, now: dt.datetime) -> CalendarObject:
    """The attendee's copy after a CANCEL: it stays, and says that it does not take place. Of a series only what was named."""
    stamp = values.write_moment(now.astimezone(dt.UTC), utc=True)
    named = parts.of(view).by_key
    had = parts.of(existing)
    concerned = {id(each) for key, each in had.by_key.items() if MASTER in named or key in named}

    def change(component: Component) -> Component:
        if id(component) not in concerned:
            return component
        draft = Draft(component, had.eol)
        draft.set("STATUS", "CANCELLED")
        draft.set("DTSTAMP", stamp)
        return draft.component()

    made = parts.rewritten(existing, change)
    missing = [] if MASTER in named else [named[key] for key in sorted(named.keys() - had.by_key.keys())]
    return parts.rewritten(made, lambda component: component, *missing) if MASTER in had.by_key else made


def with_statuses(obj: CalendarObject, by_address: Mapping[str, str], *, name: str = "ATTENDEE") -> CalendarObject:
    """How sending to each went, where the client looks for it (SCHEDULE-STATUS, RFC 6638 §7.3); a new one alone is written.

    SCHEDULE-FORCE-SEND has done its work by then.
    """
    eol = lines.ending(obj.calendar.begin)

    def note(line: Line) -> Line:
        status = by_address.get(address(line.value))
        if status is None or (line.param("SCHEDULE-STATUS") == status and not line.param("SCHEDULE-FORCE-SEND")):
            return line
        params = [("SCHEDULE-STATUS", status)]
        return lines.rewrite(line, line.value, drop=("SCHEDULE-FORCE-SEND",), params=params, eol=eol)

    return parts.rewritten(obj, lambda component: parts.each_line(component, name, note, eol))


def statuses(obj: CalendarObject | None) -> dict[str, str]:
    """What was noted so: who has a status has been told by this server before."""
    if obj is None:
        return {}
    lines_ = (line for each in parts.components(obj) for line in each.every("ATTENDEE"))
    return {address(line.value): status for line in lines_ if (status := line.param("SCHEDULE-STATUS"))}


def with_answers(obj: CalendarObject, known: CalendarObject, *, but: Collection[str]) -> CalendarObject:
    """The object with the answers that the server has, for a client that has not seen them (RFC 6638 §3.2.10)."""
    had = parts.of(known).by_key
    of = parts.of(obj)
    keys = {id(component): key for key, component in of.by_key.items()}

    def change(component: Component) -> Component:
        mine = had.get(keys.get(id(component), MASTER))
        if mine is None:
            return component

        def answer(line: Line) -> Line:
            who = address(line.value)
            there = None if who in but else parts.line_of(mine, [who])
            if there is None or there.param("PARTSTAT").upper() == line.param("PARTSTAT").upper():
                return line
            params = [("PARTSTAT", there.param("PARTSTAT") or "NEEDS-ACTION")]
            return lines.rewrite(line, line.value, params=params, eol=of.eol)

        return parts.each_line(component, "ATTENDEE", answer, of.eol)

    return parts.rewritten(obj, change)
