"""From nothing, and from every earlier schema, to the present one: on both databases, with what was in them."""

import json
import multiprocessing

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from bridge.errors import UsageError
from bridge.store import migrations
from bridge.store.session import connect
from bridge.store.tables import metadata


@pytest.fixture
def empty(empty_database_url):
    opened = connect(empty_database_url)
    yield opened
    opened.close()


def _upgrade(url, started):
    started.wait(timeout=60)
    database = connect(url)
    migrations.upgrade(database)
    database.close()


def _described(conn):
    """Everything the database says about its tables."""
    inspector = sa.inspect(conn)
    described = {
        table: {
            "columns": [column | {"type": repr(column["type"])} for column in inspector.get_columns(table)],
            "key": inspector.get_pk_constraint(table),
            "foreign": sorted(inspector.get_foreign_keys(table), key=lambda key: key["name"]),
            "unique": sorted(inspector.get_unique_constraints(table), key=lambda one: one["name"]),
            "indexes": sorted(inspector.get_indexes(table), key=lambda index: index["name"]),
        }
        for table in inspector.get_table_names()
        if table != "alembic_version"
    }
    return json.loads(
        json.dumps(described, default=str)
    )  # an index's condition comes as an object, unequal to its like


def _fill(conn):
    """One made-up row in every table, whatever tables this schema has; returns them all by table."""
    reflected = sa.MetaData()
    reflected.reflect(conn)
    for table in reflected.sorted_tables:
        if table.name == "alembic_version":
            continue
        row = {}
        for column in table.columns:
            if column.foreign_keys and isinstance(column.type, sa.Integer):
                row[column.name] = 1
            elif isinstance(column.type, sa.JSON):
                row[column.name] = {"made": "up"}
            elif isinstance(column.type, sa.LargeBinary):
                row[column.name] = b"\0made up"
            elif isinstance(column.type, sa.Boolean):
                row[column.name] = True
            elif isinstance(column.type, sa.Integer):
                row[column.name] = 1
            else:
                row[column.name] = "made up"[: column.type.length or 7]
        conn.execute(table.insert().values(row))
    return _rows(conn)


def _rows(conn):
    reflected = sa.MetaData()
    reflected.reflect(conn)
    return {
        table.name: [dict(row._mapping) for row in conn.execute(table.select())]
        for table in reflected.sorted_tables
        if table.name != "alembic_version"
    }


def test_an_empty_database_becomes_what_the_tables_say(empty):
    migrations.upgrade(empty)
    with empty.read() as conn:
        context = MigrationContext.configure(conn, opts={"compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def test_the_migrations_make_exactly_what_the_tables_would(empty):
    """compare_metadata looks at neither the conditions of indexes nor their names: so ask the database about everything."""
    with empty.migrating() as conn:
        metadata.create_all(conn)
        created = _described(conn)
        metadata.drop_all(conn)
    migrations.upgrade(empty)
    with empty.read() as conn:
        assert len(created) == len(metadata.tables)
        assert _described(conn) == created


def test_sqlite_never_gives_an_id_again(sqlite_database):
    with sqlite_database.read() as conn:
        made = dict(conn.execute(sa.text("SELECT name, sql FROM sqlite_master WHERE type = 'table'")).all())
    numbered = [name for name, table in metadata.tables.items() if "id" in table.c and table.c.id.autoincrement is True]
    assert len(numbered) >= 8
    assert all("AUTOINCREMENT" in made[name] for name in numbered)


@pytest.mark.parametrize("revision", migrations.revisions())
def test_a_database_of_every_earlier_schema_is_brought_up_with_its_rows(empty, revision):
    migrations.upgrade(empty, revision)
    with empty.write() as conn:
        before = _fill(conn)
    migrations.upgrade(empty)
    with empty.read() as conn:
        after = _rows(conn)
        assert compare_metadata(MigrationContext.configure(conn), metadata) == []
    for table, rows in before.items():
        if table in after:
            assert len(after[table]) == len(rows) == 1
            kept = after[table][0]
            assert {name: kept[name] for name in rows[0] if name in kept} == {
                name: value for name, value in rows[0].items() if name in kept
            }


def test_what_was_shared_before_there_were_invitations_stays_accepted(empty):
    migrations.upgrade(empty, "add_feed_marks")
    with empty.write() as conn:
        before = _fill(conn)["shares"][0]
    migrations.upgrade(empty)
    with empty.read() as conn:
        (after,) = _rows(conn)["shares"]
    assert after == {**before, "declined_at": None, "summary": ""}
    assert after["accepted_at"] is not None
    assert after["slug"] == "made up"


def test_the_present_schema_is_left_alone(database):
    with database.write() as conn:
        before = _fill(conn)
    migrations.upgrade(database)
    with database.read() as conn:
        assert _rows(conn) == before


def test_a_newer_schema_is_refused(empty):
    migrations.upgrade(empty)
    with empty.write() as conn:
        conn.execute(sa.text("UPDATE alembic_version SET version_num = 'from_the_future'"))
    with pytest.raises(UsageError, match=r"newer version.*from_the_future"):
        migrations.upgrade(empty)
    with empty.read() as conn:
        assert conn.scalar(sa.text("SELECT version_num FROM alembic_version")) == "from_the_future"


def test_processes_that_start_at_once_migrate_once(empty_database_url):
    """Nothing is there yet, neither file nor tables; all of them come up."""
    context = multiprocessing.get_context("fork")
    started = context.Event()
    processes = [context.Process(target=_upgrade, args=(empty_database_url, started)) for _ in range(4)]
    for process in processes:
        process.start()
    started.set()
    for process in processes:
        process.join(timeout=120)
    assert [process.exitcode for process in processes] == [0, 0, 0, 0]
    database = connect(empty_database_url)
    with database.read() as conn:
        assert compare_metadata(MigrationContext.configure(conn), metadata) == []
        assert conn.scalars(sa.text("SELECT version_num FROM alembic_version")).all() == [migrations.HEAD]
    database.close()


def test_a_failing_step_leaves_nothing_behind(empty, monkeypatch):
    """All steps or none: the process may die between any two statements."""
    import alembic.op

    def dies(*_args, **_kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(alembic.op, "create_index", dies)
    with pytest.raises(KeyboardInterrupt):
        migrations.upgrade(empty)
    with empty.read() as conn:
        assert sa.inspect(conn).get_table_names() == []
    monkeypatch.undo()
    migrations.upgrade(empty)


def test_a_revision_fits_its_column_and_names_its_file():
    for revision in migrations.revisions():
        assert len(revision) <= 32
        assert (migrations.VERSIONS / f"{revision}.py").is_file()


def test_the_newest_is_the_one_that_is_written_down():
    assert migrations.revisions()[-1] == migrations.HEAD
