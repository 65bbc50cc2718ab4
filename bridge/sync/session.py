"""What all parts of one cycle share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from bridge.errors import BridgeError, Unmappable
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


@contextmanager
def this_one() -> Iterator[None]:
    """Whatever one object makes a provider stumble over is this object's trouble alone (R32). Raises Unmappable for it."""
    try:
        yield
    except BridgeError:
        raise
    except Exception as error:
        raise Unmappable(f"unexpected {type(error).__name__}") from error
