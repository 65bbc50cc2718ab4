"""Notes beside a remote's event: what its service has no place for, told to it all the same (S-01, S-03, S-05). Pure.

A note is told and never taken: no diff with the remote knows of it, so nobody's copy, damage or deletion of one changes the hub.
It is written where what it says has changed here, and along with whatever else is written. Only of an event that the hub does
not know is it read. Bases from before there were notes say nothing of them, and are no reason to write one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from bridge.ical.fields import MASTER, Change, ObjectFields, TodoFields
from bridge.sync.ports import Lens, RemoteObject, SetsAside


def laid(fields: ObjectFields, seen: ObjectFields, lens: Lens) -> ObjectFields:
    """``seen``, the lens's view of what may leave the hub, with the notes on all of its events."""
    return _noted(seen, lens.asides(fields, seen)) if isinstance(lens, SetsAside) else seen


def along(target: ObjectFields, here: ObjectFields, keys: Collection[str]) -> ObjectFields:
    """``target`` with the notes of ``here`` on those of its events (by instance key) that are written anyway."""
    if isinstance(here.master, TodoFields):
        return target
    events = {MASTER: here.master, **here.overrides}
    return _noted(target, {key: events[key].aside for key in keys if key in events})


def told(target: ObjectFields) -> frozenset[str]:
    """The keys of the events whose notes are to be written."""
    if isinstance(target.master, TodoFields):
        return frozenset()
    events = {MASTER: target.master, **target.overrides}
    return frozenset(key for key, event in events.items() if event.aside is not None)


def recalled(remote: RemoteObject, lens: Lens) -> ObjectFields:
    """What a remote object says, for a hub that knows nothing of it."""
    return lens.recalled(remote) if isinstance(lens, SetsAside) else remote.fields


def outdated(remote: RemoteObject, here: ObjectFields, lens: Lens) -> Change:
    """The notes to be told to a remote that has some of an earlier time, when it was shown more."""
    if recalled(remote, lens) == remote.fields:
        return {}
    keys = [MASTER, *(key for key in here.overrides if key in remote.fields.overrides)]
    return {(key, "aside"): (here.overrides[key] if key else here.event).aside for key in keys}


def _noted(fields: ObjectFields, notes: Mapping[str, str | None]) -> ObjectFields:
    master = replace(fields.event, aside=notes[MASTER]) if MASTER in notes else fields.event
    overrides = {
        key: replace(event, aside=notes[key]) if key in notes else event for key, event in fields.overrides.items()
    }
    return replace(fields, master=master, overrides=overrides)
