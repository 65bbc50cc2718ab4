"""An exchange with Google's APIs against the discovery documents that Google ships in google-api-python-client.

From the documents: paths, methods, parameters, bodies, answers; the closed lists of values, what is read-only, the longest
texts and, for Tasks, which strings are times stand in their descriptions. From the guides "Handle API errors" and "Batch
requests", in the documentation of the Calendar API: the form of an error, and of a batch.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from email.message import Message
from email.parser import BytesParser
from functools import cache, lru_cache
from importlib.resources import files
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.traffic import checks
from tests.traffic.checks import Check, Found
from tests.traffic.exchange import Exchange, JsonObject, NoJson, conditions, json_in, judged

DOCUMENTS = ("calendar.v3", "tasks.v1")
LARGEST_BATCH = 1000
UNIVERSAL = {"access_token": {"location": "query", "type": "string"}}
"""Where a token may stand besides the header, with every API of Google's (RFC 6750, 2.3); one of the documents tells it."""
EVENT_ID = checks.form(re.compile(r"[a-v0-9]{5,1024}"), "event id (a-v, 0-9, 5 to 1024 of them)")
"""As the description of Event.id says."""


def violations(exchange: Exchange) -> list[str]:
    """What does not fit. Empty for what is no call of an API: consent, tokens, pages."""
    if exchange.path.startswith("/batch"):
        return judged(exchange, lambda asked: _envelope(asked)[1], _batch_answer) + _parts(exchange)
    if _document_of(exchange.path) is None:
        return []
    return judged(exchange, _request, _answer)


# --- what the documents say


@dataclass(frozen=True, eq=False)
class Method:
    id: str
    http_method: str
    pattern: re.Pattern[str]
    parameters: Mapping[str, JsonObject]
    document: str
    request: str | None
    answer: str | None


@cache
def _document(name: str) -> JsonObject:
    text = (files("googleapiclient.discovery_cache") / "documents" / f"{name}.json").read_text(encoding="utf-8")
    return json.loads(text)


def _document_of(path: str) -> str | None:
    for name in DOCUMENTS:
        api, _, version = name.partition(".")
        if path.startswith(f"/{api}/{version}/"):
            return name
    return "calendar.v3" if path.startswith(("/calendar/", "/tasks/")) else None


@cache
def _methods(name: str) -> tuple[Method, ...]:
    """Every method of an API, those with fewer variable parts in their path first."""
    document = _document(name)
    found = []
    for each in _all_methods(document):
        path = f"/{document['servicePath']}{each['path']}"
        pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(path))
        found.append(
            Method(
                each["id"],
                each["httpMethod"],
                re.compile(pattern),
                UNIVERSAL | document["parameters"] | each.get("parameters", {}),
                name,
                each.get("request", {}).get("$ref"),
                each.get("response", {}).get("$ref"),
            )
        )
    return tuple(sorted(found, key=lambda method: len(method.pattern.groupindex)))


def _all_methods(node: JsonObject) -> Iterator[JsonObject]:
    yield from node.get("methods", {}).values()
    for each in node.get("resources", {}).values():
        yield from _all_methods(each)


def _method(exchange: Exchange) -> Method | None:
    return _find(_document_of(exchange.path) or "", _asked(exchange)[0], exchange.path)


@lru_cache(4096)
def _find(document: str, http_method: str, path: str) -> Method | None:
    return next(
        (one for one in _methods(document) if one.http_method == http_method and one.pattern.fullmatch(path)), None
    )


def _asked(exchange: Exchange) -> tuple[str, str, bytes]:
    """Method, query and body; a GET too long for a URL comes as a POST that says so (LIB http.py of the client)."""
    override = exchange.headers.get("x-http-method-override", "").upper()
    if exchange.method != "POST" or not override:
        return exchange.method, exchange.query, exchange.body
    if override != "GET":
        return override, exchange.query, exchange.body
    return "GET", "&".join(filter(None, (exchange.query, exchange.body.decode("latin-1")))), b""


# --- requests


def _request(exchange: Exchange) -> list[str]:
    http_method, query, body = _asked(exchange)
    method = _method(exchange)
    if method is None:
        others = [
            one.http_method
            for one in _methods(_document_of(exchange.path) or "")
            if one.pattern.fullmatch(exchange.path)
        ]
        return [f"the path takes {', '.join(sorted(others))}" if others else "no such path"]
    found = [*_parameters(method, exchange.path, query), *conditions(exchange.headers)]
    if not exchange.headers.get("authorization", "").startswith("Bearer ") and "_token=" not in query:
        found.append("no bearer token")
    if method.request is None:
        return found + ([] if not body else ["the method takes no body"])
    if http_method == "GET" or (not body and method.request != "Event"):
        return found
    how = "asking" if exchange.strict and http_method != "PUT" else "trying"
    return found + _request_body(method, exchange.headers, body, how)


@lru_cache(8192)
def _parameters(method: Method, path: str, query: str) -> tuple[str, ...]:
    found: list[str] = []
    match = method.pattern.fullmatch(path)
    given: dict[str, list[str]] = {
        name: [unquote(value)] for name, value in (match.groupdict() if match else {}).items()
    }
    for name, value in parse_qsl(query, keep_blank_values=True):
        if method.parameters.get(name, {}).get("location") != "query":
            found.append(f"no such query parameter: {name}")
        else:
            given.setdefault(name, []).append(value)
    for name, values in given.items():
        spec = method.parameters[name]
        if len(values) > 1 and not spec.get("repeated"):
            found.append(f"{name} stands {len(values)} times")
        found += [f"{name}: {text}" for value in values for _, text in _parameter(spec)(value) or ()]
    found += [
        f"{name} is required" for name, spec in method.parameters.items() if spec.get("required") and name not in given
    ]
    return tuple(found)


def _parameter(spec: JsonObject) -> Check:
    if spec["type"] == "boolean":
        return checks.one_of(("true", "false"))
    if spec["type"] == "integer":
        allowed = _MOST.search(spec.get("description", ""))
        least = int(spec.get("minimum", -(2**31)))
        most = int(allowed[1]) if allowed else int(spec.get("maximum", 2**31 - 1))
        return lambda value: (
            None
            if re.fullmatch(r"-?\d+", str(value)) and least <= int(str(value)) <= most
            else checks.one(f"{value!r} is no integer from {least} to {most}")
        )
    if "enum" in spec:
        return checks.one_of(spec["enum"])
    return checks.instant if spec.get("format") == "date-time" or _TIMESTAMP in spec["description"] else checks.string


def _request_body(method: Method, headers: Mapping[str, str], body: bytes, how: str) -> list[str]:
    try:
        value = json_in(headers, body) if body else {}
    except NoJson as error:
        return [str(error)]
    found = checks.told(_schema(method.document, method.request or "", how)(value))
    if isinstance(value, dict):
        needed = _document(method.document)["schemas"][method.request]["properties"].items()
        found += [
            f"{name}: is required"
            for name, spec in needed
            if method.id in spec.get("annotations", {}).get("required", ()) and value.get(name) in (None, "", {})
        ]
        if method.id == "calendar.events.insert" and value.get("id") is not None:
            found += checks.told(checks.below("id", EVENT_ID(value["id"])))
    return found


# --- bodies

_VALUES = re.compile(r'^\s*- "([^"]+)"', re.MULTILINE)
_EITHER = re.compile(r'This is (?:either|always) "(\w+(?:#\w+)?)"(?: or "(\w+)")?\.')
_LONGEST = re.compile(r"Maximum length allowed: (\d+) characters")
_MOST = re.compile(r"max allowed: (\d+)")
_TIMESTAMP = "RFC 3339 timestamp"


@cache
def _schema(document: str, name: str, how: str) -> Check:
    """``how``: asking, telling, or trying: what is read-only is ignored. A test may try that, and a PUT carries what a GET showed
    ("perform a get followed by an update", says the document)."""
    fields: dict[str, Check] = {}
    check = _object(document, _document(document)["schemas"][name], how, fields)
    return _zoned(check) if name == "EventDateTime" and how != "telling" else check


@cache
def _referred(document: str, name: str, how: str) -> Check:
    """The schema of that name, looked up when it is needed: schemas may contain themselves."""
    return lambda value: _schema(document, name, how)(value)  # noqa: PLW0108 - not before it is called


def _object(document: str, spec: JsonObject, how: str, fields: dict[str, Check] | None = None) -> Check:
    fields = {} if fields is None else fields
    for name, each in spec.get("properties", {}).items():
        if how == "asking" and _read_only(each):
            fields[name] = lambda value: checks.one(f"is read-only, but {checks.shown(value)} was sent")
        elif name == "kind" and "default" in each and how != "trying":
            fields[name] = checks.one_of((each["default"],))
        else:
            fields[name] = _value(document, each, how)
    others = spec.get("additionalProperties")
    anything = _value(document, others, how) if others else None
    return checks.mapping(fields, anything=anything, nulls=how != "telling")


def _read_only(spec: JsonObject) -> bool:
    told = spec.get("description", "")
    return bool(spec.get("readOnly")) or bool(re.search(r"\bRead-only\.|\bThis field is read-only\.", told))


def _value(document: str, spec: JsonObject, how: str) -> Check:
    if "$ref" in spec:
        return _referred(document, spec["$ref"], how)
    kind = spec["type"]
    if kind == "object":
        return _object(document, spec, how)
    if kind == "array":
        return checks.array(_value(document, spec["items"], how))
    if kind == "boolean":
        return checks.boolean
    if kind in ("integer", "number"):
        return checks.integer if kind == "integer" else checks.number
    if kind == "any":
        return lambda _value: None
    return _text(spec, how)


def _text(spec: JsonObject, how: str) -> Check:
    told = spec.get("description", "")
    if "enum" in spec:
        return checks.one_of(spec["enum"])
    if "ossible value" in told and "Some of the possible" not in told and (values := _VALUES.findall(told)):
        return checks.one_of(values)
    if either := _EITHER.search(told):
        return checks.one_of([value for value in either.groups() if value])
    if longest := _LONGEST.search(told):
        return checks.shorter(int(longest[1]))
    if _TIMESTAMP in told and "format" not in spec:
        return checks.instant
    if spec.get("format") == "date-time":
        zone_may_stand_beside = "unless a time zone is explicitly specified" in told and how != "telling"
        return checks.either_time if zone_may_stand_beside else checks.instant
    if spec.get("format") == "date":
        return checks.date
    if spec.get("format") == "int64":
        return checks.form(re.compile(r"-?\d{1,19}"), "integer in a string")
    return checks.string


def _zoned(check: Check) -> Check:
    """As EventDateTime's description says: an offset is required unless a time zone is specified."""

    def zoned(value: object) -> Found:
        found = check(value)
        if not found and isinstance(value, dict) and value.get("dateTime") and not value.get("timeZone"):
            return [("dateTime", text) for _, text in checks.instant(value["dateTime"]) or ()] or None
        return found

    return zoned


# --- answers


def _answer(exchange: Exchange) -> list[str]:
    status = exchange.status or 0
    if status >= 400:
        return _error(exchange)
    if status == 304:
        return ["a body"] if exchange.answer else []
    if not 200 <= status < 300:
        return ["is neither a success nor an error"]
    method = _method(exchange)
    if method is None:
        return []
    if method.answer is None:
        return ["a body, where the document knows none"] if exchange.answer else []
    try:
        value = json_in(exchange.answer_headers, exchange.answer)
    except NoJson as error:
        return [str(error)]
    return checks.told(_schema(method.document, method.answer, "telling")(value))


_ONE_ERROR = checks.mapping(
    dict.fromkeys(("domain", "reason", "message", "locationType", "location", "extendedHelp"), checks.string),
    nulls=False,
    required=("domain", "reason", "message"),
)
_ERROR = checks.mapping(
    {
        "error": checks.mapping(
            {
                "code": checks.integer,
                "message": checks.string,
                "errors": checks.array(_ONE_ERROR),
                "status": checks.string,
                "details": checks.array(lambda _value: None),
            },
            nulls=False,
            required=("code", "message", "errors"),
        )
    },
    nulls=False,
    required=("error",),
)


def _error(exchange: Exchange) -> list[str]:
    """The guide's form of an error, with the status once more in it."""
    try:
        value = json_in(exchange.answer_headers, exchange.answer)
    except NoJson as error:
        return [str(error)]
    if found := checks.told(_ERROR(value)):
        return found
    code = value["error"]["code"]
    return [] if code == exchange.status else [f"error.code: {code} in an answer {exchange.status}"]


# --- batches


def _split(headers: Mapping[str, str], body: bytes) -> list[Message[str, str]] | None:
    return _multipart(headers.get("content-type", ""), body)


@lru_cache(4)
def _multipart(content_type: str, body: bytes) -> list[Message[str, str]] | None:
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    whole = BytesParser().parsebytes(head + body)
    parts = whole.get_payload()
    if whole.get_content_type() != "multipart/mixed" or not isinstance(parts, list):
        return None
    return [part for part in parts if isinstance(part, Message)]


def _http(part: Message[str, str]) -> tuple[list[str], dict[str, str], bytes]:
    """First line in words, headers, body."""
    raw = part.get_payload(decode=True)
    head, *rest = re.split(rb"\r?\n\r?\n", raw.lstrip() if isinstance(raw, bytes) else b"", maxsplit=1)
    line, *lines = head.decode("latin-1").splitlines() or [""]
    headers = {name.strip().lower(): value.strip() for name, _, value in (each.partition(":") for each in lines)}
    return line.split(None, 2), headers, rest[0].strip(b"\r\n") if rest else b""


def _envelope(exchange: Exchange) -> tuple[list[Message[str, str]], list[str]]:
    parts = _split(exchange.headers, exchange.body)
    known = {f"/{_document(name)['batchPath']}" for name in DOCUMENTS}
    if exchange.path not in known:
        return [], ["no such path"]
    if exchange.method != "POST" or exchange.query:
        return [], ["a batch is a POST without a query"]
    if not parts:
        return [], ["a batch is multipart/mixed"]
    found = [] if len(parts) <= LARGEST_BATCH else [f"{len(parts)} calls in one batch"]
    ids = [part["Content-ID"] for part in parts if part["Content-ID"]]
    if len(set(ids)) != len(ids):
        found.append("two parts have one Content-ID")
    for number, part in enumerate(parts):
        if part.get_content_type() != "application/http":
            found.append(f"part {number} is {part.get_content_type()}")
        elif len(_http(part)[0]) < 2:
            found.append(f"part {number} begins with no method and URL")
    return parts, found


def _batch_answer(exchange: Exchange) -> list[str]:
    if (exchange.status or 0) >= 400:
        return _error(exchange)
    if exchange.status != 200:
        return ["a batch is answered with 200"]
    asked, _ = _envelope(exchange)
    parts = _split(exchange.answer_headers, exchange.answer)
    if parts is None:
        return ["is not multipart/mixed"]
    found = [] if len(parts) == len(asked) else [f"{len(parts)} parts for {len(asked)}"]
    for number, part in enumerate(parts):
        if part.get_content_type() != "application/http":
            found.append(f"part {number} is {part.get_content_type()}")
        elif not re.fullmatch(r"HTTP/1\.1 \d{3}", " ".join(_http(part)[0][:2])):
            found.append(f"part {number} begins with no status")
    return found


def _parts(exchange: Exchange) -> list[str]:
    """Each part as an exchange of its own; outer headers count for parts that have none of theirs."""
    asked, wrong = _envelope(exchange)
    answered = exchange.status == 200 and not exchange.injected and not wrong
    answers = (_split(exchange.answer_headers, exchange.answer) if answered else None) or []
    if answered and _batch_answer(exchange):
        answers = []
    by_id = {each["Content-ID"]: each for each in answers if each["Content-ID"]}
    outer = {name: value for name, value in exchange.headers.items() if not name.startswith("content-")}
    found: list[str] = []
    for number, part in enumerate(asked):
        line, headers, body = _http(part)
        if len(line) < 2:
            continue
        url = urlsplit(line[1])
        told = by_id.get(_answer_id(part["Content-ID"])) if part["Content-ID"] else None
        if told is None and answers:
            if part["Content-ID"]:
                found.append(f"batch: no answer to {part['Content-ID']}")
            else:
                told = answers[number]
        one = replace(
            exchange,
            method=line[0],
            path=url.path.removeprefix(exchange.mount),
            query=url.query,
            headers=outer | headers,
            body=body,
            status=None,
            answer_headers={},
            answer=b"",
        )
        if told is not None:
            status_line, told_headers, told_body = _http(told)
            one = replace(one, status=int(status_line[1]), answer_headers=told_headers, answer=told_body)
        found += [f"batch: {each}" for each in violations(one)] or (
            [f"batch: {line[1]} is no call of {exchange.path}"] if _batch_of(one.path) != exchange.path else []
        )
    return found


def _batch_of(path: str) -> str | None:
    """Where a call may be one of many: each API takes its own only, at an address of its own."""
    name = _document_of(path)
    return name and f"/{_document(name)['batchPath']}"


def _answer_id(asked: str) -> str:
    return f"<response-{asked.strip().removeprefix('<').removesuffix('>')}>"


def calls(exchange: Exchange) -> int:
    """How many calls of an API it is: a batch counts by its parts, a page or a token for none."""
    if exchange.path.startswith("/batch"):
        return len(_split(exchange.headers, exchange.body) or ())
    return int(_document_of(exchange.path) is not None)
