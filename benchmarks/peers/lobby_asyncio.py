"""
A game lobby written straightforwardly with asyncio streams: after every move the whole state goes to the room, with
json.dumps, write and drain. lobby_asyncio.py PORT
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

SEATS = 100


class Room:
    """Who is in it, and where."""

    def __init__(self, name: str) -> None:
        self.players: dict[str, asyncio.StreamWriter] = {}
        self.game_state: dict[str, Any] = {"type": "state", "room": name, "positions": {}, "scores": {}}

    def add_player(self, player_id: str, writer: asyncio.StreamWriter) -> None:
        self.players[player_id] = writer
        self.game_state["positions"][player_id] = {"x": 0, "y": 0}
        self.game_state["scores"][player_id] = 0

    def remove_player(self, player_id: str) -> None:
        del self.players[player_id]
        del self.game_state["positions"][player_id]
        del self.game_state["scores"][player_id]

    async def broadcast_game_state(self) -> None:
        message = json.dumps(self.game_state).encode() + b"\n"
        await asyncio.gather(*[self.send(writer, message) for writer in self.players.values()])

    async def send(self, writer: asyncio.StreamWriter, message: bytes) -> None:
        try:
            writer.write(message)
            await writer.drain()
        except ConnectionError:
            pass  # it is gone


class GameServer:
    """As many rooms as it takes."""

    def __init__(self) -> None:
        self.rooms: list[Room] = []
        self.player_counter = 0

    def room_with_a_seat(self) -> Room:
        for room in self.rooms:
            if len(room.players) < SEATS:
                return room
        room = Room(f"lobby-{len(self.rooms) + 1}" if self.rooms else "lobby")
        self.rooms.append(room)
        return room

    async def handle_client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.player_counter += 1
        player_id = f"Player_{self.player_counter}"
        room = self.room_with_a_seat()
        writer.write(json.dumps({**room.game_state, "you": {"id": player_id}}).encode() + b"\n")
        room.add_player(player_id, writer)
        await room.broadcast_game_state()
        try:
            while data := await reader.readline():
                action = json.loads(data)
                if action["type"] == "move":
                    position = room.game_state["positions"][player_id]
                    position["x"] += action.get("dx", 0)
                    position["y"] += action.get("dy", 0)
                elif action["type"] == "score":
                    room.game_state["scores"][player_id] += action["points"]
                await room.broadcast_game_state()
        except (ConnectionError, ValueError):
            pass
        finally:
            room.remove_player(player_id)
            writer.close()
            await room.broadcast_game_state()

    async def start(self, port: int) -> None:
        server = await asyncio.start_server(self.handle_client, "127.0.0.1", port, backlog=4096)
        async with server:
            await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(GameServer().start(int(sys.argv[1])))
