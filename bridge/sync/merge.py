"""Three-way merge of one object: what each side has to be told, and what had to give way.

A field changed on one side goes to the other. Changed on both, to different values, it is a clash: the ``winner`` by the
pair's policy keeps it, and the loser's value is handed back to be recorded (R35). Two groups hold together:

- an instance: whether it takes place at all is one question with its fields, and an edit beats a cancellation;
- the schedule: when, recurrence and what became of instances. One side's instances mean nothing under the other side's new
  rule if that rule does not generate them (R10), so then one side's whole schedule stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from bridge.errors import Unmappable
from bridge.ical import ends
from bridge.ical.fields import (
    MASTER,
    SCHEDULE,
    Change,
    EventFields,
    ObjectFields,
    Path,
    TodoFields,
    diff,
    differ,
    state,
)
from bridge.ical.recurrence import inherited, occurs
from bridge.sync.ledger import Conflict, Winner

STATE = "state"
EVENT_FIELDS = tuple(each.name for each in fields(EventFields))


@dataclass(frozen=True, slots=True)
class Edited:
    """One side: as it was when both agreed, and as it is."""

    base: ObjectFields
    now: ObjectFields

    @property
    def change(self) -> Change:
        return diff(self.base, self.now)


@dataclass(slots=True)
class Merged:
    """What to lay upon each side. ``lost[w]`` holds the values that gave way to winner ``w``, ``kept[w]`` those it has."""

    to_hub: dict[Path, Any] = field(default_factory=dict)
    to_remote: dict[Path, Any] = field(default_factory=dict)
    lost: dict[Winner, dict[Path, Any]] = field(default_factory=lambda: {"hub": {}, "remote": {}})
    kept: dict[Winner, dict[Path, Any]] = field(default_factory=lambda: {"hub": {}, "remote": {}})

    def tell(self, side: Winner, change: Change) -> None:
        (self.to_hub if side == "hub" else self.to_remote).update(change)

    def overrule(self, winner: Winner, lost: Change, kept: Change) -> None:
        """Note what gave way, and to what; what is only told (``aside``) has nothing to give way to."""
        lost, kept = ({path: value for path, value in each.items() if path[1] != "aside"} for each in (lost, kept))
        if lost:
            self.lost[winner].update(lost)
            self.kept[winner].update(kept)

    def conflicts(self, uid: str) -> tuple[Conflict, ...]:
        """What is to be recorded (R35)."""
        return tuple(
            Conflict(uid, winner, self.kept["hub"], self.lost["hub"])
            if winner == "hub"
            else Conflict(uid, winner, self.lost["remote"], self.kept["remote"])
            for winner, lost in self.lost.items()
            if lost
        )


def other(side: Winner) -> Winner:
    return "remote" if side == "hub" else "hub"


def merge(hub: Edited, remote: Edited, *, winner: Winner) -> Merged:
    """Merge the two sides' changes since they agreed."""
    changes: dict[Winner, Change] = {"hub": hub.change, "remote": remote.change}
    sides: dict[Winner, Edited] = {"hub": hub, "remote": remote}
    merged = Merged()
    dropped = _dropped(changes, hub, remote)
    changes["remote"] = {path: value for path, value in changes["remote"].items() if path[0] not in dropped}
    for key in sorted(dropped):
        merged.tell("remote", _whole(hub.now, key))
    if _schedules_clash(sides, changes):
        loser = other(winner)
        merged.tell(loser, _reschedule(sides[loser].now, sides[winner].now))
        merged.overrule(winner, _scheduled(changes[loser]), _scheduled(changes[winner]))
        changes = {side: {p: v for p, v in change.items() if not of_schedule(p)} for side, change in changes.items()}
    _merge_master(changes, merged, winner)
    _move_ends(sides, changes, merged)
    for key in sorted({key for change in changes.values() for key, _ in change} - {MASTER}):
        _merge_instance(key, sides, changes, merged, winner)
    return merged


def _dropped(changes: Mapping[Winner, Change], hub: Edited, remote: Edited) -> set[str]:
    """Instances that the remote dropped for a schedule which it has from us (M-51, G-66), and has not been told again.

    Nobody has deleted them: the write that broke off had not come to them yet, or its answer was lost (R11).
    """
    ours, theirs = ({p: v for p, v in changes[side].items() if p in SCHEDULE} for side in ("hub", "remote"))
    if not theirs or any(ours.get(path) != value for path, value in theirs.items()):
        return set()
    keys = {key for key, _ in changes["remote"]} - {MASTER}
    return {key for key in keys if state(remote.now, key) == "regular" != state(hub.now, key)}


def unite(hub: ObjectFields, remote: ObjectFields, *, winner: Winner) -> Merged:
    """Make one of two objects that never agreed (R16): what only one side says is kept, else the ``winner`` has its way."""
    now: dict[Winner, ObjectFields] = {"hub": hub, "remote": remote}
    loser = other(winner)
    merged = Merged()
    says, instead = diff(now[loser], now[winner]), diff(now[winner], now[loser])
    if any(of_schedule(path) for path in says):
        merged.tell(loser, _reschedule(now[loser], now[winner]))
        merged.overrule(winner, _scheduled(instead), _scheduled(says))
    for path in says:
        if of_schedule(path):
            continue
        if not says[path]:
            merged.tell(winner, {path: instead[path]})
            continue
        merged.tell(loser, {path: says[path]})
        if instead[path]:
            merged.overrule(winner, {path: instead[path]}, {path: says[path]})
    return merged


def of_schedule(path: Path) -> bool:
    return path in SCHEDULE or path[0] != MASTER


def _scheduled(change: Change) -> Change:
    return {path: value for path, value in change.items() if of_schedule(path)}


def _at(key: str, change: Change) -> Change:
    return {path: value for path, value in change.items() if path[0] == key}


def _reschedule(fields: ObjectFields, by: ObjectFields) -> Change:
    """What gives ``fields`` the other's when, recurrence and instances."""
    return diff(
        fields,
        replace(
            by,
            master=_timed(fields.master, by.master),
        ),
    )


def _timed(which: EventFields | TodoFields, by: EventFields | TodoFields) -> EventFields | TodoFields:
    if isinstance(which, EventFields) and isinstance(by, EventFields):
        return replace(which, when=by.when)
    if isinstance(which, TodoFields) and isinstance(by, TodoFields):
        return replace(which, when=by.when)
    raise Unmappable("an event has become a to-do, or a to-do an event")


def _schedules_clash(sides: Mapping[Winner, Edited], changes: Mapping[Winner, Change]) -> bool:
    moved = {side: {p: v for p, v in change.items() if p in SCHEDULE} for side, change in changes.items()}
    hub, remote = moved["hub"], moved["remote"]
    if hub and remote and hub != remote and (hub.keys() & remote.keys()):
        return True
    return any(
        moved[side] and not _all_occur(sides[other(side)], changes[other(side)], under=sides[side].now)
        for side in moved
        if moved[side] != moved[other(side)]
    )


def _all_occur(edited: Edited, change: Change, *, under: ObjectFields) -> bool:
    """Whether every instance touched by ``change`` still exists in the other side's new schedule."""
    touched = {key for key, _ in change if key != MASTER}
    return all(state(edited.now, key) == "regular" or occurs(under, key) for key in touched)


def _merge_master(changes: Mapping[Winner, Change], merged: Merged, winner: Winner) -> None:
    loser = other(winner)
    wins, loses = (
        {path: value for path, value in changes[side].items() if path[0] == MASTER} for side in (winner, loser)
    )
    for path, value in wins.items():
        if path not in loses:
            merged.tell(loser, {path: value})
        elif loses[path] != value:
            merged.tell(loser, {path: value})
            merged.overrule(winner, {path: loses[path]}, {path: value})
    merged.tell(winner, {path: value for path, value in loses.items() if path not in wins})


def _move_ends(sides: Mapping[Winner, Edited], changes: Mapping[Winner, Change], merged: Merged) -> None:
    """One side has moved the series and the other has given it an end: it ends behind the same occurrence (R-24)."""
    for side, change in changes.items():
        there = other(side)
        if (MASTER, "recurrence") not in change or (MASTER, "when") in change:
            continue
        if (MASTER, "when") not in changes[there] or (MASTER, "recurrence") in changes[there]:
            continue
        asked = sides[side].now
        rules = ends.moved(asked.recurrence, asked.event.when, sides[there].now.event.when)
        if rules != asked.recurrence:
            for each in sides:
                merged.tell(each, {(MASTER, "recurrence"): rules})


def _merge_instance(
    key: str, sides: Mapping[Winner, Edited], changes: Mapping[Winner, Change], merged: Merged, winner: Winner
) -> None:
    touched = [side for side in sides if any(path[0] == key for path in changes[side])]
    states: dict[Winner, str] = {side: state(edited.now, key) for side, edited in sides.items()}
    if len(touched) == 1:
        (side,) = touched
        stays = states[side] == states[other(side)] == "override" and (key, STATE) not in changes[side]
        given = _at(key, changes[side])
        merged.tell(other(side), given if stays else _whole(sides[side].now, key))
    elif states["hub"] == states["remote"]:
        if states["hub"] == "override":
            _merge_override(key, sides, merged, winner)
    else:
        edits = [side for side in touched if states[side] == "override"]
        stands = edits[0] if edits else winner
        merged.tell(other(stands), _whole(sides[stands].now, key))
        merged.overrule(stands, _at(key, changes[other(stands)]), _at(key, changes[stands]))


def _whole(fields: ObjectFields, key: str) -> dict[Path, Any]:
    """All there is to say about an instance."""
    whole: dict[Path, Any] = {(key, STATE): state(fields, key)}
    if key in fields.overrides:
        whole |= {(key, name): getattr(fields.overrides[key], name) for name in EVENT_FIELDS}
    return whole


def _merge_override(key: str, sides: Mapping[Winner, Edited], merged: Merged, winner: Winner) -> None:
    """Both sides edited the same instance: field by field, against what it was, be it only the rule's instance."""
    was = {side: _instance(edited.base, key) for side, edited in sides.items()}
    now = {side: edited.now.overrides[key] for side, edited in sides.items()}
    loser = other(winner)
    for name in EVENT_FIELDS:
        value = {side: getattr(now[side], name) for side in sides}
        changed = {side: differ(name, getattr(was[side], name), value[side]) for side in sides}
        if changed["hub"] and changed["remote"]:
            if value["hub"] != value["remote"]:
                merged.tell(loser, {(key, name): value[winner]})
                merged.overrule(winner, {(key, name): value[loser]}, {(key, name): value[winner]})
        elif changed["hub"]:
            merged.tell("remote", {(key, name): value["hub"]})
        elif changed["remote"]:
            merged.tell("hub", {(key, name): value["remote"]})


def _instance(fields: ObjectFields, key: str) -> EventFields:
    if key in fields.overrides:
        return fields.overrides[key]
    if key in fields.cancelled:
        return fields.event
    return inherited(fields, key)
