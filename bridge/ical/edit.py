"""Changes laid upon the original iCalendar text: only the lines a change names are touched (DESIGN §1)."""

from __future__ import annotations

import datetime as dt

from bridge.ical.fields import Change, ObjectFields


def apply(data: bytes, change: Change, *, now: dt.datetime) -> bytes:
    """The object with the change applied; every line that the change does not name stays byte for byte.

    ``now`` is aware UTC. A change that changes nothing returns ``data``. Raises what ``parse`` and ``read`` raise.
    """
    raise NotImplementedError


def compose(fields: ObjectFields, *, uid: str, now: dt.datetime) -> bytes:
    """A new object with these fields."""
    raise NotImplementedError
