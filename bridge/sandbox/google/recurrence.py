"""Recurring events: the lines of ``recurrence[]`` and the instances they make (G-58…G-60, G-64; RFC 5545, 3.3.10, 3.8.5)."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from zoneinfo import ZoneInfo

from dateutil.rrule import rrule, rruleset, rrulestr

from bridge.sandbox.google.errors import invalid
from bridge.sandbox.google.times import Moment, from_instant, known_zones

NUMBER_LIST = r"[+-]?\d+(,[+-]?\d+)*"
PARTS = {
    "FREQ": r"YEARLY|MONTHLY|WEEKLY|DAILY",
    "UNTIL": r"\d{8}(T\d{6}Z)?",
    "COUNT": r"[1-9]\d*",
    "INTERVAL": r"[1-9]\d*",
    "BYDAY": r"[+-]?\d{0,2}(MO|TU|WE|TH|FR|SA|SU)(,[+-]?\d{0,2}(MO|TU|WE|TH|FR|SA|SU))*",
    "BYMONTHDAY": NUMBER_LIST,
    "BYYEARDAY": NUMBER_LIST,
    "BYWEEKNO": NUMBER_LIST,
    "BYMONTH": NUMBER_LIST,
    "BYSETPOS": NUMBER_LIST,
    "BYHOUR": NUMBER_LIST,
    "BYMINUTE": NUMBER_LIST,
    "BYSECOND": NUMBER_LIST,
    "WKST": r"MO|TU|WE|TH|FR|SA|SU",
}


def _wrong(line: str) -> Exception:
    return invalid(f"Invalid recurrence rule: {line[:200]}", "recurrence")


def check(lines: Sequence[str], start: Moment) -> None:
    """Refuse what is not a list of RRULE, EXRULE, RDATE and EXDATE lines for an event with this start."""
    for line in lines:
        name, colon, value = line.partition(":")
        kind, *attributes = name.split(";")
        if not colon or kind not in ("RRULE", "EXRULE", "RDATE", "EXDATE"):
            raise _wrong(line)
        if kind.endswith("RULE"):
            _check_rule(line, attributes, value, all_day=start.all_day)
        else:
            dates(line, start)
    if not any(line.startswith(("RRULE:", "RDATE")) for line in lines):
        raise invalid("A recurring event needs an RRULE or an RDATE.", "recurrence")
    try:
        next(walls(tuple(lines), start))
    except StopIteration:
        raise invalid("The recurrence has no instance.", "recurrence") from None
    except (ValueError, IndexError, OverflowError):  # months and weekdays that there are not, the year 10000
        raise _wrong("; ".join(lines)) from None


def _check_rule(line: str, attributes: list[str], value: str, *, all_day: bool) -> None:
    parts = [part.partition("=")[::2] for part in value.split(";")]
    names = [name for name, _ in parts]
    if attributes or len(set(names)) != len(names) or "FREQ" not in names or {"COUNT", "UNTIL"} <= set(names):
        raise _wrong(line)
    for name, text in parts:
        if name not in PARTS or not re.fullmatch(PARTS[name], text):
            raise _wrong(line)
        if name == "UNTIL" and ("T" in text) == all_day:  # G-64
            raise _wrong(line)


def dates(line: str, start: Moment) -> list[dt.datetime]:
    """The wall times an RDATE or EXDATE line names, in the zone of the start; midnights for an all-day event."""
    name, _, value = line.partition(":")
    attributes = dict(part.partition("=")[::2] for part in name.split(";")[1:])
    if set(attributes) - {"TZID", "VALUE"} or attributes.get("TZID", "UTC") not in known_zones():
        raise _wrong(line)
    found = []
    for text in value.split(","):
        try:
            if re.fullmatch(r"\d{8}", text):
                if not start.all_day:
                    raise _wrong(line)
                found.append(dt.datetime.strptime(text, "%Y%m%d"))  # noqa: DTZ007 - a date has no zone
                continue
            if start.all_day or not re.fullmatch(r"\d{8}T\d{6}Z?", text) or attributes.get("VALUE") == "DATE":
                raise _wrong(line)
            wall = dt.datetime.strptime(text[:15], "%Y%m%dT%H%M%S")  # noqa: DTZ007 - the zone follows
        except ValueError:
            raise _wrong(line) from None
        here = ZoneInfo(start.zone)
        there = (
            ZoneInfo("UTC") if text.endswith("Z") else ZoneInfo(attributes["TZID"]) if "TZID" in attributes else here
        )
        found.append(wall.replace(tzinfo=there).astimezone(here).replace(tzinfo=None, fold=0))
    return found


@lru_cache(maxsize=4096)
def _rules(lines: tuple[str, ...], start: Moment) -> rruleset:
    first = start.value if isinstance(start.value, dt.datetime) else dt.datetime.combine(start.value, dt.time())
    found = rruleset(cache=False)
    for line in lines:
        name, _, value = line.partition(":")
        if name in ("RRULE", "EXRULE"):
            rule = _rule(value, first, start)
            (found.rrule if name == "RRULE" else found.exrule)(rule)
        elif name.startswith("RDATE"):
            for date in dates(line, start):
                found.rdate(date)
        else:
            for date in dates(line, start):
                found.exdate(date)
    found.rdate(first)  # the start is the first instance even if no rule generates it (RFC 5545, 3.8.5.3)
    return found


def _rule(value: str, first: dt.datetime, start: Moment) -> rrule:
    """A rule over wall times: UNTIL, an instant, is turned into the wall time of the start's zone."""
    parts = dict(part.partition("=")[::2] for part in value.split(";"))
    until = parts.get("UNTIL", "")
    if until.endswith("Z"):
        instant = dt.datetime.strptime(until, "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC)
        parts["UNTIL"] = instant.astimezone(ZoneInfo(start.zone)).strftime("%Y%m%dT%H%M%S")
    text = ";".join(f"{name}={part}" for name, part in parts.items())
    rule = rrulestr(text, dtstart=first)
    if not isinstance(rule, rrule):
        raise _wrong(value)
    if "COUNT" in parts and next(iter(rule), None) != first:  # the start counts as one of COUNT
        return rule.replace(count=int(parts["COUNT"]) - 1)
    return rule


def walls(lines: tuple[str, ...], start: Moment, after: dt.datetime | None = None) -> Iterator[dt.datetime]:
    """The wall times at which instances start, ascending, from ``after`` (naive, inclusive) on; possibly without end."""
    rules = _rules(lines, start)
    return iter(rules) if after is None else rules.xafter(after, inc=True)


def starts(lines: tuple[str, ...], start: Moment, after: dt.datetime | None = None) -> Iterator[Moment]:
    """The starts of the instances, ascending, from ``after`` (aware) on, give or take a day; possibly without end."""
    wall = None
    if after is not None:
        there = after.astimezone(ZoneInfo(start.zone or "UTC")).replace(tzinfo=None)
        wall = max(there, dt.datetime(1, 1, 3)) - dt.timedelta(days=2)  # noqa: DTZ001 - a wall time
    for each in walls(lines, start, wall):
        if start.all_day:
            yield Moment(each.date())
        else:
            # A wall time in a gap moves to where the offset before the gap puts it.
            yield from_instant(each.replace(tzinfo=ZoneInfo(start.zone)).astimezone(dt.UTC), start.zone)


def occurs(lines: tuple[str, ...], start: Moment, original: Moment) -> bool:
    """Whether the series has an instance that starts there."""
    if original.all_day != start.all_day:
        return False
    target = original.instant(dt.UTC)
    for each in starts(lines, start, target):
        instant = each.instant(dt.UTC)
        if instant >= target:
            return instant == target
    return False


def suffix(original: Moment) -> str:
    """What an instance id has behind its master's (G-60)."""
    if original.all_day:
        return original.value.strftime("%Y%m%d")
    return original.instant(dt.UTC).strftime("%Y%m%dT%H%M%SZ")


def from_suffix(text: str, master_start: Moment) -> Moment | None:
    """The original start that an instance id names; None if it cannot be one of this master."""
    try:
        if master_start.all_day:
            return Moment(dt.datetime.strptime(text, "%Y%m%d").date())  # noqa: DTZ007 - a date has no zone
        instant = dt.datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC)
    except ValueError:
        return None
    return from_instant(instant, master_start.zone)
