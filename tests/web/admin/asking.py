"""A daemon without a reactor whose keepers ask it something over HTTP."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from netplay.core import Phase
from netplay.web.admin.feature import AdminFeature, AdminService
from tests.features import House, Peer, options_of

TOKEN = "a-token-that-nobody-guesses"


@dataclass
class Answer:
    """One answer: names of headers in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """What it says."""
        return json.loads(self.body)


class AdminCase(SynchronousTestCase):
    """
    A house that runs, with an endpoint for its keepers.

    @cvar token: C{None} for a daemon without one.
    """

    token: str | None = TOKEN

    def setUp(self) -> None:
        self.house = self.make_house()
        self.core = self.house.core
        for service in (self.house.chat, self.house.game, self.house.ticker):
            self.core.operations.extend(service.operations)
        self.core.phase = Phase.RUNNING
        self.admin = AdminService({**options_of(AdminFeature), "api-token": self.token}, self.core)
        self.admin.startService()

    def make_house(self) -> House:
        return House()

    def visit(self) -> Peer:
        """A connection of a keeper."""
        return Peer(self.house, self.admin.factory)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """
        One request, with the token unless C{headers} have another.

        @param body: is sent as JSON; bytes as they are.
        """
        keeper = self.visit()
        self.send(keeper, method, path, body, **headers)
        return answer(keeper.read())

    def send(self, keeper: Peer, method: str, path: str, body: Any = None, **headers: str) -> None:
        """The same on a connection that is there."""
        fields = {"Host": "localhost", "Authorization": f"Bearer {self.token}", **headers}
        content = b""
        if body is not None:
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            fields = {"Content-Type": "application/json", "Content-Length": str(len(content)), **fields}
        lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items())
        keeper.write(f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode() + content)

    def get(self, path: str, **headers: str) -> Answer:
        """What comes of a GET."""
        return self.ask("GET", path, **headers)

    def assert_problem(self, answered: Answer, status: int, code: str, field: str | None = None) -> None:
        """An error as RFC 9457 has it."""
        self.assertEqual(answered.headers["content-type"], "application/problem+json")
        said = answered.json
        self.assertEqual((answered.status, said["status"], said["code"]), (status, status, code), said)
        self.assertEqual(said.get("field"), field)
        self.assertTrue(said["detail"])
        self.assertTrue(said["title"])


def answer(data: bytes) -> Answer:
    """The one answer that came."""
    head, _, body = data.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    return Answer(int(status.split()[1]), {name.lower(): value for name, value in headers.items()}, body)
