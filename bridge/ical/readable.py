"""Properties that are a field where they can be read, and a line among others where they cannot: COLOR and GEO (X-14, X-24).

A phone may write ``COLOR:#ff0000``, which is no colour of RFC 7986. No field tells of it, and it is carried as it stands.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from bridge.ical import colors, geo, lines
from bridge.ical.lines import Line

READ: Mapping[str, Callable[[str], str]] = {"COLOR": colors.name, "GEO": geo.normal}
"""How the value of each is read; "": it cannot be."""

FIELDS = {"COLOR": "color", "GEO": "geo"}


def told(line: Line) -> bool:
    """Whether a field tells of it."""
    return line.name in READ and bool(READ[line.name](line.value))


def line(name: str, among: Iterable[Line]) -> Line | None:
    """The line of which the field tells. There must be one only; of several it is the first by its text, in whatever order."""
    found = (each for each in among if each.name == name and told(each))
    return min(found, key=lambda each: (each.head, each.value), default=None)


def value(name: str, among: Iterable[Line]) -> str:
    found = line(name, among)
    return READ[name](found.value) if found else ""


def lifted(others: Sequence[str]) -> tuple[dict[str, str], Collection[str]]:
    """From lines as they stand in ``EventFields.others`` to fields and the lines that are left.

    What was kept before these properties had fields of their own has them among its other lines.
    """
    named = (text for text in others if text.upper().startswith(tuple(READ)))
    parsed = {text: found for text in named if (found := next(lines.read(text), None)) is not None}
    fields = {FIELDS[name]: said for name in READ if (said := value(name, parsed.values()))}
    return fields, [text for text in others if text not in parsed or not told(parsed[text])]
