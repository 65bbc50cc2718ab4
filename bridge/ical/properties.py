"""The fields of one component, written into its lines; what is equal already is not touched."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from bridge.ical import alarms, attendees, lines, normal, others, readable, spans, text, timing, todo, values, view
from bridge.ical.draft import Draft
from bridge.ical.fields import EventFields, Place, Reminder, TodoFields, When
from bridge.ical.lines import Line
from bridge.ical.placing import Places

_TEXTS = {"summary": "SUMMARY", "description": "DESCRIPTION", "location": "LOCATION"}
_BY_VIDEO = (("VALUE", "URI"), ("FEATURE", "VIDEO"))  # RFC 7986 §6.3
_WORDS = {"status": "STATUS", "classification": "CLASS"}


def write(draft: Draft, before: EventFields, after: EventFields, places: Places) -> None:
    """``before`` is what the draft says now; both are in the normal form."""
    if before.when != after.when:
        places.write(draft, after.when)
    _write_plain(draft, before, after)
    if before.transp != after.transp:
        _put(draft, "TRANSP", after.transp)
    if (before.transp, before.show_as) != (after.transp, after.show_as):
        _show_as(draft, after)
    if before.conference != after.conference:
        _join(draft, after.conference)
    for name, field in readable.FIELDS.items():
        if getattr(before, field) != getattr(after, field):
            _put_readable(draft, name, getattr(after, field))
    if before.others != after.others:
        others.write(draft, before.others, after.others)
    if before.organizer != after.organizer:
        attendees.write_organizer(draft, after.organizer)
    if before.attendees != after.attendees:
        attendees.write(draft, before.attendees, after.attendees)
    if before.reminders != after.reminders:
        _remind(draft, after.reminders, text.escape(after.summary))


def write_todo(draft: Draft, before: TodoFields, after: TodoFields, places: Places) -> None:
    """As ``write``. Alarms that are relative to a time go on to be so, though they ring at another time then."""
    if before.when != after.when:
        spans.write(draft, after.when, places)
    _write_plain(draft, before, after)
    if before.completed != after.completed:
        at = after.completed
        _put(draft, "COMPLETED", values.write_moment(at, utc=True) if at else "", drop=("VALUE", "TZID"))
    if before.percent != after.percent:
        _put(draft, "PERCENT-COMPLETE", str(after.percent) if after.percent else "")
    if before.rules != after.rules:
        write_rules(draft, after.rules, places)
    if before.alarms != after.alarms:
        _ring(draft, after, places)
    if before.parent != after.parent:
        _adopt(draft, after.parent)


def _adopt(draft: Draft, uid: str) -> None:
    """Into the line that has named its parent; other relations stay."""
    old = todo.parent(draft.component())
    if old is None:
        draft.insert(lines.write("RELATED-TO", text.escape(uid), eol=draft.eol))
    elif uid:
        draft.replace(old, lines.rewrite(old, text.escape(uid), eol=draft.eol))
    else:
        while (each := todo.parent(draft.component())) is not None:
            draft.remove(each)


def _ring(draft: Draft, after: TodoFields, places: Places) -> None:
    there: set[Place] = set()
    for alarm in draft.components("VALARM"):
        found = alarms.ring(alarm, after.when, places.zones)
        if found and found in after.alarms:
            there.add(found)
        elif found:
            draft.remove(alarm)
    for each in after.alarms:
        if each not in there:
            draft.append(alarms.compose_at(each, text.escape(after.summary), after.when, eol=draft.eol))


def _write_plain(draft: Draft, before: EventFields | TodoFields, after: EventFields | TodoFields) -> None:
    for field, name in _TEXTS.items():
        if getattr(before, field) != getattr(after, field):
            # Another representation of the old text (RFC 5545 §3.2.1) is none of the new one.
            _put(draft, name, text.escape(getattr(after, field)), drop=("ALTREP",))
    for field, name in _WORDS.items():
        if getattr(before, field) != getattr(after, field):
            _put(draft, name, getattr(after, field))
    if before.priority != after.priority:
        _put(draft, "PRIORITY", str(after.priority) if after.priority else "")
    if before.url != after.url:
        _put(draft, "URL", after.url)
    if before.categories != after.categories:
        draft.remove(*draft.every("CATEGORIES")[1:])
        _put(draft, "CATEGORIES", ",".join(text.escape(each) for each in after.categories))


def _put(draft: Draft, name: str, value: str, *, drop: Sequence[str] = ()) -> None:
    if value:
        draft.set(name, value, drop=drop)
    else:
        draft.drop(name)


def _put_readable(draft: Draft, name: str, value: str) -> None:
    """Into the line that has said it; a line of this name that cannot be read stays."""
    old = [line for line in draft.every(name) if readable.told(line)]
    said = readable.line(name, old)
    if said is None or not value:
        draft.remove(*old)
        if value:
            draft.insert(lines.write(name, value, eol=draft.eol), after=("CATEGORIES", "LOCATION", "SUMMARY"))
        return
    draft.remove(*(line for line in old if line is not said))
    draft.replace(said, lines.rewrite(said, value, eol=draft.eol))


def _join(draft: Draft, address: str) -> None:
    """Into the line that has said it; other conferences of the event (a telephone number) stay."""
    old = view.conference(draft.component())
    if old is None:
        draft.insert(lines.write("CONFERENCE", address, params=_BY_VIDEO, eol=draft.eol), after=("URL", "LOCATION"))
    elif address:
        draft.replace(old, lines.rewrite(old, address, eol=draft.eol))
    else:
        draft.remove(old)


def _show_as(draft: Draft, after: EventFields) -> None:
    """Where the text has said nothing finer than TRANSP, it says nothing finer afterwards."""
    if after.show_as or draft.first(view.SHOWN_AS):
        plain = "FREE" if after.transp == "TRANSPARENT" else "BUSY"
        draft.set(view.SHOWN_AS, after.show_as or plain, after=("TRANSP",))


def _remind(draft: Draft, wanted: Sequence[Reminder], summary: str) -> None:
    """Remove the alarms that were in the view and are wanted no more, add those that are missing; leave all others."""
    there: set[Reminder] = set()
    for alarm in draft.components("VALARM"):
        found = alarms.reminder(alarm)
        if found and found in wanted:
            there.add(found)
        elif found:
            draft.remove(alarm)
    for each in wanted:
        if each not in there:
            draft.append(alarms.compose(each, summary, eol=draft.eol))


def write_rules(draft: Draft, wanted: Sequence[str], places: Places) -> None:
    """Make RRULE, RDATE and EXRULE say ``wanted``, in that order; lines that say one of it already stay as they are."""
    old = draft.every(*normal.RULES)
    forms = [normal.rule(line, places.zones) for line in old]
    if forms == list(wanted):
        return
    new: list[Line] = []
    for rule in wanted:
        if rule in forms:
            index = forms.index(rule)
            new.append(old.pop(index))
            forms.pop(index)
        else:
            new.append(_rule(rule, places))
    draft.swap(normal.RULES, new, after=("DTSTART", "DTEND", "DURATION"))


def _rule(rule: str, places: Places) -> Line:
    line = normal.content(rule)
    zone = line.param("TZID")
    params = [("TZID", places.tzid(zone))] if zone else []
    return lines.rewrite(line, line.value, params=params, eol=places.eol)


def write_exclusions(
    draft: Draft, cancelled: AbstractSet[str], own: AbstractSet[str], master: When, places: Places
) -> None:
    """Make EXDATE exclude the instances ``own``, and none that is not ``cancelled``; ``master`` is where the series is now.

    Values that go on to hold, and those that cannot be read, stay as they are.
    """
    there: set[str] = set()
    for line in draft.every("EXDATE"):
        kept: list[str] = []
        every = line.value.split(",")
        for value in every:
            place = places.zones.place(line, value)
            key = timing.key(place, master) if place else ""
            if not key or key in cancelled:
                kept.append(value)
                there.add(key)
        if not kept:
            draft.remove(line)
        elif kept != every:
            draft.replace(line, lines.rewrite(line, ",".join(kept), eol=draft.eol))
    for key in sorted(own - there):
        after = ("DTSTART", "DTEND", "DURATION", *normal.RULES, "EXDATE")
        draft.insert(places.line("EXDATE", places.original(key, master)), after=after)
