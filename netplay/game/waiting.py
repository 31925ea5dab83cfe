"""Those who wait for others of their strength to play with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from netplay.errors import Refused
from netplay.game.directory import Directory
from netplay.game.game import Game
from netplay.game.matchmaking import Queue

if TYPE_CHECKING:
    from netplay.game.session import GameSession


class Waiting:
    """
    A queue for each game. Those who are matched are led into a new room of their own.

    @param directory: where the rooms are.
    @param clock: the reactor.
    """

    def __init__(self, directory: Directory, clock: IReactorTime) -> None:
        self._directory = directory
        self._clock = clock
        self._queues: dict[str, Queue[GameSession]] = {}
        self._games: dict[GameSession, str] = {}
        self._next: IDelayedCall | None = None

    def add(self, session: GameSession, game: type[Game], rating: int) -> int:
        """
        Somebody waits for a game, and for no other any more.

        @return: how many do.
        @raise Refused: C{too_many}; C{not_allowed} for a game that is played alone.
        """
        least, most = game.players
        if most < 2:
            raise Refused("not_allowed", f"{game.name} is played alone; join it", "$.game")
        self.remove(session)
        queue = self._queues.get(game.name)
        if queue is None:
            queue = self._queues[game.name] = Queue(most, least=max(2, least))
        queue.add(session, rating, self._clock.seconds())
        self._games[session] = game.name
        # In a turn of its own: whoever is matched is told first that it waits.
        self._look_in(0)
        return len(queue)

    def remove(self, session: GameSession) -> bool:
        """Somebody waits no more. Returns whether it did."""
        name = self._games.pop(session, None)
        if name is None:
            return False
        queue = self._queues[name]
        queue.remove(session)
        if not len(queue):
            del self._queues[name]
        return True

    def close(self) -> None:
        """Nobody is matched any more."""
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def _look_in(self, seconds: float) -> None:
        self.close()
        self._next = self._clock.callLater(seconds, self._look)

    def _look(self) -> None:
        self._next = None
        now = self._clock.seconds()
        for name, queue in list(self._queues.items()):
            for group in queue.matches(now):
                self._seat(name, group)
            if not len(queue):
                del self._queues[name]
        looks = [look for queue in self._queues.values() if (look := queue.next_look(now)) is not None]
        if looks:
            self._look_in(max(0.0, min(looks)))

    def _seat(self, name: str, group: list[GameSession]) -> None:
        for session in group:
            del self._games[session]
        try:
            live = self._directory.open(self._directory.game(name), private=True)
        except Refused as refused:
            for session in group:
                session.refused(refused)
            return
        for session in group:
            session.matched(live)
        self._directory.discard(live)
