"""Games as a feature of the daemon."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from typing import Protocol as Shape

from twisted.application.service import Service
from twisted.plugin import IPlugin, getPlugins
from twisted.python.usage import UsageError
from zope.interface import implementer

import netplay.plugins
from netplay.clients import Client
from netplay.core import Core
from netplay.errors import Refused
from netplay.game.bots import filled
from netplay.game.directory import Directory
from netplay.game.game import Game
from netplay.game.games.arena.bots import Brain
from netplay.game.games.arena.game import Arena
from netplay.game.leaderboards import Leaderboards
from netplay.game.live import LiveRoom
from netplay.game.loading import LoadError, load, together
from netplay.game.lobby import Lobby
from netplay.game.messages import EVENTS, ROOM_REQUESTS, Join, Message
from netplay.game.operations import operations
from netplay.game.protocol import GameFactory
from netplay.game.recording import Recorder
from netplay.game.reloading import Reloading
from netplay.game.session import GameSession
from netplay.game.waiting import Waiting
from netplay.interfaces import IDescribed, IFeature, IGame, IMessageService, IOperated
from netplay.messages import Request
from netplay.operations import Operation
from netplay.options import absolute, existing, flag, number, repeated
from netplay.people import People
from netplay.ticklimit import TickLimit


def installed() -> dict[str, type[Game]]:
    """The games that are installed, by name."""
    games: Iterable[Any] = getPlugins(IGame, netplay.plugins)
    return {game.name: game for game in games}


class Beside(Shape):
    """Something that runs beside the rooms."""

    def start(self) -> None:
        """From now on."""

    def stop(self) -> None:
        """Until now."""


@implementer(IMessageService, IOperated, IDescribed)
class GameService(Service):
    """
    All game rooms of one daemon.

    @param games: what can be played, by name.
    @param state_rate: states a second in one room, at most.
    @param tick_limit: seconds that a game may take at once.
    @ivar beside: what runs as long as this does.
    """

    events = EVENTS

    def __init__(self, core: Core, games: dict[str, type[Game]], state_rate: float, tick_limit: float) -> None:
        self.core = core
        self.factory = GameFactory(core, "game", self)
        self.people = People("Player")
        self.games = games
        self.limit = TickLimit(tick_limit)
        self.directory = Directory(games, core, self.limit, state_rate)
        self.leaderboards = Leaderboards(core)
        self.directory.opened.append(self.leaderboards.follow)
        self.lobby = Lobby(self.directory)
        self.waiting = Waiting(self.directory, core.clock)
        self.operations: Sequence[Operation] = operations(self)
        self.beside: list[Beside] = []

    @property
    def requests(self) -> Sequence[type[Request] | type[Message]]:
        """What players send, in whatever game."""
        own = [message for game in self.games.values() for message in game.messages]
        return tuple(dict.fromkeys((*ROOM_REQUESTS, *own)))

    def startService(self) -> None:
        """From now on no game can stop the daemon."""
        super().startService()
        self.limit.install()
        for one in self.beside:
            one.start()

    def stopService(self) -> None:
        """All rooms end."""
        super().stopService()
        for one in self.beside:
            one.stop()
        self.waiting.close()
        self.directory.stop()
        self.limit.restore()

    def connected(self, client: Client) -> GameSession:
        """Someone comes to play."""
        return GameSession(client, self)

    def target(self, message: Join) -> LiveRoom:
        """
        The room that somebody wants to join, which may be new.

        @raise Refused: C{no_such_room}, C{no_such_game}, C{bad_message}, C{name_taken}, C{too_many}.
        """
        directory = self.directory
        if message.code is not None:
            return directory.coded(message.code)
        if message.create:
            if message.room is not None and Lobby.is_one(message.room):
                raise Refused("bad_message", "rooms of that name are for everyone; take another", "$.room")
            game = directory.game(message.game)
            return directory.open(game, message.room, password=message.password, private=message.private)
        if message.room is not None:
            return directory.named(message.room)
        if message.game is None:
            raise Refused("bad_message", "which room? Say its name as room, its code, or a game", "$.room")
        game = directory.game(message.game)
        return self.lobby.find() if game is directory.game(self.lobby.GAME) else directory.quick(game)


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
        number("tick-limit", 0.25, "Seconds after which a game that does not return is interrupted", 0.001, 60.0,
               zero="never"),
        number("arena-bots", 0, "Fill the arena with bots up to so many players while somebody plays", 1, 25,
               zero="no bots"),
        repeated("load", "A Python file with a game to be played", partial(existing, "--load", "file", Path.is_file)),
        flag("dev", "Look whether files of --load change, and let their rooms go on with the changed code"),
        ["record", None, None, "Write all that happens in rooms into files in this directory, for `netplay replay`",
         absolute],
        number("record-limit", 2**26, "Bytes of the recording of one room, at most", 1024, 2**40),
    ]  # fmt: skip

    def build(self, options: Mapping[str, Any], core: Core) -> GameService:
        """
        With the games that are installed, and those that are loaded.

        @raise UsageError: a file to be loaded is no game, or nothing can be recorded where it should be.
        """
        try:
            games = together(installed().values(), [game for path in options["load"] for game in load(path)])
        except LoadError as error:
            raise UsageError(f"--load: {error}") from None
        service = GameService(core, games, options["state-rate"], options["tick-limit"])
        if options["dev"]:
            reloading = Reloading(core.clock, options["load"], games, service.directory, service.limit)
            service.beside.append(reloading)
        if options["record"]:
            try:
                options["record"].mkdir(exist_ok=True)
            except OSError as error:
                raise UsageError(
                    f"--record {options['record']}: {error.strerror}; name a directory to write to"
                ) from None
            recorder = Recorder(core, options["record"], options["record-limit"])
            service.directory.opened.append(recorder.record)
            service.beside.append(recorder)
        if options["arena-bots"]:
            service.directory.opened.append(filled(Arena, core, options["arena-bots"], Brain))
        return service
