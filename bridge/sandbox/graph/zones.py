"""The time zone names that Graph takes (M-37), and wall clock times in them (M-36, M-38).

A zone is kept by its Windows name, as Exchange does, and computed with through the IANA zone that CLDR gives for it.
"""

from __future__ import annotations

import datetime as dt
import re
from functools import lru_cache
from zoneinfo import ZoneInfo

from tzlocal.windows_tz import win_tz

from bridge.sandbox.graph.errors import GraphError, invalid

_BY_WINDOWS = dict(win_tz)
_BY_IANA = {iana: name for name, iana in win_tz.items()} | {"UTC": "UTC", "Etc/UTC": "UTC"}
_LOWER = {name.lower(): name for name in _BY_WINDOWS}

_WALL = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?")


def windows_names() -> list[str]:
    """Every Windows name, sorted."""
    return sorted(_BY_WINDOWS)


def iana_names() -> list[str]:
    """Every IANA name that is taken: CLDR's first choice for each Windows zone, not all of the database (M-37)."""
    return sorted(_BY_IANA)


def windows_name(name: str) -> str:
    """The Windows name of a zone given by either name. Raises 400 ``TimeZoneNotSupportedException`` (M-37)."""
    found = _LOWER.get(name.lower()) or _BY_IANA.get(name)
    if found is None:
        raise GraphError(
            400,
            "TimeZoneNotSupportedException",
            f"A valid TimeZone value must be specified. The following TimeZone value is not supported: '{name}'.",
        )
    return found


@lru_cache(maxsize=512)
def zone(windows: str) -> ZoneInfo:
    """The rules of a zone that is kept by its Windows name."""
    return ZoneInfo(_BY_WINDOWS[windows])


def to_wall(value: str, path: str) -> dt.datetime:
    """A ``dateTime`` as a naive wall clock time, cut to microseconds. An offset inside it is refused (M-36)."""
    match = _WALL.fullmatch(value)
    if match is None:
        raise invalid(
            f"'{value}' of {path} is not a date and time without an offset (YYYY-MM-DDTHH:MM:SS.fffffff).",
            "ErrorPropertyValidationFailure",
        )
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    micro = int((match[7] or "0").ljust(6, "0")[:6])
    try:
        return dt.datetime(year, month, day, hour, minute, second, micro)  # noqa: DTZ001  wall clock; its zone is kept beside
    except ValueError as reason:
        raise invalid(f"'{value}' of {path}: {reason}.", "ErrorPropertyValidationFailure") from None


def to_instant(wall: dt.datetime, windows: str) -> dt.datetime:
    """The aware UTC instant of a wall clock time in a zone."""
    return wall.replace(tzinfo=zone(windows)).astimezone(dt.UTC)


def wall_in(instant: dt.datetime, windows: str) -> dt.datetime:
    """The naive wall clock time of an instant in a zone."""
    return instant.astimezone(zone(windows)).replace(tzinfo=None)


def seven_digits(wall: dt.datetime) -> str:
    """A naive time as Graph writes it, with 100-nanosecond digits (M-36)."""
    return f"{wall:%Y-%m-%dT%H:%M:%S}.{wall.microsecond:06d}0"


def instant_text(instant: dt.datetime) -> str:
    """An instant as a DateTimeOffset in UTC."""
    utc = instant.astimezone(dt.UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}Z" if not utc.microsecond else f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond:06d}0Z"


def parse_instant(value: str, name: str) -> dt.datetime:
    """An ISO 8601 instant of a query or a filter; without an offset it is UTC (M-14)."""
    text = value.strip().replace(" ", "+")  # an unescaped plus sign arrives as a space
    text = re.sub(r"(\.\d{6})\d+", r"\1", text)
    try:
        parsed = dt.datetime.fromisoformat(text)
    except ValueError:
        raise invalid(
            f"The value '{value}' of '{name}' is not a valid date and time.", "ErrorInvalidParameter"
        ) from None
    return parsed.replace(tzinfo=dt.UTC) if parsed.tzinfo is None else parsed.astimezone(dt.UTC)
