"""Rooms as clients see them: small games, and a daemon in which they can be played."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from netplay.game import Entity, Game, Message, Owner, Player
from tests.accounts.keeper import Keeper
from tests.features import House, LineClient


class Go(Message):
    """Go on by C{dx}."""

    dx: float


class Tell(Message):
    """Tell everyone, or one."""

    to: str | None = None


class Walker(Entity):
    """A player, with a card that it alone sees."""

    x: float = 0
    score: int = 0
    card: Owner[int] = 0


class Walk(Game):
    """Go where you like."""

    name, api, players = "walk", 1, (1, 4)
    starts, countdown = "at once", 0
    messages = [Go, Tell]

    def joined(self, player: Player) -> None:
        player.entity = self.add(Walker(card=len(self.seated)), owner=player)

    def on_go(self, player: Player, message: Go) -> None:
        if message.dx < 0:
            self.refuse("there is no way back", "$.dx")
        player.entity.x += message.dx
        if player.entity.x >= 10:
            self.over(winner=player.id)

    def on_tell(self, player: Player, message: Tell) -> None:
        to = next((other for other in self.seated if other.id == message.to), None)
        self.event("told", to=to, by=player.id)


class Run(Walk):
    """The same twenty times a second, with states ten times a second."""

    name = "run"
    send_rate = 10

    def tick(self, dt: float) -> None:
        pass


class Race(Run):
    """Who comes first wins: two to four in two teams, once all are ready."""

    name, players = "race", (2, 4)
    starts, countdown = "ready", 3
    teams = ("red", "blue")


class Closed(Walk):
    """Nobody joins what has begun, and nobody watches."""

    name, players = "closed", (1, 2)
    join_in = spectators = False


class RoomsTestCase(SynchronousTestCase):
    """Ann and Bob are in the lobby of a daemon with these games."""

    games: tuple[type[Game], ...] = (Walk, Run, Race, Closed)

    def setUp(self) -> None:
        self.house = House(accounts={"checkers": [Keeper()]})
        self.house.game.games.update({game.name: game for game in self.games})
        self.ann, self.bob = self.house.connect("game"), self.house.connect("game")
        self.house.wait(1)
        self.ann.received()
        self.bob.received()

    def join(self, client: LineClient, **where: Any) -> dict[str, Any]:
        """Join a room; the answer. Whatever else came was read."""
        answer = client.ask("join", **where)
        self.assertEqual(answer["type"], "seated", answer)
        self.house.wait(0.5)
        client.received()
        return answer

    def back(self, client: LineClient) -> tuple[LineClient, dict[str, Any]]:
        """Who dropped comes again and resumes; its connection, and the answer."""
        again = self.house.connect("game")
        resumed = again.ask("resume", session=client.hello["session"])
        again.hello = client.hello
        return again, resumed

    def names(self) -> list[str]:
        """Of all rooms there are."""
        return [live.name for live in self.house.game.directory]

    def refused(self, answer: dict[str, Any]) -> tuple[str, str | None]:
        """Code and field of an error."""
        self.assertEqual(answer["type"], "error", answer)
        return answer["code"], answer.get("field")
