"""The bounds of an object in time, for the index rows of time-range queries."""

from __future__ import annotations

import datetime as dt

from bridge.ical.objects import CalendarObject


def bounds(obj: CalendarObject) -> tuple[dt.datetime | None, dt.datetime | None]:
    """(start of its first occurrence, end of its last), aware UTC; a None end is endless, (None, None) always matches.

    Never raises. All-day and floating times are widened so that they hold in every zone. Both bounds are inclusive.
    """
    raise NotImplementedError
