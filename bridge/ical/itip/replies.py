"""What an attendee's change means to the organizer (RFC 5546 §3.2.3, RFC 6638 §3.2.2): their answer, instance by instance."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass, replace

from bridge.errors import Unmappable
from bridge.ical import lines, recurrence, times, timing, values, view
from bridge.ical.draft import Draft
from bridge.ical.fields import TodoFields
from bridge.ical.itip import parts
from bridge.ical.itip.parts import MASTER, Parts
from bridge.ical.itip.requests import Message
from bridge.ical.objects import CalendarObject, Component

_KEPT = frozenset(
    {"UID", "SEQUENCE", "RECURRENCE-ID", "DTSTART", "DTEND", "DURATION", "DUE", "SUMMARY", "ORGANIZER", "COMMENT"}
)


@dataclass(frozen=True, slots=True)
class Answer:
    """``key`` names the instance, MASTER the whole; ``partstat`` is RFC 5545's word."""

    key: str
    partstat: str


def answers(old: CalendarObject | None, new: CalendarObject | None, *, own: Collection[str]) -> list[Answer]:
    """What changed in the own answers from ``old`` to ``new``; ``new`` None: it was deleted, which declines.

    An instance that was taken out of the own copy is declined, too. What is called off needs no answer.
    """
    before = {} if old is None else {key: parts.partstat(each, own) for key, each in parts.of(old).by_key.items()}
    if new is None:
        off = set() if old is None else {key for key, each in parts.of(old).by_key.items() if parts.is_off(each)}
        open_ = ((key, was) for key, was in sorted(before.items()) if key not in off)
        return [Answer(key, "DECLINED") for key, was in open_ if was not in ("", "DECLINED")]
    of = parts.of(new)
    found = []
    for key, component in sorted(of.by_key.items()):
        is_ = parts.partstat(component, own)
        was = before.get(key, before.get(MASTER, "NEEDS-ACTION"))
        if is_ and is_ != was:
            found.append(Answer(key, is_))
    found += (Answer(key, "DECLINED") for key in sorted(_excluded(new) - _excluded(old)) if key not in of.by_key)
    return found


def are_left_to_client(obj: CalendarObject) -> bool:
    """Whether the client answers the organizer itself, or nobody does (SCHEDULE-AGENT on ORGANIZER, RFC 6638 §7.1)."""
    found = (line for each in parts.components(obj) for line in each.every("ORGANIZER"))
    return any(line.param("SCHEDULE-AGENT").upper() in ("CLIENT", "NONE") for line in found)


def _excluded(obj: CalendarObject | None) -> frozenset[str]:
    if obj is None or obj.master is None:
        return frozenset()
    of = parts.of(obj)
    return frozenset() if of.when is None else frozenset(timing.excluded(obj.master, of.zones, of.when))


def reply(obj: CalendarObject, given: Collection[Answer], *, own: Collection[str], now: dt.datetime) -> Message:
    """The REPLY to the organizer of ``obj``: each answered instance, with nobody else named."""
    of = parts.of(obj)
    stamp = values.write_moment(now.astimezone(dt.UTC), utc=True)
    made = []
    for answer in given:
        source = of.by_key.get(answer.key) or _instance(of, answer.key)
        line = None if source is None else parts.line_of(source, own)
        if source is None or line is None:
            continue
        draft = Draft(replace(source, children=tuple(source.children)), of.eol)
        draft.remove(*(child for child in source.children if isinstance(child, Component) or child.name not in _KEPT))
        draft.insert(lines.write("DTSTAMP", stamp, eol=of.eol), after=("UID",))
        params = [("PARTSTAT", answer.partstat)]
        gone = ("RSVP", "SCHEDULE-AGENT", "SCHEDULE-STATUS", "SCHEDULE-FORCE-SEND")
        draft.insert(lines.rewrite(line, line.value, drop=gone, params=params, eol=of.eol))
        draft.insert(lines.write("REQUEST-STATUS", "2.0;Success", eol=of.eol))
        made.append(parts.shared(draft.component(), of.eol))
    sent = parts.rewritten(obj, lambda _: None, *made)
    return Message("REPLY", parts.organizer(obj), sent)


def applied(obj: CalendarObject, given: Collection[Answer], *, who: str) -> CalendarObject:
    """The organizer's object with an attendee's answers; what they are not asked to, or does not take place, is passed over."""
    of = parts.of(obj)
    wanted = {answer.key: answer.partstat for answer in given}
    keys = {id(component): key for key, component in of.by_key.items()}

    def change(component: Component) -> Component:
        partstat = wanted.get(keys.get(id(component), ""), "") if id(component) in keys else ""
        return _answered(component, who, partstat, of.eol) if partstat else component

    new = [
        _answered(instance, who, partstat, of.eol)
        for key, partstat in sorted(wanted.items())
        if key not in of.by_key and (instance := _instance(of, key)) is not None
    ]
    return parts.rewritten(obj, change, *new)


def read(message: CalendarObject, who: str) -> list[Answer]:
    """The answers that somebody's REPLY holds."""
    found = ((key, parts.partstat(each, [who])) for key, each in parts.of(message).by_key.items())
    return [Answer(key, partstat) for key, partstat in found if partstat]


def in_time(given: Collection[Answer], message: CalendarObject, obj: CalendarObject) -> list[Answer]:
    """Those answers of a REPLY that are about when the meeting takes place now: an older invitation's come too late.

    A REPLY need not say when it is (RFC 5546 §3.2.3): then its SEQUENCE counts.
    """
    theirs, ours = parts.of(message), parts.of(obj)
    return [each for each in given if not _is_late(each.key, theirs, ours)]


def _is_late(key: str, theirs: Parts, ours: Parts) -> bool:
    said, known = theirs.by_key.get(key), ours.by_key.get(key)
    if known is None and key != MASTER:
        known = _instance(ours, key)
    if said is None or known is None:
        return False
    then, now = timing.read(said, theirs.zones), timing.read(known, ours.zones)
    if then is None or now is None:
        return parts.sequence(said) < parts.sequence(known)
    if then.all_day or now.all_day:
        return f"{then.start:%Y%m%d}" != f"{now.start:%Y%m%d}"
    return times.instant(then.start, then.zone, floating=dt.UTC) != times.instant(now.start, now.zone, floating=dt.UTC)


def _answered(component: Component, who: str, partstat: str, eol: str) -> Component:
    line = parts.line_of(component, [who])
    if line is None or line.param("PARTSTAT").upper() == partstat:
        return component
    params = [("PARTSTAT", partstat), ("SCHEDULE-STATUS", "2.0")]
    new = lines.rewrite(line, line.value, drop=("RSVP",), params=params, eol=eol)
    return parts.each_line(component, "ATTENDEE", lambda each: new if each is line else each, eol)


def _instance(of: Parts, key: str) -> Component | None:
    """An instance of a series written down: what an override begins with; None: there is no such instance."""
    master = of.obj.master
    if master is None or of.when is None or of.obj.component != "VEVENT":
        return None
    try:
        fields = view.read(of.obj)
        if isinstance(fields.master, TodoFields) or not recurrence.occurs(fields, key):
            return None
        when = recurrence.regular(fields, key)
    except Unmappable:
        return None
    places, draft = of.places, Draft(master, of.eol)
    draft.drop("RRULE", "RDATE", "EXRULE", "EXDATE")
    draft.swap(("DTSTART",), [places.line("DTSTART", (when.start, when.zone), draft.first("DTSTART"))], after=("UID",))
    if (end := draft.first("DTEND")) is not None:
        draft.replace(end, places.line("DTEND", (when.end, when.end_zone or when.zone), end))
    original = places.line("RECURRENCE-ID", places.original(key, of.when))
    draft.insert(original, after=("UID",))
    return draft.component()


def oversteps(old: CalendarObject, new: CalendarObject, *, own: Collection[str]) -> bool:
    """Whether an attendee changes what is the organizer's: when it takes place, who organises it, who else is asked.

    RFC 6638 §3.2.2.1. Other words on one's own copy hurt nobody, and go with the organizer's next message.
    """
    before, after = parts.of(old), parts.of(new)
    if parts.organizer(old) != parts.organizer(new) or parts.asked(old) - set(own) != parts.asked(new) - set(own):
        return True
    for key, component in after.by_key.items():
        regular = before.by_key.get(key) or (_instance(before, key) if key else None)
        if regular is None:
            return True
        if timing.read(component, after.zones) != timing.read(regular, before.zones):
            return True
        if key == MASTER and _rules(component) != _rules(regular):
            return True
    return False


def _rules(component: Component) -> list[str]:
    return sorted(line.value.upper() for name in ("RRULE", "RDATE", "EXRULE") for line in component.every(name))
