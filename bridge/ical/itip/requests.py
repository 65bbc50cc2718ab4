"""What an organizer's change means to those who are asked (RFC 5546 §3.2, RFC 6638 §3.2.1): REQUEST and CANCEL.

Each is told of what they are asked to and nothing else (RFC 6638 §3.2.6), as a whole each time: who has missed a message
is up to date with the next.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from bridge.ical import lines, values
from bridge.ical.attendees import address
from bridge.ical.draft import Draft
from bridge.ical.itip import parts
from bridge.ical.itip.parts import MASTER, Parts
from bridge.ical.lines import Line
from bridge.ical.objects import CalendarObject, Component

Method = Literal["REQUEST", "CANCEL", "REPLY"]


@dataclass(frozen=True, slots=True)
class Message:
    """``view`` is what the message is about, without the METHOD; ``recipient`` a mail address."""

    method: Method
    recipient: str
    view: CalendarObject

    def to_bytes(self) -> bytes:
        """As it goes over the wire."""
        calendar = self.view.calendar
        method = lines.write("METHOD", self.method, eol=lines.ending(calendar.begin))
        children = list(calendar.children)
        first = next((n for n, child in enumerate(children) if isinstance(child, Component)), len(children))
        children.insert(first, method)
        return replace(self.view, calendar=replace(calendar, children=tuple(children))).to_bytes()


def changes(
    old: CalendarObject | None, new: CalendarObject | None, *, own: Collection[str], now: dt.datetime
) -> Iterator[Message]:
    """Whom the organizer's change from ``old`` to ``new`` concerns, by address; None: it is not there.

    ``own`` are the organizer's addresses. Whoever the client tells itself (SCHEDULE-AGENT) is left to it.
    """
    before, after = (None if obj is None else parts.of(obj) for obj in (old, new))
    everybody = {who for each in (old, new) if each is not None and parts.is_grouped(each) for who in parts.asked(each)}
    for who in sorted(everybody - set(own)):
        if agent(after, who) != "SERVER" or (after is None and agent(before, who) != "SERVER"):
            continue
        was, is_ = seen_by(before, who), seen_by(after, who)
        if is_ is None:
            if was is not None and not _is_off(was):
                yield Message("CANCEL", who, called_off(was, who, now=now))
        elif _is_off(is_):
            if was is not None and not _is_off(was):
                yield Message("CANCEL", who, is_)
        elif was is None or _differ(was, is_) or _is_forced(after, who):
            yield Message("REQUEST", who, is_)


def seen_by(of: Parts | None, who: str) -> CalendarObject | None:
    """The object as that attendee may see it; None: they are asked to nothing of it.

    Who is asked to the series but not to one instance of it has that instance excluded; who is asked to some instances has
    those alone. What is not answered yet is said, too: for Thunderbird an attendee without PARTSTAT is asked nothing, although
    that means the same (RFC 5545 §3.2.12), and the invitation would stand in no list of open ones.
    """
    if of is None or not parts.is_grouped(of.obj):
        return None
    mine = {key for key, each in of.by_key.items() if who in parts.addresses(each)}
    if not mine:
        return None
    kept = {id(of.by_key[key]) for key in mine}
    excluded = [key for key in of.by_key if key not in mine and key != MASTER] if MASTER in mine else []

    def ask(line: Line) -> Line:
        if address(line.value) != who or line.param("PARTSTAT"):
            return line
        return lines.rewrite(line, line.value, params=[("PARTSTAT", "NEEDS-ACTION")], eol=of.eol)

    def view(component: Component) -> Component | None:
        if id(component) not in kept:
            return None
        made = parts.each_line(parts.shared(component, of.eol), "ATTENDEE", ask, of.eol)
        return _excluding(made, of, excluded) if component is of.by_key.get(MASTER) else made

    return parts.rewritten(of.obj, view)


def _excluding(master: Component, of: Parts, keys: Collection[str]) -> Component:
    if of.when is None or not keys:
        return master
    places, draft = of.places, Draft(master, of.eol)
    for key in sorted(keys):
        draft.insert(places.line("EXDATE", places.original(key, of.when)), after=("RRULE", "RDATE", "EXDATE"))
    return draft.component()


def called_off(view: CalendarObject, who: str, *, now: dt.datetime) -> CalendarObject:
    """What a CANCEL says: all that they were asked to, with nobody else named (RFC 5546 §3.2.5)."""
    eol = lines.ending(view.calendar.begin)
    stamp = values.write_moment(now.astimezone(dt.UTC), utc=True)

    def cancel(component: Component) -> Component:
        draft = Draft(component, eol)
        draft.remove(*(line for line in draft.every("ATTENDEE") if address(line.value) != who))
        draft.set("STATUS", "CANCELLED")
        draft.set("DTSTAMP", stamp)
        draft.set("SEQUENCE", str(parts.sequence(component) + 1))
        return draft.component()

    return parts.rewritten(view, cancel)


def rescheduled(old: CalendarObject | None, new: CalendarObject) -> frozenset[str]:
    """The keys of what takes place at another time now: whoever has answered is asked again (RFC 6638 §3.2.8)."""
    if old is None:
        return frozenset()
    before, after = parts.of(old).by_key, parts.of(new).by_key
    if MASTER in before and MASTER in after and _times(before[MASTER]) != _times(after[MASTER]):
        return frozenset(after)
    return frozenset(key for key in after if key in before and _times(before[key]) != _times(after[key]))


def _times(component: Component) -> list[str]:
    """Their values in a form that folding and parameters' order do not change."""
    return sorted(
        f"{line.name};{line.param('TZID')}:{line.value}" for name in parts.TIMES for line in component.every(name)
    )


def asked_anew(new: CalendarObject, keys: Collection[str], *, own: Collection[str]) -> CalendarObject:
    """The organizer's object with the answers to those instances taken back."""
    of = parts.of(new)
    eol = of.eol
    concerned = {id(of.by_key[key]) for key in keys}

    def ask(line: Line) -> Line:
        answered = line.param("PARTSTAT").upper() not in ("", "NEEDS-ACTION")
        if not answered or address(line.value) in own:
            return line
        return lines.rewrite(line, line.value, params=[("PARTSTAT", "NEEDS-ACTION")], eol=eol)

    def change(component: Component) -> Component:
        return parts.each_line(component, "ATTENDEE", ask, eol) if id(component) in concerned else component

    return parts.rewritten(new, change)


def _differ(was: CalendarObject, is_: CalendarObject) -> bool:
    before, after = (parts.of(each).by_key for each in (was, is_))
    return before.keys() != after.keys() or any(
        parts.signature(before[key]) != parts.signature(after[key]) for key in after
    )


def _is_off(view: CalendarObject) -> bool:
    return all(parts.is_off(each) for each in parts.components(view))


def agent(of: Parts | None, who: str) -> str:
    """Who tells that attendee: SERVER, or CLIENT or NONE, which leave it to the client (RFC 6638 §7.1)."""
    lines_ = [] if of is None else [parts.line_of(each, [who]) for each in of.by_key.values()]
    named = {line.param("SCHEDULE-AGENT").upper() for line in lines_ if line is not None} - {"", "SERVER"}
    return named.pop() if named else "SERVER"


def _is_forced(of: Parts | None, who: str) -> bool:
    lines_ = [] if of is None else [parts.line_of(each, [who]) for each in of.by_key.values()]
    return any(line is not None and line.param("SCHEDULE-FORCE-SEND").upper() == "REQUEST" for line in lines_)
