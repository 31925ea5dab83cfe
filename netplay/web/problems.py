"""Errors as problem details (RFC 9457), and pages that answer with nothing else when they refuse."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

import msgspec
from msgspec import Struct
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.http import NO_BODY_CODES
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from netplay.errors import Refused

PROBLEM = "application/problem+json"

STATUSES = {
    "bad_request": 400,
    "bad_json": 400,
    "no_host": 400,
    "bad_message": 422,  # as described, but a rule says no; what is not as described is found before, and is 400
    "not_allowed": 403,
    "banned": 403,
    "wrong_origin": 403,
    "too_large": 413,
    "unsupported_media_type": 415,
    "wrong_host": 421,
    "rate_limited": 429,
    "internal": 500,
    "server_full": 503,
    "shutting_down": 503,
    "store_busy": 503,
    "unavailable": 503,
}
"""What HTTP says, by the code of a refusal."""

RETRY_AFTER = 5
"""Seconds after which to ask again whoever is about to end or is busy."""


class Problem(Struct, omit_defaults=True, kw_only=True):
    """What was wrong (RFC 9457). `code` is for programs, `detail` for people, `field` the JSON path of the mistake."""

    title: str
    status: int
    code: str
    detail: str
    field: str | None = None


def status_of(code: str) -> int:
    """What HTTP says to a refusal with this code."""
    if code.startswith("no_such_"):
        return 404
    return STATUSES.get(code, 409)


def problem(
    request: Any,
    status: int,
    code: str,
    detail: str,
    *,
    field: str | None = None,
    headers: Mapping[bytes, bytes] = {},
) -> bytes:
    """Answer a request with a problem."""
    request.setResponseCode(status, HTTPStatus(status).phrase.encode())
    request.setHeader(b"content-type", PROBLEM.encode())
    request.setHeader(b"cache-control", b"no-store")
    if status == 503:
        request.setHeader(b"retry-after", b"%d" % RETRY_AFTER)
    for name, value in headers.items():
        request.setHeader(name, value)
    return problem_body(status, code, detail, field)


def problem_body(status: int, code: str, detail: str, field: str | None = None) -> bytes:
    """A problem as it is sent."""
    title = HTTPStatus(status).phrase
    return msgspec.json.encode(Problem(title=title, status=status, code=code, detail=detail, field=field))


def problem_of(request: Any, refused: Refused) -> bytes:
    """Answer a request with a refusal."""
    return problem(request, status_of(refused.code), refused.code, refused.message, field=refused.field)


def not_found(request: Any) -> bytes:
    """There is nothing there."""
    return problem(request, 404, "not_found", "there is nothing here")


def method_not_allowed(request: Any, allowed: list[str]) -> bytes:
    """There is something there, but not for this method."""
    names = ", ".join(sorted(allowed))
    return problem(request, 405, "not_allowed", f"here goes {names}", headers={b"allow": names.encode()})


def send(request: Any, body: bytes) -> None:
    """
    Send a whole answer. (What C{render} may return instead is warned of in the log, with the path in it, when the
    method is C{HEAD}, and gets a length where there must be none.)
    """
    if request.code not in NO_BODY_CODES:
        request.setHeader(b"content-length", b"%d" % len(body))
    request.write(body)
    request.finish()


class Answering(Resource):
    """A resource with nothing below it, whose own mistakes are problems too, and in the log."""

    isLeaf = True
    _log = Logger()

    def render(self, request: Any) -> Any:
        """Answer, whatever happens."""
        try:
            body = self.answer(request)
        except Refused as refused:
            body = problem_of(request, refused)
        except Exception:
            body = self.failed(request, Failure())
        if body is not NOT_DONE_YET:
            send(request, body)
        return NOT_DONE_YET

    def answer(self, request: Any) -> Any:
        """
        The body, or C{NOT_DONE_YET}.

        @raise Refused: becomes a problem.
        """
        raise NotImplementedError

    def failed(self, request: Any, failure: Failure) -> bytes:
        """Say a mistake of ours."""
        self._log.failure("while answering a request", failure)
        return problem(request, 500, "internal", "that went wrong here, not with you; it is in the log")


class ReadOnly(Answering):
    """Something to look at, and nothing else."""

    def answer(self, request: Any) -> bytes:
        """What there is to see, to those who ask for that."""
        if request.postpath:
            return not_found(request)
        if request.method not in (b"GET", b"HEAD"):
            return method_not_allowed(request, ["GET", "HEAD"])
        return self.shown(request)

    def shown(self, request: Any) -> bytes:
        """
        The body.

        @raise Refused: becomes a problem.
        """
        raise NotImplementedError


class Page(ReadOnly):
    """
    Something that is made anew for each request.

    @param show: from the request to the body and its content type.
    """

    def __init__(self, show: Callable[[Any], tuple[bytes, str]]) -> None:
        super().__init__()
        self._show = show

    def shown(self, request: Any) -> bytes:
        """As it is now."""
        body, content_type = self._show(request)
        request.setHeader(b"content-type", content_type.encode())
        request.setHeader(b"cache-control", b"no-store")
        return body


class Refusal(Answering):
    """
    The same problem whatever is asked.

    @param refused: which.
    """

    def __init__(self, refused: Refused) -> None:
        super().__init__()
        self._refused = refused

    def answer(self, request: Any) -> bytes:
        """Says so."""
        return problem_of(request, self._refused)


class Nothing(Answering):
    """Where there is nothing."""

    def answer(self, request: Any) -> bytes:
        """Says so."""
        return not_found(request)
