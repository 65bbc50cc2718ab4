"""One database behind one door: SQLite in a file, or PostgreSQL, with the same promises from both.

``read`` is one snapshot and cannot write. ``write`` sees what is committed and serialises with other writers: on SQLite
from its first statement on (BEGIN IMMEDIATE), on PostgreSQL per calendar, from ``changes.lock`` or ``changes.bump`` on.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from bridge.errors import UsageError
from bridge.store.prepared import Prepared, Rows
from bridge.store.snapshots import Snapshots

BUSY_SECONDS = 30
"""How long a statement waits for SQLite's one writer."""

SYNCHRONOUS = "FULL"
"""What is committed survives a power cut. A phone that was answered, a token that was renewed, a creation that was counted before
it was sent: each of them relies on that (decision 0042)."""

OLDEST_SQLITE = (3, 35, 0)  # RETURNING

_MIGRATION_LOCK = 0x63616C646176  # any number that no other program would lock in the same database
_NOTES = "bridge.notes"
_TO_WRITE = "BEGIN IMMEDIATE"
_TO_READ = {"sqlite": "BEGIN", "postgresql": "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"}
_FIRST_PAUSE, _LONGEST_PAUSE = 0.0005, 0.005  # seconds


class Database:
    """Pooled connections for any number of threads; a forked process gets a pool of its own. Made by ``connect``."""

    def __init__(self, readers: sa.Engine, writers: sa.Engine) -> None:
        self._readers = readers
        self._writers = writers
        self._snapshots = self._none_taken()
        self._turn = threading.Lock() if writers.dialect.name == "sqlite" else None
        _notes_end_with_the_transaction(writers)
        _engines.update((readers, writers))
        _databases.add(self)

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self._writers.dialect.name

    def glance(self, statement: Prepared, parameters: Mapping[str, Any]) -> Rows | None:
        """One statement without a transaction, the cheapest read there is: see ``Snapshots.glance``."""
        return self._snapshots.glance(statement, parameters)

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """Everything read inside is one snapshot; writing is refused."""
        with self._snapshots.taken() as conn:
            yield conn

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """One transaction, committed at the end and rolled back by an exception. Nothing is retried.

        On SQLite it waits up to BUSY_SECONDS for the other writer, which may be this very thread: never open one inside
        another, and never keep it open across a network call.
        """
        with self._turn_to_write(), self._writers.begin() as conn:
            yield conn

    @contextmanager
    def _turn_to_write(self) -> Iterator[None]:
        """The threads of one process wait for each other here, where they are woken, and not at SQLite, where they try again."""
        turn = self._turn
        if turn is None:
            yield
            return
        if not turn.acquire(timeout=BUSY_SECONDS):
            raise sa.exc.OperationalError("BEGIN IMMEDIATE", None, sqlite3.OperationalError("database is locked"))
        try:
            yield
        finally:
            turn.release()

    def forked(self) -> None:
        """In the child of a fork: whoever had the turn is not there, and what was kept is the parent's."""
        if self._turn is not None:
            self._turn = threading.Lock()
        _inherited.append(self._snapshots)
        self._snapshots = self._none_taken()

    def _none_taken(self) -> Snapshots:
        return Snapshots(self._readers, _TO_READ[self._readers.dialect.name])

    @contextmanager
    def migrating(self) -> Iterator[sa.Connection]:
        """One transaction for changes of the schema, one process at a time.

        SQLite changes a table by making it anew and dropping the old one, which would take along all rows that refer to it:
        so foreign keys rest meanwhile, and are checked before the commit.
        """
        with self._writers.connect() as conn:
            if self.dialect == "postgresql":
                with conn.begin():
                    conn.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATION_LOCK)))
                    yield conn
                return
            driver = conn.connection.driver_connection
            assert isinstance(driver, sqlite3.Connection)  # noqa: S101 - for the type checker
            driver.execute("PRAGMA foreign_keys=OFF")  # nothing but a comment once the transaction has begun
            try:
                with conn.begin():
                    yield conn
                    if broken := conn.exec_driver_sql("PRAGMA foreign_key_check").all():
                        raise RuntimeError(f"the migration leaves {len(broken)} rows without what they refer to")
            finally:
                driver.execute("PRAGMA foreign_keys=ON")

    def close(self) -> None:
        """Close the connections that are kept."""
        self._snapshots.close()
        self._readers.dispose()
        self._writers.dispose()


def connect(url: str) -> Database:
    """Open ``sqlite:///relative``, ``sqlite:////absolute`` or ``postgresql://user:password@host/name``.

    A SQLite file and its folder are made if they do not exist, readable for their owner alone. Raises UsageError if the
    URL or the database cannot be used; it never shows a password.
    """
    try:
        parsed = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError):
        raise UsageError("the database URL must look like sqlite:///file or postgresql://user@host/name") from None
    if parsed.drivername in ("sqlite", "sqlite+pysqlite"):
        return _sqlite(parsed)
    if parsed.drivername in ("postgresql", "postgres", "postgresql+psycopg"):
        return _postgresql(parsed.set(drivername="postgresql+psycopg"))
    raise UsageError(f"there is no support for {parsed.drivername!r} databases, only for sqlite and postgresql")


def notes(conn: sa.Connection) -> dict[Any, Any]:
    """What this transaction has noted about itself; gone when it ends, and when a savepoint is rolled back."""
    kept: dict[Any, Any] = conn.info.setdefault(_NOTES, {})
    return kept


def _sqlite(url: sa.URL) -> Database:
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        raise UsageError(f"SQLite {sqlite3.sqlite_version} is too old: 3.35 or newer is needed")
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        raise UsageError("an SQLite database must be a file: sqlite:///path/to/bridge.db")
    path = Path(url.database)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # SQLite's own files beside it take over its mode
    except OSError as error:
        raise UsageError(f"the database {path} cannot be opened: {error.strerror}") from None
    readers, writers = (
        sa.create_engine(
            url,
            pool_size=8,
            max_overflow=-1,
            connect_args={"timeout": BUSY_SECONDS},
            hide_parameters=True,  # an error would quote people's events
        )
        for _ in range(2)
    )
    _prepare(readers, "PRAGMA query_only=ON")  # their transactions are begun in ``store.snapshots``
    _prepare(writers, "PRAGMA foreign_keys=ON", f"PRAGMA synchronous={SYNCHRONOUS}")
    _begin_immediately(writers)
    try:
        _use_wal(path)
        with writers.connect():
            pass
    except (sqlite3.Error, sa.exc.DBAPIError) as error:
        raise UsageError(f"the database {path} cannot be used: {getattr(error, 'orig', error)}") from None
    return Database(readers, writers)


def _prepare(engine: sa.Engine, *pragmas: str) -> None:
    """Take transactions out of sqlite3's hands: left alone it begins none before a SELECT, and so gives no snapshot."""

    @event.listens_for(engine, "connect")
    def _connected(driver: sqlite3.Connection, _record: object) -> None:
        driver.isolation_level = None
        for pragma in pragmas:
            driver.execute(pragma)


def _begin_immediately(engine: sa.Engine) -> None:
    @event.listens_for(engine, "begin")
    def _began(conn: sa.Connection) -> None:
        driver = conn.connection.dbapi_connection
        assert driver is not None  # noqa: S101 - for the type checker
        try:
            _begin_writing(driver.cursor())
        except sqlite3.OperationalError as error:  # a writer that waited too long for its turn
            raise sa.exc.OperationalError(_TO_WRITE, None, error) from error


def _begin_writing(cursor: Any) -> None:
    """Wait for another process' transaction by trying again every millisecond or five.

    SQLite itself waits longer from time to time, up to a tenth of a second, though most transactions take less than one
    millisecond: whoever comes a moment later overtakes it.
    """
    deadline = time.monotonic() + BUSY_SECONDS
    pause = _FIRST_PAUSE
    cursor.execute("PRAGMA busy_timeout=0")
    try:
        while True:
            try:
                cursor.execute(_TO_WRITE)
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
            else:
                return
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
    finally:
        cursor.execute(f"PRAGMA busy_timeout={BUSY_SECONDS * 1000}")


def _use_wal(path: Path) -> None:
    """Readers and the writer do not wait for each other. The mode stays in the file."""
    driver = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
    deadline = time.monotonic() + BUSY_SECONDS
    try:
        while True:
            try:
                (mode,) = driver.execute("PRAGMA journal_mode=WAL").fetchone()
                break
            except sqlite3.OperationalError as error:
                # this one statement does not heed the busy timeout, when two processes make the same new file
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
    finally:
        driver.close()
    if mode != "wal":
        raise sqlite3.OperationalError("write-ahead logging does not work here (is it a network folder?)")


def _postgresql(url: sa.URL) -> Database:
    shown = url.render_as_string(hide_password=True).replace("+psycopg", "", 1)
    known = url.set(query={"connect_timeout": "10", "application_name": "caldav-bridge", **url.query})
    readers = sa.create_engine(known, max_overflow=-1, isolation_level="AUTOCOMMIT", hide_parameters=True)
    writers = sa.create_engine(
        known,
        pool_size=8,
        max_overflow=24,
        pool_pre_ping=True,  # a restarted server costs nobody a request
        isolation_level="READ COMMITTED",
        hide_parameters=True,
    )
    try:
        with writers.connect():
            pass
    except (sa.exc.DBAPIError, UnicodeError) as error:
        reason = str(getattr(error, "orig", error)).strip().splitlines()[-1]
        if url.password:
            reason = reason.replace(url.password, "***")
        raise UsageError(f"the database {shown} cannot be reached: {reason}") from None
    return Database(readers, writers)


def _notes_end_with_the_transaction(engine: sa.Engine) -> None:
    @event.listens_for(engine, "begin")
    def _began(conn: sa.Connection) -> None:
        conn.info.pop(_NOTES, None)

    @event.listens_for(engine, "rollback_savepoint")
    def _rolled_back(conn: sa.Connection, _name: str, _context: object) -> None:
        conn.info.pop(_NOTES, None)


_databases: weakref.WeakSet[Database] = weakref.WeakSet()
_engines: weakref.WeakSet[sa.Engine] = weakref.WeakSet()
_inherited: list[Any] = []


def _forget_the_parents_connections() -> None:
    """A connection must not be used on both sides of a fork: the child opens its own."""
    for database in _databases:
        database.forked()
    for engine in _engines:
        _inherited.append(engine.pool)  # kept, for to collect it would close the parent's connections
        engine.dispose(close=False)


os.register_at_fork(after_in_child=_forget_the_parents_connections)
