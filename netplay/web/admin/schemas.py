"""JSON Schemas of message types, in the dialect that everyone reads."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import Struct

REF = "#/components/schemas/{name}"


class Schemas:
    """
    The schemas of some types and of all that they are made of.

    @param types: Structs.
    @ivar components: by name, as C{$ref} finds them.
    """

    def __init__(self, types: Iterable[type[Struct]]) -> None:
        unique = list(dict.fromkeys(types))
        references, components = msgspec.json.schema_components(unique, ref_template=REF)
        self.components: dict[str, Any] = _portable(components)
        self._names = {
            kind: reference["$ref"].rpartition("/")[2] for kind, reference in zip(unique, references, strict=True)
        }

    def name(self, kind: type[Struct]) -> str:
        """That of a type among the components."""
        name: str = self._names[kind]
        return name

    def reference(self, kind: type[Struct]) -> dict[str, str]:
        """Stands for the schema of a type."""
        return {"$ref": REF.format(name=self._names[kind])}

    def fields(self, kind: type[Struct]) -> dict[str, Any]:
        """The schema of each field of a type."""
        properties: dict[str, Any] = self.components[self._names[kind]]["properties"]
        return properties


def _portable(schema: Any) -> Any:
    """Python's end of a string is not JavaScript's (ECMA-262), whose patterns JSON Schema has."""
    if isinstance(schema, dict):
        return {
            key: value.replace(r"\Z", "$") if key == "pattern" and isinstance(value, str) else _portable(value)
            for key, value in schema.items()
        }
    if isinstance(schema, list):
        return [_portable(item) for item in schema]
    return schema
