"""All messages as an AsyncAPI 3 document, made from their types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

import netplay
from netplay.help import summary
from netplay.interfaces import IDescribed
from netplay.messages import COMMON, COMMON_EVENTS
from netplay.web.admin.schemas import Schemas
from netplay.wire.examples import example_of

SHARED = "all"
"""The channel that carries every feature."""

_RESUMED = {
    "query": {
        "type": "object",
        "properties": {"session": {"type": "string", "description": "A session to resume, as `resume` does."}},
    },
    "bindingVersion": "0.1.0",
}


def asyncapi(features: Mapping[str, Any]) -> dict[str, Any]:
    """
    The document.

    @param features: those at work, by name; those that are L{IDescribed} are in it.
    """
    described = {name: service for name, service in features.items() if IDescribed.providedBy(service)}
    received = {name: (*service.requests, *COMMON) for name, service in described.items()}
    sent = {name: (*service.events, *COMMON_EVENTS) for name, service in described.items()}
    schemas = Schemas([kind for kinds in (*received.values(), *sent.values()) for kind in kinds])
    messages: dict[str, Any] = {}
    channels: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    shared: dict[str, list[str]] = {"receive": [], "send": []}
    for name in described:
        by_action = {"receive": received[name], "send": sent[name]}
        keys = {action: [_key(name, action, kind, schemas) for kind in kinds] for action, kinds in by_action.items()}
        for action, kinds in by_action.items():
            for key, kind in zip(keys[action], kinds, strict=True):
                messages[key] = _message(kind, schemas.reference(kind))
                messages[f"{SHARED}.{key}"] = _with_feature(messages[key], name)
            shared[action] += [f"{SHARED}.{key}" for key in keys[action]]
        _add_channel(name, f"/ws/{name}", f"The {name} feature alone.", keys, channels, operations)
        channels[name]["bindings"] = {"ws": _RESUMED}
    _add_channel(SHARED, "/ws", "All features; each message names its `feature`.", shared, channels, operations)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "netplay",
            "version": netplay.__version__,
            "description": (
                "What clients send and get on WebSocket. The messages are the same on TCP, a line each. In the "
                "subprotocol `netplay.msgpack` they are MessagePack."
            ),
        },
        "defaultContentType": "application/json",
        "servers": {
            "here": {
                "host": "{host}",
                "protocol": "ws",
                "variables": {"host": {"default": "localhost:8080", "description": "Where the web port is."}},
            }
        },
        "channels": channels,
        "operations": operations,
        "components": {"messages": messages, "schemas": _draft_07(schemas.components)},
    }


def _draft_07(schema: Any) -> Any:
    """The dialect of AsyncAPI, which has another word for tuples; with fields that a type does not have let through."""
    if isinstance(schema, list):
        return [_draft_07(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: _draft_07(value) for key, value in schema.items() if (key, value) != ("additionalProperties", False)}
    if "prefixItems" in made:
        made["items"], made["additionalItems"] = made.pop("prefixItems"), False
    return made


def _key(feature: str, action: str, kind: type[Struct], schemas: Schemas) -> str:
    """By its type; what two games call the same is told apart by the schema."""
    is_act = kind.__struct_config__.tag_field != "type"
    return f"{feature}.{action}.{f'act.{schemas.name(kind)}' if is_act else kind.__struct_config__.tag}"


def _message(kind: type[Struct], payload: Any) -> dict[str, Any]:
    return {
        "name": str(kind.__struct_config__.tag),
        "title": kind.__name__,
        "summary": summary(kind),
        "payload": payload,
        "examples": [{"payload": msgspec.to_builtins(example_of(kind))}],
    }


def _with_feature(message: dict[str, Any], feature: str) -> dict[str, Any]:
    named = {"type": "object", "properties": {"feature": {"const": feature}}, "required": ["feature"]}
    examples = [{"payload": {**example["payload"], "feature": feature}} for example in message["examples"]]
    return {**message, "payload": {"allOf": [message["payload"], named]}, "examples": examples}


def _add_channel(
    name: str,
    address: str,
    what: str,
    keys: Mapping[str, list[str]],
    channels: dict[str, Any],
    operations: dict[str, Any],
) -> None:
    """
    One path, and what goes both ways on it.

    @param keys: of the messages, by action as the daemon sees it: C{receive} or C{send}.
    """
    channels[name] = {
        "address": address,
        "description": what,
        "messages": {key: {"$ref": f"#/components/messages/{key}"} for both in keys.values() for key in both},
    }
    for action, of_action in keys.items():
        operations[f"{name}.{action}"] = {
            "action": action,
            "channel": {"$ref": f"#/channels/{name}"},
            "messages": [{"$ref": f"#/channels/{name}/messages/{key}"} for key in of_action],
        }
