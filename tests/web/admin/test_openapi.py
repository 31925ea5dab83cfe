"""Tests of L{netplay.web.admin.openapi}: the document says what is there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs

from netplay.wire.examples import example_of
from tests.web.admin.asking import AdminCase

PAGE = Path(__file__).parents[3] / "docs" / "api.md"


def references(value: Any) -> Iterator[str]:
    """Every C{$ref} in a document."""
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for item in value.values():
            yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


def found(document: Any, reference: str) -> Any:
    """What a C{$ref} means."""
    for key in reference.removeprefix("#/").split("/"):
        document = document[key.replace("~1", "/")]
    return document


class DocumentTests(AdminCase):
    """C{/api/openapi.json}."""

    def setUp(self) -> None:
        super().setUp()
        self.document = self.get("/api/openapi.json").json
        self.operations = {
            (method.upper(), path): operation
            for path, methods in self.document["paths"].items()
            for method, operation in methods.items()
        }

    def test_every_operation_is_in_it(self) -> None:
        self.assertEqual(self.document["openapi"], "3.1.0")
        self.assertEqual(
            set(self.operations),
            {
                ("POST", "/chat/rooms/{room}/messages"),
                ("DELETE", "/chat/rooms/{room}/messages/{seq}"),
                ("GET", "/chat/rooms"),
                ("PUT", "/chat/rooms/{room}"),
                ("GET", "/chat/reports"),
                ("DELETE", "/chat/rooms/{room}/members/{user}"),
                ("POST", "/chat/rooms/{room}/bans"),
                ("GET", "/chat/rooms/{room}/bans"),
                ("DELETE", "/chat/rooms/{room}/bans/{ban}"),
                ("POST", "/chat/rooms/{room}/mutes"),
                ("GET", "/chat/rooms/{room}/mutes"),
                ("DELETE", "/chat/rooms/{room}/mutes/{mute}"),
                ("GET", "/game/games"),
                ("GET", "/game/rooms"),
                ("GET", "/game/leaderboards/{game}"),
                ("POST", "/ticker/prices"),
                ("GET", "/accounts"),
                ("POST", "/mutes"),
                ("GET", "/mutes"),
                ("DELETE", "/mutes/{mute}"),
                ("GET", "/audit"),
                ("PUT", "/accounts/{name}"),
                ("GET", "/clients"),
                ("DELETE", "/clients/{id}"),
                ("POST", "/kicks"),
                ("POST", "/bans"),
                ("GET", "/bans"),
                ("DELETE", "/bans/{ban}"),
            },
        )

    def test_the_page_for_people_has_them_all(self) -> None:
        listed = set(re.findall(r"^\| `([A-Z]+) /api(/\S+)` \|", PAGE.read_text(), re.MULTILINE))
        self.assertEqual(listed, set(self.operations))

    def test_each_has_a_name_of_its_own(self) -> None:
        names = [operation["operationId"] for operation in self.operations.values()]
        self.assertEqual(len(set(names)), len(names))

    def test_all_that_it_refers_to_is_there(self) -> None:
        for reference in references(self.document):
            found(self.document, reference)

    def test_nothing_is_in_it_that_nobody_refers_to(self) -> None:
        referred = {reference.rpartition("/")[2] for reference in references(self.document)}
        self.assertEqual(set(self.document["components"]["schemas"]), referred)

    def test_fields_in_the_path_are_not_in_the_body(self) -> None:
        publish = self.operations["POST", "/chat/rooms/{room}/messages"]
        (room,) = publish["parameters"]
        self.assertEqual((room["name"], room["in"], room["required"]), ("room", "path", True))
        body = found(self.document, publish["requestBody"]["content"]["application/json"]["schema"]["$ref"])
        self.assertEqual(sorted(body["properties"]), ["emoji", "text", "user"])
        self.assertEqual(sorted(body["required"]), ["text", "user"])
        self.assertFalse(body["additionalProperties"])

    def test_fields_in_the_query_may_be_missing_but_are_never_null(self) -> None:
        (after,) = self.operations["GET", "/chat/rooms"]["parameters"]
        self.assertEqual((after["in"], after["required"]), ("query", False))
        self.assertEqual(after["schema"], {"type": "string", "maxLength": 32})

    def test_patterns_end_as_they_do_in_javascript(self) -> None:
        (room,) = self.operations["POST", "/chat/rooms/{room}/messages"]["parameters"]
        self.assertEqual(room["schema"]["pattern"], "^[a-z0-9][a-z0-9_-]{0,31}$")
        self.assertNotIn(r"\\Z", self.get("/api/openapi.json").body.decode())

    def test_what_may_be_refused(self) -> None:
        responses = self.operations["POST", "/ticker/prices"]["responses"]
        self.assertEqual(sorted(responses), ["200", "400", "401", "403", "409", "413", "415", "422", "503"])
        self.assertIn("WWW-Authenticate", responses["401"]["headers"])
        self.assertEqual(list(responses["403"]["content"]), ["application/problem+json"])
        self.assertIn("204", self.operations["DELETE", "/bans/{ban}"]["responses"])

    def test_examples_are_as_their_schemas_say(self) -> None:
        for operation in self.core.operations:
            if operation.has_body:
                content = self.operations[operation.method, operation.path]["requestBody"]["content"]
                schema = {**self.document, "$ref": content["application/json"]["schema"]["$ref"]}
                example = {k: v for k, v in example_of(operation.request).items() if k not in operation.in_path}
                jsonschema_rs.validate(schema, example)

    def test_every_path_is_found(self) -> None:
        for method, path in self.operations:
            answered = self.ask(method, "/api" + re.sub(r"\{\w+\}", "1", path))
            self.assertNotIn(answered.status, (405, 500), path)
