"""REPORT: what phones sync by (RFC 3253 §3.6).

One object that cannot be read never fails a report (R32, D-10): it is given as it is stored.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable
from http import client

from radicale_plugins import capabilities, dav, expand_property, people, queries, sync_collection
from radicale_plugins.dav import Answer
from radicale_plugins.filters import InvalidFilter
from radicale_plugins.request import Kind, Request

_Report = Callable[[Request, ET.Element], Answer]


def answer(request: Request) -> Answer:
    root = dav.read_xml(request.body)
    if root is None:
        raise dav.Refusal(dav.text(client.BAD_REQUEST, "A REPORT needs a body."))
    report = _REPORTS.get(root.tag)
    if report is None or root.tag not in _SERVED.get(request.kind, ()):
        return dav.error(client.FORBIDDEN, "D:supported-report")
    try:
        return report(request, root)
    except InvalidFilter as invalid:
        return dav.error(client.FORBIDDEN, f"C:{invalid.precondition}")


_REPORTS: dict[str, _Report] = {
    f"{dav.C}calendar-multiget": queries.multiget,
    f"{dav.C}calendar-query": queries.query,
    f"{dav.C}free-busy-query": queries.free_busy,
    f"{dav.D}sync-collection": sync_collection.answer,
    f"{dav.D}expand-property": expand_property.answer,
    f"{dav.D}principal-match": people.match,
    f"{dav.D}principal-property-search": people.property_search,
    f"{dav.D}principal-search-property-set": people.search_property_set,
    f"{dav.CS}calendarserver-principal-search": people.search,
    f"{dav.D}acl-principal-prop-set": people.principals_of_acl,
}
_SERVED: dict[Kind, frozenset[str]] = {
    kind: frozenset(dav.clark(name) for name in names) for kind, names in capabilities.REPORTS.items()
}
