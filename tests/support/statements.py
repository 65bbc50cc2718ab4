"""What the database is asked, whichever way: through SQLAlchemy's engine or prepared (``bridge.store.prepared``)."""

import contextlib

import sqlalchemy as sa

from bridge.store.prepared import Prepared


@contextlib.contextmanager
def noted():
    """A list of (statement, parameters), which grows. What is asked at a glance is not in it."""
    asked = []
    rows = Prepared.rows

    def note(_conn, _cursor, statement, parameters, *_):
        asked.append((statement, parameters))

    def prepared(self, conn, parameters):
        found = rows(self, conn, parameters)
        written = self.written(conn.dialect)
        asked.append((written.sql, written.bound(parameters)))
        return found

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    Prepared.rows = prepared
    try:
        yield asked
    finally:
        Prepared.rows = rows
        sa.event.remove(sa.Engine, "before_cursor_execute", note)
