"""What Microsoft's generated SDK (msgraph-sdk) says of paths, query parameters and types; read from its source.

Importing it would take seconds and hundreds of megabytes, and a class tells less than its text does: which properties the
vendor calls read-only or required stands in comments. Only the files that some traffic needs are read, each once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import distribution
from pathlib import Path
from urllib.parse import unquote

ROOT = Path(str(distribution("msgraph-sdk").locate_file("msgraph/generated")))
KINDS = {
    "get_str_value": "string",
    "get_bool_value": "boolean",
    "get_int_value": "integer",
    "get_float_value": "number",
    "get_datetime_value": "instant",
    "get_date_value": "date",
    "get_time_value": "time",
    "get_timedelta_value": "duration",
    "get_uuid_value": "uuid",
    "get_bytes_value": "bytes",
    "get_enum_value": "enum",
    "get_collection_of_enum_values": "enum",
    "get_object_value": "object",
    "get_collection_of_object_values": "object",
}
PRIMITIVES = {"str": "string", "int": "integer", "bool": "boolean", "float": "number"}
HOLDERS = {"AdditionalDataHolder", "BackedModel", "Parsable", "APIError"}


@dataclass(frozen=True)
class Type:
    """A model or an enum by the file it stands in."""

    file: Path
    name: str

    @property
    def odata(self) -> str:
        return f"#microsoft.graph.{self.name[0].lower()}{self.name[1:]}"


@dataclass(frozen=True)
class Property:
    kind: str
    many: bool
    type: Type | None
    about: str

    @property
    def read_only(self) -> bool:
        """By its description. "Read-only. Nullable." stands at every list of objects that may be expanded and says nothing of
        writing: extended properties bear it and are written (API: singleValueExtendedProperty-post)."""
        return bool(re.search(r"\bRead-only\b", self.about)) and not (self.many and self.kind == "object")

    @property
    def required(self) -> bool:
        return self.about.startswith("Required. ")


@dataclass(frozen=True)
class Model:
    type: Type
    properties: dict[str, Property]
    entity: bool
    """Has an id of its own: what refers to it may be expanded."""


@dataclass(frozen=True)
class Operation:
    """One method at one path. ``query`` by name on the wire: the Python type of its value."""

    query: dict[str, str]
    required: tuple[str, ...]
    request: Type | None
    answer: Type | None
    answers_bytes: bool = False


@dataclass(frozen=True)
class Place:
    """A request builder: the path it stands for, and what may be asked there."""

    folder: Path
    segment: str
    """The last one, as its URL template has it."""
    operations: dict[str, Operation] = field(default_factory=dict)


# --- types

_IMPORT = re.compile(r"^\s*from (\.+)([\w.]*) import (\w+)$", re.MULTILINE)
_FIELD = re.compile(r"^\s+\"([^\"]+)\": lambda n : setattr\(self, '(\w+)', n\.(\w+)\((.*)\)\),$", re.MULTILINE)
_ABOUT = re.compile(r"^    # (.*)\n    (\w+): ", re.MULTILINE)
_CLASS = re.compile(r"^class (\w+)\((.*)\):$", re.MULTILINE)


@cache
def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8")


@cache
def _imports(file: Path) -> dict[str, Type]:
    found = {}
    for dots, module, name in _IMPORT.findall(_text(file)):
        folder = file.parents[len(dots) - 1]
        found[name] = Type(folder.joinpath(*module.split(".")).with_suffix(".py"), name)
    return found


@cache
def model(type: Type) -> Model:
    """A model with everything it inherits."""
    text, imports = _text(type.file), _imports(type.file) | {type.name: type}
    head = next(match for match in _CLASS.finditer(text) if match[1] == type.name)
    parent = next((imports[base] for base in re.findall(r"\w+", head[2]) if base not in HOLDERS), None)
    inherited = model(parent) if parent else None
    about = {name: words for words, name in _ABOUT.findall(text)}
    fields = _FIELD.findall(text)
    if len(fields) != text.count(": lambda n :"):
        raise LookupError(f"{type.file} has fields of a form unknown here")
    found = dict(inherited.properties) if inherited else {}
    for name, attribute, getter, argument in fields:
        many = getter.startswith("get_collection")
        if getter == "get_collection_of_primitive_values":
            found[name] = Property(PRIMITIVES.get(argument, "string"), many, None, about.get(attribute, ""))
        else:
            kind = KINDS[getter]
            of = imports[argument] if kind in ("enum", "object") else None
            found[name] = Property(kind, many, of, about.get(attribute, ""))
    found.pop("@odata.type", None)
    return Model(type, found, type.name == "Entity" or (inherited is not None and inherited.entity))


@cache
def values(enum: Type) -> frozenset[str]:
    found = re.findall(r'^    \w+ = "([^"]+)",?$', _text(enum.file), re.MULTILINE)
    if not found:
        raise LookupError(f"{enum.file} has no values")
    return frozenset(found)


@cache
def subtype(type: Type, odata_type: str) -> Type | None:
    """The model that ``@odata.type`` names, if it may stand where ``type`` is declared."""
    if odata_type == type.odata:
        return type
    text = _text(type.file)
    for told, name in re.findall(
        r'mapping_value\.casefold\(\) == "([^"]+)"\.casefold\(\):\n\s+from [.\w]+ import (\w+)', text
    ):
        if told == odata_type:
            return _imports(type.file)[name]
    return None


# --- paths

_OPERATION = re.compile(
    r"async def (get|post|put|patch|delete)\(self,\s*(?:body: (\w+), )?request_configuration: "
    r"Optional\[RequestConfiguration\[(\w+)\]\] = None\) -> (?:Optional\[)?(\w+)\]?:"
)


def find(path: str) -> Place | None:
    """The place of a path below ``/v1.0``, percent-encoded as it was sent."""
    segments = path.strip("/").split("/")
    if segments[0] == "me":
        folder = ROOT / "users" / "item"  # in the SDK, /me is a person of /users
    elif _place(ROOT / _snake(segments[0])) is not None:
        folder = ROOT / _snake(segments[0])
        if _place(folder).segment != segments[0]:  # type: ignore[union-attr]
            return None
    else:
        return None
    for segment in segments[1:]:
        below = _below(folder, segment) or _variable(folder, segment)
        if below is None:
            return None
        folder = below
    return _place(folder)


@cache
def _below(folder: Path, segment: str) -> Path | None:
    """The folder of a segment with a name, if it is one: a property, an action, or a function with its arguments."""
    name, paren, arguments = unquote(segment).removeprefix("microsoft.graph.").partition("(")
    if not re.fullmatch(r"\$?[A-Za-z]\w*", name):
        return None
    if paren and arguments != ")":
        found = (each for each in folder.glob(f"{_snake(name)}_with_*") if (place := _place(each)))
        return next((each for each in found if _fits(name, arguments, _place(each))), None)
    place = _place(folder / _snake(name.removeprefix("$")))
    if place is None:
        return None
    # a function without arguments may stand without its parentheses (OData 4.01, 4.3; so in every example of event-delta)
    return (
        place.folder
        if place.segment.removesuffix("()") == name and (not paren or place.segment.endswith("()"))
        else None
    )


def _fits(name: str, arguments: str, place: Place | None) -> bool:
    """Whether arguments are those of the template: ``TimeZoneStandard=microsoft.graph.timeZoneStandard'Iana'``."""
    if place is None:
        return False
    wanted, _, templates = place.segment.partition("(")
    names = re.findall(r"(\w+)=", templates)
    given = re.findall(r"(\w+)=((?:microsoft\.graph\.(\w+))?'((?:[^']|'')*)'|[\w.:-]+)", arguments.removesuffix(")"))
    if wanted != name or sorted(names) != sorted(each[0] for each in given):
        return False
    for _, _, enum, value in given:
        file = ROOT / "models" / f"{_snake(enum)}.py"  # timeZoneStandard has none: there the function takes a string
        if enum and file.exists():
            known = values(Type(file, enum[0].upper() + enum[1:]))
            if value.casefold() not in {one.casefold() for one in known}:
                return False
    return True


@cache
def _item(folder: Path) -> Path | None:
    return folder / "item" if _place(folder / "item") else None


def _variable(folder: Path, segment: str) -> Path | None:
    return _item(folder) if segment else None


@cache
def _place(folder: Path) -> Place | None:
    files = list(folder.glob("*_request_builder.py"))
    if len(files) != 1:
        return None
    (file,) = files
    text, imports = _text(file), _imports(file)
    template = re.search(r'super\(\).__init__\(request_adapter, "\{\+baseurl\}([^"]*)"', text)
    if template is None:
        raise LookupError(f"{file} has no URL template")
    path, _, query = template[1].replace("{?", "?", 1).partition("?")
    required = tuple(re.findall(r"(?:^|&)([\w%]+)=\{", query))
    operations = {}
    for verb, body, configuration, answer in _OPERATION.findall(text):
        operations[verb.upper()] = Operation(
            _query(text, configuration),
            tuple(unquote(each) for each in required) if verb == "get" else (),
            imports[body] if body and body != "bytes" else None,
            imports.get(answer),
            answer == "bytes",
        )
    return Place(folder, unquote(path.rsplit("/", 1)[1]), operations)


def _query(text: str, configuration: str) -> dict[str, str]:
    """Query parameters by their names on the wire, with the types of their values."""
    if configuration == "QueryParameters":
        return {}
    block = re.search(rf"^    class {configuration}\(\):\n(.*?)(?=^    @dataclass|\Z)", text, re.MULTILINE | re.DOTALL)
    if block is None:
        raise LookupError(f"no {configuration}")
    names = dict(re.findall(r'if original_name == "(\w+)":\n\s+return "([^"]+)"', block[1]))
    types = dict(re.findall(r"^        (\w+): Optional\[(.*)\] = None$", block[1], re.MULTILINE))
    return {unquote(names.get(name, name)): kind for name, kind in types.items()}


@cache
def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
