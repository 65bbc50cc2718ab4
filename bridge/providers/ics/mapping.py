"""A feed's events in neutral fields: iCalendar on both sides, so nothing is translated, and nobody's guests come along.

The inbox keeps an object as ``{"uid": …, "ics": …}`` (``reading.FeedObject``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from bridge.errors import InvalidCalendarData, Unmappable
from bridge.ical import normal, objects, values, view
from bridge.ical.fields import Change, EventFields, ObjectFields
from bridge.ical.objects import CalendarObject
from bridge.sync.ports import ObjectKind, RemoteItem, RemoteObject

HOLDS = (
    "summary",
    "description",
    "location",
    "status",
    "transp",
    "show_as",
    "classification",
    "reminders",
    "categories",
    "priority",
    "url",
    "conference",
    "others",
    "color",
    "geo",
)  # fmt: skip
"""Named one by one: a feed may list guests, and a copy that carried them on would have them invited (R1)."""

NEVER = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class IcsLens:
    """Sees all that ``HOLDS`` names. An override that its rule does not generate is kept: it is on people's screens."""

    component: ClassVar[ObjectKind] = "VEVENT"

    def view(self, fields: ObjectFields) -> ObjectFields:
        overrides = {key: _held(event) for key, event in fields.overrides.items()}
        return normal.fields(replace(fields, master=_held(fields.event), overrides=overrides))

    def read(self, items: Sequence[RemoteItem]) -> RemoteObject:
        (item,) = items
        try:
            found = objects.parse(item.payload["ics"].encode())
        except InvalidCalendarData as error:
            raise Unmappable(error.reason) from None
        return RemoteObject(
            id=item.id,
            version=item.version,
            uid=item.payload["uid"],
            creation_key="",
            fields=self.view(view.read(found)),
            updated=_updated(found),
            organized_elsewhere=False,
            items=tuple(items),
        )

    def restore(self, change: Change, hub: ObjectFields) -> Change:  # noqa: ARG002 - nothing is lost, so nothing is restored
        return change


def _held(event: EventFields) -> EventFields:
    return EventFields(event.when, **{name: getattr(event, name) for name in HOLDS})


def _updated(found: CalendarObject) -> dt.datetime:
    for name in ("LAST-MODIFIED", "DTSTAMP"):
        line = found.master.first(name) if found.master else None
        moment = values.moment(line.value) if line else None
        if moment is not None:
            return values.midnight(moment.value).replace(tzinfo=dt.UTC)
    return NEVER
