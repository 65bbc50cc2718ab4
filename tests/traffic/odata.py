"""OData's query options against a model: every property named must be one, and be compared with what it can be.

Source: OData 4.01, part 2 (URL conventions), as far as Microsoft Graph takes it ("Use query parameters").
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from tests.traffic import graph_sdk
from tests.traffic.graph_sdk import Model, Property

OPERATORS = frozenset({"eq", "ne", "gt", "ge", "lt", "le", "has", "in"})
FUNCTIONS = frozenset({
    "contains", "startswith", "endswith", "length", "indexof", "substring", "tolower", "toupper", "trim", "concat",
    "year", "month", "day", "hour", "minute", "second", "date", "time", "now", "round", "floor", "ceiling",
})  # fmt: skip
NESTED = frozenset({"$filter", "$select", "$expand", "$orderby", "$top", "$skip", "$count", "$search", "$levels"})


class Unfit(Exception):
    """What is wrong with an option."""


@lru_cache(4096)
def problem(option: str, text: str, model: graph_sdk.Type) -> str:
    """What is wrong with ``$select``, ``$expand``, ``$orderby`` or ``$filter``, "" if nothing."""
    checks: Mapping[str, Callable[[str, Model], None]] = {
        "$select": _select,
        "$expand": _expand,
        "$orderby": _order,
        "$filter": lambda text, model: _Filter(text, model).whole(),
    }
    try:
        checks[option](text, graph_sdk.model(model))
    except Unfit as error:
        return str(error)
    return ""


def _select(text: str, model: Model) -> None:
    for name in _split(text, ","):
        if name != "*":
            _path(name, model)


def _order(text: str, model: Model) -> None:
    for each in _split(text, ","):
        path, _, direction = each.partition(" ")
        if direction.strip().lower() not in ("", "asc", "desc"):
            raise Unfit(f"{each!r} is no order")
        _path(path, model)


def _expand(text: str, model: Model) -> None:
    for each in _split(text, ","):
        match = re.fullmatch(r"([\w.]+)(?:\((.*)\))?", each, re.DOTALL)
        found = _path(match[1], model) if match else None
        if match is None or found is None or found.type is None or found.kind != "object":
            raise Unfit(f"{each!r} cannot be expanded")
        inner = graph_sdk.model(found.type)
        if not inner.entity:
            raise Unfit(f"{match[1]} is no navigation property")
        for option in _split(match[2] or "", ";"):
            name, _, value = option.partition("=")
            if name not in NESTED:
                raise Unfit(f"no option {name!r} inside $expand")
            if name in ("$select", "$expand", "$orderby", "$filter") and (wrong := problem(name, value, found.type)):
                raise Unfit(wrong)


def _path(path: str, model: Model) -> Property:
    """The property at the end of a path. Raises Unfit."""
    found: Property | None = None
    for name in path.strip().split("/"):
        if found is not None:
            if found.kind != "object" or found.type is None or found.many:
                raise Unfit(f"nothing is below {path.rpartition('/')[0]!r}")
            model = graph_sdk.model(found.type)
        found = model.properties.get(name)
        if found is None:
            raise Unfit(f"{model.type.odata[1:]} has no property {name!r}")
    if found is None:
        raise Unfit("no path")
    return found


def _split(text: str, separator: str) -> list[str]:
    """At a separator that stands in neither parentheses nor quotes."""
    parts, depth, quoted, current = [], 0, False, ""
    for character in text:
        quoted ^= character == "'"
        depth += 0 if quoted else (character == "(") - (character == ")")
        if character == separator and not depth and not quoted:
            parts.append(current)
            current = ""
        else:
            current += character
    parts.append(current)
    if any(not part.strip() for part in parts) and text.strip():
        raise Unfit(f"an empty part in {text!r}")
    return [part.strip() for part in parts if part.strip()]


_TOKEN = re.compile(
    r"\s*(?:(?P<string>(?:microsoft\.graph\.\w+)?'(?:[^']|'')*')"
    r"|(?P<instant>\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))"
    r"|(?P<date>\d{4}-\d\d-\d\d)"
    r"|(?P<number>-?\d+(?:\.\d+)?)"
    r"|(?P<name>[A-Za-z_@$][\w.]*(?:/[A-Za-z_][\w.]*)*)"
    r"|(?P<sign>[(),:]))"
)


@dataclass(frozen=True)
class _Operand:
    """A literal's or a result's ``kind``; ``property`` if it is one; ``text`` of a literal."""

    kind: str
    property: Property | None = None
    text: str = ""


class _Filter:
    """A $filter expression, read by recursive descent."""

    def __init__(self, text: str, model: Model) -> None:
        self.text, self.variables = text, {"": model}
        self.tokens = list(self._tokens())
        self.at = 0

    def _tokens(self) -> Iterator[tuple[str, str]]:
        position = 0
        while self.text[position:].strip():
            match = _TOKEN.match(self.text, position)
            if match is None:
                raise Unfit(f"{self.text[position:].strip()!r} is not understood")
            yield str(match.lastgroup), match[str(match.lastgroup)]
            position = match.end()

    def whole(self) -> None:
        self._either()
        if self.at != len(self.tokens):
            raise Unfit(f"{self.tokens[self.at][1]!r} where the filter should end")

    def _peek(self) -> tuple[str, str]:
        return self.tokens[self.at] if self.at < len(self.tokens) else ("end", "the end")

    def _next(self) -> tuple[str, str]:
        found = self._peek()
        self.at += 1
        return found

    def _expect(self, sign: str) -> None:
        found = self._next()
        if found != ("sign", sign):
            raise Unfit(f"{found[1]!r} where {sign!r} should stand")

    def _either(self) -> None:
        self._all()
        while self._peek() == ("name", "or"):
            self._next()
            self._all()

    def _all(self) -> None:
        self._single()
        while self._peek() == ("name", "and"):
            self._next()
            self._single()

    def _single(self) -> None:
        if self._peek() == ("name", "not"):
            self._next()
            self._single()
        elif self._peek() == ("sign", "("):
            self._next()
            self._either()
            self._expect(")")
        else:
            self._comparison()

    def _comparison(self) -> None:
        left = self._operand()
        kind, word = self._peek()
        if kind != "name" or word not in OPERATORS:
            if left.kind != "boolean":
                raise Unfit(f"{word!r} where a comparison should stand")
            return
        self._next()
        if word == "in":
            self._expect("(")
            self._comparable(left, self._operand())
            while self._peek() == ("sign", ","):
                self._next()
                self._comparable(left, self._operand())
            self._expect(")")
        else:
            self._comparable(left, self._operand())

    def _operand(self) -> _Operand:
        kind, text = self._next()
        if kind in ("string", "instant", "date", "number"):
            return _Operand(kind, text=text)
        if kind != "name":
            raise Unfit(f"{text!r} where a value should stand")
        if text in ("true", "false"):
            return _Operand("boolean", text=text)
        if text == "null":
            return _Operand("null")
        if self._peek() == ("sign", "("):
            return self._called(text)
        found = self._property(text)
        return _Operand(found.kind, found)

    def _called(self, name: str) -> _Operand:
        path, _, last = name.rpartition("/")
        if path and last.lower() in ("any", "all"):
            return self._lambda(path)
        if name not in FUNCTIONS:
            raise Unfit(f"no function {name!r}")
        self._expect("(")
        while self._peek() != ("sign", ")"):
            self._operand()
            if self._peek() == ("sign", ","):
                self._next()
        self._expect(")")
        kinds = {"contains": "boolean", "startswith": "boolean", "endswith": "boolean"}
        return _Operand(kinds.get(name, "anything"))

    def _lambda(self, path: str) -> _Operand:
        found = self._property(path)
        if not found.many:
            raise Unfit(f"{path} is no collection")
        self._expect("(")
        if self._peek() != ("sign", ")"):
            _, variable = self._next()
            self._expect(":")
            if found.type is None or found.kind != "object":
                raise Unfit(f"{path} holds no objects")
            before = dict(self.variables)
            self.variables[variable] = graph_sdk.model(found.type)
            self._either()
            self.variables = before
        self._expect(")")
        return _Operand("boolean")

    def _property(self, path: str) -> Property:
        variable, _, rest = path.partition("/")
        if rest and variable in self.variables:
            return _path(rest, self.variables[variable])
        return _path(path, self.variables[""])

    def _comparable(self, left: _Operand, right: _Operand) -> None:
        if left.property is None:
            left, right = right, left
        if left.property is None or "anything" in (left.kind, right.kind) or right.kind == "null":
            return
        if left.kind == "enum" and left.property.type and right.kind == "string":
            value = re.sub(r"^(microsoft\.graph\.\w+)?'|'$", "", right.text)
            if value not in graph_sdk.values(left.property.type):
                raise Unfit(f"{value!r} is no {left.property.type.name}")
            return
        wanted = {"integer": ("number",), "uuid": ("string",), "instant": ("instant", "date")}.get(
            left.kind, (left.kind,)
        )
        if right.property is None and right.kind not in wanted:
            raise Unfit(f"a {left.kind} is compared with {right.text or right.kind}")
