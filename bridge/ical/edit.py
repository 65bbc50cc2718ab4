"""Changes laid upon the original iCalendar text: only the lines a change names are touched (DESIGN §1).

Laws: an empty change returns the same bytes; ``read(parse(apply(o, c))) == normal.fields(patch(read(parse(o)), c))``; so
applies compose, but for DTSTAMP, LAST-MODIFIED and SEQUENCE, which every real change moves.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace

from bridge.errors import InvalidCalendarData
from bridge.ical import lines, normal, objects, onward, properties, text, tzdefine, values, view
from bridge.ical.draft import Draft
from bridge.ical.fields import Change, EventFields, ObjectFields, TodoFields, patch, state
from bridge.ical.objects import CalendarObject, Component
from bridge.ical.placing import Places
from bridge.ical.timing import Zones

PRODID = "-//caldav-bridge//caldav-bridge//EN"


def apply(data: bytes, change: Change, *, now: dt.datetime) -> bytes:
    """The object with the change applied; every line that the change does not name stays byte for byte.

    ``now`` is aware UTC. A change that changes nothing returns ``data``. Raises what ``parse`` and ``read`` raise.
    """
    obj = objects.parse(data)
    before = view.read(obj)
    after = normal.fields(patch(before, change))
    return data if before == after else _edit(obj, before, after, _Stamps(now)).to_bytes()


def apply_to_stray(data: bytes, key: str, after: EventFields | None, *, now: dt.datetime) -> bytes:
    """An object without a master (``view.strays``) with other fields of the instance ``key``, or without it.

    Its RECURRENCE-ID stays as it is. Raises InvalidCalendarData where nothing would be left, and what ``strays`` raises.
    """
    obj = objects.parse(data)
    places = Places(Zones.of(obj), lines.ending(obj.calendar.begin))
    became: dict[int, Component | None] = {}
    for component in obj.overrides:
        before = view.event(component, places.zones)
        if onward.anchor(view.identity(component, places.zones, before)) != key:
            continue
        wanted = before if after is None else normal.event(after)
        if after is None:
            became[id(component)] = None
        elif wanted != before:
            draft = Draft(component, places.eol)
            properties.write(draft, before, wanted, places)
            _Stamps(now).put(draft, rescheduled=before.when != wanted.when)
            became[id(component)] = draft.component()
    if len(became) == len(obj.overrides) and None in became.values():
        raise InvalidCalendarData("valid-calendar-object-resource", "no instance would be left")
    if not became:
        return data
    year = after.when.start.year if after is not None else now.year
    return _with(obj, became, [], places, year).to_bytes()


def compose(fields: ObjectFields, *, uid: str, now: dt.datetime) -> bytes:
    """A new object with these fields."""
    after = normal.fields(fields)
    stamp = values.write_moment(now.astimezone(dt.UTC), utc=True)
    todo = isinstance(after.master, TodoFields)
    kind = "VTODO" if todo else "VEVENT"
    start = [] if todo else [("DTSTART", values.write_moment(values.midnight(after.event.when.start)))]
    content = [
        ("BEGIN", "VCALENDAR"),
        ("VERSION", "2.0"),
        ("PRODID", PRODID),
        ("BEGIN", kind),
        ("UID", text.escape(uid)),
        ("DTSTAMP", stamp),
        ("CREATED", stamp),
        *start,
        ("END", kind),
        ("END", "VCALENDAR"),
    ]
    obj = objects.parse("".join(lines.write(name, value, eol="\r\n").raw for name, value in content).encode())
    return _edit(obj, view.read(obj), after, _Stamps(now, new=True)).to_bytes()


class _Stamps:
    """DTSTAMP, LAST-MODIFIED and SEQUENCE of the components that are touched (RFC 5545 §3.8.7)."""

    def __init__(self, now: dt.datetime, *, new: bool = False) -> None:
        self._now = values.write_moment(now.astimezone(dt.UTC), utc=True)
        self.year = now.year
        self._new = new

    def put(self, draft: Draft, *, rescheduled: bool) -> None:
        draft.set("DTSTAMP", self._now)
        draft.set("LAST-MODIFIED", self._now)
        if rescheduled and not self._new:
            old = draft.first("SEQUENCE")
            number = old.value.strip() if old else ""
            draft.set("SEQUENCE", str(int(number) + 1) if number.isdecimal() and len(number) < 10 else "1")


def _edit(obj: CalendarObject, before: ObjectFields, after: ObjectFields, stamps: _Stamps) -> CalendarObject:
    if obj.master is None:
        raise AssertionError("an object without a master has no view, so nothing to change")
    places = Places(Zones.of(obj), lines.ending(obj.calendar.begin))
    if isinstance(before.master, TodoFields):
        return _edit_todo(obj, obj.master, before.master, after.todo, places, stamps)
    series = _Series(obj.master, obj.overrides, before, after, places, stamps)
    series.run()
    return _with(obj, series.became, series.new, places, after.event.when.start.year)


def _with(
    obj: CalendarObject,
    became: Mapping[int, Component | None],
    new: Sequence[Component],
    places: Places,
    year: int,
) -> CalendarObject:
    """The object with its components replaced, and with the zones that they lean on now, defined from ``year`` on."""
    zones = [tzdefine.define(zone, year, places.eol) for zone in sorted(places.needed)]
    return replace(obj, calendar=_assembled(obj.calendar, became, new, zones))


def _edit_todo(
    obj: CalendarObject, component: Component, before: TodoFields, after: TodoFields, places: Places, stamps: _Stamps
) -> CalendarObject:
    """Single occurrences that a client has written down are no fields of a to-do, and stay as they are."""
    draft = Draft(component, places.eol)
    properties.write_todo(draft, before, after, places)
    stamps.put(draft, rescheduled=(before.when, before.rules) != (after.when, after.rules))
    first = after.when.start or after.when.due
    year = first[0].year if first is not None else stamps.year
    return _with(obj, {id(component): draft.component()}, [], places, year)


class _Series:
    """The components of one object on their way from ``before`` to ``after``.

    ``became`` holds what a component (by identity) has become, None if it goes; one that is not in it stays as it is.
    """

    def __init__(
        self,
        master: Component,
        overrides: Sequence[Component],
        before: ObjectFields,
        after: ObjectFields,
        places: Places,
        stamps: _Stamps,
    ) -> None:
        self._master = master
        self._before = before
        self._after = after
        self._places = places
        self._stamps = stamps
        self._by_key: dict[str, list[Component]] = {}
        for component in overrides:
            self._by_key.setdefault(view.identity(component, places.zones, before.event), []).append(component)
        self._excluded_by_override: set[str] = set()
        self.became: dict[int, Component | None] = {}
        self.new: list[Component] = []

    def run(self) -> None:
        missing = set(self._after.overrides)
        moved = self._moved()
        for key, components in self._by_key.items():
            was, now = state(self._before, key), state(self._after, key)
            effective = components[-1]  # of several with one RECURRENCE-ID the last counts, as in the view
            target = moved.get(key, key if now == "override" else "")
            if target:
                self.became[id(effective)] = self._override(
                    effective, view.event(effective, self._places.zones), target
                )
                missing.discard(target)
            elif was != now:
                self.became.update((id(each), None) for each in components)
            elif view.event(effective, self._places.zones).status == "CANCELLED":
                self.became[id(effective)] = self._named(Draft(effective, self._places.eol), key).component()
                self._excluded_by_override.add(key)
        for key in sorted(missing):
            self.new.append(self._override(*self._copy(key), key))
        self.became[id(self._master)] = self._changed_master()

    def _moved(self) -> Mapping[str, str]:
        """Old key → new key of overrides that follow a series which moves: they have properties that no field shows.

        So has a range that begins with another instance now, or that has become a single override.
        """
        before, after = self._before, self._after
        gone = [key for key in self._by_key if state(before, key) == "override" and state(after, key) == "regular"]
        come = [key for key in after.overrides if key not in self._by_key]
        if not gone or not come:
            return {}
        if before.event.when == after.event.when:
            return _ranges_moved(gone, come)
        places = {(self._places.distance(key, after.event.when), onward.is_one(key)): key for key in come}
        pairs = ((key, places.get((self._places.distance(key, before.event.when), onward.is_one(key)))) for key in gone)
        return {old: new for old, new in pairs if new}

    def _override(self, component: Component, fields: EventFields, key: str) -> Component:
        draft = self._named(Draft(component, self._places.eol), key)
        wanted = self._after.overrides[key]
        if fields != wanted:
            properties.write(draft, fields, wanted, self._places)
            known = self._before.overrides.get(key)
            self._stamps.put(draft, rescheduled=known is not None and known.when != wanted.when)
        return draft.component()

    def _named(self, draft: Draft, key: str) -> Draft:
        """With the RECURRENCE-ID that means ``key`` in the series as it will be."""
        line, series = draft.first("RECURRENCE-ID"), self._after.event.when
        if line is None or view.identity(draft.component(), self._places.zones, self._after.event) != key:
            new = self._places.line("RECURRENCE-ID", self._places.original(onward.anchor(key), series), line)
            reach = [("RANGE", "THISANDFUTURE")] if onward.is_one(key) else []
            new = lines.rewrite(new, new.value, drop=("RANGE",), params=reach, eol=self._places.eol)
            draft.swap(("RECURRENCE-ID",), [new], after=("UID",))
        return draft

    def _copy(self, key: str) -> tuple[Component, EventFields]:
        """What describes the instance without what makes it a series: what a client begins an override with."""
        by = onward.holding(self._before, key)
        source = self._by_key[by][-1] if by else self._master
        draft = Draft(source, self._places.eol)
        draft.drop(*normal.RULES, "EXDATE", "RECURRENCE-ID")
        return draft.component(), self._before.overrides[by] if by else self._before.event

    def _changed_master(self) -> Component:
        before, after = self._before, self._after
        draft = Draft(self._master, self._places.eol)
        exclusions = draft.every("EXDATE")
        properties.write(draft, before.event, after.event, self._places)
        properties.write_rules(draft, after.recurrence, self._places)
        own = after.cancelled - self._excluded_by_override
        properties.write_exclusions(draft, after.cancelled, own, after.event.when, self._places)
        rescheduled = (
            before.event.when != after.event.when
            or before.recurrence != after.recurrence
            or exclusions != draft.every("EXDATE")
        )
        if rescheduled or before.event != after.event:
            self._stamps.put(draft, rescheduled=rescheduled)
        return draft.component()


def _ranges_moved(gone: Sequence[str], come: Sequence[str]) -> Mapping[str, str]:
    """Ranges that are gone, in order, with those that have come; or an override that has become a range, or a range one."""
    gone_on, came_on = (sorted(filter(onward.is_one, names)) for names in (gone, come))
    found = dict(zip(gone_on, came_on, strict=False))
    for old in gone:
        new = onward.anchor(old) if onward.is_one(old) else onward.named(old)
        if old not in found and new in come and new not in found.values():
            found[old] = new
    return found


def _assembled(
    calendar: Component, became: Mapping[int, Component | None], new: Sequence[Component], zones: Sequence[Component]
) -> Component:
    """The calendar with its components replaced, new overrides behind the last event, zones before the first component."""
    children: list[lines.Line | Component] = []
    first = last = 0
    for child in calendar.children:
        now = became.get(id(child), child) if isinstance(child, Component) else child
        if now is not None:
            children.append(now)
        if isinstance(child, Component) and child.name == "VEVENT":
            last = len(children)
        if not isinstance(child, Component) and not any(isinstance(each, Component) for each in children):
            first = len(children)
    children[last:last] = new
    children[first:first] = zones
    return replace(calendar, children=tuple(children))
