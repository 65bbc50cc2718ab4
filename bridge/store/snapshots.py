"""Read transactions, and single reads without one, on connections that are kept for them.

To borrow a connection, to begin and to end a transaction takes SQLAlchemy's engine longer than SQLite takes to answer, and
PostgreSQL has to be asked twice more. Here the connection is ours for good, as is the transaction that SQLAlchemy believes in;
what the database hears is a BEGIN and a COMMIT. A single statement needs not even that: it is a snapshot by itself.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
import sqlalchemy as sa

from bridge.store.prepared import Prepared, Rows

_ERRORS = (sqlite3.Error, psycopg.Error)


class Snapshots:
    """Any number of threads may take one; there are as many connections as were ever needed at a time.

    No iterator over rows may leave the ``with``: as long as it is not at its end, neither is the snapshot.
    """

    def __init__(self, engine: sa.Engine, begin: str) -> None:
        """The engine's connections must not begin transactions themselves."""
        self._engine = engine
        self._begin = begin
        self._idle: deque[_Reader] = deque()

    @contextmanager
    def taken(self) -> Iterator[sa.Connection]:
        reader = self._begun()
        try:
            yield reader.conn
            _tell(reader, "COMMIT")
        except BaseException:
            self._given_up(reader)
            raise
        self._idle.append(reader)

    def glance(self, statement: Prepared, parameters: Mapping[str, Any]) -> Rows | None:
        """The rows of one statement as the driver has them: an instant is its microseconds, JSON is text on SQLite.

        None: it could not be asked. Ask in a transaction then, which says what is wrong.
        """
        try:
            reader = self._idle.pop()
        except IndexError:
            try:
                reader = self._opened()
            except sa.exc.DBAPIError:
                return None
        written = statement.written(reader.conn.dialect)
        try:
            rows: Rows = reader.cursor.execute(written.sql, written.bound(parameters)).fetchall()
        except _ERRORS:
            _broken_off(reader)
            return None
        except BaseException:
            _broken_off(reader)
            raise
        self._idle.append(reader)
        return rows

    def _given_up(self, reader: _Reader) -> None:
        """On SQLite a statement that was not read to its end keeps the snapshot open beyond a ROLLBACK, for whoever comes next."""
        if reader.conn.dialect.name == "postgresql":
            with contextlib.suppress(sa.exc.DBAPIError):
                _tell(reader, "ROLLBACK")
                self._idle.append(reader)
                return
        _broken_off(reader)

    def _begun(self) -> _Reader:
        try:
            reader = self._idle.pop()
        except IndexError:
            return self._begun_anew()
        try:
            _tell(reader, self._begin)
        except sa.exc.DBAPIError:  # a server that was restarted meanwhile costs nobody a request
            _broken_off(reader)
            return self._begun_anew()
        return reader

    def _begun_anew(self) -> _Reader:
        reader = self._opened()
        try:
            _tell(reader, self._begin)
        except BaseException:
            _broken_off(reader)
            raise
        return reader

    def _opened(self) -> _Reader:
        conn = self._engine.connect()
        driver: Any = conn.connection.driver_connection
        return _Reader(conn, driver.cursor())

    def close(self) -> None:
        while self._idle:
            self._idle.pop().conn.close()


@dataclass(frozen=True, slots=True)
class _Reader:
    conn: sa.Connection
    cursor: Any
    """One of the driver's, on the same connection."""


def _broken_off(reader: _Reader) -> None:
    reader.conn.invalidate()
    reader.conn.close()


def _tell(reader: _Reader, statement: str) -> None:
    try:
        reader.cursor.execute(statement)
    except _ERRORS as error:
        raise sa.exc.OperationalError(statement, None, error) from error
