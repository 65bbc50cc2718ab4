"""What all parts of one cycle share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from bridge.sync.ledger import Clock, Ledger
from bridge.sync.ports import Remote
from bridge.sync.report import Report

T = TypeVar("T")

BATCH = 200
"""Objects that are planned, and written to the hub, in one transaction."""


@dataclass(frozen=True, slots=True)
class Session:
    ledger: Ledger
    remote: Remote
    now: Clock
    report: Report


def batches(values: Iterable[T], size: int = BATCH) -> Iterator[list[T]]:
    rest = iter(values)
    while batch := list(islice(rest, size)):
        yield batch
