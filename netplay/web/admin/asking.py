"""What is asked of an operation, read from a request as strictly as a message."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from netplay.errors import Refused
from netplay.operations import Operation
from netplay.web.http import MOST_BODY
from netplay.wire.examples import example_of
from netplay.wire.grammar import DECODE_ERRORS, JSON_VALUES, explain, reason
from netplay.wire.strict import checked_values


def asked(operation: Operation, path: Mapping[str, str], request: Any) -> Any:
    """
    The request of an operation.

    @param path: the fields that the path gives.
    @param request: Twisted's.
    @raise Refused: C{bad_request} with the C{field}, C{bad_json}, C{too_large}, C{unsupported_media_type}.
    """
    kinds = {field.encode_name: field.type for field in msgspec.structs.fields(operation.request)}
    values = {name: _from_text(text, kinds[name], name) for name, text in path.items()}
    if operation.has_body:
        rest = _body(operation, request)
    else:
        rest = {name: _from_text(text, kinds[name], name) for name, text in _query(request, kinds).items()}
    for name in rest:
        if name in values:
            raise Refused("bad_request", "that is in the path already", f"$.{name}")
    try:
        return msgspec.convert({**values, **rest}, operation.request)
    except msgspec.ValidationError as error:
        text, field = explain(str(error))
        raise Refused("bad_request", f"{text}; right is for example {example(operation)}", field) from None


def example(operation: Operation) -> str:
    """What the fields that are not in the path may be, as JSON."""
    made = example_of(operation.request)
    return msgspec.json.encode({name: made[name] for name in made if name not in operation.in_path}).decode()


def _query(request: Any, known: Mapping[str, Any]) -> dict[str, str]:
    fields = {}
    for name_bytes, values in request.args.items():
        name = name_bytes.decode("utf-8", "replace")
        if name not in known:
            raise Refused("bad_request", f"there is no such field; there are {', '.join(known) or 'none'}", "$")
        if len(values) > 1:
            raise Refused("bad_request", "once is enough", f"$.{name}")
        try:
            fields[name] = values[0].decode()
        except UnicodeDecodeError:
            raise Refused("bad_request", "that is not UTF-8", f"$.{name}") from None
    return fields


def _from_text(text: str, kind: Any, name: str) -> Any:
    try:
        return msgspec.to_builtins(msgspec.convert(text, kind, strict=False))
    except msgspec.ValidationError as error:
        raise Refused("bad_request", explain(str(error))[0], f"$.{name}") from None


def _body(operation: Operation, request: Any) -> dict[str, Any]:
    content_type = (request.getHeader("content-type") or "").partition(";")[0].strip().lower()
    if content_type != "application/json":
        raise Refused("unsupported_media_type", "the body is JSON; send `Content-Type: application/json` with it")
    body = request.content.read(MOST_BODY + 1)
    if len(body) > MOST_BODY:
        raise Refused("too_large", f"a body may have at most {MOST_BODY} bytes")
    try:
        plain = checked_values(JSON_VALUES.plain(body))
    except DECODE_ERRORS as error:
        raise Refused("bad_json", f"not JSON ({reason(error)}); send for example {example(operation)}") from None
    except ValueError as error:
        raise Refused("bad_json", f"{error}; send for example {example(operation)}") from None
    if not isinstance(plain, dict):
        raise Refused("bad_request", f"the body is one object; send for example {example(operation)}", "$")
    return plain
