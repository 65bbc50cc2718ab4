"""OData query options as Graph takes them on calendars (M-16, M-66); whatever else is asked is refused (M-80)."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from bridge.sandbox.graph import fields, zones
from bridge.sandbox.graph.errors import invalid, unsupported_query
from bridge.sandbox.graph.events import Item
from bridge.sandbox.graph.properties import ENUMS, TYPES

DEFAULT_PAGE = 10
LARGEST_PAGE = 1000
Test = Callable[[Any], bool]
Thing = TypeVar("Thing")
NAVIGATED = ("singleValueExtendedProperties", "checklistItems", "linkedResources")
"""What has to be expanded to be seen, although a body may hold it."""

_ANY = re.compile(
    r"(?P<list>singleValueExtendedProperties)/any\(\s*(?P<v>\w+)\s*:\s*(?P=v)/id\s+eq\s+'(?P<id>(?:[^']|'')*)'\s+and\s+"
    r"(?:(?P=v)/value\s+(?P<op>eq|ne)\s+'(?P<value>(?:[^']|'')*)'|"
    r"(?P<func>contains|startswith)\(\s*(?P=v)/value\s*,\s*'(?P<arg>(?:[^']|'')*)'\s*\))\s*\)",
    re.IGNORECASE,
)
COMPARE = re.compile(
    r"(?P<path>\w+(?:/\w+)?)\s+(?P<op>eq|ne|gt|ge|lt|le)\s+(?P<value>'(?:[^']|'')*'|[^\s()]+)", re.IGNORECASE
)
_FUNC = re.compile(
    r"(?P<func>contains|startswith)\(\s*(?P<path>subject)\s*,\s*'(?P<arg>(?:[^']|'')*)'\s*\)", re.IGNORECASE
)
_IDS = re.compile(r"id\s+eq\s+'((?:[^']|'')*)'", re.IGNORECASE)
_NOT_EXPANDED = (
    "instances",
    "attachments",
    "attachmentSessions",
    "extensions",
    "multiValueExtendedProperties",
    "tasks",
)
_EXPAND = re.compile(r"(\w+)(?:\((.*)\))?")


@dataclass(frozen=True, slots=True)
class Expand:
    """One navigation property to show; ``property_ids`` are the extended properties asked for by id (M-66)."""

    name: str
    property_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Options:
    """The query options of one request."""

    select: tuple[str, ...] = ()
    expand: tuple[Expand, ...] = ()
    filter: Test | None = None
    order: tuple[tuple[str, bool], ...] = ()
    top: int | None = None
    skip: int = 0
    count: bool = False


def read(
    query: Mapping[str, list[str]],
    *,
    allowed: Iterable[str],
    type_name: str = "event",
    forms: Iterable[re.Pattern[str]] | None = None,
    test: Callable[[re.Match[str]], Test] | None = None,
    orders: Iterable[str] | None = None,
) -> Options:
    """The options of a query string. Raises 400 for one that is unknown, not allowed here, or given twice.

    ``forms`` are the terms that a $filter may have, ``test`` makes something of one, ``orders`` are the paths of $orderby; by
    default those of events.
    """
    forms, test, orders = forms or (_ANY, _FUNC, COMPARE), test or _test, orders or _VALUES
    allowed = set(allowed)
    for name, values in query.items():
        if name not in allowed:
            raise unsupported_query(f"The query parameter '{name}' is not supported.")
        if len(values) > 1:
            raise unsupported_query(f"Query option '{name}' was specified more than once.")
    given = {name: values[0] for name, values in query.items()}
    return Options(
        select=_select(given.get("$select", ""), type_name),
        expand=tuple(_expand(part, type_name) for part in _split(given.get("$expand", ""), ",")),
        filter=terms(given["$filter"], forms, test) if "$filter" in given else None,
        order=order_by(given.get("$orderby", ""), orders),
        top=_number("$top", given["$top"], least=1) if "$top" in given else None,
        skip=_number("$skip", given.get("$skip", "0"), least=0),
        count=boolean("$count", given.get("$count", "false")),
    )


def sorted_by(
    items: list[Thing], order: Iterable[tuple[str, bool]], values: Mapping[str, Callable[[Any], Any]] | None = None
) -> list[Thing]:
    """Items in the order asked for; the last key first, because sorting is stable. ``values`` reads them (default: events)."""
    read_from: Mapping[str, Callable[[Any], Any]] = values or _VALUES
    for path, descending in reversed(tuple(order)):
        items = sorted(items, key=read_from[path], reverse=descending)
    return items


def _select(text: str, type_name: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    for name in names:
        if name.split("/")[0] not in TYPES[type_name]:
            raise unsupported_query(f"Could not find a property named '{name}' on type 'microsoft.graph.{type_name}'.")
    return tuple(name.split("/")[0] for name in names)


def _expand(text: str, type_name: str) -> Expand:
    match = _EXPAND.fullmatch(text.strip())
    found = TYPES[type_name].get(match[1]) if match else None
    if match is None or found is None or not (found.kind == "navigation" or match[1] in NAVIGATED):
        raise unsupported_query(f"Parsing OData Select and Expand failed: '{text}'.")
    if match[1] in _NOT_EXPANDED:
        raise unsupported_query(f"'{match[1]}' cannot be expanded on the simulated service.")
    if match[1] != "singleValueExtendedProperties":
        if match[2]:
            raise unsupported_query(f"Nested options of $expand={match[1]} are not supported on the simulated service.")
        return Expand(match[1])
    inside = (match[2] or "").strip()
    if not inside.lower().startswith("$filter="):  # "all of them" is impossible (M-66)
        raise invalid("$expand=singleValueExtendedProperties needs a $filter on id.")
    parts = [part.strip() for part in re.split(r"\s+or\s+", inside[8:])]
    matches = [_IDS.fullmatch(part) for part in parts]
    if not all(matches):
        raise invalid("The $filter of singleValueExtendedProperties compares id with eq, several joined by or.")
    named = tuple(found[1].replace("''", "'") for found in matches if found)
    for one in named:
        fields.extended_key(one)
    return Expand("singleValueExtendedProperties", named)


def terms(text: str, forms: Iterable[re.Pattern[str]], test: Callable[[re.Match[str]], Test]) -> Test:
    """A ``$filter``. Terms joined by ``and`` (or all by ``or``); not the whole of OData, and what is not understood is refused."""
    tests: list[Test] = []
    joined: set[str] = set()
    rest = text.strip()
    while True:
        term = next((found for form in forms if (found := form.match(rest))), None)
        if term is None:
            raise unsupported_query(f"Invalid filter clause: '{text}'.")
        tests.append(test(term))
        rest = rest[term.end() :].strip()
        if not rest:
            break
        link = re.match(r"(and|or)\s+", rest, re.IGNORECASE)
        if link is None:
            raise unsupported_query(f"Invalid filter clause: '{text}'.")
        joined.add(link[1].lower())
        rest = rest[link.end() :]
    if len(joined) > 1:
        raise unsupported_query("A filter that mixes 'and' with 'or' is not supported on the simulated service.")
    return (
        (lambda item: any(each(item) for each in tests))
        if joined == {"or"}
        else lambda item: all(each(item) for each in tests)
    )


def _test(term: re.Match[str]) -> Test:
    found = term.groupdict()
    if found.get("list"):
        return _any_test(found)
    if found.get("func"):
        part = found["arg"].replace("''", "'").lower()
        if found["func"].lower() == "contains":
            return lambda item: part in item.fields["subject"].lower()
        return lambda item: item.fields["subject"].lower().startswith(part)
    path, op, wanted = found["path"], found["op"].lower(), _literal(found["path"], found["value"])
    return compared(_VALUES[path], op, wanted)


def compared(value: Callable[[Any], Any], op: str, wanted: Any) -> Test:
    """A comparison of what ``value`` reads from an item; ``op`` in lower case."""
    return {
        "eq": lambda item: value(item) == wanted,
        "ne": lambda item: value(item) != wanted,
        "gt": lambda item: value(item) > wanted,
        "ge": lambda item: value(item) >= wanted,
        "lt": lambda item: value(item) < wanted,
        "le": lambda item: value(item) <= wanted,
    }[op]


def _any_test(found: dict[str, Any]) -> Test:
    """The name is compared exactly, the value in any case (M-66)."""
    key = fields.extended_key(found["id"].replace("''", "'"))
    op = (found["op"] or found["func"]).lower()
    wanted = (found["value"] if found["op"] else found["arg"]).replace("''", "'").lower()

    def test(item: Item) -> bool:
        kept = item.fields["extended"].get(key)
        if kept is None:
            return False
        value = kept[1].lower()
        outcome: bool = {
            "eq": value == wanted, "ne": value != wanted, "contains": wanted in value, "startswith": value.startswith(wanted),
        }[str(op)]  # fmt: skip
        return outcome

    return test


def _literal(path: str, text: str) -> Any:
    if path not in _VALUES:
        raise unsupported_query(f"The property '{path}' cannot be filtered by on the simulated service.")
    unquoted = text[1:-1].replace("''", "'") if text.startswith("'") else text
    if path in ("start/dateTime", "end/dateTime", "createdDateTime", "lastModifiedDateTime"):
        return zones.parse_instant(unquoted, path)
    if path in ("isAllDay", "isOrganizer", "isCancelled"):
        return boolean(path, text)
    if not text.startswith("'"):
        raise unsupported_query(f"A string literal is expected for '{path}'.")
    enum = TYPES["event"][path].of if TYPES["event"][path].kind == "enum" else ""
    if enum and unquoted not in ENUMS[enum]:
        raise unsupported_query(f"Requested value '{unquoted}' was not found in 'microsoft.graph.{enum}'.")
    return unquoted


def _instant_of(attribute: str) -> Callable[[Item], dt.datetime]:
    return lambda item: getattr(item.span, attribute)


def _kind(item: Item) -> str:
    if item.day is not None:
        return "exception" if item.modified else "occurrence"
    return "seriesMaster" if item.event.recurrence else "singleInstance"


_VALUES: dict[str, Callable[[Item], Any]] = {
    "start/dateTime": _instant_of("starts_at"),
    "end/dateTime": _instant_of("ends_at"),
    "createdDateTime": lambda item: item.event.created,
    "lastModifiedDateTime": lambda item: item.event.modified,
    "subject": lambda item: item.fields["subject"],
    "iCalUId": lambda item: item.event.ical_uid,
    "transactionId": lambda item: item.event.transaction_id,
    "type": _kind,
    "showAs": lambda item: item.fields["showAs"],
    "sensitivity": lambda item: item.fields["sensitivity"],
    "importance": lambda item: item.fields["importance"],
    "isAllDay": lambda item: item.span.all_day,
    "isOrganizer": lambda item: item.event.own,
    "isCancelled": lambda item: item.fields["isCancelled"],
}


def order_by(text: str, known: Iterable[str]) -> tuple[tuple[str, bool], ...]:
    """An ``$orderby``: each path, and whether it descends. Raises 400 for one that is not ``known``."""
    found, known = [], frozenset(known)
    for part in (part.strip() for part in text.split(",")):
        if not part:
            continue
        path, _, direction = part.partition(" ")
        if path not in known or direction.strip().lower() not in ("", "asc", "desc"):
            raise unsupported_query(f"The $orderby clause '{part}' is not supported.")
        found.append((path, direction.strip().lower() == "desc"))
    return tuple(found)


def _split(text: str, separator: str) -> list[str]:
    """Split at a separator that stands in no parentheses."""
    parts, depth, current = [], 0, ""
    for character in text:
        depth += (character == "(") - (character == ")")
        if character == separator and not depth:
            parts.append(current)
            current = ""
        else:
            current += character
    return [part for part in (*parts, current) if part.strip()]


def _number(name: str, text: str, *, least: int) -> int:
    if not text.isdigit() or not least <= int(text) <= (LARGEST_PAGE if name == "$top" else 10**6):
        raise unsupported_query(f"Invalid value '{text}' for {name} query option found.")
    return int(text)


def boolean(name: str, text: str) -> bool:
    """A literal that is true or false. Raises 400."""
    if text.lower() not in ("true", "false"):
        raise unsupported_query(f"Invalid value '{text}' for '{name}' found.")
    return text.lower() == "true"
