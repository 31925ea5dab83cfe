"""What can go wrong for a program that is a client."""

from __future__ import annotations

from typing import Any


class ClientError(Exception):
    """Any of these."""


class ServerError(ClientError):
    """
    The server did not grant a request, or ends the connection.

    @param error: the C{error} message.
    @ivar code: what it was, from the table of the protocol's page.
    @ivar field: the JSON path of the field that was wrong, if it was one.
    @ivar message: what was wrong and what would be right.
    @ivar fatal: whether the connection ended with it.
    @ivar retry_after: seconds after which the same would be taken, if the server said so.
    """

    def __init__(self, error: dict[str, Any]) -> None:
        self.error = error
        self.code = str(error.get("code", "internal"))
        self.field: str | None = error.get("field")
        self.message = str(error.get("message", ""))
        self.fatal = error.get("fatal") is True
        self.retry_after: float | None = error.get("retry_after")
        super().__init__(f"{self.code}: {self.message}" + (f" ({self.field})" if self.field else ""))


class Disconnected(ClientError):
    """
    There is no connection, or it was lost before the answer came. Whether the request took effect is not known.
    """


class Closed(Disconnected):
    """The program itself has closed the client."""


class TooMuch(ClientError):
    """More waits than may wait: messages that were not read, requests that were not answered, bytes not taken."""


class WireError(ClientError):
    """What came is not what a netplay daemon says."""
