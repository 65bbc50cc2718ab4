"""An exchange with Microsoft Graph against Microsoft's generated SDK (msgraph-sdk).

From the SDK: paths, methods, query parameters, bodies, answers, enums, subtypes, what is read-only or required, the form of an
error. From Microsoft's documentation, because the SDK does not have it: the Prefer header ("event resource", "Outlook immutable
identifiers", "delta query"), OData's annotations, ``@removed`` ("delta query overview"), the links of a round, ``$batch`` ("JSON
batching"), and the form of what the SDK calls strings (dateTimeTimeZone, extended property).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import cache, lru_cache
from typing import Any
from urllib.parse import parse_qsl

from tests.traffic import checks, graph_sdk, odata
from tests.traffic.checks import Check, Found
from tests.traffic.exchange import Exchange, NoJson, conditions, json_in, judged, parsed
from tests.traffic.graph_sdk import ROOT, Operation, Property, Type

VERSION = "/v1.0"
BATCH = "/v1.0/$batch"
LARGEST_BATCH = 20
PREFERENCES = {
    "idtype": ("ImmutableId",),
    "outlook.body-content-type": ("text", "html"),
    "outlook.timezone": None,
    "outlook.allow-unsafe-html": None,
    "odata.maxpagesize": None,
}
"""By their names in lower case, with the values that are known to be all."""
LINKS = ("$skiptoken", "$deltatoken")
"""What a link of a round carries instead of what was asked with at first; it is followed as it came."""
ANNOTATIONS = {
    "type",
    "context",
    "id",
    "etag",
    "editLink",
    "navigationLink",
    "associationLink",
    "count",
    "nextLink",
    "deltaLink",
}
EXTENDED = re.compile(
    r"(String|Integer|Boolean|Binary|SystemTime|Double|Float|Long|Short|Currency|CLSID|ApplicationTime)(Array)? "
    r"(\{[0-9A-Fa-f-]{36}\} (Name .+|Id 0x[0-9A-Fa-f]+)|0x[0-9A-Fa-f]+)"
)
DURATION = re.compile(r"-?P(\d+D)?(T(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?")
UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}")
TIME = re.compile(r"\d\d:\d\d:\d\d(\.\d+)?")
INSTANT_PARAMETERS = ("startDateTime", "endDateTime")
"""Whose description says ISO 8601; without an offset they are UTC (API: calendar-list-calendarview)."""


def violations(exchange: Exchange) -> list[str]:
    """What does not fit. Empty for what is no call of Graph's: sign-in, tokens, pages."""
    if not _is_call(exchange.path):
        return []
    if exchange.path == BATCH:
        return judged(exchange, _batch_request, _batch_answer) + _parts(exchange)
    return judged(exchange, _request, _answer)


def calls(exchange: Exchange) -> int:
    """How many calls it is: a batch counts by its parts, a page or a token for none."""
    if exchange.path != BATCH:
        return int(_is_call(exchange.path))
    try:
        return len(parsed(exchange.body)["requests"])
    except (NoJson, KeyError, TypeError):
        return 0


def _is_call(path: str) -> bool:
    return bool(re.match(r"/(v\d+\.\d+|beta)(/|$)", path))


# --- requests


def _operation(exchange: Exchange) -> Operation | str:
    if not exchange.path.startswith(f"{VERSION}/"):
        return "no such version"
    return _found(exchange.path.removeprefix(VERSION), exchange.method)


@lru_cache(4096)
def _found(path: str, method: str) -> Operation | str:
    place = graph_sdk.find(path)
    if place is None:
        return "no such path"
    return place.operations.get(method) or f"the path takes {', '.join(sorted(place.operations)) or 'nothing'}"


def _request(exchange: Exchange) -> list[str]:
    operation = _operation(exchange)
    if isinstance(operation, str):
        return [operation]
    found = list(_query(exchange.path.removeprefix(VERSION), exchange.method, exchange.query))
    found += _headers(exchange.headers)
    if operation.request is None:
        return found + (["the method takes no body"] if exchange.body else [])
    return found + _request_body(exchange, operation.request)


def _headers(headers: Mapping[str, str]) -> list[str]:
    found = [] if headers.get("authorization", "").startswith("Bearer ") else ["no bearer token"]
    if "prefer" in headers:
        found += [f"Prefer: {each}" for each in _preferences(headers["prefer"])]
    return found + conditions(headers)


@lru_cache(256)
def _preferences(text: str) -> tuple[str, ...]:
    found = []
    for each in re.findall(r'\s*((?:"[^"]*"|[^,"])+)\s*(?:,|$)', text):
        name, _, value = each.strip().partition("=")
        name, value = name.strip().lower(), value.strip().strip('"')
        known = PREFERENCES.get(name, ())
        if name not in PREFERENCES:
            found.append(f"no such preference: {each}")
        elif not value and name != "outlook.allow-unsafe-html":
            found.append(f"{name} without a value")
        elif known is not None and value not in known:
            found.append(f"{name}: {value!r} is none of {', '.join(known)}")
        elif name == "odata.maxpagesize" and not value.isdigit():
            found.append(f"{name}: {value!r} is no number")
    return tuple(found)


@lru_cache(8192)
def _query(path: str, method: str, text: str) -> tuple[str, ...]:
    operation = _found(path, method)
    if isinstance(operation, str):
        return ()
    pairs = parse_qsl(text, keep_blank_values=True)
    given = dict(pairs)
    found = [f"{name} stands more than once" for name in given if sum(name == each for each, _ in pairs) > 1]
    following = any(name in LINKS for name in given)
    item = _item(operation)
    for name, value in given.items():
        if following and name in LINKS:
            continue
        if name not in operation.query:
            found.append(f"no such query parameter: {name}")
        elif wrong := _parameter(name, value, operation.query[name], item):
            found.append(f"{name}: {wrong}")
    if not following:
        found += [f"{name} is required" for name in operation.required if name not in given]
    return tuple(found)


def _item(operation: Operation) -> Type | None:
    """What query options speak of: the items of a collection, or the one thing."""
    if operation.answer is None:
        return None
    value = graph_sdk.model(operation.answer).properties.get("value")
    return value.type if value is not None and value.many else operation.answer


def _parameter(name: str, value: str, kind: str, item: Type | None) -> str:
    if kind == "bool":
        return "" if value in ("true", "false") else f"{value!r} is no boolean"
    if kind == "int":
        return "" if value.isdigit() else f"{value!r} is no number"
    if name in INSTANT_PARAMETERS:
        return "" if not (checks.either_time(value) and checks.date(value)) else f"{value!r} is not ISO 8601"
    if name in ("$select", "$expand", "$orderby", "$filter") and item is not None:
        return odata.problem(name, value, item) if value.strip() else "is empty"
    return ""


def _request_body(exchange: Exchange, model: Type) -> list[str]:
    action = model.name.endswith("PostRequestBody")
    if not exchange.body:
        return [] if action else ["the method takes a body"]
    try:
        value = json_in(exchange.headers, exchange.body)
    except NoJson as error:
        return [str(error)]
    found = checks.told(_model(model, "asking" if exchange.strict else "trying")(value))
    if exchange.method == "POST" and isinstance(value, dict):
        found += [
            f"{name}: is required"
            for name, each in graph_sdk.model(model).properties.items()
            if each.required and value.get(name) is None
        ]
    return found


# --- bodies


@cache
def _model(type: Type, how: str) -> Check:
    """``how``: asking, telling, or trying: what is read-only is ignored by Graph, and a test may try that."""
    model = graph_sdk.model(type)
    fields: dict[str, Check] = {}
    for name, each in model.properties.items():
        fields[name] = _property(type, name, each, how)
    if type.name.endswith("PostRequestBody"):
        # parameters of an action: PascalCase in the SDK, camelCase in every example of the documentation
        fields |= {name[0].lower() + name[1:]: check for name, check in fields.items()}
    never_null = {name for name, each in model.properties.items() if each.many}  # OData 4.01, JSON format, 7.2
    known = frozenset(fields)
    if type.name == "OpenTypeExtension":
        return checks.mapping(fields, anything=lambda _value: None, nulls=True)

    def extra(name: str, value: object) -> Found | bool:
        return _annotation(name, value, known, how)

    check = checks.mapping(fields, nulls=True, never_null=never_null, extra=extra)
    return _typed(type, check, how)


def _annotation(name: str, value: object, known: frozenset[str], how: str) -> Found | bool:
    owner, sign, term = name.partition("@odata.")
    if not sign or (owner and owner not in known):
        return False
    if how != "telling":
        return True if (term == "type" and not owner) or (term == "bind" and owner) else checks.one("is not written")
    if term == "count":
        return checks.integer(value) or True
    return (checks.string(value) or True) if term in ANNOTATIONS else False


def _typed(type: Type, check: Check, how: str) -> Check:
    """By ``@odata.type``, if it says that it is a subtype; a wrong one is wrong."""

    def typed(value: object) -> Found:
        told = value.get("@odata.type") if isinstance(value, dict) else None
        if told is None or told == type.odata:
            return check(value)
        narrower = graph_sdk.subtype(type, told) if isinstance(told, str) else None
        if narrower is None:
            return [("@odata.type", f"{checks.shown(told)} is no {type.odata}")]
        return _model(narrower, how)(value)

    return typed


_SIMPLE: dict[str, Check] = {
    "string": checks.string,
    "boolean": checks.boolean,
    "integer": checks.integer,
    "number": checks.number,
    "instant": checks.instant,
    "date": checks.date,
    "time": checks.form(TIME, "time"),
    "duration": checks.form(DURATION, "duration"),
    "uuid": checks.form(UUID, "uuid"),
    "bytes": checks.form(BASE64, "base64"),
}
_FORMS: dict[tuple[str, str], Check] = {
    ("DateTimeTimeZone", "dateTime"): checks.local_time,
    ("SingleValueLegacyExtendedProperty", "id"): checks.form(EXTENDED, "id of an extended property"),
    ("MultiValueLegacyExtendedProperty", "id"): checks.form(EXTENDED, "id of an extended property"),
    ("InnerError", "date"): checks.either_time,  # without an offset in every example ("Error responses")
}


def _property(owner: Type, name: str, each: Property, how: str) -> Check:
    if (owner.name, name) in _FORMS:
        return _FORMS[owner.name, name]
    if how == "asking" and each.read_only:
        return lambda value: checks.one(f"is read-only, but {checks.shown(value)} was sent")
    if each.kind == "enum":
        check = _enum(each)
    elif each.kind == "object":
        check = _object(owner, name, each, how)
    else:
        check = _SIMPLE[each.kind]
    return checks.array(check) if each.many else check


def _enum(each: Property) -> Check:
    return checks.one_of(graph_sdk.values(each.type))


def _object(owner: Type, name: str, each: Property, how: str) -> Check:
    inner = each.type
    if name == "value" and "delta" in owner.file.parts[-2:] and how == "telling":
        whole = _lazy(inner, how)
        return lambda value: _REMOVED(value) if isinstance(value, dict) and "@removed" in value else whole(value)
    return _lazy(inner, how)


_REMOVED = checks.mapping(
    {
        "@removed": checks.mapping(
            {"reason": checks.one_of(("changed", "deleted"))}, nulls=False, required=("reason",)
        ),
        "id": checks.string,
        "@odata.type": checks.string,
        "@odata.id": checks.string,
    },
    nulls=False,
    required=("id",),
)


def _lazy(type: Type, how: str) -> Check:
    """Models contain each other: looked up once a value is there."""
    return lambda value: _model(type, how)(value)  # noqa: PLW0108 - not before it is called


# --- answers


def _answer(exchange: Exchange) -> list[str]:
    status = exchange.status or 0
    if status >= 400:
        return _error(exchange)
    if not 200 <= status < 300:
        return ["is neither a success nor an error"]
    found = _applied(exchange)
    operation = _operation(exchange)
    if isinstance(operation, str) or operation.answers_bytes:
        return found
    if operation.answer is None:
        return found + (["a body, where the SDK knows none"] if exchange.answer else [])
    if status == 204:
        return found + (["a body with 204"] if exchange.answer else [])
    return found + _json_answer(exchange, operation.answer)


def _json_answer(exchange: Exchange, model: Type) -> list[str]:
    try:
        value = json_in(exchange.answer_headers, exchange.answer)
    except NoJson as error:
        return [str(error)]
    found = checks.told(_model(model, "telling")(value))
    collection = graph_sdk.model(model).properties.get("value")
    if collection is not None and collection.many and isinstance(value, dict):
        if "value" not in value:
            found.append("value: is required")
        if "@odata.nextLink" in value and "@odata.deltaLink" in value:
            found.append("has both a nextLink and a deltaLink")
    return found


def _applied(exchange: Exchange) -> list[str]:
    """What was honoured must have been asked for."""
    applied = exchange.answer_headers.get("preference-applied", "")
    asked = exchange.headers.get("prefer", "").lower()
    names = [each.partition("=")[0].strip().lower() for each in applied.split(",") if each.strip()]
    return [f"Preference-Applied: {name} was not asked for" for name in names if name not in asked]


_ERROR = Type(ROOT / "models" / "o_data_errors" / "o_data_error.py", "ODataError")


def _error(exchange: Exchange) -> list[str]:
    """The SDK's ODataError; code and message are always there ("Error responses")."""
    if found := _json_answer(exchange, _ERROR):
        return found
    error = parsed(exchange.answer).get("error")
    if not isinstance(error, dict):
        return ["error: is required"]
    return [f"error.{name}: is required" for name in ("code", "message") if not error.get(name)]


# --- batches

_PART = checks.mapping(
    {
        "id": checks.string,
        "method": checks.one_of(("GET", "POST", "PATCH", "PUT", "DELETE")),
        "url": checks.string,
        "headers": checks.mapping({}, anything=checks.string, nulls=False),
        "body": lambda _value: None,
        "dependsOn": checks.array(checks.string),
    },
    nulls=False,
    required=("id", "method", "url"),
)
_BATCH = checks.mapping({"requests": checks.array(_PART)}, nulls=False, required=("requests",))
_ANSWER = checks.mapping(
    {
        "id": checks.string,
        "status": checks.integer,
        "headers": checks.mapping({}, anything=checks.string, nulls=True),
        "body": lambda _value: None,
    },
    nulls=True,
    required=("id", "status"),
)
_BATCH_ANSWER = checks.mapping(
    {"responses": checks.array(_ANSWER), "@odata.nextLink": checks.string}, nulls=False, required=("responses",)
)


def _batch_request(exchange: Exchange) -> list[str]:
    if exchange.method != "POST" or exchange.query:
        return ["a batch is a POST without a query"]
    try:
        value = json_in(exchange.headers, exchange.body)
    except NoJson as error:
        return [str(error)]
    if found := checks.told(_BATCH(value)):
        return found
    found, seen = [], set()
    if not 1 <= len(value["requests"]) <= LARGEST_BATCH:
        found.append(f"{len(value['requests'])} requests in one batch")
    for each in value["requests"]:
        if each["id"] in seen:
            found.append(f"two requests are called {each['id']!r}")
        seen.add(each["id"])
        if "://" in each["url"]:
            found.append(f"{each['url']!r} is not relative")
        if "body" in each and "content-type" not in {name.lower() for name in each.get("headers", {})}:
            found.append(f"request {each['id']!r} has a body and no Content-Type")
    named = {name for each in value["requests"] for name in each.get("dependsOn", ())}
    return found + [f"dependsOn: there is no {name!r}" for name in sorted(named - seen)]


def _batch_answer(exchange: Exchange) -> list[str]:
    if (exchange.status or 0) >= 400:
        return _error(exchange)
    if exchange.status != 200:
        return ["a batch is answered with 200"]
    try:
        value = json_in(exchange.answer_headers, exchange.answer)
    except NoJson as error:
        return [str(error)]
    if found := checks.told(_BATCH_ANSWER(value)):
        return found
    asked = [each["id"] for each in parsed(exchange.body)["requests"]]
    told = [each["id"] for each in value["responses"]]
    return [] if sorted(asked) == sorted(told) else [f"answers to {sorted(told)}, asked were {sorted(asked)}"]


def _parts(exchange: Exchange) -> list[str]:
    """Each request as an exchange of its own. What depended on a failed one was not carried out (424)."""
    if _batch_request(exchange):
        return []
    answers: dict[str, Any] = {}
    if exchange.status == 200 and not exchange.injected and not _batch_answer(exchange):
        answers = {each["id"]: each for each in parsed(exchange.answer)["responses"]}
    outer = {"authorization": exchange.headers.get("authorization", "")}
    found: list[str] = []
    for each in parsed(exchange.body)["requests"]:
        path, _, query = each["url"].partition("?")
        told = answers.get(each["id"])
        one = replace(
            exchange,
            method=each["method"],
            path=f"{VERSION}/{path.lstrip('/')}",
            query=query,
            headers=outer | {name.lower(): text for name, text in each.get("headers", {}).items()},
            body=json.dumps(each["body"]).encode() if "body" in each else b"",
            status=told["status"] if told else None,
            answer_headers={name.lower(): text for name, text in (told.get("headers") or {}).items()} if told else {},
            answer=json.dumps(told["body"]).encode() if told and told.get("body") is not None else b"",
        )
        if told and told["status"] == 424 and "content-type" not in one.answer_headers:
            one = replace(one, answer_headers={"content-type": "application/json"})  # so in the guide's example
        found += [f"batch: {problem}" for problem in violations(one)]
    return found
