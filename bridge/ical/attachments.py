"""Attachments that the server keeps itself (RFC 8607): the ATTACH lines that refer to them, read and written.

Of a series all instances have the same ones: it is edited as a whole, never a single instance.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from bridge.errors import InvalidCalendarData
from bridge.ical import lines, objects, values
from bridge.ical.draft import Draft
from bridge.ical.lines import Line
from bridge.ical.objects import Component

_ATTACH = re.compile(rb"(?:^|[\r\n])ATTACH[;:]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Attachment:
    """``url`` is where it is fetched; ``size`` in bytes."""

    managed_id: str
    url: str
    name: str
    media_type: str
    size: int


def managed_ids(data: bytes) -> frozenset[str]:
    """What an object refers to, whoever made the references. An object that cannot be read refers to nothing.

    Costs next to nothing where there is no ATTACH at all.
    """
    if b"ATTACH" not in data.upper() or not _ATTACH.search(data):
        return frozenset()
    try:
        parsed = objects.parse(data)
    except InvalidCalendarData:
        return frozenset()
    return frozenset(line.param("MANAGED-ID") for each in _parts(parsed.calendar) for line in _managed(each))


def add(data: bytes, attachment: Attachment, *, now: dt.datetime) -> bytes:
    """The object with one more ATTACH in each of its components."""

    def edit(draft: Draft) -> bool:
        draft.insert(_line(attachment, draft.eol))
        return True

    return _edited(data, edit, now)


def update(data: bytes, managed_id: str, attachment: Attachment, *, now: dt.datetime) -> bytes:
    """The object with ``attachment`` where the other was; the same bytes where it was not."""

    def edit(draft: Draft) -> bool:
        old = [line for line in draft.every("ATTACH") if line.param("MANAGED-ID") == managed_id]
        for line in old:
            draft.replace(line, _line(attachment, draft.eol))
        return bool(old)

    return _edited(data, edit, now)


def remove(data: bytes, managed_id: str, *, now: dt.datetime) -> bytes:
    """The object without it; the same bytes where it was not."""

    def edit(draft: Draft) -> bool:
        old = [line for line in draft.every("ATTACH") if line.param("MANAGED-ID") == managed_id]
        draft.remove(*old)
        return bool(old)

    return _edited(data, edit, now)


def most(data: bytes) -> int:
    """How many attachments that component has which has most, kept here or elsewhere."""
    parsed = objects.parse(data)
    return max(sum(1 for _ in each.every("ATTACH")) for each in _parts(parsed.calendar))


def _parts(calendar: Component) -> Iterator[Component]:
    return (each for each in calendar.components() if each.name != "VTIMEZONE")


def _managed(component: Component) -> Iterator[Line]:
    return (line for line in component.every("ATTACH") if line.param("MANAGED-ID"))


def _line(attachment: Attachment, eol: str) -> Line:
    params = [
        ("MANAGED-ID", attachment.managed_id),
        ("FMTTYPE", attachment.media_type),
        ("FILENAME", attachment.name),
        ("SIZE", str(attachment.size)),
    ]
    return lines.write("ATTACH", attachment.url, params, eol=eol)


def _edited(data: bytes, edit: Callable[[Draft], bool], now: dt.datetime) -> bytes:
    parsed = objects.parse(data)
    eol = lines.ending(parsed.calendar.begin)
    stamp = values.write_moment(now.astimezone(dt.UTC), utc=True)
    children: list[Line | Component] = []
    for child in parsed.calendar.children:
        if isinstance(child, Component) and child.name != "VTIMEZONE":
            draft = Draft(child, eol)
            if edit(draft):
                draft.set("DTSTAMP", stamp)
                draft.set("LAST-MODIFIED", stamp)
            children.append(draft.component())
        else:
            children.append(child)
    return replace(parsed, calendar=replace(parsed.calendar, children=tuple(children))).to_bytes()
