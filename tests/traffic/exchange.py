"""One request and its answer as they went over the wire, and what of it counts as a violation."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

JsonObject = dict[str, Any]


@dataclass(frozen=True)
class Exchange:
    """``path`` as it was sent, percent-encoded, below the place where the service is mounted; header names in lower case.

    ``status`` None: no answer came. ``strict``: asked by the bridge and not by a test. ``struck`` are the requests whose answers
    a fault replaced, each as method and decoded path (as WSGI decodes it) with the query: this one, or parts of this batch.
    """

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    status: int | None = None
    answer_headers: Mapping[str, str] = field(default_factory=dict)
    answer: bytes = b""
    strict: bool = False
    mount: str = ""
    struck: frozenset[tuple[str, str]] = frozenset()

    @property
    def injected(self) -> bool:
        """Whether the answer is a fault's and not the service's."""
        asked = unquote(self.path, encoding="latin-1") + (f"?{self.query}" if self.query else "")
        return (self.method, asked) in self.struck


OF_FORM = (400, 405, 415, 501)
"""Statuses that say: no client should ask like that."""
OF_MEANING = {"ErrorOccurrenceCrossingBoundary", "ErrorInvalidIdMalformed", "ValidationError"}
"""What 400 may say to the best of clients: an occurrence cannot be moved there (M-50), an id is one of another mailbox, nobody
answers at the address for notifications (M-71)."""


def judged(
    exchange: Exchange, request: Callable[[Exchange], list[str]], answer: Callable[[Exchange], list[str]]
) -> list[str]:
    """What is wrong with both halves, as far as it counts.

    A test may ask for nonsense as long as the service refuses it; the bridge may not, nor may it be refused for the form of
    what it asks where the schema has no word against it. A fault's answer is nobody's.
    """
    asked = request(exchange)
    told = [] if exchange.injected or exchange.status is None else answer(exchange)
    refused = exchange.status is not None and exchange.status >= 400 and not exchange.injected
    if refused and not exchange.strict:
        asked = []
    if (
        refused
        and exchange.strict
        and exchange.status in OF_FORM
        and not _of_meaning(exchange, code := _code(exchange.answer))
    ):
        asked = [*asked, f"the service refused the bridge with {code or 'no code'}"]
    what = f"{exchange.method} {exchange.path}" + (f"?{exchange.query}" if exchange.query else "")
    return [f"{what}: request: {each}" for each in asked] + [
        f"{what}: answer {exchange.status}: {each}" for each in told
    ]


def _of_meaning(exchange: Exchange, code: str) -> bool:
    """Which rules Google takes is written nowhere (G-59), and a page token may have ended: to its schema both are strings."""
    of_a_string = b'"recurrence"' in exchange.body or "pageToken=" in exchange.query
    return code in OF_MEANING or (code == "invalid" and of_a_string)


def _code(answer: bytes) -> str:
    """The reason or code of a refusal in either vendor's form."""
    try:
        error = parsed(answer)["error"]
        return str(error["errors"][0]["reason"] if "errors" in error else error["code"])
    except (NoJson, KeyError, TypeError, IndexError):
        return ""


class NoJson(ValueError):
    """A body that is to be JSON is none."""


def json_in(headers: Mapping[str, str], body: bytes) -> Any:
    """A body that says it is JSON. Raises NoJson, with what is wrong in words."""
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise NoJson(f"the body's type is {headers.get('content-type', 'not told')}")
    return parsed(body)


def parsed(body: bytes) -> Any:
    """A body as JSON. Raises NoJson; a name that stands twice in one object is none either."""
    try:
        return json.loads(body, object_pairs_hook=_once)
    except (ValueError, UnicodeDecodeError) as error:
        raise NoJson(f"the body is no JSON ({error})") from None


def _once(pairs: list[tuple[str, Any]]) -> JsonObject:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return found


_TAGS = re.compile(r'\*|(W/)?"[^"]*"(\s*,\s*(W/)?"[^"]*")*')


def conditions(headers: Mapping[str, str]) -> list[str]:
    """What is wrong with the headers that make a request conditional (RFC 9110, 13.1)."""
    given = {name: headers[name] for name in ("if-match", "if-none-match") if name in headers}
    return [f"{name}: {value!r} is no entity tag" for name, value in given.items() if not _TAGS.fullmatch(value)]
