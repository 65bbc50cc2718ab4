"""Checks of JSON values, built once from a schema and run on every body: None if all is well, else where and what.

A check tells paths only once something is wrong, so that a good value costs little more than being looked at.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Collection, Mapping

Found = list[tuple[str, str]] | None
Check = Callable[[object], Found]

INSTANT = re.compile(r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d)")
"""RFC 3339, date-time: with its offset."""
LOCAL = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(\.\d+)?")
DATE = re.compile(r"\d{4}-\d\d-\d\d")


def shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def one(text: str) -> Found:
    return [("", text)]


def below(name: str, found: Found) -> list[tuple[str, str]]:
    """The same, seen from one level further up."""
    return [(f"{name}{'.' if path and path[0] != '[' else ''}{path}", text) for path, text in found or ()]


def told(found: Found) -> list[str]:
    return [f"{path or 'the body'}: {text}" for path, text in found or ()]


def of_type(kind: type, words: str) -> Check:
    """Exactly this type: True is no integer."""
    return lambda value: None if type(value) is kind else one(f"{shown(value)} is no {words}")


boolean = of_type(bool, "boolean")
string = of_type(str, "string")
integer = of_type(int, "integer")
number: Check = lambda value: None if type(value) in (int, float) else one(f"{shown(value)} is no number")  # noqa: E731


def one_of(values: Collection[str]) -> Check:
    allowed = frozenset(values)

    def check(value: object) -> Found:
        if type(value) is str and value in allowed:
            return None
        return one(f"{shown(value)} is none of {', '.join(sorted(allowed))}")

    return check


def form(pattern: re.Pattern[str], words: str) -> Check:
    def check(value: object) -> Found:
        return None if type(value) is str and pattern.fullmatch(value) else one(f"{shown(value)} is no {words}")

    return check


def instant(value: object) -> Found:
    """RFC 3339 with its offset, and a day and time that exist."""
    match = INSTANT.fullmatch(value) if type(value) is str else None
    return None if match and _exists(match) else one(f"{shown(value)} is no RFC 3339 date-time with an offset")


def local_time(value: object) -> Found:
    """A date and time without an offset."""
    match = LOCAL.fullmatch(value) if type(value) is str else None
    return None if match and _exists(match) else one(f"{shown(value)} is no date and time without an offset")


def either_time(value: object) -> Found:
    return instant(value) and local_time(value)


def date(value: object) -> Found:
    if type(value) is str and DATE.fullmatch(value):
        try:
            dt.date.fromisoformat(value)
        except ValueError:
            pass
        else:
            return None
    return one(f"{shown(value)} is no date")


def _exists(match: re.Match[str]) -> bool:
    try:
        dt.datetime.fromisoformat(f"{match[1]}T{match[2]}")
    except ValueError:
        return False
    return True


def shorter(longest: int) -> Check:
    """A string of at most so many characters."""

    def check(value: object) -> Found:
        if type(value) is str and len(value) > longest:
            return one(f"has {len(value)} characters, {longest} are allowed")
        return string(value)

    return check


def array(item: Check) -> Check:
    def check(value: object) -> Found:
        if type(value) is not list:
            return one(f"{shown(value)} is no array")
        bad = None
        for number, each in enumerate(value):
            if found := item(each):
                bad = (bad or []) + below(f"[{number}]", found)
        return bad

    return check


def mapping(
    fields: Mapping[str, Check],
    *,
    anything: Check | None = None,
    nulls: bool,
    never_null: Collection[str] = (),
    required: Collection[str] = (),
    extra: Callable[[str, object], Found | bool] | None = None,
) -> Check:
    """An object with these fields. ``anything`` checks all others; without it, ``extra`` may know one: True, or what is wrong.

    ``fields`` may still be filled after the call, for schemas that contain themselves.
    """

    def check(value: object) -> Found:
        if type(value) is not dict:
            return one(f"{shown(value)} is no object")
        bad = None
        for name, each in value.items():
            inner = fields.get(name, anything)
            if inner is None:
                found = extra(name, each) if extra else False
                if found is True:
                    continue
                found = found or one("no such field")
            elif each is None and nulls and name not in never_null:
                continue
            else:
                found = inner(each)
            if found:
                bad = (bad or []) + below(name, found)
        for name in required:
            if value.get(name) is None:
                bad = (bad or []) + [(name, "is required")]
        return bad

    return check
