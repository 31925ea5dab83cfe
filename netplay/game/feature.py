"""Games as a feature of the daemon."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twisted.application.service import Service
from twisted.plugin import IPlugin, getPlugins
from zope.interface import implementer

import netplay.plugins
from netplay.clients import Client
from netplay.core import Core
from netplay.game.lobby import Lobby
from netplay.game.protocol import GameFactory
from netplay.game.session import GameSession
from netplay.interfaces import IFeature, IGame, IMessageService
from netplay.messages import COMMON
from netplay.options import number
from netplay.people import People
from netplay.wire.grammar import Grammar

LOBBY_GAME = "sandbox"


@implementer(IMessageService)
class GameService(Service):
    """
    All game rooms of one daemon.

    @param state_rate: states a second in one room, at most.
    """

    def __init__(self, core: Core, state_rate: float) -> None:
        self.core = core
        self.factory = GameFactory(core, "game", self)
        self.people = People("Player")
        games = {game.name: game for game in getPlugins(IGame, netplay.plugins)}
        self.lobby = Lobby(games[LOBBY_GAME], core, state_rate)
        self._grammars: dict[str, Grammar] = {}

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
