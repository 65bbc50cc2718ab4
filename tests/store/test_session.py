"""One database behind one door: what ``read`` and ``write`` promise, alike on SQLite and PostgreSQL."""

import multiprocessing
import os
import stat
import threading

import pytest
import sqlalchemy as sa

from bridge.errors import UsageError
from bridge.store import session, settings
from bridge.store.session import connect, notes
from tests.support import databases

SECRET = "s3cret-p4ss"


def _value(database, name="x"):
    with database.read() as conn:
        return settings.get(conn, name)


def _set(database, value, name="x"):
    with database.write() as conn:
        settings.put(conn, name, value)


def test_an_exception_leaves_nothing_behind(database):
    def fail():
        with database.write() as conn:
            settings.put(conn, "x", 1)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert _value(database) is None


def test_a_read_is_one_snapshot(database):
    _set(database, 1)
    with database.read() as conn:
        assert settings.get(conn, "x") == 1
        _set(database, 2)
        assert settings.get(conn, "x") == 1
    assert _value(database) == 2


def test_a_read_cannot_write(database):
    with pytest.raises(sa.exc.DBAPIError), database.read() as conn:
        settings.put(conn, "x", 1)
    _set(database, 2)  # and the connection is as good as ever
    assert _value(database) == 2


def test_a_writer_does_not_stop_readers(database):
    _set(database, 1)
    with database.write() as conn:
        settings.put(conn, "x", 2)
        assert _value(database) == 1
    assert _value(database) == 2


def test_rows_that_refer_to_nothing_are_refused(database):
    with pytest.raises(sa.exc.IntegrityError), database.write() as conn:
        conn.execute(sa.text("INSERT INTO tombstones VALUES (999, 'a', 'a', 1, 1)"))


def test_many_threads_write_and_read(database):
    """More of them than the pool keeps; each adds to the same counter, under the row's or the file's lock."""
    _set(database, 0)
    failed = []

    def add():
        try:
            for _ in range(5):
                with database.write() as conn:
                    conn.execute(sa.text("UPDATE settings SET value = value WHERE name = 'x'"))
                    settings.put(conn, "x", settings.get(conn, "x") + 1)
                _value(database)
        except Exception as error:  # noqa: BLE001 - shown by the assertion below
            failed.append(error)

    threads = [threading.Thread(target=add) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert not failed
    assert _value(database) == 60


def test_a_forked_child_uses_connections_of_its_own(database):
    _set(database, 1)

    def child():
        _set(database, 2)
        os._exit(0 if _value(database) == 2 else 1)

    with database.read() as conn:  # the parent's connections are in use, and stay good
        assert settings.get(conn, "x") == 1
        process = multiprocessing.get_context("fork").Process(target=child)
        process.start()
        process.join(timeout=60)
        assert process.exitcode == 0
        assert settings.get(conn, "x") == 1
    assert _value(database) == 2


def test_notes_last_as_long_as_the_transaction(database):
    with database.write() as conn:
        notes(conn)["a"] = 1
        assert notes(conn) == {"a": 1}
    with database.write() as conn:
        assert notes(conn) == {}


def test_notes_go_when_a_savepoint_is_rolled_back(database):
    with database.write() as conn:
        notes(conn)["a"] = 1
        savepoint = conn.begin_nested()
        notes(conn)["b"] = 1
        savepoint.rollback()
        assert notes(conn) == {}
        with conn.begin_nested():
            notes(conn)["c"] = 1
        assert notes(conn) == {"c": 1}


def test_sqlite_makes_a_private_file_in_a_private_folder(tmp_path):
    database = connect(f"sqlite:///{tmp_path}/deep/data/bridge.db")
    with database.migrating() as conn:
        conn.exec_driver_sql("CREATE TABLE settings (name VARCHAR PRIMARY KEY, value JSON)")
    _set(database, 1)
    folder = tmp_path / "deep" / "data"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    files = sorted(folder.iterdir())
    assert [file.name for file in files] == ["bridge.db", "bridge.db-shm", "bridge.db-wal"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    database.close()


def test_sqlite_is_set_up_as_designed(tmp_path, monkeypatch):
    """``synchronous`` 2 is FULL: what is committed survives a power cut."""
    monkeypatch.setattr(session, "SYNCHRONOUS", databases.AS_IT_COMES)
    database = connect(f"sqlite:///{tmp_path}/bridge.db")
    with database.write() as conn:
        pragmas = {
            name: conn.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "foreign_keys", "synchronous", "busy_timeout")
        }
    assert pragmas == {"journal_mode": "wal", "foreign_keys": 1, "synchronous": 2, "busy_timeout": 30_000}
    database.close()


def test_sqlite_rebuilds_a_table_without_losing_what_refers_to_it(sqlite_database):
    """Alembic's batch mode drops the old table; with foreign keys on, that would delete every row below it."""
    from alembic.migration import MigrationContext
    from alembic.operations import Operations

    with sqlite_database.write() as conn:
        conn.exec_driver_sql("INSERT INTO principals VALUES (1, 'alice', 'a@example.org', NULL, '{}', 0)")
        conn.exec_driver_sql("INSERT INTO devices VALUES (1, 1, 'phone', 'x', 0, NULL, NULL, NULL, NULL)")
    with sqlite_database.migrating() as conn:
        operations = Operations(MigrationContext.configure(conn))
        with operations.batch_alter_table("principals", recreate="always") as batch:
            batch.add_column(sa.Column("nickname", sa.String(10)))
    with sqlite_database.write() as conn:
        assert conn.exec_driver_sql("SELECT count(*) FROM devices").scalar() == 1
        assert conn.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


def test_sqlite_refuses_a_migration_that_breaks_a_reference(sqlite_database):
    with pytest.raises(RuntimeError, match="1 rows"), sqlite_database.migrating() as conn:
        conn.exec_driver_sql("INSERT INTO devices VALUES (1, 7, 'phone', 'x', 0, NULL, NULL, NULL, NULL)")
    with sqlite_database.read() as conn:
        assert conn.exec_driver_sql("SELECT count(*) FROM devices").scalar() == 0


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("bridge.db", "sqlite:///"),
        ("", "sqlite:///"),
        ("postgresql://u@host:port/name", "sqlite:///"),
        ("mysql://u@host/name", "mysql"),
        ("sqlite://", "file"),
        ("sqlite:///:memory:", "file"),
        (f"postgresql://u:{SECRET}@127.0.0.1:1/name", "127.0.0.1:1"),
        (f"postgres://u:{SECRET}@/name?host=/nonexistent", "cannot be reached"),
        (f"postgresql://u:{SECRET}@/name?nonsense=1", "cannot be reached"),
    ],
)
def test_an_unusable_url_is_said_plainly_and_without_its_password(url, says):
    with pytest.raises(UsageError) as caught:
        connect(url)
    assert says in str(caught.value)
    assert SECRET not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_an_unusable_file_is_said_plainly(tmp_path):
    (tmp_path / "text.db").write_text("this is no database, but long enough to be taken for one " * 40)
    (tmp_path / "folder.db").mkdir()
    for name, says in (("text.db", "not a database"), ("folder.db", "directory"), ("text.db/x.db", "opened")):
        with pytest.raises(UsageError, match=says):
            connect(f"sqlite:///{tmp_path}/{name}")


def test_a_restarted_postgresql_costs_nobody_a_request(postgres):
    database = connect(postgres.migrated())
    _set(database, 1)
    assert _value(database) == 1
    admin = connect(postgres.url("postgres"))
    with admin.write() as conn:
        ended = conn.scalars(
            sa.text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = 'migrated' AND application_name = 'caldav-bridge'"
            )
        ).all()
    assert ended == [True, True]  # who reads has a connection of their own
    assert _value(database) == 1
    database.close()
    admin.close()


def test_a_refusal_in_the_middle_of_a_read_costs_postgresql_no_connection(postgres):
    database = connect(postgres.migrated())
    pids = []
    for _ in range(3):
        with pytest.raises(RuntimeError), database.read() as conn:  # noqa: PT012 - how it ends is what counts
            pids.append(conn.scalar(sa.text("SELECT pg_backend_pid()")))
            raise RuntimeError
    with pytest.raises(sa.exc.DBAPIError), database.read() as conn:
        conn.execute(sa.text("SELECT 1 / 0"))
    with database.read() as conn:
        pids.append(conn.scalar(sa.text("SELECT pg_backend_pid()")))
    assert len(set(pids)) == 1
    database.close()


def test_a_statement_that_was_broken_off_keeps_no_snapshot_open(sqlite_database):
    """The next reader sees what is there, though somebody still holds the rows of the one before."""
    for number in range(20):
        _set(sqlite_database, number)
    held = []

    def broken_off():
        with sqlite_database.read() as conn:
            every = sa.text("SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3")
            held.append(iter(conn.execute(every, execution_options={"yield_per": 1})))
            next(held[0])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        broken_off()
    _set(sqlite_database, 4711)
    assert _value(sqlite_database) == 4711
