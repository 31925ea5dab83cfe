"""Messages that are right, made from their types: for errors, for C{help}, and for the protocol's page."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import inspect


def example(wanted: type[msgspec.Struct]) -> str:
    """A message of a type as JSON: its required fields, each with the first example of its type."""
    return msgspec.json.encode(example_of(wanted)).decode()


def example_of(wanted: type[msgspec.Struct]) -> dict[str, Any]:
    """What L{example} writes, as a dict. Fields with examples are declared with C{Meta(examples=[...])}."""
    config = wanted.__struct_config__
    made: dict[str, Any] = {config.tag_field: config.tag} if config.tag_field else {}
    for field in msgspec.structs.fields(wanted):
        if field.required:
            made[field.encode_name] = _example_value(inspect.type_info(field.type))
    made.update(getattr(wanted, "EXAMPLE", {}))
    return dict(sorted(made.items(), key=lambda item: item[0] != "type"))


def _example_value(info: inspect.Type) -> Any:
    match info:
        case inspect.Metadata():
            shown = (info.extra_json_schema or {}).get("examples")
            return shown[0] if shown else _example_value(info.type)
        case inspect.UnionType():
            return _example_value(info.types[0])
        case inspect.StructType():
            return example_of(info.cls)
        case inspect.DictType():
            return {}
        case inspect.CollectionType():
            return [_example_value(info.item_type)]
        case inspect.TupleType():
            return [_example_value(one) for one in info.item_types]
        case inspect.LiteralType():
            return info.values[0]
        case inspect.BoolType():
            return True
        case inspect.IntType() | inspect.FloatType():
            return 1
        case inspect.NoneType():
            return None
    return "..."
