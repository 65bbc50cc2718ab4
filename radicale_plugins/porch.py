"""Answers given at the door: to what devices ask all day in the same words, while nothing has happened.

A poll's answer follows from what the request says and from rows: the device's, its owner's, those of a calendar or of all in a
home. It is kept beside those rows as they were in the snapshot that it was made of. Whoever asks in the same words has them
read anew, in one statement; the same rows, the same answer. So nothing has to be told of a change, whichever process makes it,
and a device that was revoked, or whose address has to wait, finds other rows. What is not plain goes the long way
(``app.Application``).

Who finds other rows of a calendar, but has signed in with the same words and still may, need not sign in again (``recognised``).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from http import client
from io import BytesIO
from typing import Any

import sqlalchemy as sa
from radicale import types

from bridge.services import devices
from bridge.services.witness import Told, Witness
from bridge.store import evidence
from bridge.store.evidence import Asked, Evidence
from bridge.store.session import Database
from radicale_plugins import door

MOST_BYTES = 32_000_000
"""Of answers. Beyond it all are forgotten, and known again when each device has asked once."""
LONGEST_QUESTION, LONGEST_ANSWER = 4096, 65536
"""Bytes; what is longer is no poll."""

MOST_ASK = 8
"""Requests that may ask PostgreSQL at a time; each has a connection of its own there."""

_OVERHEAD = 3000  # of what stands around an answer: names, digests, Python's objects

_METHODS = frozenset({"PROPFIND", "REPORT"})
_SAID = (
    "REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "REMOTE_ADDR", "SERVER_NAME", "SERVER_PORT", "CONTENT_TYPE",
    "wsgi.url_scheme",
)  # fmt: skip
_OF_NO_ACCOUNT = frozenset({"HTTP_X_REQUEST_ID", "HTTP_X_CORRELATION_ID", "HTTP_TRACEPARENT", "HTTP_CF_RAY"})
"""Another one with each request, and nothing that an answer could follow from."""
_POLL = "caldav_bridge.poll"  # where a request's environment has it
READ = "caldav_bridge.read"
"""In the environment of a request that was answered here: nothing of its body is left."""
_KEPT = f"{client.MULTI_STATUS:d} "

Environ = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Known:
    """A device that signed in and asked about its own home. ``base`` and ``path`` are where that led, ``who`` it was then.

    What people call their homes may be long, so that is a digest.
    """

    asked: Asked
    base: str
    path: str
    who: bytes


@dataclass(slots=True)
class Poll:
    """A request that may be answered here the next time; ``head`` stands for all that it says but its body.

    ``known`` is who asked so before, or who asks now; ``seen`` are the rows in the answer's snapshot, and ``follows`` says whether
    the answer follows from them.
    """

    head: bytes
    body: bytes = b""
    known: Known | None = None
    seen: Evidence | None = None
    follows: bool = False
    told: Sequence[Told] = ()
    status: str = ""
    headers: Sequence[tuple[str, str]] = ()

    def starting(self, start_response: types.WSGIStartResponse) -> types.WSGIStartResponse:
        """To listen how the long way answers."""

        def start(status: str, headers: list[tuple[str, str]]) -> Any:
            self.status, self.headers = status, tuple(headers)
            return start_response(status, headers)

        return start


@dataclass(frozen=True, slots=True)
class _Kept:
    answer: Answer
    rows: bytes
    """A digest of them: they hold all that clients made up for a calendar, which may be much."""
    told: Sequence[Told]
    size: int


@dataclass(frozen=True, slots=True)
class Answer:
    status: str
    headers: Sequence[tuple[str, str]]
    body: bytes


class Porch:
    """One for each process; any number of threads may use it. ``record`` is told what devices are told."""

    def __init__(self, database: Database, now: Callable[[], dt.datetime], record: Witness) -> None:
        self._database = database
        self._now = now
        self._record = record
        self._secret = secrets.token_bytes(32)  # passwords are among what is said, and nobody shall read them here
        self._heads: dict[bytes, Known] = {}
        self._kept: dict[bytes, _Kept] = {}
        self._bytes = 0
        # each statement hands the interpreter over to whoever waits for it, and that costs more than a statement takes on SQLite;
        # several may wait for a server
        self._turn = threading.Semaphore(1 if database.dialect == "sqlite" else MOST_ASK)

    def poll(self, environ: Environ) -> Poll | None:
        """None: such a request is never answered here."""
        length = environ.get("CONTENT_LENGTH") or ""
        if environ["REQUEST_METHOD"] not in _METHODS or not length.isdecimal() or "HTTP_AUTHORIZATION" not in environ:
            return None
        if len(length) > 5 or int(length) > LONGEST_QUESTION:
            return None
        said = [str(environ.get(name)) for name in _SAID]
        for name, value in environ.items():
            if name.startswith("HTTP_") and name not in _OF_NO_ACCOUNT:
                said += (name, value)
        poll = Poll(self._digest("\0".join(said).encode("utf-8", "surrogatepass")))
        environ[_POLL] = poll
        return poll

    def answer(self, poll: Poll, environ: Environ) -> Answer | None:
        """None: it has to go the long way, of which they are spared the half who are ``recognised`` when it is their turn.

        The body is read only where the same was said before by a device that had signed in: a stranger who dawdles must not
        hold a thread.
        """
        known = self._heads.get(poll.head)
        if known is None:
            return None
        length = int(environ["CONTENT_LENGTH"])
        poll.body = door.read_up_to(environ["wsgi.input"], length)
        environ["wsgi.input"] = BytesIO(poll.body)
        if len(poll.body) < length:
            return None
        poll.known = known
        with self._turn:
            return self._the_same(poll, known)

    def _the_same(self, poll: Poll, known: Known) -> Answer | None:
        kept = self._kept.get(self._digest(poll.head + poll.body))
        if kept is None:
            return None
        now = self._now()
        seen = evidence.read(self._database, known.asked, now=now)
        if seen is None or devices.is_to_be_noted(seen.last_used_at, now) or self._of(seen.rows) != kept.rows:
            return None
        self._record.saw(known.asked.device, kept.told, now=now)
        return kept.answer

    def recognised(self, conn: sa.Connection, poll: Poll, known: Known) -> bool:
        """Whether it is whoever asked so before, who may sign in as things are in the snapshot that the answer is made of."""
        now = self._now()
        seen = evidence.within(conn, known.asked, now=now)
        if seen is None or devices.is_to_be_noted(seen.last_used_at, now) or self._of(seen.who) != known.who:
            return False
        poll.seen = seen
        return True

    def look(self, conn: sa.Connection, poll: Poll, asked: Asked, body: bytes, *, base: str, path: str) -> None:
        """In the very snapshot that an answer is made of, which follows from these rows alone, and from what the request says."""
        seen = evidence.within(conn, asked, now=self._now())
        if seen is not None:
            poll.body, poll.seen, poll.known = body, seen, Known(asked, base, path, self._of(seen.who))
            poll.follows = True

    def keep(self, poll: Poll, answered: Iterable[bytes]) -> None:
        """After it was made."""
        if poll.known is None or poll.seen is None or not poll.follows or not poll.status.startswith(_KEPT):
            return
        body = b"".join(answered)
        if len(body) > LONGEST_ANSWER:
            return
        size = _OVERHEAD + len(body) + sum(len(name) + len(value) for name, value in poll.headers)
        if self._bytes + size > MOST_BYTES:
            self._kept, self._heads, self._bytes = {}, {}, 0
        key = self._digest(poll.head + poll.body)
        before = self._kept.get(key)
        answer = Answer(poll.status, poll.headers, body)
        self._kept[key] = _Kept(answer, self._of(poll.seen.rows), tuple(poll.told), size)
        self._heads[poll.head] = poll.known
        self._bytes += size - (0 if before is None else before.size)

    def _of(self, rows: tuple[Any, ...]) -> bytes:
        return self._digest(repr(rows).encode("utf-8", "surrogatepass"))

    def _digest(self, data: bytes) -> bytes:
        return hashlib.blake2b(data, key=self._secret, digest_size=16).digest()


def poll_in(environ: Environ) -> Poll | None:
    found = environ.get(_POLL)
    return found if isinstance(found, Poll) else None
