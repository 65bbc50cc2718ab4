"""Objects that a remote cannot hold as one, mirrored in parts: single events, one an occurrence (R-29, X-39).

A series whose rule a service does not know, and an override that its rule does not have, are on people's screens all the
same. Each such occurrence has a link of its own, under a name made of the object's UID and the instance key; so it is
created, followed, edited from both sides and taken away like any other event, and what is done to it there becomes an
override or an exclusion here. A part has no guests: who is invited is the whole's business, and nobody is told of a part (R1).

Of a series that goes on and on not everything can be shown: it ends with a window that moves with the time, and where there
are very many, it begins with it, too. What has once been shown stays.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection
from dataclasses import dataclass, replace

from bridge.errors import InvalidCalendarData, Unmappable
from bridge.ical import edit, objects, onward, recurrence, view
from bridge.ical.fields import MASTER, Change, EventFields, ObjectFields, diff, patch
from bridge.sync.ledger import HubObject, Reading
from bridge.sync.ports import Lens

BEHIND = dt.timedelta(days=31)
AHEAD = dt.timedelta(days=750)
"""The window around now in which the occurrences of a series are shown one by one; if there are few, those before it too."""

MANY = 750
"""So many occurrences of one series are shown at a time: of those every hour a window of a month."""

MOVES = dt.timedelta(days=1)
"""How often the window is moved."""

HEADLESS = "single occurrences of a series that is not here"

_BEGINNING, _EVER = (dt.datetime(year, 1, 1, tzinfo=dt.UTC) for year in (100, 9000))

_NAME = re.compile(r"(?s)(.+)#occurrence-(\d{8}(?:T\d{6}Z?)?)")


def name(uid: str, key: str) -> str:
    """What the part ``key`` of an object is called, in the links and everywhere else where an object's UID would stand."""
    named = f"{uid}#occurrence-{key}"
    if not objects.can_be_kept(named):
        raise Unmappable("its UID is too long for its occurrences to be named by it")
    return named


def split(uid: str) -> tuple[str, str]:
    """The object's UID and the instance key; that one is MASTER where ``uid`` names a whole object."""
    found = _NAME.fullmatch(uid)
    return (found[1], found[2]) if found else (uid, MASTER)


@dataclass(frozen=True, slots=True)
class Spread:
    """Which occurrences are to be shown one by one, and ``why`` the object is not there as one; "": it is.

    ``more``: the window moves on. ``cut``: there are too many for all of those before its end to be shown.
    """

    keys: tuple[str, ...]
    why: str = ""
    more: bool = False
    cut: bool = False

    @property
    def whole(self) -> bool:
        return not self.why


@dataclass(frozen=True, slots=True)
class Seen:
    """An object's fields; ``headless``: there is no series, only instances of one (D-10), whose master here is nothing to show."""

    fields: ObjectFields
    headless: bool = False


def read(data: bytes) -> Seen:
    """What there is to be shown, in whichever way. Raises what ``parse`` and ``view.read`` raise, but for a lack of a master."""
    obj = objects.parse(data)
    if obj.master is not None or obj.component != "VEVENT":
        return Seen(view.read(obj))
    strays = view.strays(obj)
    nothing = replace(next(iter(strays.values())), status="CANCELLED")
    return Seen(ObjectFields(nothing, overrides=strays), headless=True)


def spread(seen: Seen, lens: Lens, *, now: dt.datetime) -> Spread:
    """``now`` is aware UTC. Raises Unmappable where an object can be shown neither as one nor in parts."""
    fields = seen.fields
    if seen.headless:
        return Spread(
            tuple(sorted(key for key, event in fields.overrides.items() if event.status != "CANCELLED")), HEADLESS
        )
    try:
        lens.view(fields)
    except Unmappable as reason:
        if not fields.recurrence:
            raise
        try:
            lens.view(ObjectFields(fields.event))  # else each of its parts would have to say why not
            return _within_window(fields, str(reason), now)
        except Unmappable:
            raise reason from None
    return Spread(_orphans(fields, lens))


def _within_window(fields: ObjectFields, why: str, now: dt.datetime) -> Spread:
    """All there are until the window ends; of very many only those within it, as many as there may be."""
    end = now + AHEAD
    near = recurrence.instances(fields, now - BEHIND, now + BEHIND, floating=dt.UTC)
    if len(near) > MANY:  # so dense a rule is not followed any further
        return Spread(tuple(each.key for each in near[:MANY]), why, more=True, cut=True)
    found = recurrence.instances(fields, _BEGINNING, end, floating=dt.UTC)
    if many := len(found) > MANY:
        found = recurrence.instances(fields, now - BEHIND, end, floating=dt.UTC)
        if not found:
            raise Unmappable("it repeats more often than can be followed")
    if not found and not fields.cancelled and not _endless(fields):
        raise Unmappable("it has no occurrence")  # as it is read here: who shows one reads it otherwise
    more = many or _endless(fields) or bool(recurrence.instances(fields, end, _EVER, floating=dt.UTC))
    return Spread(tuple(each.key for each in found[:MANY]), why, more=more, cut=many)


def _endless(fields: ObjectFields) -> bool:
    return any(line.startswith("RRULE") and not re.search("(?i)COUNT=|UNTIL=", line) for line in fields.recurrence)


def _orphans(fields: ObjectFields, lens: Lens) -> tuple[str, ...]:
    """Overrides that take place and that the lens does not show, for the rule does not have them (X-39)."""
    taking_place = {key for key, event in fields.overrides.items() if _takes_place(fields, key, event)}
    strays = {key for key in taking_place if not _ruled(fields, key)}
    if not strays:
        return ()
    rest = {key: event for key, event in fields.overrides.items() if key not in strays}
    if lens.view(replace(fields, overrides=rest)) != lens.view(fields):
        return ()
    return tuple(sorted({onward.anchor(key) for key in strays}))


def _takes_place(fields: ObjectFields, key: str, event: EventFields) -> bool:
    return onward.anchor(key) not in fields.cancelled and event.status != "CANCELLED"


def _ruled(fields: ObjectFields, key: str) -> bool:
    return bool(fields.recurrence) and recurrence.occurs(fields, key)


def single(fields: ObjectFields, key: str) -> ObjectFields:
    """The occurrence as an event of its own. Raises Unmappable if it does not take place."""
    event = fields.overrides.get(key)
    if event is None and (onward.named(key) in fields.overrides or _ruled(fields, key)):
        event = recurrence.inherited(fields, key)
    if event is None or not _takes_place(fields, key, event):
        raise Unmappable("the series has no such occurrence")
    return ObjectFields(event)


def hub_objects(memory: Reading, uids: Collection[str], lens: Lens) -> dict[str, HubObject]:
    """The hub's objects by name. Of a part it is the whole object, if that is not shown as one and the occurrence takes place."""
    wholes = {uid: split(uid) for uid in uids}
    found = memory.hub_objects({*uids, *(uid for uid, _ in wholes.values())})
    seen: dict[str, Parted | None] = {}
    there: dict[str, HubObject] = {}
    for uid, (whole, key) in wholes.items():
        if uid in found:
            there[uid] = found[uid]
        elif key and whole in found:
            if whole not in seen:
                seen[whole] = Parted.of(found[whole], lens)
            parted = seen[whole]
            if parted is not None and parted.shows(key):
                there[uid] = replace(found[whole], uid=uid, part=key)
    return there


@dataclass(frozen=True, slots=True)
class Parted:
    """An object with parts. ``orphans`` is None where every occurrence is one."""

    fields: ObjectFields
    orphans: frozenset[str] | None

    @classmethod
    def of(cls, hub: HubObject, lens: Lens) -> Parted | None:
        if hub.component != "VEVENT" or lens.component != "VEVENT":
            return None
        try:
            seen = read(hub.data)
            if seen.headless:
                return cls(seen.fields, None)
            try:
                lens.view(seen.fields)
            except Unmappable:
                return cls(seen.fields, None)
            return cls(seen.fields, frozenset(_orphans(seen.fields, lens)))
        except (Unmappable, InvalidCalendarData):
            return None

    def shows(self, key: str) -> bool:
        if self.orphans is not None:
            return key in self.orphans
        try:
            return bool(single(self.fields, key))
        except Unmappable:
            return False


def regroups(before: bytes, after: bytes, lens: Lens) -> bool:
    """Whether what was done to a part lets the remote hold as one what it could not: then the whole is to be planned anew."""
    return before != after and not _is_one(before, lens) and _is_one(after, lens)


def _is_one(data: bytes, lens: Lens) -> bool:
    try:
        seen = read(data)
        lens.view(seen.fields)
    except (Unmappable, InvalidCalendarData):
        return False
    return not seen.headless


def edited(data: bytes, part: str, change: Change, lens: Lens, *, now: dt.datetime) -> bytes:
    """The whole object with what was done to one of its parts, told in the terms of ``lens``. Raises Unmappable."""
    seen = read(data)
    full, one = seen.fields, single(seen.fields, part)
    wanted = patch(one, lens.restore(change, one))
    if wanted.recurrence or wanted.overrides or wanted.cancelled:
        raise Unmappable("one occurrence of a series has been made a series of its own")
    if seen.headless:
        return edit.apply_to_stray(data, part, wanted.event, now=now)
    apart = recurrence.onward_from_next(full, part)
    overrides = {**apart.overrides, part: wanted.event}
    return edit.apply(data, diff(full, replace(apart, overrides=overrides)), now=now)


def without(data: bytes, part: str, *, now: dt.datetime) -> bytes | None:
    """The whole object with this occurrence taken out of it; None: then nothing is left. ``now`` is aware UTC."""
    seen = read(data)
    if seen.headless:
        left = seen.fields.overrides.keys() - {part}
        return edit.apply_to_stray(data, part, None, now=now) if left else None
    state = "cancelled" if _ruled(seen.fields, part) else "regular"
    apart = patch(recurrence.onward_from_next(seen.fields, part), {(part, "state"): state})
    return edit.apply(data, diff(seen.fields, apart), now=now)
