"""
Players of an arena, as cheap as they can be: they say what they hold, count what comes, and look at its first bytes.

Every server is played by the same code, but for how one comes in and how an input is written.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
from abc import ABC, abstractmethod
from base64 import b64encode
from typing import Any, Protocol

import msgspec
from load import Crowd, Failed

MASK = os.urandom(4)
BINARY, CLOSE, PING, PONG = 2, 8, 9, 10


class Framing(Protocol):
    """Where on a connection a message ends and the next one begins."""

    def split(self, data: bytes) -> list[bytes]:
        """The messages that are complete with these bytes."""

    def send(self, message: bytes) -> None:
        """One message."""


class Lines:
    """A line each, on TCP."""

    def __init__(self, client: socket.socket) -> None:
        self._client = client
        self._rest = b""

    def split(self, data: bytes) -> list[bytes]:
        *lines, self._rest = (self._rest + data).split(b"\n")
        return lines

    def send(self, message: bytes) -> None:
        self._client.send(message + b"\n")


class Frames:
    """A WebSocket frame each, which is how these servers send them. A ping is answered."""

    def __init__(self, client: socket.socket) -> None:
        self._client = client
        self._rest = b""

    def split(self, data: bytes) -> list[bytes]:
        data = self._rest + data
        messages = []
        start = 0
        while len(data) >= start + 2:
            size, begins = data[start + 1], start + 2
            if size >= 126:
                begins += 2 if size == 126 else 8
                size = int.from_bytes(data[start + 2 : begins])
            if len(data) < begins + size:
                break
            kind, message = data[start] & 15, data[begins : begins + size]
            start = begins + size
            if kind == PING:
                self._frame(PONG, message)
            elif kind == CLOSE:
                raise Failed(f"the server closed a connection: {message[2:].decode(errors='replace')}")
            else:
                messages.append(message)
        self._rest = data[start:]
        return messages

    def send(self, message: bytes) -> None:
        self._frame(BINARY, message)

    def _frame(self, kind: int, message: bytes) -> None:
        """Up to 125 bytes."""
        size = len(message)
        mask = int.from_bytes((MASK * (size // 4 + 1))[:size])
        masked = (int.from_bytes(message) ^ mask).to_bytes(size)
        self._client.send(bytes((128 | kind, 128 | size)) + MASK + masked)


class Player(ABC):
    """
    One connection.

    @ivar room: in which it has a seat, once it has.
    @ivar messages: how many came since L{forget}; C{size} is their bytes, those of the framing included.
    """

    room: str | None = None

    def __init__(self, framing: Framing) -> None:
        self._framing = framing
        self.forget()

    def forget(self) -> None:
        """Count from 0."""
        self.messages = self.size = 0

    def received(self, data: bytes) -> None:
        """What came, in pieces of any size."""
        self.size += len(data)
        for message in self._framing.split(data):
            self.messages += 1
            self._read(message)

    @abstractmethod
    def hold(self, right: int, down: int) -> None:
        """Walk somewhere from now on: each is -1, 0 or 1."""

    @abstractmethod
    def _read(self, message: bytes) -> None: ...


class NetplayPlayer(Player):
    """
    In a room of a game of netplay.

    @param codec: the module that encodes and decodes messages.
    @param mode: of C{sync}.
    """

    def __init__(self, framing: Framing, codec: Any, game: str, mode: str) -> None:
        super().__init__(framing)
        self._codec = codec
        self._seq = 0
        self._say(type="join", game=game)
        self._say(type="sync", mode=mode)

    def hold(self, right: int, down: int) -> None:
        self._seq += 1
        self._say(type="input", seq=self._seq, right=right > 0, left=right < 0, down=down > 0, up=down < 0)

    def _say(self, **message: object) -> None:
        self._framing.send(self._codec.encode(message))

    def _read(self, message: bytes) -> None:
        begins = message[:20]
        if b"seated" in begins:
            self.room = self._codec.decode(message)["room"]
        elif b"error" in begins:
            raise Failed(f"a player was told: {self._codec.decode(message)['message']}")


class ColyseusPlayer(Player):
    """
    In a room of Colyseus.

    @param room: in which a seat is reserved for this connection.
    """

    JOINED, ERROR, MESSAGE = 10, 11, 13
    """U{https://github.com/colyseus/colyseus/blob/master/packages/shared-types/src/Protocol.ts}"""

    def __init__(self, framing: Framing, room: str) -> None:
        super().__init__(framing)
        self._reserved = room
        self._seq = 0

    def hold(self, right: int, down: int) -> None:
        self._seq += 1
        message = {"seq": self._seq, "right": right, "down": down}
        packed = msgspec.msgpack.encode("input") + msgspec.msgpack.encode(message)
        self._framing.send(bytes((self.MESSAGE,)) + packed)

    def _read(self, message: bytes) -> None:
        if message[0] == self.JOINED:
            self._framing.send(bytes((self.JOINED,)))  # it wants that to be confirmed
            self.room = self._reserved
        elif message[0] == self.ERROR:
            raise Failed(f"a player was told: {message[1:]!r}")


# How one comes in


def json_player(crowd: Crowd, game: str, mode: str) -> Player:
    """In JSON, on TCP."""
    client, _ = crowd.connect()
    return _in(crowd, client, NetplayPlayer(Lines(client), msgspec.json, game, mode))


def msgpack_player(crowd: Crowd, game: str, mode: str) -> Player:
    """In MessagePack, on WebSocket."""
    client = _websocket(crowd, "/ws/game", "Sec-WebSocket-Protocol: netplay.msgpack\r\n")
    return _in(crowd, client, NetplayPlayer(Frames(client), msgspec.msgpack, game, mode))


def colyseus_player(crowd: Crowd, game: str) -> Player:
    """On WebSocket, with a seat that was reserved by HTTP."""
    web = http.client.HTTPConnection("127.0.0.1", crowd.port, timeout=30)
    web.request("POST", f"/matchmake/joinOrCreate/{game}", "{}", {"Content-Type": "application/json"})
    seat = json.loads(web.getresponse().read())
    web.close()
    if "roomId" not in seat:
        raise Failed(f"no seat: {seat}")
    client = _websocket(crowd, f"/{seat['processId']}/{seat['roomId']}?sessionId={seat['sessionId']}")
    return _in(crowd, client, ColyseusPlayer(Frames(client), seat["roomId"]))


def _in(crowd: Crowd, client: socket.socket, player: Player) -> Player:
    crowd.add(client, player)
    return player


def _websocket(crowd: Crowd, path: str, header: str = "") -> socket.socket:
    key = b64encode(os.urandom(16)).decode()
    request = (
        f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n{header}\r\n"
    )
    client, answer = crowd.connect(request.encode(), b"\r\n\r\n")
    if not answer.startswith(b"HTTP/1.1 101 "):
        raise Failed(f"no WebSocket: {answer.decode(errors='replace').splitlines()[0]}")
    return client
