"""Statements that are constants of their modules, asked of the driver itself, in whatever transaction the connection is in.

SQLAlchemy writes each of them out once for a database. What its engine does around every execution (look up what was compiled,
make a context, wrap rows) takes several times as long as SQLite needs to answer by an index; here only types are left of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

Rows = Sequence[Sequence[Any]]
_Process = Callable[[Any], Any]


class Prepared:
    """One statement that gives rows; any number of threads may use it. No parameter of it may stand for a list."""

    def __init__(self, statement: sa.Select[Any]) -> None:
        self.statement = statement
        self._written: dict[str, Written] = {}

    def written(self, dialect: sa.Dialect) -> Written:
        found = self._written.get(dialect.name)
        if found is None:
            found = self._written[dialect.name] = Written(self.statement, dialect)
        return found

    def rows(self, conn: sa.Connection, parameters: Mapping[str, Any]) -> Rows:
        """As the statement's types have them. Raises sa.exc.DBAPIError."""
        written = self.written(conn.dialect)
        rows = self.untyped(conn, parameters)
        return [written.typed(row) for row in rows] if written.is_typed else rows

    def untyped(self, conn: sa.Connection, parameters: Mapping[str, Any]) -> Rows:
        """As the driver has them: an instant is its microseconds, JSON is text on SQLite."""
        written = self.written(conn.dialect)
        driver: Any = conn.connection.driver_connection
        try:
            rows: Rows = driver.execute(written.sql, written.bound(parameters)).fetchall()
        except conn.dialect.loaded_dbapi.Error as error:
            raise sa.exc.DBAPIError.instance(
                written.sql, None, error, conn.dialect.loaded_dbapi.Error, hide_parameters=True, dialect=conn.dialect
            ) from error
        return rows

    def first(self, conn: sa.Connection, parameters: Mapping[str, Any]) -> Sequence[Any] | None:
        """Of a statement that gives one row or none."""
        return next(iter(self.rows(conn, parameters)), None)


class Written:
    """A statement as one kind of database reads it. ``bound`` and ``typed`` are its types' two ways."""

    def __init__(self, statement: sa.Select[Any], dialect: sa.Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        self.sql = str(compiled)
        self._order: Sequence[str] | None = getattr(compiled, "positiontup", None)
        self._own = {}
        self._asked = []
        for name in compiled.params:
            bind = compiled.binds[name]
            process = bind.type.dialect_impl(dialect).bind_processor(dialect)
            if bind.required:
                self._asked.append((name, process))
            else:
                self._own[name] = _through(process, bind.value)
        types = [column.type.dialect_impl(dialect) for column in statement.selected_columns]
        processes = [each.result_processor(dialect, None) for each in types]
        self._columns = [(index, process) for index, process in enumerate(processes) if process is not None]
        self.is_typed = bool(self._columns)

    def bound(self, parameters: Mapping[str, Any]) -> Any:
        """Raises KeyError for one that is missing."""
        values = dict(self._own)
        for name, process in self._asked:
            values[name] = _through(process, parameters[name])
        return values if self._order is None else [values[name] for name in self._order]

    def typed(self, row: Sequence[Any], begin: int = 0) -> list[Any]:
        """``row`` begins with this column."""
        values = list(row)
        for index, process in self._columns:
            if index >= begin:
                values[index - begin] = process(values[index - begin])
        return values


def _through(process: _Process | None, value: Any) -> Any:
    return value if process is None else process(value)
