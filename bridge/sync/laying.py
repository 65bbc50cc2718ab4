"""What a side says, laid upon an object's text: the hub's, or that of a server which keeps texts too."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from typing import Any

from bridge.errors import Unmappable
from bridge.ical import edit, objects, onward, recurrence, view
from bridge.ical.fields import MASTER, SCHEDULE, Change, ObjectFields, Path, patch, state
from bridge.sync.ports import Lens


def edited(data: bytes, change: Change, lens: Lens, *, now: dt.datetime) -> bytes:
    """The object with a change that is told in the terms of ``lens``. ``now`` is aware UTC.

    Raises what ``edit.apply`` raises.
    """
    full = view.read(objects.parse(data))
    own = lens.restore(change, full)
    return edit.apply(data, {**_awakened(full, own, lens), **_followed(full, own, lens), **own}, now=now)


def _followed(fields: ObjectFields, change: Change, lens: Lens) -> Change:
    """What is said of the series holds on those days, too, of which that side does not know that they are days of their own.

    An override that is just like its series as far as that side can see is none to it (a category more, an alarm more). Whoever
    retitles the series there means that day as well; and where the series has moved away from under it, it is no day of it.
    """
    news = {path: value for path, value in change.items() if path[0] == MASTER}
    if not news or not fields.overrides:
        return {}
    told = {key for key, _ in change}
    unseen = [key for key in fields.overrides if key not in told and _is_nothing_to(lens, fields, key)]
    followed: dict[Path, Any] = {
        (key, name): value for key in unseen for (_, name), value in news.items() if (MASTER, name) not in SCHEDULE
    }
    if unseen and SCHEDULE & news.keys():
        moved = patch(fields, change)
        for key in unseen:
            if not recurrence.occurs(moved, key):
                followed = {path: value for path, value in followed.items() if path[0] != key}
                followed[key, "state"] = "regular"
    return followed


def _is_nothing_to(lens: Lens, fields: ObjectFields, key: str) -> bool:
    """Whether an override says nothing that its series does not say, as far as that side can see."""
    if onward.is_one(key):
        return False
    with suppress(Unmappable, ValueError):
        if recurrence.occurs(fields, key):
            inherited = recurrence.inherited(fields, key)
            return lens.view(ObjectFields(fields.overrides[key])) == lens.view(ObjectFields(inherited))
    return False


def _awakened(fields: ObjectFields, change: Change, lens: Lens) -> Change:
    """Regular are the instances that a new schedule generates and the old one did not, whatever had been said of them.

    An EXDATE behind the end of a series is on nobody's page; it must not be there when the series goes on. What the side
    that speaks has had on its page is as it wants it.
    """
    if not SCHEDULE & change.keys() or not (fields.cancelled or fields.overrides):
        return {}
    old, new = recurrence.normalize(fields), recurrence.normalize(patch(fields, change))
    woken = (new.cancelled - old.cancelled) | (new.overrides.keys() - old.overrides.keys())
    untold = woken - {key for key, _ in change}
    if not untold:
        return {}
    shown = lens.view(fields)
    return {(key, "state"): "regular" for key in untold if state(shown, key) == "regular"}
