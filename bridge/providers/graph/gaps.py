"""What became of a series' occurrences, where its master does not tell: read off its instances. Pure.

The master names them on request only (M-47), and a service may not know the request. Its instances show all that takes place
(M-13), so an occurrence that was changed is among them, and one that was deleted is a gap between two that are shown. What lies
behind the last one shown is not taken for deleted: the listing may just have ended there (R5).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import Any

from bridge.errors import Unmappable
from bridge.ical.fields import ObjectFields
from bridge.ical.recurrence import keys
from bridge.providers.graph.mapping import GraphLens, item, moment_of, original_key
from bridge.providers.graph.zones import to_wall

AHEAD = dt.timedelta(days=3 * 365)
"""How far beyond a series' start, or its latest change, its instances are looked through."""


def untold(payload: Mapping[str, Any]) -> bool:
    """Whether this is the master of a series and says nothing of its single occurrences."""
    asked = ("exceptionOccurrences", "cancelledOccurrences")
    return bool(payload.get("recurrence")) and any(payload.get(name) is None for name in asked)


def window(payload: Mapping[str, Any]) -> tuple[dt.datetime, dt.datetime] | None:
    """Where to look, as aware UTC instants; None for a series that cannot be shown anyway."""
    try:
        held = GraphLens().read([item(payload)])
    except (Unmappable, LookupError, ValueError, TypeError):
        return None
    first = _first(held.fields)
    return first, max(first, held.updated) + AHEAD


def told(payload: Mapping[str, Any], instances: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The master with ``exceptionOccurrences`` and ``cancelledOccurrences`` as its instances show them."""
    fields = GraphLens().read([item(payload)]).fields
    master = fields.event.when
    shown = {original_key(each, master): each for each in instances if each.get("originalStart")}
    exceptions = [each for each in shown.values() if each.get("type") == "exception"]
    gaps: list[str] = []
    if shown and len(shown) == len(instances):
        last = max(shown)
        expected = list(takewhile(lambda key: key <= last, keys(fields)))
        # instances that the rule does not have: it is read in another way there, and nothing is known of gaps
        if shown.keys() <= set(expected):
            gaps = [key for key in expected if key not in shown]
    days = [to_wall(moment_of(key, master.zone), master.zone or "UTC").date().isoformat() for key in gaps]
    return {
        **payload,
        "exceptionOccurrences": exceptions,
        "cancelledOccurrences": [f"OID.{payload['id']}.{day}" for day in days],
    }


def _first(fields: ObjectFields) -> dt.datetime:
    return moment_of(next(iter(keys(fields))), fields.event.when.zone)
