"""The API as an OpenAPI 3.1 document, made from the operations and their types."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

import netplay
from netplay.help import summary
from netplay.operations import Operation
from netplay.web.admin.schemas import Schemas
from netplay.web.problems import PROBLEM, Problem, status_of

ALWAYS = (400, 401, 422, 503)
"""What may be said to any operation: not as described here, no token, against a rule, going down."""


def openapi(operations: Iterable[Operation]) -> dict[str, Any]:
    """The document."""
    operations = list(operations)
    answered = [operation.response for operation in operations if operation.response is not None]
    schemas = Schemas([Problem, *(operation.request for operation in operations), *answered])
    paths: dict[str, Any] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _described(operation, schemas)
    for operation in operations:
        _leave_only_the_body(operation, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "netplay",
            "version": netplay.__version__,
            "description": "What backends may ask of the daemon. Errors are problem details (RFC 9457).",
        },
        "servers": [{"url": "/api"}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": schemas.components,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "What `--api-token-file` has."}
            },
        },
    }


def _described(operation: Operation, schemas: Schemas) -> dict[str, Any]:
    description = " ".join((inspect.getdoc(operation.request) or "").split())
    described: dict[str, Any] = {
        "operationId": operation.name,
        "tags": [operation.path.split("/")[1]],
        "summary": summary(operation.request),
        "description": description,
        "parameters": _parameters(operation, schemas),
        "responses": _responses(operation, schemas),
    }
    if operation.has_body:
        described["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": schemas.reference(operation.request)}},
        }
    return described


def _parameters(operation: Operation, schemas: Schemas) -> list[dict[str, Any]]:
    parameters = []
    for name, schema in schemas.fields(operation.request).items():
        if name in operation.in_path:
            parameters.append({"name": name, "in": "path", "required": True, "schema": schema})
        elif not operation.has_body:
            required = name in schemas.components[schemas.name(operation.request)].get("required", ())
            parameters.append({"name": name, "in": "query", "required": required, "schema": _without_null(schema)})
    return parameters


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """There is no null in a query: what is not there is not there."""
    if "anyOf" not in schema:
        return schema
    kinds = [kind for kind in schema["anyOf"] if kind != {"type": "null"}]
    return kinds[0] if len(kinds) == 1 else {"anyOf": kinds}


def _responses(operation: Operation, schemas: Schemas) -> dict[str, Any]:
    responses: dict[str, Any] = {}
    if operation.response is None:
        responses["204"] = {"description": "Done."}
    else:
        responses["200"] = {
            "description": summary(operation.response),
            "content": {"application/json": {"schema": schemas.reference(operation.response)}},
        }
    statuses = {*ALWAYS, *(status_of(code) for code in operation.refusals)}
    if operation.has_body:
        statuses |= {413, 415}
    for status in sorted(statuses):
        responses[str(status)] = {
            "description": HTTPStatus(status).phrase,
            "content": {PROBLEM: {"schema": schemas.reference(Problem)}},
        }
    responses["401"]["headers"] = {"WWW-Authenticate": {"schema": {"type": "string"}}}
    return responses


def _leave_only_the_body(operation: Operation, schemas: Schemas) -> None:
    """What is in the path or the query is described there."""
    name = schemas.name(operation.request)
    if not operation.has_body:
        del schemas.components[name]
        return
    whole = schemas.components[name]
    schemas.components[name] = {
        **whole,
        "properties": {key: value for key, value in whole["properties"].items() if key not in operation.in_path},
        "required": [key for key in whole.get("required", ()) if key not in operation.in_path],
    }
