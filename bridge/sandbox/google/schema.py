"""What may be asked: methods, parameters and bodies, as the API's own discovery document says.

The document is the one that ships in google-api-python-client. Nothing about parameters, types or fields is written down a
second time here; a request that does not fit it is refused, unknown names included.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import unquote

from bridge.sandbox.google.errors import ApiError, invalid, required

JsonObject = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Method:
    """One method of an API. ``scopes`` are full URLs: any one of them suffices (G-13, G-14)."""

    api: str
    id: str
    http_method: str
    path: str
    pattern: re.Pattern[str]
    parameters: Mapping[str, JsonObject]
    request: str | None
    scopes: frozenset[str]


CALENDAR, TASKS = "calendar.v3", "tasks.v1"


@cache
def document(api: str) -> JsonObject:
    """The discovery document of an API, by its name and version."""
    folder = files("googleapiclient.discovery_cache") / "documents"
    found: JsonObject = json.loads((folder / f"{api}.json").read_text(encoding="utf-8"))
    return found


@cache
def scopes() -> frozenset[str]:
    """Every scope there is, of both APIs."""
    return frozenset(scope for api in (CALENDAR, TASKS) for scope in document(api)["auth"]["oauth2"]["scopes"])


@cache
def methods(api: str) -> tuple[Method, ...]:
    """Every method of an API, those with fewer variable parts in their path first."""
    found = []
    for resource in document(api)["resources"].values():
        for each in resource["methods"].values():
            pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(each["path"]))
            found.append(
                Method(
                    api,
                    each["id"],
                    each["httpMethod"],
                    each["path"],
                    re.compile(pattern),
                    each.get("parameters", {}) | document(api)["parameters"],
                    each.get("request", {}).get("$ref"),
                    frozenset(each.get("scopes", ())),
                )
            )
    return tuple(sorted(found, key=lambda method: method.path.count("{")))


def find(api: str, http_method: str, raw_path: str) -> tuple[Method, dict[str, str]]:
    """The method meant by a request, and the parameters in its path (percent-encoded there, G-16).

    404 for an unknown path, 405 for a path that exists under another method.
    """
    elsewhere = False
    for method in methods(api):
        if match := method.pattern.fullmatch(raw_path):
            if method.http_method == http_method:
                return method, {name: unquote(value) for name, value in match.groupdict().items()}
            elsewhere = True
    if elsewhere:
        raise ApiError(405, "httpMethodNotAllowed", "Method Not Allowed")
    raise ApiError(404, "notFound", "Not Found")


def parameters(method: Method, in_path: Mapping[str, str], query: Sequence[tuple[str, str]]) -> JsonObject:
    """All parameters of a request by name, of their declared types; repeated ones as lists."""
    given: JsonObject = dict(in_path)
    for name, text in query:
        spec = method.parameters.get(name)
        if spec is None or spec["location"] != "query":
            raise invalid(
                f"Unknown name \"{name}\": Cannot bind query parameter. Field '{name}' could not be found in request message.",
                name,
            )
        value = _parameter(name, text, spec)
        if spec.get("repeated"):
            given.setdefault(name, []).append(value)
        elif name in given:
            raise invalid(f"Parameter {name} may be given once only.", name)
        else:
            given[name] = value
    for name, spec in method.parameters.items():
        if spec.get("required") and name not in given:
            raise required(f"Required parameter: {name}", name)
    return given


def _parameter(name: str, text: str, spec: JsonObject) -> Any:
    kind = spec["type"]
    if kind == "boolean":
        if text not in ("true", "false"):
            raise invalid(f"Invalid boolean value: '{text}'.", name)
        return text == "true"
    if kind == "integer":
        if not re.fullmatch(r"-?\d{1,10}", text):
            raise invalid(f"Invalid value '{text}'. It is not an integer.", name)
        if not int(spec.get("minimum", -(2**31))) <= int(text) <= int(spec.get("maximum", 2**31 - 1)):
            raise invalid(f"Invalid value '{text}'. It is out of range.", name)
        return int(text)
    if "enum" in spec and text not in spec["enum"]:
        raise invalid(f"Invalid value '{text}'. Allowed values are: [{', '.join(spec['enum'])}]", name)
    if spec.get("format") == "date-time":
        return _instant(name, text)
    return text


def _instant(name: str, text: str) -> dt.datetime:
    """An RFC 3339 time with its offset; fractions of a second are ignored (G-40)."""
    if not re.fullmatch(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", text):
        raise ApiError(400, "badRequest", "Bad Request", location=name)
    try:
        return dt.datetime.fromisoformat(text.upper()).replace(microsecond=0)
    except ValueError:
        raise ApiError(400, "badRequest", "Bad Request", location=name) from None


def check_body(method: Method, body: object, *, partial: bool) -> JsonObject:
    """The request's body, checked field by field and without what the document calls read-only.

    With ``partial`` (PATCH) null stands for "remove" and is kept; otherwise it is the same as an absent field. Every read-only
    field is dropped in silence, as the real service does, but organizer and what rules must see for themselves.
    """
    if method.request is None:
        raise invalid("This method takes no body.")
    if not isinstance(body, dict):
        raise ApiError(400, "parseError", "Parse Error")
    schema = document(method.api)["schemas"][method.request]
    checked: JsonObject = _object(method.api, body, schema, "", partial=partial)
    for name, spec in schema["properties"].items():
        if method.id in spec.get("annotations", {}).get("required", ()) and checked.get(name) in (None, "", {}):
            raise required(f"Missing {name}." if name not in ("start", "end") else f"Missing {name} time.", name)
    return checked


def _object(api: str, value: object, spec: JsonObject, path: str, *, partial: bool) -> JsonObject:
    if not isinstance(value, dict):
        raise invalid(f"Invalid value at '{path}': an object is expected.", path)
    known: JsonObject = spec.get("properties", {})
    anything = spec.get("additionalProperties")
    found: JsonObject = {}
    for name, each in value.items():
        inner = known.get(name, anything)
        where = f"{path}.{name}" if path else name
        if inner is None:
            raise invalid(
                f"Invalid JSON payload received. Unknown name \"{name}\" at '{path}': Cannot find field.", where
            )
        if _read_only(name, inner):
            continue
        if each is None:
            if partial:
                found[name] = None
            continue
        found[name] = _value(api, each, inner, where, partial=partial)
    return found


def _read_only(name: str, spec: JsonObject) -> bool:
    """Whether the document declares it so. Declarations with an exception ("except when importing") are for the rules."""
    text = spec.get("description", "")
    if name in ("kind", "etag") or spec.get("readOnly") or "This field is read-only." in text:
        return True
    return "Read-only, except" not in text and bool(re.search(r"\bRead-[oO]nly\.", text))


def _value(api: str, value: object, spec: JsonObject, path: str, *, partial: bool) -> Any:
    if "$ref" in spec:
        spec = document(api)["schemas"][spec["$ref"]]
    kind = spec["type"]
    if kind == "object":
        return _object(api, value, spec, path, partial=partial)
    if kind == "array":
        if not isinstance(value, list):
            raise invalid(f"Invalid value at '{path}': an array is expected.", path)
        return [_value(api, each, spec["items"], f"{path}[{index}]", partial=False) for index, each in enumerate(value)]
    if kind == "integer" and isinstance(value, int) and not isinstance(value, bool) and -(2**31) <= value < 2**31:
        return value
    if kind == "boolean" and isinstance(value, bool):
        return value
    if kind == "string":
        if spec.get("format") == "int64" and isinstance(value, int | str) and re.fullmatch(r"-?\d{1,19}", str(value)):
            return str(value)
        if isinstance(value, str) and spec.get("format") != "int64":
            return value
    raise invalid(f"Invalid value at '{path}' ({spec.get('format', kind)}).", path)
