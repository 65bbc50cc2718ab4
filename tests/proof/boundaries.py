"""Where a process may die: before each SQL statement, around each commit, before each request and behind its effect."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from unittest import mock

import sqlalchemy as sa
from sqlalchemy import event

from bridge.store.prepared import Prepared
from bridge.store.session import Database


class Crash(BaseException):
    """The process dies here. No ``except Exception`` sees it, and nothing more is written: see ``Boundaries.dead``."""


@dataclass
class Boundaries:
    """Counts the places where the process may die, and dies at the one with the number ``die_at``.

    Once dead, every further boundary raises as well: what a ``finally`` would still do, a process that was killed does not.
    """

    die_at: int | None = None
    count: int = 0
    dead: bool = False
    kinds: Counter[str] = field(default_factory=Counter)

    def here(self, kind):
        if self.dead:
            raise Crash(kind)
        self.count += 1
        self.kinds[kind] += 1
        if self.count == self.die_at:
            self.dead = True
            raise Crash(kind)


_armed: list[Boundaries] = []


def here(kind):
    """A boundary of whatever process is being watched."""
    if _armed:
        _armed[-1].here(kind)


@contextmanager
def watched(boundaries):
    """The statements of all databases, and what calls ``here``, are this process's boundaries meanwhile."""
    _armed.append(boundaries)
    try:
        with _listening():
            yield boundaries
    finally:
        _armed.pop()


@contextmanager
def _listening():
    write, rows = Database.write, Prepared.rows

    @contextmanager
    def committed(self):
        with write(self) as conn:
            yield conn
        here("behind a commit")

    def statement(*_anything):
        here("before a statement")

    def prepared(*asked):
        here("before a statement")
        return rows(*asked)

    def commit(_conn):
        here("before a commit")

    event.listen(sa.Engine, "before_cursor_execute", statement)
    event.listen(sa.Engine, "commit", commit)
    try:
        with mock.patch.object(Database, "write", committed), mock.patch.object(Prepared, "rows", prepared):
            yield
    finally:
        event.remove(sa.Engine, "before_cursor_execute", statement)
        event.remove(sa.Engine, "commit", commit)
