"""Secrets at rest: Fernet keys, newest first; the newest seals, every one opens."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import sqlalchemy as sa


class Vault:
    def __init__(self, keys: Sequence[str]) -> None:
        """Raises UsageError if a key is none, or there is none."""
        raise NotImplementedError

    def seal(self, text: str) -> bytes:
        raise NotImplementedError

    def open(self, sealed: bytes) -> str:
        """Raises UsageError if no key fits."""
        raise NotImplementedError

    def reseal(self, sealed: bytes) -> bytes:
        """The same secret under the newest key."""
        raise NotImplementedError


def from_keys(keys: str) -> Vault:
    """From the setting ``key``: newest first, comma separated. Raises UsageError."""
    raise NotImplementedError


def from_file(path: Path) -> Vault:
    """From a key file; one that does not exist is made, readable for its owner alone. Raises UsageError."""
    raise NotImplementedError


def rotate(conn: sa.Connection, vault: Vault) -> int:
    """Reseal every secret of the database under the newest key. Returns how many there were."""
    raise NotImplementedError
