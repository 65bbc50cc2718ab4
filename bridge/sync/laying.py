"""What a side says, laid upon an object's text: the hub's, or that of a server which keeps texts too."""

from __future__ import annotations

import datetime as dt

from bridge.ical import edit, objects, recurrence, view
from bridge.ical.fields import SCHEDULE, Change, ObjectFields, patch, state
from bridge.sync.ports import Lens


def edited(data: bytes, change: Change, lens: Lens, *, now: dt.datetime) -> bytes:
    """The object with a change that is told in the terms of ``lens``. ``now`` is aware UTC.

    Raises what ``edit.apply`` raises.
    """
    full = view.read(objects.parse(data))
    own = lens.restore(change, full)
    return edit.apply(data, {**_awakened(full, own, lens), **own}, now=now)


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
