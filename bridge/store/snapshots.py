"""Read transactions on SQLite, on connections that are kept for them.

To borrow a connection, to begin and to end a transaction takes SQLAlchemy's engine longer than SQLite takes to answer. Here
the connection is ours for good, as is the transaction that SQLAlchemy believes in; what the database hears is BEGIN and COMMIT.
"""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa


class Snapshots:
    """Any number of threads may take one; there are as many connections as were ever needed at a time.

    No iterator over rows may leave the ``with``: as long as it is not at its end, neither is the snapshot.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._idle: deque[tuple[sa.Connection, Any]] = deque()

    @contextmanager
    def taken(self) -> Iterator[sa.Connection]:
        conn, driver = self._borrowed()
        try:
            _tell(driver, "BEGIN")
            yield conn
            _tell(driver, "COMMIT")
        except BaseException:
            _broken_off(conn)
            raise
        self._idle.append((conn, driver))

    def _borrowed(self) -> tuple[sa.Connection, Any]:
        try:
            return self._idle.pop()
        except IndexError:
            conn = self._engine.connect()
            return conn, conn.connection.driver_connection

    def close(self) -> None:
        while self._idle:
            self._idle.pop()[0].close()


def _broken_off(conn: sa.Connection) -> None:
    """A statement that is not read to its end would keep the snapshot open beyond its transaction, for whoever comes next."""
    conn.invalidate()
    conn.close()


def _tell(driver: Any, statement: str) -> None:
    try:
        driver.execute(statement)
    except sqlite3.Error as error:
        raise sa.exc.OperationalError(statement, None, error) from error
