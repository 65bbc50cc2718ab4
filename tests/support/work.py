"""How much SQLite has to do, in instructions of its virtual machine: the same on any machine, whatever else that does.

A statement for which there is an index takes a few dozen, and one that looks through everything some for each row.
"""

import contextlib

import sqlalchemy as sa

_EVERY = 20
"""Instructions between two calls; what is left over at the end of a statement is not counted."""


class Work:
    def __init__(self):
        self.instructions = 0

    def _more(self):
        self.instructions += _EVERY
        return 0

    def watch(self, connection, _record):
        connection.set_progress_handler(self._more, _EVERY)

    def of(self, do):
        before = self.instructions
        do()
        return self.instructions - before


@contextlib.contextmanager
def counted():
    """The work of all SQLite connections that are opened from now on."""
    work = Work()
    sa.event.listen(sa.pool.Pool, "connect", work.watch)
    try:
        yield work
    finally:
        sa.event.remove(sa.pool.Pool, "connect", work.watch)
