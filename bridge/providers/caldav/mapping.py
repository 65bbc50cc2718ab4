"""Objects of a CalDAV server in neutral fields. Pure.

Both sides speak RFC 5545, so the lens sees everything that fields can say, in their normal form.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from bridge.errors import InvalidCalendarData, Unmappable
from bridge.ical import normal, objects, recurrence, values, view
from bridge.ical.fields import MASTER, Change, ObjectFields
from bridge.ical.objects import CalendarObject, Component
from bridge.providers.caldav import etags
from bridge.sync.ports import ObjectKind, RemoteItem, RemoteObject

UNREADABLE = "it is no text that can be read"
CUT = "its end is missing"

_KEY = re.compile(r"([0-9a-v]{32})\.ics")
_OTHERS = re.compile(r"^BEGIN:(?:VTODO|VJOURNAL|VFREEBUSY|VAVAILABILITY|VPOLL)\s*$", re.IGNORECASE | re.MULTILINE)
_EVENT = re.compile(r"^BEGIN:VEVENT\s*$", re.IGNORECASE | re.MULTILINE)
_END = re.compile(r"END:VCALENDAR\s*\Z", re.IGNORECASE)
_FOLD = re.compile(r"\r\n[ \t]")
_LAST = 500
"""Characters that surely hold the last line, be each of them on a line of its own."""
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_BREAK = re.compile(r"\r*\n")
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def item(id: str, etag: str, data: str) -> RemoteItem:
    """One calendar object resource. ``id`` is its path; ``data`` its text, with the line ends that XML takes away put back.

    What no iCalendar text can be is kept as that, and its version is another one than the object's: should it ever be read
    better, that is news. Without an ETag the text itself tells versions apart; it can be read then, not written (R36).
    """
    text = _BREAK.sub("\r\n", data)
    problem = UNREADABLE if _CONTROL.search(text) else "" if _END.search(_FOLD.sub("", text[-_LAST:])) else CUT
    version = etags.opaque(etag) or f"#{hashlib.sha256(text.encode()).hexdigest()[:32]}"
    payload = {"href": id, "etag": etag, **({"problem": problem} if problem else {"data": text})}
    return RemoteItem(id, id, f"?{version}" if problem else version, payload)


def unreadable(id: str, etag: str) -> RemoteItem:
    return RemoteItem(id, id, f"?{etags.opaque(etag)}", {"href": id, "etag": etag, "problem": UNREADABLE})


def is_event(what: RemoteItem) -> bool:
    """Whether it is one, or so odd that its owner should hear of it. Tasks and journals are not for us, and no trouble."""
    data = what.payload.get("data", "")
    return bool(_EVENT.search(data)) or not _OTHERS.search(data)


def creation_key(id: str) -> str:
    """The key is the name we gave it. A copy made elsewhere has a name of its own (R9)."""
    found = _KEY.fullmatch(id.rpartition("/")[2])
    return found[1] if found else ""


@dataclass(frozen=True, slots=True)
class CaldavLens:
    """``own`` are the owner's addresses in lower case, as the server tells them; where it tells none, it sends no invitations."""

    own: frozenset[str] = frozenset()
    component: ClassVar[ObjectKind] = "VEVENT"

    def view(self, fields: ObjectFields) -> ObjectFields:
        seen = recurrence.awake(normal.fields(replace(fields, master=fields.event)))
        return replace(seen, recurrence=tuple(_ordered(line) for line in seen.recurrence))

    def read(self, items: Sequence[RemoteItem]) -> RemoteObject:
        (found,) = items
        if problem := found.payload.get("problem"):
            raise Unmappable(problem)
        try:
            obj = objects.parse(found.payload["data"].encode())
        except InvalidCalendarData as error:
            raise Unmappable(error.reason) from None
        return RemoteObject(
            id=found.id,
            version=found.version,
            uid=obj.uid,
            creation_key=creation_key(found.id),
            fields=self.view(view.read(obj)),
            updated=max(_moments(obj), default=_EPOCH),
            organized_elsewhere=self._is_elsewhere(obj),
            items=items,
        )

    def restore(self, change: Change, hub: ObjectFields) -> Change:
        """In the hub's terms it is already; but a rule whose parts only stand in another order is the hub's own."""
        same = tuple(_ordered(line) for line in hub.recurrence)
        return {path: value for path, value in change.items() if path != (MASTER, "recurrence") or value != same}

    def _is_elsewhere(self, obj: CalendarObject) -> bool:
        """Someone else's meeting (R3)."""
        organizers = {_address(line.value) for component in _components(obj) for line in component.every("ORGANIZER")}
        return bool(self.own) and bool(organizers) and not organizers & self.own


def _components(obj: CalendarObject) -> Iterator[Component]:
    if obj.master is not None:
        yield obj.master
    yield from obj.overrides


def _address(value: str) -> str:
    return value.strip().lower().removeprefix("mailto:")


def _moments(obj: CalendarObject) -> Iterator[dt.datetime]:
    """When its components were written last, as their writers say."""
    for component in _components(obj):
        line = component.first("LAST-MODIFIED") or component.first("DTSTAMP")
        moment = values.moment(line.value.strip()) if line else None
        if moment is not None and isinstance(moment.value, dt.datetime):
            yield moment.value.replace(tzinfo=dt.UTC)


def _ordered(line: str) -> str:
    """Each client writes a rule's parts in an order of its own, and who writes an event anew has not changed its rule."""
    name, _, value = line.partition(":")
    if name.upper() not in ("RRULE", "EXRULE"):
        return line
    return f"{name}:{';'.join(sorted(value.split(';'), key=lambda part: (not part.upper().startswith('FREQ='), part)))}"
