"""Points in time in the database: aware, in UTC, the same wherever the server stands (R27)."""

import datetime as dt
import os
import subprocess
import sys

import pytest
import sqlalchemy as sa

from bridge.services import principals
from bridge.store.tables import Instant

TABLE = sa.Table("promises", sa.MetaData(), sa.Column("until", Instant))
UNTIL = dt.datetime(2026, 3, 29, 0, 59, 59, 999999, tzinfo=dt.UTC)

READ = """
import datetime as dt, sys
import sqlalchemy as sa
from tests.store.test_instants import TABLE, UNTIL
with sa.create_engine(sys.argv[1]).begin() as conn:
    for late in (0, 1):
        now = dt.datetime.fromtimestamp(UNTIL.timestamp() + late).astimezone()  # as this machine's clock on the wall shows it
        print(conn.scalar(sa.select(sa.func.count()).where(TABLE.c.until < now)))
    print(conn.scalar(sa.select(TABLE.c.until)).isoformat())
    conn.execute(sa.update(TABLE).values(until=UNTIL.astimezone()))
"""


@pytest.mark.parametrize("machine", ["America/St_Johns", "UTC", "Pacific/Kiritimati"])
def test_r27_what_has_run_out_has_run_out_wherever_the_server_stands(tmp_path, machine):
    url = f"sqlite:///{tmp_path / 'promises.db'}"
    engine = sa.create_engine(url)
    with engine.begin() as conn:
        TABLE.create(conn)
        conn.execute(sa.insert(TABLE).values(until=UNTIL))
    child = subprocess.run(
        [sys.executable, "-c", READ, url], env={**os.environ, "TZ": machine}, capture_output=True, text=True, check=True
    )
    assert child.stdout.split() == ["0", "1", "2026-03-29T00:59:59.999999+00:00"]
    with engine.begin() as conn:
        assert conn.scalar(sa.select(TABLE.c.until)) == UNTIL, "as it was written there"
    engine.dispose()


def test_r27_a_time_without_a_zone_is_refused(database):
    with pytest.raises(sa.exc.StatementError, match="an instant must be aware"):
        principals.add(database, "alice", "alice@example.org", now=UNTIL.replace(tzinfo=None))
