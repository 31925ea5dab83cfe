"""The API for backends: finds the operation that is meant, reads what is asked, answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any

import msgspec
from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as TooLong
from twisted.python.failure import Failure
from twisted.web.server import NOT_DONE_YET

from netplay.core import Core, Phase
from netplay.errors import Refused
from netplay.operations import Operation
from netplay.web.admin.asking import asked
from netplay.web.admin.openapi import openapi
from netplay.web.admin.tokens import Token
from netplay.web.problems import Answering, method_not_allowed, not_found, problem, problem_of, send

PATIENCE = 30.0
"""Seconds that an operation may take."""

DESCRIPTION = "openapi.json"

JSON = b"application/json"


class Routes:
    """
    Which operation has which path. Of two that fit, the one whose path says more is meant.

    @param operations: no two with the same method and path.
    """

    def __init__(self, operations: Iterable[Operation]) -> None:
        # Of two that fit a path, the one that is found later counts: that which leaves less open.
        ordered = sorted(operations, key=lambda operation: len(operation.in_path), reverse=True)
        self._routes = [(operation.path.strip("/").split("/"), operation) for operation in ordered]

    def find(self, path: Sequence[str]) -> dict[str, tuple[Operation, dict[str, str]]]:
        """What there is under a path, by method, with the fields that the path gives it."""
        return {
            operation.method: (operation, fields)
            for template, operation in self._routes
            if (fields := _given(template, path)) is not None
        }


def _given(template: Sequence[str], path: Sequence[str]) -> dict[str, str] | None:
    if len(template) != len(path):
        return None
    fields = {}
    for wanted, segment in zip(template, path, strict=True):
        if wanted.startswith("{"):
            fields[wanted[1:-1]] = segment
        elif wanted != segment:
            return None
    return fields


class API(Answering):
    """
    C{/api}.

    @param token: what is to be shown; without one there is no API.
    @param operations: asked for when the first request comes: by then all features are built.
    """

    def __init__(self, core: Core, token: Token | None, operations: Callable[[], Iterable[Operation]]) -> None:
        super().__init__()
        self._core = core
        self._token = token
        self._operations = operations

    @cached_property
    def _routes(self) -> Routes:
        return Routes(self._operations())

    @cached_property
    def _description(self) -> bytes:
        return msgspec.json.encode(openapi(self._operations()))

    def answer(self, request: Any) -> Any:
        """Who asks, what for, and the answer."""
        if self._token is None:
            return problem(request, 404, "not_found", "the API is off; the daemon has no --api-token-file")
        path = _segments(request)
        if path == [DESCRIPTION]:
            return self._describe(request)
        if not self._token.allows(request.getHeader("authorization")):
            return self._unauthorized(request)
        if self._core.phase is not Phase.RUNNING:
            raise Refused("shutting_down", "the server is going down, or not up yet; come back later")
        found = self._routes.find(path) if path is not None else {}
        if not found:
            return not_found(request)
        method = request.method.decode("ascii", "replace")
        meant = found.get("GET" if method == "HEAD" else method)
        if meant is None:
            return method_not_allowed(request, [*found, *(["HEAD"] if "GET" in found else [])])
        operation, fields = meant
        return self._answered(request, operation.handler(asked(operation, fields, request)))

    def _describe(self, request: Any) -> bytes:
        if request.method not in (b"GET", b"HEAD"):
            return method_not_allowed(request, ["GET", "HEAD"])
        request.setHeader(b"content-type", JSON)
        return self._description

    def _unauthorized(self, request: Any) -> bytes:
        self._core.complaints.note("bad_token")
        challenge = b'Bearer realm="netplay"'
        if request.getHeader("authorization") is not None:
            challenge += b', error="invalid_token"'
        return problem(
            request,
            401,
            "bad_token",
            "send the header `Authorization: Bearer TOKEN`, with the token that the daemon was given",
            headers={b"www-authenticate": challenge},
        )

    def _answered(self, request: Any, answer: Any) -> Any:
        if not isinstance(answer, Deferred):
            return _body(request, answer)
        there = [True]
        request.notifyFinish().addErrback(lambda _: there.clear())
        answer.addTimeout(PATIENCE, self._core.clock)
        answer.addCallback(lambda response: _body(request, response))
        answer.addErrback(self._failed_later, request)
        answer.addCallback(lambda body: send(request, body) if there else None)
        return NOT_DONE_YET

    def _failed_later(self, failure: Failure, request: Any) -> bytes:
        error = failure.value
        if isinstance(error, TooLong):
            error = Refused("store_busy", f"that was not done within {PATIENCE:g} s; it may be done yet")
        if isinstance(error, Refused):
            return problem_of(request, error)
        return self.failed(request, failure)


def _segments(request: Any) -> list[str] | None:
    """The path below ours; C{None} if it is no text."""
    try:
        return [segment.decode() for segment in request.postpath]
    except UnicodeDecodeError:
        return None


def _body(request: Any, response: Any) -> bytes:
    request.setHeader(b"cache-control", b"no-store")
    if response is None:
        request.setResponseCode(204)
        return b""
    request.setHeader(b"content-type", JSON)
    return msgspec.json.encode(response)
