"""The guard before a mass deletion (R6): a plan that would delete too much is parked whole until its owner says yes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

FEW = 10
SHARE = 10  # per cent of the pair's links
SHOWN = 20


@dataclass(frozen=True, slots=True)
class Deletions:
    """UIDs that a plan would delete, by the side that would lose them, out of so many ``links``.

    ``doubtful`` more would go from the hub, if they are really gone from the remote.
    """

    hub: Sequence[str]
    remote: Sequence[str]
    links: int
    doubtful: int = 0

    @property
    def count(self) -> int:
        return len(self.hub) + len(self.remote) + self.doubtful

    def summary(self) -> dict[str, Any]:
        """What the owner is shown, as JSON: figures, and some of the UIDs by which the events are looked up."""
        return {
            "hub": len(self.hub) + self.doubtful,
            "remote": len(self.remote),
            "links": self.links,
            "hub_uids": sorted(self.hub)[:SHOWN],
            "remote_uids": sorted(self.remote)[:SHOWN],
        }


def allowance(links: int, approved: Mapping[str, Any] | None = None) -> int:
    """How many deletions pass without a question; what the owner has ``approved`` comes on top, and no more than that."""
    granted = approved["hub"] + approved["remote"] if approved else 0
    return max(FEW, links * SHARE // 100) + int(granted)


def holds(deletions: Deletions, *, approved: Mapping[str, Any] | None) -> bool:
    """Whether the plan must wait for its owner."""
    return deletions.count > allowance(deletions.links, approved)
