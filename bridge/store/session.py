"""One database behind one door: SQLite in a file, or PostgreSQL, with the same promises from both."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa


class Database:
    """A pool of connections, for any number of threads. Made by ``connect``."""

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""
        raise NotImplementedError

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """Everything read inside is one snapshot; writing is refused."""
        raise NotImplementedError
        yield

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """One transaction, committed at the end and rolled back by an exception. Nothing is retried."""
        raise NotImplementedError
        yield

    def close(self) -> None:
        """Close the pooled connections."""
        raise NotImplementedError


def connect(url: str) -> Database:
    """Open ``sqlite:///…`` or ``postgresql://…``. Raises UsageError, which never shows a password."""
    raise NotImplementedError
