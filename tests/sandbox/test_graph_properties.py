"""The simulated Graph's property tables against the vendor's generated models: they cannot drift."""

import importlib
import inspect
import re

import pytest

from bridge.sandbox.graph.properties import ENUMS, TYPES

KINDS = {
    "get_str_value": "string",
    "get_bool_value": "boolean",
    "get_int_value": "int32",
    "get_float_value": "double",
    "get_datetime_value": "dateTime",
    "get_date_value": "date",
    "get_enum_value": "enum",
    "get_collection_of_enum_values": "enum",
    "get_object_value": "object",
    "get_collection_of_object_values": "object",
    "get_collection_of_primitive_values": "string",
}


def model(name):
    module = re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
    return getattr(importlib.import_module(f"msgraph.generated.models.{module}"), name[0].upper() + name[1:])


def described(name):
    """The model's properties: kind, the type it names, and whether it is a collection, read from its deserialisers."""
    found = {}
    for each in model(name).__mro__:
        if "msgraph" in each.__module__ and "get_field_deserializers" in vars(each):
            source = inspect.getsource(each.get_field_deserializers)
            for line in re.finditer(r'"([^"]+)": lambda n : setattr\(self, \'\w+\', n\.(\w+)\((\w*)\)\)', source):
                found.setdefault(line[1], (KINDS[line[2]], line[3], line[2].startswith("get_collection")))
    found.pop("@odata.type", None)
    return found


@pytest.mark.parametrize("name", TYPES)
def test_types(name):
    theirs, ours = described(name), TYPES[name]
    assert set(ours) == set(theirs)
    for each, (kind, of, many) in theirs.items():
        wanted = "object" if ours[each].kind in ("navigation", "absent") else ours[each].kind
        assert (each, wanted, ours[each].many) == (each, kind, many)
        if kind == "enum" or (kind == "object" and ours[each].of in TYPES):
            assert (each, ours[each].of) == (each, of[0].lower() + of[1:])


@pytest.mark.parametrize("name", ENUMS)
def test_enums(name):
    assert set(ENUMS[name]) == {each.value for each in model(name)}
