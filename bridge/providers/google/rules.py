"""The lines of ``recurrence`` (G-59) in one normal form, and EXDATE apart from them (G-61). Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence

from bridge.errors import Unmappable
from bridge.ical import rules as icalendar
from bridge.ical import times
from bridge.ical.fields import When
from bridge.providers.google.times import start_of

_STAMP = "%Y%m%dT%H%M%S"
_DEFAULTS = {("INTERVAL", "1"), ("WKST", "MO")}  # RFC 5545 §3.3.10
_WITHIN_A_DAY = ("HOURLY", "MINUTELY", "SECONDLY")
_WEEK = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_ORDER = ("FREQ", "UNTIL", "COUNT", "INTERVAL")


def normal(lines: Iterable[str], was: When, now: When) -> tuple[str, ...]:
    """RRULE, EXRULE and RDATE in Google's terms, each said in one way only, so that equal rules compare equal.

    ``was`` is the master's time before it was brought into Google's terms, ``now`` thereafter: they differ where it was
    floating. UNTIL is UTC for a timed series and a date for an all-day one (G-64); an RDATE is in the master's zone.
    Raises Unmappable for what Google is not known to take (periods), and for rules that cannot be followed.
    """
    rules: set[str] = set()
    dates: set[dt.date | dt.datetime] = set()
    for line in lines:
        name, parameters, value = _split(line)
        if name in ("RRULE", "EXRULE"):
            rules.add(f"{name}:{_rule(value, was, now)}")
        elif name == "RDATE":
            if parameters.get("VALUE", "").upper() == "PERIOD" or "/" in value:
                raise Unmappable("a recurrence date with a duration of its own")
            dates |= {_date(each, parameters, was, now) for each in value.split(",")}
        else:
            raise Unmappable(f"{name} is no recurrence line")
    return (*sorted(rules, reverse=True), *(f"RDATE{_stamp(each, now)}" for each in sorted(dates, key=str)))


def excluded(lines: Iterable[str], when: When) -> frozenset[str]:
    """The instance keys that EXDATE lines exclude."""
    keys = set()
    for line in lines:
        name, parameters, value = _split(line)
        if name == "EXDATE":
            keys |= {_key(_date(each, parameters, when, when), when) for each in value.split(",")}
    return frozenset(keys)


def without_exdates(lines: Iterable[str]) -> list[str]:
    return [line for line in lines if _split(line)[0] != "EXDATE"]


def render(rules: Sequence[str], cancelled: Iterable[str], when: When) -> list[str]:
    """``recurrence`` as it is written: the rules, and one EXDATE line for each cancelled instance."""
    return [*rules, *(f"EXDATE{_stamp(_local(start_of(key), when), when)}" for key in sorted(cancelled))]


def floating(lines: Iterable[str], zone: str) -> tuple[str, ...]:
    """A normal form whose times are wall-clock times in ``zone``, said without any zone (X-04)."""
    said = []
    for line in lines:
        name, _, value = _split(line)
        if name == "RDATE":
            said.append(f"RDATE:{value}")
        else:
            parts = [part.split("=", 1) for part in value.split(";")]
            rule = [(part, _wall_until(text, zone) if part == "UNTIL" else text) for part, text in parts]
            said.append(f"{name}:" + ";".join(f"{part}={text}" for part, text in rule))
    return tuple(said)


def _wall_until(text: str, zone: str) -> str:
    return times.wall(_parse(text, dt.UTC), zone).strftime(_STAMP) if text.endswith("Z") else text


def _rule(value: str, was: When, now: When) -> str:
    icalendar.parse(value, was.start)  # what cannot be followed here is not told: what would it become there?
    parts = icalendar.plain(value)
    _check(parts, all_day=now.all_day)
    if "UNTIL" in parts:
        parts["UNTIL"] = _until(parts["UNTIL"], was, now)
    parts = {name: _ordered(text) if name.startswith("BY") else text for name, text in parts.items()}
    kept = [item for item in parts.items() if item[1] and item not in _DEFAULTS]
    kept.sort(key=lambda item: (_ORDER.index(item[0]) if item[0] in _ORDER else len(_ORDER), item[0]))
    return ";".join(f"{name}={text}" for name, text in kept)


def _check(parts: Mapping[str, str], *, all_day: bool) -> None:
    """What RFC 5545 leaves open is not told: nobody says what Google makes of it (R-21)."""
    yearly = parts["FREQ"] == "YEARLY"
    if parts["FREQ"] in _WITHIN_A_DAY:
        raise Unmappable("Google repeats by days, weeks, months or years only")
    if "COUNT" in parts and "UNTIL" in parts:
        raise Unmappable("the recurrence rule ends twice")
    if "BYWEEKNO" in parts and not (yearly and "BYDAY" in parts):
        raise Unmappable("the recurrence rule names weeks of the year and no days")
    if "BYYEARDAY" in parts and not yearly:
        raise Unmappable("the recurrence rule names days of the year and is not yearly")
    if all_day and any(name in parts for name in ("BYHOUR", "BYMINUTE", "BYSECOND")):
        raise Unmappable("the recurrence rule names times of whole days")


def _ordered(text: str) -> str:
    def place(each: str) -> tuple[int, int]:
        day = each.lstrip("+-0123456789")
        number = each.removesuffix(day)
        return (_WEEK.index(day) if day in _WEEK else 0, int(number) if number.lstrip("+-") else 0)

    return ",".join(sorted(set(text.split(",")) - {""}, key=place))


def _until(text: str, was: When, now: When) -> str:
    if now.all_day:
        return text[:8]
    if len(text) == 8:  # RFC 5545 wants DTSTART's kind; whoever writes a date means that day to its end
        text += "T235959"
    moment = (
        _parse(text, dt.UTC) if text.endswith("Z") else times.instant(_naive(text), _zone(was, now), floating=dt.UTC)
    )
    return moment.astimezone(dt.UTC).strftime(_STAMP) + "Z"


def _zone(was: When, now: When) -> str | None:
    return was.zone or now.zone


def _date(text: str, parameters: dict[str, str], was: When, now: When) -> dt.date | dt.datetime:
    """A date, or the naive wall-clock time in ``now``'s zone."""
    if now.all_day:
        return _naive(text[:8] + "T000000").date()
    if len(text) == 8:
        start = now.start
        clock = start.time() if isinstance(start, dt.datetime) else dt.time()
        return dt.datetime.combine(_naive(text + "T000000").date(), clock)
    if text.endswith("Z"):
        moment = _parse(text, dt.UTC)
    else:
        zone = parameters.get("TZID") or _zone(was, now)
        moment = times.instant(_naive(text), zone, floating=dt.UTC)
    return times.wall(moment, now.zone or "UTC").replace(fold=0)


def _stamp(value: dt.date | dt.datetime, when: When) -> str:
    if not isinstance(value, dt.datetime):
        return f";VALUE=DATE:{value:%Y%m%d}"
    if when.zone == "UTC":
        return f":{value.strftime(_STAMP)}Z"
    return f";TZID={when.zone}:{value.strftime(_STAMP)}"


def _local(value: dt.date | dt.datetime, when: When) -> dt.date | dt.datetime:
    if isinstance(value, dt.datetime) and value.tzinfo and when.zone:
        return times.wall(value, when.zone)
    return value


def _key(value: dt.date | dt.datetime, when: When) -> str:
    if isinstance(value, dt.datetime):
        return times.instance_key(times.instant(value, when.zone, floating=dt.UTC))
    return times.instance_key(value)


def _naive(text: str) -> dt.datetime:
    try:
        return dt.datetime.strptime(text, _STAMP)  # noqa: DTZ007 - wall-clock time
    except ValueError as error:
        raise Unmappable("a recurrence date or end that cannot be read") from error


def _parse(text: str, zone: dt.tzinfo) -> dt.datetime:
    return _naive(text.removesuffix("Z")).replace(tzinfo=zone)


def _split(line: str) -> tuple[str, dict[str, str], str]:
    head, _, value = line.partition(":")
    name, *parameters = head.split(";")
    pairs = (parameter.partition("=") for parameter in parameters)
    return name.upper(), {key.upper(): text.strip('"') for key, _, text in pairs}, value.strip()
