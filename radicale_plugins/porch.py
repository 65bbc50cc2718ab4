"""Answers given at the door: to what devices ask all day in the same words, while nothing has happened.

A poll's answer follows from what the request says and from rows: the device's, its owner's, those of a calendar or of all in a
home. It is kept beside those rows as they were *before* it was made. Whoever asks in the same words has them read anew, in
one statement; the same rows, the same answer. So nothing has to be told of a change, whichever process makes it, and a device
that was revoked, or whose address has to wait, finds other rows. What is not plain goes the long way (``app.Application``).

Who finds other rows of a calendar, but has signed in with the same words and still may, need not sign in again: ``Poll.known``.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from http import client
from io import BytesIO
from typing import Any

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
    """A device that signed in and asked about its own home. ``base`` and ``path`` are where that led, ``who`` it was then."""

    asked: Asked
    base: str
    path: str
    who: tuple[Any, ...]


@dataclass(slots=True)
class Poll:
    """A request that may be answered here the next time; ``head`` stands for all that it says but its body.

    ``known`` is who asks; while the answer begins it is None for those who have to sign in first. ``follows``: the answer
    follows from the rows in ``seen``.
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
        # each statement hands the interpreter over to whoever waits for it, and that costs more than a statement takes here;
        # where the database is a server elsewhere, many wait for it at a time
        self._turn = threading.Lock() if database.dialect == "sqlite" else nullcontext()

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
        """None: it has to go the long way, of which ``poll.known`` spares them the half.

        The body is read only where the same was said before by a device that had signed in: a stranger who dawdles must not
        hold a thread.
        """
        known = self._heads.get(poll.head)
        if known is None:
            return None
        poll.body = door.read_up_to(environ["wsgi.input"], int(environ["CONTENT_LENGTH"]))
        environ["wsgi.input"] = BytesIO(poll.body)
        with self._turn:
            return self._the_same(poll, known)

    def _the_same(self, poll: Poll, known: Known) -> Answer | None:
        now = self._now()
        seen = evidence.read(self._database, known.asked, now=now)
        if seen is None or devices.is_to_be_noted(seen.last_used_at, now):
            return None
        kept = self._kept.get(self._digest(poll.head + poll.body))
        if kept is None or self._of(seen) != kept.rows:
            if seen.who == known.who:
                poll.known, poll.seen = known, seen
            return None
        self._record.saw(known.asked.device, kept.told, now=now)
        return kept.answer

    def look(self, poll: Poll, asked: Asked, body: bytes, *, base: str, path: str) -> None:
        """Before an answer is made that follows from these rows alone, and from what the request says."""
        seen = evidence.read(self._database, asked, now=self._now())
        if seen is not None:
            poll.body, poll.seen, poll.known = body, seen, Known(asked, base, path, seen.who)
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
        self._kept[key] = _Kept(answer, self._of(poll.seen), tuple(poll.told), size)
        self._heads[poll.head] = poll.known
        self._bytes += size - (0 if before is None else before.size)

    def _of(self, seen: Evidence) -> bytes:
        return self._digest(repr(seen.rows).encode("utf-8", "surrogatepass"))

    def _digest(self, data: bytes) -> bytes:
        return hashlib.blake2b(data, key=self._secret, digest_size=16).digest()


def poll_in(environ: Environ) -> Poll | None:
    found = environ.get(_POLL)
    return found if isinstance(found, Poll) else None
