"""Which lists of to-dos a person has in Microsoft To Do (M-84)."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.errors import Gone, Refused
from bridge.providers.graph.api import NOT_OFFERED, Api, entries
from bridge.sync.ports import RemoteCalendar

_NOT_GRANTED = 403
_MAILS = "flaggedEmails"
"""Not a list of to-dos, but of the mails that have a flag."""


def lists(api: Api, zone: str) -> Sequence[RemoteCalendar]:
    """All of them, in the mailbox's ``zone``; none where the consent does not reach them, or the service has none.

    A rate limit and an outage are errors as ever. Whoever shares a list may write in it.
    """
    try:
        answer = api.get("/me/todo/lists")
        found = entries(answer)
        while link := answer.get("@odata.nextLink"):
            answer = api.follow(link)
            found += entries(answer)
    except (Gone, Refused) as refusal:
        if refusal.status not in (_NOT_GRANTED, *NOT_OFFERED):
            raise
        return ()
    return [
        RemoteCalendar(
            id=each["id"],
            name=each.get("displayName") or "",
            writable=True,
            primary=each.get("wellknownListName") == "defaultList",
            zone=zone,
            component="VTODO",
        )
        for each in found
        if each.get("wellknownListName") != _MAILS
    ]
