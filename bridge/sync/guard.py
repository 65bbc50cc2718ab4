"""The guard before mass deletion and mass mail (R1, R6): a plan of too much is parked whole until its owner says yes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

FEW = 10
SHARE = 10  # per cent of the pair's links
SHOWN = 20

WINDOW = dt.timedelta(hours=1)
"""Deletions of this long count together: a slow leak is as wet as a flood."""


@dataclass(frozen=True, slots=True)
class Toll:
    """UIDs of what a plan would delete, by the side that would lose them, out of so many ``links``.

    ``doubtful`` more would go from the hub, if they are really gone from the remote. ``past`` were deleted within the WINDOW
    already. ``mails`` are the objects whose guests would be sent an invitation.
    """

    hub: Sequence[str]
    remote: Sequence[str]
    links: int
    doubtful: int = 0
    past: int = 0
    mails: Sequence[str] = ()

    @property
    def deletions(self) -> int:
        return len(self.hub) + len(self.remote) + self.doubtful

    def summary(self) -> dict[str, Any]:
        """What the owner is shown, as JSON: figures, and some of the UIDs by which the events are looked up."""
        return {
            "hub": len(self.hub) + self.doubtful,
            "remote": len(self.remote),
            "links": self.links,
            "hub_uids": sorted(self.hub)[:SHOWN],
            "remote_uids": sorted(self.remote)[:SHOWN],
            "mails": len(self.mails),
            "mail_uids": sorted(self.mails)[:SHOWN],
        }


def allowance(links: int, approved: Mapping[str, Any] | None = None) -> int:
    """How many deletions pass without a question; what the owner has ``approved`` comes on top, and no more than that."""
    granted = approved["hub"] + approved["remote"] if approved else 0
    return max(FEW, links * SHARE // 100) + int(granted)


def holds(toll: Toll, *, approved: Mapping[str, Any] | None) -> bool:
    """Whether the plan must wait for its owner."""
    mailed = approved.get("mails", 0) if approved else 0
    if len(toll.mails) > max(FEW, mailed):
        return True
    return toll.deletions > 0 and toll.deletions + toll.past > allowance(toll.links, approved)
