"""Games as a feature of the daemon."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from twisted.application.service import Service
from twisted.plugin import IPlugin, getPlugins
from zope.interface import implementer

import netplay.plugins
from netplay.clients import Client
from netplay.core import Core
from netplay.game.lobby import Lobby
from netplay.game.messages import EVENTS
from netplay.game.operations import operations
from netplay.game.protocol import GameFactory
from netplay.game.session import GameSession
from netplay.interfaces import IDescribed, IFeature, IGame, IMessageService, IOperated
from netplay.messages import COMMON, Request
from netplay.operations import Operation
from netplay.options import number
from netplay.people import People
from netplay.wire.grammar import Grammar

LOBBY_GAME = "sandbox"


@implementer(IMessageService, IOperated, IDescribed)
class GameService(Service):
    """
    All game rooms of one daemon.

    @param state_rate: states a second in one room, at most.
    """

    events = EVENTS

    def __init__(self, core: Core, state_rate: float) -> None:
        self.core = core
        self.factory = GameFactory(core, "game", self)
        self.people = People("Player")
        self.games: dict[str, IGame] = {game.name: game for game in getPlugins(IGame, netplay.plugins)}
        self.lobby = Lobby(self.games[LOBBY_GAME], core, state_rate)
        self.operations: Sequence[Operation] = operations(self)
        self._grammars: dict[str, Grammar] = {}

    @property
    def requests(self) -> Sequence[type[Request]]:
        """What players send, in whatever game."""
        return tuple(dict.fromkeys(message for game in self.games.values() for message in game.messages))

    def stopService(self) -> None:
        """No more states."""
        super().stopService()
        self.lobby.close()

    def connected(self, client: Client) -> GameSession:
        """Someone comes to play."""
        return GameSession(client, self)

    def grammar(self, game: IGame) -> Grammar:
        """What players of a game may send."""
        grammar = self._grammars.get(game.name)
        if grammar is None:
            grammar = self._grammars[game.name] = Grammar((*game.messages, *COMMON))
        return grammar


@implementer(IPlugin, IFeature)
class GameFeature:
    """Games as the daemon finds them."""

    name = "game"
    summary = "game rooms, JSON with or without newlines"
    port = 5555
    order = 30
    greeting = '{"type": "move", "dx": 1, "dy": 2}'
    frame_type = 17
    parameters: list[list[Any]] = [
        number("state-rate", 20, "States a second that one game room sends, at most", 0.1, 1000.0),
    ]

    def build(self, options: Mapping[str, Any], core: Core) -> GameService:
        """With C{--state-rate}."""
        return GameService(core, options["state-rate"])
