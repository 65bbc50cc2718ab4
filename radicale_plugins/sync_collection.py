"""sync-collection (RFC 6578): what is new since a token, in O(changes)."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from http import client

from bridge.errors import SyncTokenInvalid
from bridge.store import changes, objects
from radicale_plugins import calendar_data, dav, tokens
from radicale_plugins.calendar_data import CalendarData
from radicale_plugins.dav import Answer
from radicale_plugins.live import Resource
from radicale_plugins.request import Request


def answer(request: Request, root: ET.Element) -> Answer:
    """Everything that is new since a token, in O(changes). ``limit`` is not needed for that and not honoured (D-11)."""
    data = CalendarData(request, root)
    token = (root.findtext(f"{dav.D}sync-token") or "").strip()
    gone: list[str] = []
    with request.database.read() as conn:
        calendar = request.calendar(conn)
        resources: list[Resource]
        if not token and not data.wanted.needs_rows:
            resources = [calendar_data.listed(calendar, href, etag) for href, etag in objects.hrefs(conn, calendar.id)]
        elif not token:
            resources = [calendar_data.resource_of(calendar, stored) for stored in objects.every(conn, calendar.id)]
        else:
            try:
                changed = changes.since(conn, calendar.id, tokens.revision(calendar, token))
            except SyncTokenInvalid:
                return dav.error(client.FORBIDDEN, "D:valid-sync-token")
            gone = [each.href for each in changed if each.deleted]
            present = objects.many(conn, calendar.id, [each.href for each in changed if not each.deleted])
            resources = [calendar_data.resource_of(calendar, stored) for stored in present]
    request.tells(calendar, whole=True)
    multistatus = dav.element("D:multistatus", *(data.response_of(each) for each in resources))
    for href in gone:
        path = request.url(request.place.calendar + href)
        multistatus.append(dav.response(path, dav.status_line(client.NOT_FOUND)))
    multistatus.append(dav.element("D:sync-token", content=tokens.sync_token(calendar)))
    return dav.xml(client.MULTI_STATUS, multistatus)
