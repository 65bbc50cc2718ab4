"""What a cycle did, in figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any


@dataclass(slots=True)
class Report:
    """Filled in while the cycle runs, so that it is true even of a cycle that an error ended."""

    pages: int = 0
    items: int = 0
    listings: int = 0
    hub_writes: int = 0
    remote_writes: int = 0
    linked: int = 0
    conflicts: int = 0
    quarantined: int = 0
    rounds: int = 0
    parked: Mapping[str, Any] | None = None

    def counts(self) -> dict[str, int]:
        """The figures alone."""
        return {each.name: value for each in fields(self) if isinstance(value := getattr(self, each.name), int)}

    @property
    def idle(self) -> bool:
        """Nothing was written on either side."""
        return not (self.hub_writes or self.remote_writes)

    @property
    def progressed(self) -> bool:
        """Something was read that had not been, or written: what a cycle that failed later need not do again."""
        return bool(self.items) or not self.idle
