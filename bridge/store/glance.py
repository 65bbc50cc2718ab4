"""Single statements outside any transaction, on connections kept for them: the cheapest read there is.

Through an engine a statement that the database answers in ten microseconds takes a hundred: a connection is lent, a
transaction begins and ends, a result is wrapped. One SELECT needs none of that: it is a snapshot by itself.
"""

from __future__ import annotations

import contextlib
import os
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

Rows = Sequence[tuple[Any, ...]]


class Glance:
    """One statement, written out for one database once; any number of threads may use it.

    Parameters and columns are as the driver has them: an instant is its microseconds, JSON is text on SQLite.
    """

    def __init__(self, engine: sa.Engine, statement: sa.Select[Any]) -> None:
        self._engine = engine
        compiled = statement.compile(dialect=engine.dialect)
        self._sql = str(compiled)
        self._order: Sequence[str] | None = getattr(compiled, "positiontup", None)
        self._idle: deque[Any] = deque()
        self._process = os.getpid()

    def rows(self, parameters: Mapping[str, Any]) -> Rows | None:
        """None: it could not be asked. Ask through the engine then, which says what is wrong."""
        cursor = None
        try:
            cursor = self._taken()
            bound = parameters if self._order is None else [parameters[name] for name in self._order]
            rows: Rows = cursor.execute(self._sql, bound).fetchall()
        except (self._engine.dialect.loaded_dbapi.Error, sa.exc.DBAPIError):
            if cursor is not None:
                with contextlib.suppress(self._engine.dialect.loaded_dbapi.Error):
                    cursor.connection.close()
            return None
        self._idle.append(cursor)
        return rows

    def _taken(self) -> Any:
        """A cursor on a connection of its own."""
        if self._process != os.getpid():
            _inherited.append(self._idle)  # the parent's, which to collect would close
            self._idle, self._process = deque(), os.getpid()
        try:
            return self._idle.pop()
        except IndexError:
            return self._opened()

    def _opened(self) -> Any:
        lent = self._engine.raw_connection()
        driver: Any = lent.driver_connection
        lent.detach()  # it is ours from now on, and never goes back
        if self._engine.dialect.name == "postgresql":
            driver.autocommit = True
            driver.prepare_threshold = 0
        return driver.cursor()

    def close(self) -> None:
        while self._idle:
            self._idle.pop().connection.close()


_inherited: list[deque[Any]] = []
