"""Partial responses: the ``fields`` parameter (G-43), for instance ``items(id,start/dateTime),nextSyncToken``."""

from __future__ import annotations

import re
from typing import Any

from bridge.sandbox.google.errors import invalid

Selection = dict[str, "Selection"]
"""Names to what is selected below them; an empty one selects everything below."""


def select(body: dict[str, Any], fields: str) -> dict[str, Any]:
    """What of ``body`` the selector asks for. Whatever it does not name is lost, page and sync tokens included."""
    tokens = re.findall(r"[\w*-]+|[(),/]", fields)
    if "".join(tokens) != re.sub(r"\s", "", fields) or not tokens:
        raise _wrong(fields)
    selection, rest = _list(tokens, fields)
    if rest:
        raise _wrong(fields)
    found = _apply(body, selection)
    return found if isinstance(found, dict) else {}


def _list(tokens: list[str], fields: str) -> tuple[Selection, list[str]]:
    chosen: Selection = {}
    while True:
        name, tokens = _name(tokens, fields)
        level = chosen.setdefault(name, {})
        while tokens[:1] == ["/"]:
            name, tokens = _name(tokens[1:], fields)
            level = level.setdefault(name, {})
        if tokens[:1] == ["("]:
            inner, tokens = _list(tokens[1:], fields)
            if tokens[:1] != [")"]:
                raise _wrong(fields)
            level.update(inner)
            tokens = tokens[1:]
        if tokens[:1] != [","]:
            return chosen, tokens
        tokens = tokens[1:]


def _name(tokens: list[str], fields: str) -> tuple[str, list[str]]:
    if not tokens or tokens[0] in "(),/":
        raise _wrong(fields)
    return tokens[0], tokens[1:]


def _apply(value: Any, selection: Selection) -> Any:
    if not selection:
        return value
    if isinstance(value, list):
        return [_apply(each, selection) for each in value]
    if not isinstance(value, dict):
        return value
    everything = selection.get("*")
    return {
        name: _apply(each, selection.get(name, everything or {}))
        for name, each in value.items()
        if name in selection or everything is not None
    }


def _wrong(fields: str) -> Exception:
    return invalid(f"Invalid field selection {fields}", "fields")
