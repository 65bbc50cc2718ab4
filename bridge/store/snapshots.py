"""Read transactions, on connections that are kept for them.

To borrow a connection, to begin and to end a transaction takes SQLAlchemy's engine longer than SQLite takes to answer, and
PostgreSQL has to be asked twice more. Here the connection is ours for good, as is the transaction that SQLAlchemy believes in;
what the database hears is a BEGIN and a COMMIT.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import sqlalchemy as sa


class Snapshots:
    """Any number of threads may take one; there are as many connections as were ever needed at a time.

    No iterator over rows may leave the ``with``: as long as it is not at its end, neither is the snapshot.
    """

    def __init__(self, engine: sa.Engine, begin: str) -> None:
        """The engine's connections must not begin transactions themselves."""
        self._engine = engine
        self._begin = begin
        self._idle: deque[tuple[sa.Connection, Any]] = deque()

    @contextmanager
    def taken(self) -> Iterator[sa.Connection]:
        conn, driver = self._begun()
        try:
            yield conn
            _tell(driver, "COMMIT")
        except BaseException:
            self._given_up(conn, driver)
            raise
        self._idle.append((conn, driver))

    def _given_up(self, conn: sa.Connection, driver: Any) -> None:
        """On SQLite a statement that was not read to its end keeps the snapshot open beyond a ROLLBACK, for whoever comes next."""
        if conn.dialect.name == "postgresql":
            with contextlib.suppress(sa.exc.DBAPIError):
                _tell(driver, "ROLLBACK")
                self._idle.append((conn, driver))
                return
        _broken_off(conn)

    def _begun(self) -> tuple[sa.Connection, Any]:
        try:
            conn, driver = self._idle.pop()
        except IndexError:
            return self._begun_anew()
        try:
            _tell(driver, self._begin)
        except sa.exc.DBAPIError:  # a server that was restarted meanwhile costs nobody a request
            _broken_off(conn)
            return self._begun_anew()
        return conn, driver

    def _begun_anew(self) -> tuple[sa.Connection, Any]:
        conn = self._engine.connect()
        driver = conn.connection.driver_connection
        try:
            _tell(driver, self._begin)
        except BaseException:
            _broken_off(conn)
            raise
        return conn, driver

    def close(self) -> None:
        while self._idle:
            self._idle.pop()[0].close()


def _broken_off(conn: sa.Connection) -> None:
    conn.invalidate()
    conn.close()


def _tell(driver: Any, statement: str) -> None:
    try:
        driver.execute(statement)
    except (sqlite3.Error, psycopg.Error) as error:
        raise sa.exc.OperationalError(statement, None, error) from error
