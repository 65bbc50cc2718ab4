"""Where a rule ends when its series is moved: UNTIL is an instant, and the occurrences are at other times then (R-24). Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from bridge.ical import times, values
from bridge.ical.fields import When

_DAY = dt.timedelta(days=1)


def moved(recurrence: Sequence[str], was: When, now: When) -> tuple[str, ...]:
    """The same rules, each ending behind the same occurrence though the series no longer starts at ``was`` but at ``now``.

    What cannot be read is left as it is.
    """
    return tuple(_moved(line, was, now) for line in recurrence)


def _moved(line: str, was: When, now: When) -> str:
    name, _, value = line.partition(":")
    parts = value.split(";")
    untils = [part for part in parts if part.upper().startswith("UNTIL=")]
    if name.upper() not in ("RRULE", "EXRULE") or len(untils) != 1:
        return line
    (until,) = untils
    day = _last_day(until[len("UNTIL=") :], was)
    if day is None:
        return line
    if not any(part.upper().startswith("BY") for part in parts):  # then the days follow DTSTART
        day += _day(now.start) - _day(was.start)
    parts[parts.index(until)] = f"UNTIL={_until(day, now)}"
    return f"{name}:{';'.join(parts)}"


def _last_day(text: str, when: When) -> dt.date | None:
    """The day of the last start that UNTIL includes, be there one or not."""
    limit = values.moment(text)
    if limit is None:
        return None
    if not isinstance(limit.value, dt.datetime) or not isinstance(when.start, dt.datetime):
        return _day(limit.value)
    local = limit.value
    if limit.utc and when.zone is not None:
        local = times.wall(local.replace(tzinfo=dt.UTC), when.zone)
    return local.date() if local.time() >= when.start.time() else local.date() - _DAY


def _day(value: dt.date | dt.datetime) -> dt.date:
    return value.date() if isinstance(value, dt.datetime) else value


def _until(day: dt.date, when: When) -> str:
    if not isinstance(when.start, dt.datetime):
        return f"{day:%Y%m%d}"
    last = dt.datetime.combine(day, when.start.time())
    if when.zone is None:
        return f"{last:%Y%m%dT%H%M%S}"
    return f"{times.instant(last, when.zone, floating=dt.UTC):%Y%m%dT%H%M%SZ}"
