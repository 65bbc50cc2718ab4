"""Zones, instants and the names of recurrence instances. Nothing here depends on the machine's own zone.

The IANA names and links are those of the tzdata package, the Windows names those of CLDR (tzlocal's table).
"""

from __future__ import annotations

import collections
import datetime as dt
import functools
import importlib.resources
import re
from collections.abc import Mapping
from zoneinfo import ZoneInfo

from tzlocal import windows_tz

from bridge.ical import text, values, vtimezone
from bridge.ical.objects import Component

_WORD = re.compile(r"[^\W\d_]+(?:[ _-][^\W\d_]+)*")
_BEGINNING = dt.datetime.min.replace(tzinfo=dt.UTC)
_END = dt.datetime.max.replace(microsecond=0, tzinfo=dt.UTC)


@functools.cache
def _links() -> Mapping[str, str]:
    """Link name → its target, without the names that stand for a country of their own: Oslo is not Berlin to anyone."""
    own = {row.split("\t")[2] for row in _tzdata("zone.tab") if not row.startswith("#")}
    rows = (row.split() for row in _tzdata("tzdata.zi") if row.startswith("L "))
    return {name: target for _, target, name in rows if name not in own}


@functools.cache
def _names() -> Mapping[str, str]:
    """Every IANA name by its case-folded form."""
    rows = [row.split() for row in _tzdata("tzdata.zi") if row[:2] in ("Z ", "L ")]
    return {
        name.casefold(): name for name in (row[1] if row[0] == "Z" else row[2] for row in rows) if name != "Factory"
    }


def _tzdata(name: str) -> list[str]:
    content = (importlib.resources.files("tzdata") / "zoneinfo" / name).read_text(encoding="utf-8")
    return [row for row in content.split("\n") if row]


@functools.cache
def zone_info(iana: str) -> ZoneInfo:
    """The zone's rules. Raises ZoneInfoNotFoundError for an unknown name."""
    return ZoneInfo(iana)


@functools.cache
def canonical_zone(iana: str) -> str:
    """The name a zone has today: link names folded ("Europe/Kiev" → "Europe/Kyiv", "Etc/UTC" → "UTC").

    A link that is some country's own zone keeps its name. An unknown name is returned as it is.
    """
    name = _names().get(iana.casefold(), iana)
    while name in _links():
        name = _links()[name]
    return "UTC" if name == "Etc/UTC" else name


@functools.cache
def to_windows(iana: str) -> str | None:
    """The Windows name of an IANA zone (CLDR windowsZones), or None."""
    name = canonical_zone(iana)
    found: str | None = windows_tz.tz_win.get(name) or windows_tz.tz_win.get(iana)
    return found


@functools.cache
def _windows() -> Mapping[str, str]:
    return {name.casefold(): canonical_zone(iana) for name, iana in windows_tz.win_tz.items()}


def from_windows(name: str) -> str | None:
    """The IANA zone of a Windows name (CLDR's choice for the whole world), or None."""
    return _windows().get(name.strip().casefold())


def resolve_zone(tzid: str, vtimezone: Component | None) -> str | None:
    """The IANA zone a TZID means, in the order of R24; None if there is none: then only instants can be kept.

    An IANA name, be it behind a producer's prefix ("/mozilla.org/20050126_1/Europe/Berlin"); a Windows name; what the
    embedded definition says of itself, or does. A bare abbreviation ("GMT" that is London) is only believed where the
    definition agrees with it. The answer is canonical.
    """
    if name := _iana(tzid):
        if vtimezone is None or "/" in name or _agrees(name, vtimezone):
            return canonical_zone(name)
    elif name := from_windows(tzid):
        return name
    return None if vtimezone is None else _by_definition(tzid, vtimezone)


def _iana(tzid: str) -> str | None:
    """The IANA name in a TZID, whatever its case and whatever stands before it."""
    names = _names()
    if found := names.get(tzid.casefold()):
        return found
    parts = tzid.strip().replace(" ", "_").casefold().split("/")
    return next((names[tail] for n in range(len(parts)) if (tail := "/".join(parts[n:])) in names), None)


@functools.lru_cache(maxsize=1024)
def _agrees(name: str, component: Component) -> bool:
    definition = vtimezone.read(component)
    return definition is None or any(vtimezone.matches(definition, [name], year=_year()))


@functools.lru_cache(maxsize=1024)
def _by_definition(tzid: str, component: Component) -> str | None:
    """The zone which a definition names as its origin, or else whose offsets it has.

    Many zones share their offsets: one whose city stands in the TZID ("(UTC+01:00) Amsterdam, Berlin, …") comes first,
    then CLDR's choices for the Windows names, those of many places first, then the others.
    """
    if (line := component.first("X-LIC-LOCATION")) and (name := _iana(text.unescape(line.value))):
        return canonical_zone(name)
    definition = vtimezone.read(component)
    if definition is None:
        return None
    known = sorted({canonical_zone(name) for name in _names().values()})
    words = set(_WORD.findall(tzid.casefold()))
    preferred = [name for name in known if name.rpartition("/")[2].casefold().replace("_", " ") in words]
    everywhere = ["UTC", *preferred, *_usual(), *known]
    return next(vtimezone.matches(definition, dict.fromkeys(everywhere), year=_year()), None)


@functools.cache
def _usual() -> list[str]:
    places = collections.Counter(windows_tz.tz_win.values())
    return [
        canonical_zone(windows_tz.win_tz[name])
        for name, _ in sorted(places.items(), key=lambda pair: (-pair[1], pair[0]))
    ]


@functools.cache
def edition() -> str:
    """Which zone data this is: "2026f"."""
    return _tzdata("tzdata.zi")[0].split()[-1]


@functools.cache
def _year() -> int:
    """Around which year the rules are compared: that of the zone data, so that the answer needs no clock."""
    return int(edition()[:4])


def instant(value: dt.date | dt.datetime, zone: str | None, *, floating: dt.tzinfo) -> dt.datetime:
    """The aware UTC instant of a date (its midnight) or naive wall-clock time; ``floating`` stands in for no zone.

    A time in a gap is taken with the offset before the gap, a repeated one is the first (RFC 5545 §3.3.5).
    """
    naive = values.midnight(value)
    if zone == "UTC":
        return naive.replace(tzinfo=dt.UTC, fold=0)
    rules = floating if zone is None else zone_info(zone)
    try:
        return naive.replace(tzinfo=rules, fold=0).astimezone(dt.UTC)
    except OverflowError:
        return _BEGINNING if naive.year == dt.MINYEAR else _END


def wall(moment: dt.datetime, zone: str) -> dt.datetime:
    """The naive wall-clock time an aware instant has in an IANA zone. Of a repeated hour it does not tell which."""
    try:
        local = moment.astimezone(zone_info(zone))
    except OverflowError:
        local = _BEGINNING if moment.year == dt.MINYEAR else _END
    return local.replace(tzinfo=None, fold=0)


def instance_key(original_start: dt.date | dt.datetime) -> str:
    """Name one recurrence instance the same way on every side.

    An instance keeps its *original* start however often it is moved: iCalendar calls it RECURRENCE-ID, Google
    ``originalStartTime``, Graph ``originalStart``. Each writes it in another form, so comparing raw values would pair no
    override with its twin. The key is the instant in UTC. An all-day or floating (naive) start has no instant and keeps
    its own form.

    >>> instance_key(dt.datetime(2026, 3, 29, 9, tzinfo=ZoneInfo("Europe/Berlin")))
    '20260329T070000Z'
    >>> instance_key(dt.date(2026, 3, 29))
    '20260329'
    >>> instance_key(dt.datetime(2026, 3, 29, 9))
    '20260329T090000'

    See RFC 5545 §3.8.4.4.
    """
    if isinstance(original_start, dt.datetime) and original_start.tzinfo is not None:
        return values.write_moment(original_start.astimezone(dt.UTC), utc=True)
    return values.write_moment(original_start)
