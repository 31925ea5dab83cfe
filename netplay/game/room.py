"""One room: who has which seat, what it is about, and the game in it. A plain object, moved by calls alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from netplay.errors import Refused
from netplay.game.game import Game
from netplay.game.players import Player
from netplay.game.scene import Phase, Scene
from netplay.game.timers import Timers

AWAY = 30.0
"""Seconds that a seat is kept for a player whose connection was lost."""


class Room:
    """
    A deterministic state machine: made with the same seed and called in the same way, it comes to the same states, bit
    for bit. It knows no clock: L{advance} moves its time, which is counted in ticks.

    What a hook of the game raises comes out of the call that ran it; the room is of no use after that.

    @param name: what the room is called.
    @param game: what is played in it.
    @param seed: where chance begins.
    @ivar world: the round that is being prepared or played.
    @ivar acks: by player the C{seq} of the newest input that has taken effect.
    @ivar changed: something of the roster is not as it was; whoever tells it resets this.
    @ivar journal: called with the name and the arguments of each call that moves the room.
    """

    __slots__ = (
        "_again_at",
        "_away",
        "_called",
        "_starts_at",
        "acks",
        "changed",
        "game",
        "journal",
        "name",
        "scene",
        "seed",
        "world",
    )

    def __init__(self, name: str, game: type[Game], seed: int) -> None:
        self.name = name
        self.game = game
        self.seed = seed
        self.scene = Scene(game.tick_rate, Random(seed))
        self.acks: dict[str, int] = {}
        self.changed = True
        self.journal: Callable[..., object] = _unrecorded
        self._away: dict[str, int] = {}  # player -> the tick at which the seat is given up
        self._starts_at: int | None = None
        self._again_at: int | None = None
        self._called = False  # by the host: the round starts, whoever is ready
        self.world: Game = self._prepared()

    # What is asked of it

    @property
    def seats(self) -> dict[str, Player]:
        """The players by id, in the order in which they came."""
        return self.scene.seats

    @property
    def phase(self) -> Phase:
        """What the room is about."""
        return self.scene.phase

    @property
    def free(self) -> int:
        """Seats that somebody could take now."""
        if self.phase is Phase.PLAYING and not self.game.join_in:
            return 0
        return self.game.players[1] - len(self.seats)

    @property
    def starts_in(self) -> float | None:
        """Seconds until the round starts, while they are counted."""
        return None if self._starts_at is None else (self._starts_at - self.scene.ticks) / self.scene.rate

    @property
    def next_due(self) -> int | None:
        """The tick at which something happens by itself, C{None} if nothing will."""
        scene = self.scene
        if self.game.ticking and scene.phase is Phase.PLAYING:
            return scene.ticks + 1
        timer = None if scene.phase is Phase.OVER else scene.timers.next_due
        dues = [due for due in (self._starts_at, self._again_at, timer, *self._away.values()) if due is not None]
        return min(dues, default=None)

    # Coming and going

    def join(
        self,
        id: str,
        name: str,
        team: str | None = None,
        *,
        bot: bool = False,
        kept: Mapping[str, Any] | None = None,
    ) -> Player:
        """
        Somebody takes a seat.

        @param team: which it would like; otherwise one of the smallest.
        @param kept: fields that its entity is to have, if it was here before.
        @raise Refused: C{room_full}, C{wrong_phase}, C{bad_message} for a team that there is not, C{not_allowed} for
            one that has too many.
        """
        if self.phase is Phase.PLAYING and not self.game.join_in:
            raise Refused("wrong_phase", "the round has begun; watch it with spectate, or join another room")
        if self.free <= 0:
            raise Refused("room_full", f"all {self.game.players[1]} seats are taken")
        player = Player(id, name, self._team(team, None), bot=bot)
        self.journal("join", id, name, team, bot=bot, kept=kept)
        self.changed = True
        self.seats[id] = player
        self._settled(player)
        for field, value in (kept or {}).items():
            setattr(player.entity, field, value)
        self._choose_host()
        self._look()
        return player

    def leave(self, id: str) -> None:
        """A player gives up the seat."""
        self.journal("leave", id)
        self._leave(id)

    def _leave(self, id: str) -> None:
        player = self.seats.pop(id)
        self.changed = True
        self._away.pop(id, None)
        self.acks.pop(id, None)
        self._choose_host()
        self._tell(self.world.left, player)
        for entity in [entity for entity in self.world.entities.values() if entity.owner is player]:
            self.world.remove(entity)
        self._look()

    def rename(self, id: str, name: str) -> None:
        """A player is called that from now on."""
        self.journal("rename", id, name)
        self.seats[id].name = name
        self.changed = True

    def drop(self, id: str) -> None:
        """A player's connection is lost: the seat is kept for it L{AWAY} seconds."""
        self.journal("drop", id)
        player = self.seats[id]
        player.away = self.changed = True
        self._away[id] = self.scene.ticks + round(AWAY * self.scene.rate)
        self._choose_host()
        self._tell(self.world.away, player)
        self._look()

    def back(self, id: str) -> None:
        """A player who was away is there again."""
        self.journal("back", id)
        player = self.seats[id]
        player.away = False
        self.changed = True
        del self._away[id]
        self._choose_host()
        self._tell(self.world.back, player)
        self._look()

    # What players do

    def ready(self, id: str, ready: bool) -> None:
        """
        A player is ready for the round, or is not.

        @raise Refused: C{wrong_phase}.
        """
        self._before_the_round()
        self.journal("ready", id, ready)
        self.seats[id].ready = ready
        self.changed = True
        self._look()

    def choose(self, id: str, team: str) -> None:
        """
        A player changes to another team.

        @raise Refused: C{wrong_phase}; C{bad_message} for a team that there is not; C{not_allowed} for one that has
            too many.
        """
        self._before_the_round()
        player = self.seats[id]
        team = self._team(team, player) or ""
        self.journal("choose", id, team)
        player.team = team
        self.changed = True
        self._look()

    def call(self, id: str) -> None:
        """
        The host starts the round without waiting for those who are not ready.

        @raise Refused: C{wrong_phase}, C{not_allowed}.
        """
        self._before_the_round()
        player = self.seats[id]
        if player is not self.scene.host:
            raise Refused("not_allowed", "only the host starts a round; say that you are ready with ready")
        if self._present() < self.game.players[0]:
            raise Refused("not_allowed", f"it takes {self.game.players[0]} players")
        self.journal("call", id)
        self._called = True
        self._look()

    def act(self, id: str, message: Any) -> None:
        """
        A player sends something to the game.

        @param message: one of the game's C{messages}; its C{seq}, if it has one, is acknowledged.
        @raise Refused: C{wrong_phase}, or what the game says.
        """
        if self.scene.phase is not Phase.PLAYING:
            raise Refused("wrong_phase", "the round has not begun, or is over")
        if self.journal is not _unrecorded:  # asked first: players hold and let go all the time
            self.journal("act", id, message)
        seq = getattr(message, "seq", None)
        if seq is not None:
            self.acks[id] = seq
        self.world.act(self.scene.seats[id], message)
        if self.scene.result is not None:
            self._look()

    # Time

    def advance(self, ticks: int = 1) -> None:
        """Let time pass: what is due happens, and a game that ticks does so."""
        self.journal("advance", ticks)
        scene = self.scene
        end = scene.ticks + ticks
        while scene.ticks < end:
            due = self.next_due
            if due is None or due > end:
                scene.ticks = end
                return
            scene.ticks = max(due, scene.ticks)
            self._happen()

    def _happen(self) -> None:
        """What is due at this tick."""
        scene = self.scene
        now = scene.ticks
        if self._away:
            for id in [id for id, until in self._away.items() if until <= now]:
                self._leave(id)
        if self._starts_at is not None and self._starts_at <= now:
            self._start()
        if self._again_at is not None and self._again_at <= now:
            self._again()
        while scene.phase is not Phase.OVER and (timer := scene.timers.take(now)) is not None:
            self._tell(getattr(self.world, timer.method), *timer.arguments)
            self._look()
        if scene.phase is Phase.PLAYING and self.game.ticking:
            self._tell(self.world.tick, 1 / scene.rate)
            if scene.result is not None:
                self._look()

    def _tell(self, hook: Callable[..., object], *arguments: Any) -> None:
        """
        The game is told of what happens.

        @raise RuntimeError: it refuses that, but nobody has asked it for anything.
        """
        try:
            hook(*arguments)
        except Refused as refused:
            raise RuntimeError("only what a player sends can be refused: within on_..., not in others") from refused

    # Rounds

    def _prepared(self) -> Game:
        self.scene.timers = Timers()
        world = self.game(self.scene)
        self._tell(world.setup)
        return world

    def _settled(self, player: Player) -> None:
        player.seat = self.game.seat()
        player.entity = None
        self._tell(self.world.joined, player)

    def _start(self) -> None:
        self._starts_at = None
        self.scene.phase = Phase.PLAYING
        self.changed = True
        self._tell(self.world.start)
        self._look()

    def _over(self) -> None:
        self.scene.phase = Phase.OVER
        self._again_at = self.scene.ticks + max(1, round(self.game.rest * self.scene.rate))
        self.changed = True

    def _again(self) -> None:
        """Everybody stays for another round."""
        scene = self.scene
        self._again_at = None
        self._called = False
        scene.result = None
        scene.phase = Phase.WAITING
        self.changed = True
        self.acks.clear()
        self.world = self._prepared()
        for player in scene.seats.values():
            player.ready = player.bot
            self._settled(player)
        self._look()

    def _look(self) -> None:
        """The phase follows from who is there and what they say."""
        scene = self.scene
        if scene.phase is Phase.PLAYING and scene.result is not None:
            self._over()
        elif scene.phase is Phase.PLAYING and not scene.seats:
            self._again()
        elif scene.phase is Phase.WAITING and self._may_start():
            scene.phase = Phase.COUNTDOWN
            self.changed = True
            self._starts_at = scene.ticks + round(self.game.countdown * scene.rate)
            if not self.game.countdown:
                self._start()
        elif scene.phase is Phase.COUNTDOWN and not self._may_start():
            scene.phase = Phase.WAITING
            self.changed = True
            self._starts_at = None
            self._called = False

    def _may_start(self) -> bool:
        if self._present() < self.game.players[0]:
            return False
        if self._called or self.game.starts == "at once":
            return True
        if self.game.starts == "full":
            return len(self.seats) == self.game.players[1]
        return all(player.ready for player in self.seats.values() if not player.away)

    def _present(self) -> int:
        return sum(not player.away for player in self.seats.values())

    def _before_the_round(self) -> None:
        if self.phase not in (Phase.WAITING, Phase.COUNTDOWN):
            raise Refused("wrong_phase", "not while a round is played; wait for the next one")

    # Teams and the host

    def _team(self, wanted: str | None, player: Player | None) -> str | None:
        """
        The team for a player, who is in none yet if C{None}.

        @raise Refused: C{bad_message}, C{not_allowed}.
        """
        teams = self.game.teams
        if wanted is None:
            return min(teams, key=lambda team: self._size(team, player)) if teams else None
        if wanted not in teams:
            there_are = f"there are {', '.join(teams)}" if teams else "this game has no teams"
            raise Refused("bad_message", f"no such team; {there_are}", "$.team")
        sizes = {team: self._size(team, player) for team in teams}
        if sizes[wanted] > min(sizes.values()):
            raise Refused("not_allowed", f"{wanted} has more players than another team; take that", "$.team")
        return wanted

    def _size(self, team: str, without: Player | None) -> int:
        return sum(player.team == team and player is not without for player in self.seats.values())

    def _choose_host(self) -> None:
        """Whoever it is while it is there, then whoever came first of those who are; people before bots."""
        host = self.scene.host
        if host is None or host.id not in self.seats or host.away or host.bot:
            self.scene.host = min(self.seats.values(), key=lambda player: (player.bot, player.away), default=None)


def _unrecorded(*call: Any, **more: Any) -> None:
    """A room that nobody records."""
