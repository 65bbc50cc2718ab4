"""Who is invited, merged guest by guest, and only where an object has its home (R1, R2, R3).

Guests are told by the provider at home, and every word about them there may be a mail. So what goes out is never a list but
the difference that a person has made: who came to it, who was taken off, and the own answer. What goes the other way, the
answers of guests above all, is the provider's to say.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bridge.ical import objects, onward
from bridge.ical.attendees import organizers
from bridge.ical.fields import MASTER, Attendee, Change, EventFields, ObjectFields, Path, TodoFields
from bridge.sync.merge import Edited, Merged


@dataclass(frozen=True, slots=True)
class Say:
    """What may be said to the provider of the people of one object.

    ``own``: this person's addresses; nobody is invited by themselves, though phones list the organizer among the guests.
    ``invite``: guests may be added and taken off, for it is this person's event; ``answer``:
    the own answer may be given.
    """

    own: Collection[str] = ()
    invite: bool = False
    answer: bool = False


def without(what: ObjectFields) -> ObjectFields:
    """The object with nobody in it."""
    return _replaced(what, {"organizer": "", "attendees": ()})


def but(what: ObjectFields, own: Collection[str]) -> ObjectFields:
    """The object without this person among the guests: phones list the organizer there, and nobody invites themselves."""
    if isinstance(what.master, TodoFields):
        return what

    def others(event: EventFields) -> EventFields:
        return replace(event, attendees=tuple(each for each in event.attendees if each.address not in own))

    overrides = {key: others(event) for key, event in what.overrides.items()}
    return replace(what, master=others(what.master), overrides=overrides)


def of(what: ObjectFields) -> frozenset[str]:
    """The addresses of all who are invited."""
    if isinstance(what.master, TodoFields):
        return frozenset()
    return frozenset(each.address for event in (what.master, *what.overrides.values()) for each in event.attendees)


def organizer(what: ObjectFields) -> str:
    """Of the object as a whole; to-dos have none that anybody is told of."""
    return what.master.organizer if isinstance(what.master, EventFields) else ""


def anothers(data: bytes, own: Collection[str]) -> bool:
    """Whether the hub's object names an organizer who is not surely this person (R1, R3).

    Asked of the text, for no view tells an organizer that has no mail address from none at all, nor does every lens show one
    whose guests come to single occurrences only. To-dos have none that anybody is told of.
    """
    obj = objects.parse(data)
    return obj.component == "VEVENT" and not organizers(obj) <= frozenset(own)


def _replaced(what: ObjectFields, values: dict[str, Any]) -> ObjectFields:
    if isinstance(what.master, TodoFields):
        return what
    overrides = {key: replace(event, **values) for key, event in what.overrides.items()}
    return replace(what, master=replace(what.master, **values), overrides=overrides)


def apart(edited: Edited) -> Edited:
    """Both states without their people: so the rest is merged as if there were none."""
    return Edited(without(edited.base), without(edited.now))


def settle(here: Edited, there: Edited, merged: Merged, say: Say) -> None:
    """Add to ``merged``, which was made ``apart``, what each side is to be told of people."""
    if isinstance(here.now.master, TodoFields):
        return
    whole_here, whole_there = _whole(merged.to_hub), _whole(merged.to_remote)
    keys = {MASTER, *here.now.overrides, *there.now.overrides}
    for key in sorted(keys):
        mine, theirs = _instance(here, key), _instance(there, key)
        if _stands(key, here.now, merged.to_hub):
            _to_hub(key, mine, theirs, merged.to_hub, whole=key in whole_here)
        if _stands(key, there.now, merged.to_remote):
            _to_remote(key, mine, theirs, merged.to_remote, say, whole=key in whole_there)


def _whole(change: Change) -> set[str]:
    """Instances that become overrides: they name all their fields."""
    return {key for (key, name), value in change.items() if name == "state" and value == "override"}


def _stands(key: str, now: ObjectFields, change: Change) -> bool:
    """Whether there is an event of its own once ``change`` is made: a series that is moved may lose its overrides."""
    return key == MASTER or change.get((key, "state"), "override" if key in now.overrides else "") == "override"


def _instance(edited: Edited, key: str) -> tuple[EventFields, EventFields]:
    base, now = edited.base, edited.now
    if key == MASTER:
        return base.event, now.event
    return onward.event(base, key), onward.event(now, key)


def _to_hub(
    key: str,
    mine: tuple[EventFields, EventFields],
    theirs: tuple[EventFields, EventFields],
    change: dict[Path, Any],
    *,
    whole: bool,
) -> None:
    (_, now), (was, is_) = mine, theirs
    attendees = _carried(was.attendees, is_.attendees, onto=now.attendees)
    organizer = is_.organizer if is_.organizer != was.organizer else now.organizer
    if whole or attendees != now.attendees:
        change[key, "attendees"] = attendees
    if whole or organizer != now.organizer:
        change[key, "organizer"] = organizer


def _to_remote(
    key: str,
    mine: tuple[EventFields, EventFields],
    theirs: tuple[EventFields, EventFields],
    change: dict[Path, Any],
    say: Say,
    *,
    whole: bool,
) -> None:
    (was, is_), (_, now) = mine, theirs
    attendees = now.attendees
    if say.invite:
        before, after = (
            _unanswered(each for each in side.attendees if each.address not in say.own) for side in (was, is_)
        )
        attendees = _carried(before, after, onto=attendees)
    if say.answer:
        attendees = _answered(was.attendees, is_.attendees, attendees, say.own)
    if whole or attendees != now.attendees:
        change[key, "attendees"] = attendees
    if whole:
        change[key, "organizer"] = now.organizer


def _carried(was: Sequence[Attendee], is_: Sequence[Attendee], *, onto: Sequence[Attendee]) -> tuple[Attendee, ...]:
    """``onto`` with the difference between ``was`` and ``is_``, field by field of each guest."""
    before, after = ({each.address: each for each in side} for side in (was, is_))
    found = {each.address: each for each in onto}
    for where in before.keys() - after.keys():
        found.pop(where, None)
    for where, each in after.items():
        old = before.get(where)
        if old is None:
            found.setdefault(where, each)
        elif each != old and where in found:
            names = ("name", "role", "partstat")
            news = {name: getattr(each, name) for name in names if getattr(each, name) != getattr(old, name)}
            found[where] = replace(found[where], **news)
    return tuple(found[where] for where in sorted(found))


def _unanswered(every: Iterable[Attendee]) -> tuple[Attendee, ...]:
    """What others answer is not a phone's to say (G-71, M-57)."""
    return tuple(replace(each, partstat="NEEDS-ACTION") for each in every)


def _answered(
    was: Sequence[Attendee], is_: Sequence[Attendee], onto: Sequence[Attendee], own: Collection[str]
) -> tuple[Attendee, ...]:
    before = {each.address: each.partstat for each in was}
    given = {each.address: each.partstat for each in is_ if each.address in own}
    return tuple(
        replace(each, partstat=given[each.address])
        if each.address in given
        and given[each.address] not in (before.get(each.address, "NEEDS-ACTION"), "NEEDS-ACTION")
        else each
        for each in onto
    )
