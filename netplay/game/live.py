"""A room in a running daemon: the room's time is the clock's, and who is in it is told what happens."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn, ParamSpec, TypeVar

from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from netplay.core import Core
from netplay.errors import Refused
from netplay.game.audience import Audience
from netplay.game.game import Game
from netplay.game.messages import Roster, State
from netplay.game.occupants import Occupant
from netplay.game.players import Player
from netplay.game.room import Room
from netplay.game.roster import Rosters, roster_of
from netplay.game.scene import Phase, Record
from netplay.game.takingup import take_up
from netplay.game.talk import Talk
from netplay.people import Person
from netplay.steps import Steps
from netplay.ticklimit import TickLimit

if TYPE_CHECKING:
    from netplay.clients import Client

P = ParamSpec("P")
T = TypeVar("T")


class LiveRoom:
    """
    One room at work. What goes wrong in its game ends it, and it alone.

    A game that ticks does so by L{Steps} while a round is played. Otherwise time passes when something is due or
    asked for, and a change is told at once, further ones at most as often as the game sends states.

    @param room: the rules.
    @param limit: how long the game may take at once.
    @param rate: states a second, at most.
    @param ended: called when it is no more.
    @ivar code: by which it can be found.
    @ivar password: what it takes to come in, if anything.
    @ivar private: whether only who knows the code finds it.
    @ivar permanent: whether it stays when nobody is in it.
    @ivar reached: called with the game and the scores of a round when it is over.
    """

    __slots__ = (
        "__weakref__",
        "_alarm",
        "_audience",
        "_beating",
        "_change",
        "_core",
        "_due",
        "_ended",
        "_interval",
        "_limit",
        "_newcomer",
        "_occupants",
        "_origin",
        "_pace",
        "_password",
        "_per_state",
        "_rosters",
        "_sending",
        "_sent",
        "_spectators",
        "_steps",
        "_talk",
        "closed",
        "code",
        "permanent",
        "private",
        "reached",
        "room",
    )

    _log = Logger()

    def __init__(
        self,
        room: Room,
        core: Core,
        limit: TickLimit,
        rate: float,
        ended: Callable[[LiveRoom], object],
        *,
        code: str,
        password: str | None = None,
        private: bool = False,
        permanent: bool = False,
    ) -> None:
        self.room = room
        self.code = code
        self.private = private
        self.permanent = permanent
        self.closed = False
        self._password = password
        self._core = core
        self._limit = limit
        self._ended = ended
        self._pace = core.totals.pace("game")
        self._occupants: dict[str, Occupant] = {}  # players who are connected
        self._spectators: dict[Client, Occupant] = {}
        self._audience = Audience(room, rate, core.now, core.totals)
        self._talk = Talk(room.name, core)
        self.reached: Callable[[type[Game], Sequence[Record]], object] = _uncounted
        # Time
        clock = core.clock
        self._origin = clock.seconds()  # when the room's time was 0, while it does not beat
        self._beating = False
        self._steps = Steps(
            clock, 1 / room.game.tick_rate, self._step, self._crashed, self._pace, what=f"room {room.name}"
        )
        self._per_state = max(1, round(room.game.tick_rate / rate))
        self._alarm: IDelayedCall | None = None  # the next thing that is due by itself
        self._interval = 1 / rate
        self._sent = clock.seconds() - self._interval
        self._due = 0.0
        self._sending: IDelayedCall | None = None
        self._change = 0
        self._rosters = Rosters(clock, room, self._talk.channel, self._roster)
        self._newcomer: Callable[[], object] | None = None

    # Who may come in

    @property
    def name(self) -> str:
        """What it is called."""
        return self.room.name

    @property
    def locked(self) -> bool:
        """Whether it takes a password."""
        return self._password is not None

    @property
    def deserted(self) -> bool:
        """Whether all who play are away."""
        return not self.permanent and all(player.away or player.bot for player in self.room.seats.values())

    def check(self, password: str | None) -> None:
        """
        Whether somebody may come in.

        @raise Refused: C{bad_password}.
        """
        if self._password is not None and not secrets.compare_digest(
            (password or "").encode(errors="replace"), self._password.encode(errors="replace")
        ):
            raise Refused("bad_password", "this room takes a password; say the right one", "$.password")

    # Coming and going

    def seat(
        self,
        person: Person,
        team: str | None = None,
        *,
        kept: dict[str, Any] | None = None,
    ) -> Player:
        """
        Take a seat for somebody. Nobody is told before it comes in by L{enter} or is seen by L{reveal}.

        @param kept: what it was when it was here before.
        @raise Refused: as L{Room.join} does; C{room_crashed}.
        """
        player = self._do(self.room.join, person.id, person.name, team, kept=kept, silent=True)
        player.account = _account(person)
        return player

    def rename(self, person: Person) -> None:
        """Somebody who may have a seat here has another name."""
        player = self.room.seats.get(person.id)
        if player is not None:
            player.account = _account(person)
            with suppress(Refused):  # it crashed, which everyone here is told
                self._do(self.room.rename, person.id, person.name)

    def seat_bot(self, id: str, name: str) -> None:
        """
        Take a seat for a program, which acts and leaves as players do.

        @raise Refused: as for L{seat}.
        """
        self._do(self.room.join, id, name, bot=True)

    def enter(self, occupant: Occupant, player: str) -> None:
        """A player is here: it is told the state, what has happened as it came, and all else from now on."""
        self._occupants[player] = occupant
        if self._beating:
            occupant.client.may_wait(True)
        else:
            self._changed()
        self._caught(self._audience.admit, occupant.client, player, self._change)
        self.hear(occupant.client)
        self._caught(self._tell_said)

    def watch(self, occupant: Occupant) -> None:
        """Somebody watches."""
        self._spectators[occupant.client] = occupant
        self.room.changed = True
        self._caught(self._audience.admit, occupant.client, None, self._change)
        self.hear(occupant.client)
        self._rosters.look()

    def hear(self, client: Client) -> None:
        """A client is told what is said and happens, and who is here."""
        if self._talk.channel not in client.channels:
            self._talk.channel.join(client)
            self.room.changed = True
            self._rosters.look()

    def leave(self, player: str, *, unseen: bool = False) -> None:
        """A player gives up the seat."""
        self._disconnect(player)
        if not self.closed and player in self.room.seats:
            with suppress(Refused):  # it crashed, and who leaves need not be told
                self._do(self.room.leave, player, silent=unseen)
            self._end_if_empty()

    def drop(self, player: str) -> None:
        """A player's connection is lost."""
        self._disconnect(player)
        if not self.closed:
            with suppress(Refused):
                self._do(self.room.drop, player)

    def back(self, occupant: Occupant, player: str) -> None:
        """A player is here again, and told as by L{enter}."""
        self._occupants[player] = occupant
        self._do(self.room.back, player)
        self.enter(occupant, player)

    def keeps(self, player: str) -> bool:
        """Whether there is a seat for one who lost the connection."""
        with suppress(Refused):  # it crashed, and keeps none
            self._catch_up()
        return not self.closed and player in self.room.seats

    def unwatch(self, client: Client) -> None:
        """Somebody watches no more."""
        del self._spectators[client]
        self._quiet(client)
        if not self.closed:
            self.room.changed = True
            self._rosters.look()

    # Newcomers of the lobby, who may turn out to be somebody who was here before

    def preview(self, client: Client, player: str, reveal: Callable[[], object]) -> tuple[State, int]:
        """
        What one sees who has a seat, and which nobody is told of before L{reveal}. Who came earlier is now seen.

        @param reveal: called when it is to be seen because somebody else comes.
        @return: everything, and a number for L{reveal}.
        """
        earlier, self._newcomer = self._newcomer, reveal
        if earlier is not None:
            earlier()
        self._newcomer = reveal
        state = self._caught(self._audience.preview, client, player)
        self._audience.unseen = player
        return state, self._change

    def reveal(self, occupant: Occupant, player: str, knows: int) -> None:
        """
        From now on the others see it, and it sees what they do.

        @param knows: what L{preview} said. If nothing happened since, it knows all there is.
        """
        self._newcomer = None
        if self._audience.unseen == player:
            self._audience.unseen = None
        up_to_date = knows == self._change
        self._changed()
        self._occupants[player] = occupant
        self._audience.admit_knowing(occupant.client, player, self._change if up_to_date else knows)

    def bring_up_to_date(self, client: Client) -> None:
        """Tell one client now what is to be told in a moment."""
        if self._sending is not None:
            self._caught(self._audience.sync, client, deltas=False, max_rate=None)

    # What players do

    def act(self, player: str, message: Any) -> None:
        """Something for the game."""
        if not self._beating:
            self._do(self.room.act, player, message)
            return
        # As guarded does, without its layers: players hold and let go all the time.
        try:
            self._limit.call(self.room.act, player, message)
        except Refused:
            raise
        except BaseException:
            self._crash()
        if self.room.scene.phase is not Phase.PLAYING:
            self._after()

    def ready(self, player: str, ready: bool) -> None:
        """See L{Room.ready}."""
        self._do(self.room.ready, player, ready)

    def choose(self, player: str, team: str) -> None:
        """See L{Room.choose}."""
        self._do(self.room.choose, player, team)

    def call(self, player: str) -> None:
        """See L{Room.call}."""
        self._do(self.room.call, player)

    def say(self, person: Person, text: str) -> None:
        """Say something to everyone in the room."""
        self._talk.say(person, text)

    def sync(self, client: Client, *, deltas: bool, max_rate: float | None) -> None:
        """How a client is told the state from now on."""
        self._caught(self._audience.sync, client, deltas=deltas, max_rate=max_rate)

    def take_up(self, game: type[Game]) -> None:
        """
        Go on with changed code: everyone is told everything.

        @raise Exception: it does not fit, and the room goes on as it was.
        """
        self._catch_up()
        take_up(self.room, game)
        self.room.changed = True
        self._audience.forget()
        self._after()

    # The end

    def stop(self) -> None:
        """Nothing happens any more, and nobody is told anything."""
        self.closed = True
        self._steps.stop()
        self._rosters.stop()
        for call in (self._alarm, self._sending):
            if call is not None and call.active():
                call.cancel()

    def close(self, code: str, message: str) -> None:
        """The room is no more; whoever is in it is told why."""
        if self.closed:
            return
        self.stop()
        self._ended(self)  # first: nobody is to be led into it again
        for occupant in [*self._occupants.values(), *self._spectators.values()]:
            self._quiet(occupant.client)
            occupant.room_ended(code, message)
        self._occupants.clear()
        self._spectators.clear()

    def _crash(self) -> NoReturn:
        """What was called just now went wrong."""
        self._crashed(Failure())
        raise Refused("room_crashed", "the game went wrong, and the room is closed") from None

    def _crashed(self, failure: Failure) -> None:
        self._log.failure(
            "the game {game} failed in room {room} at tick {tick}: the room is closed",
            failure,
            game=self.room.game.name,
            room=self.name,
            tick=self.room.scene.ticks,
        )
        self.close("room_crashed", f"the game went wrong in {self.name}, and the room is closed; it is in the log")

    def _end_if_empty(self) -> None:
        if not self.permanent and not self.closed and all(player.bot for player in self.room.seats.values()):
            self.close("no_such_room", f"nobody plays in {self.name} any more, and the room is closed")

    def _disconnect(self, player: str) -> None:
        occupant = self._occupants.pop(player, None)
        if self._audience.unseen == player:
            self._audience.unseen = self._newcomer = None
        if occupant is not None:
            self._quiet(occupant.client)

    def _quiet(self, client: Client) -> None:
        client.may_wait(False)
        self._audience.leave(client)
        if self._talk.channel in client.channels:
            self._talk.channel.leave(client)

    # What the game does, within its limits

    def guarded(self, f: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """
        Call what calls the game, within its limit. Nothing but the room may be moved by it: it may be interrupted
        anywhere.

        @raise Refused: C{room_crashed}, or what the game refuses.
        """
        result: T = self._caught(self._limit.call, partial(f, *args, **kwargs))
        return result

    def _caught(self, f: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """
        Call what may go wrong with what the game has made.

        @raise Refused: C{room_crashed}, or what is refused.
        """
        try:
            return f(*args, **kwargs)
        except Refused:
            raise
        except BaseException:
            self._crash()

    def _do(self, f: Callable[..., T], *args: Any, silent: bool = False, **kwargs: Any) -> T:
        """
        Something happens to the room that may change everything about it.

        @param silent: nobody is to be told just now.
        @raise Refused: as L{guarded} does.
        """
        self._catch_up()
        if self.closed:
            raise Refused("room_crashed", f"{self.name} is closed")
        result = self.guarded(f, *args, **kwargs)
        if silent:
            self._follow()
        else:
            self._after()
        return result

    def _after(self) -> None:
        """Tell what came of it, and see what is next."""
        self._caught(self._tell_said)
        self._rosters.look()
        self._follow()
        if not self._beating:
            self._changed()

    # Time

    def _catch_up(self) -> None:
        """Without a beat, time passes when somebody looks."""
        if not self._beating and not self.closed:
            rate = self.room.scene.rate
            passed = int((self._core.clock.seconds() - self._origin) * rate + 0.001) - self.room.scene.ticks
            if passed > 0:
                self.guarded(self.room.advance, passed)

    def _follow(self) -> None:
        """Beat while the game ticks, otherwise wait for what is due."""
        if self.closed:
            return
        room = self.room
        clock = self._core.clock
        beating = room.game.ticking and room.phase is Phase.PLAYING
        if beating != self._beating:
            self._beating = beating
            for occupant in self._occupants.values():
                occupant.client.may_wait(beating)
            if beating:
                self._steps.start()
            else:
                self._steps.stop()
                self._origin = clock.seconds() - room.scene.ticks / room.scene.rate
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if not beating and (due := room.next_due) is not None:
            wait = self._origin + due / room.scene.rate - clock.seconds()
            self._alarm = clock.callLater(max(0.0, wait), self._due_now)

    def _due_now(self) -> None:
        self._alarm = None
        try:
            self._catch_up()
            self._after()
        except Refused:
            return  # it crashed, which is told
        self._end_if_empty()

    def _step(self) -> None:
        """One tick of a round."""
        room = self.room
        try:
            self._limit.call(room.advance)
        except (SystemExit, KeyboardInterrupt):  # a game does not end the daemon; signals have handlers of their own
            self._crashed(Failure())
            return
        if room.scene.said or room.scene.result is not None:
            self._tell_said()
        if not room.scene.ticks % self._per_state:
            self._talk.channel.flush()
            self._audience.tell()
        if room.changed:
            self._rosters.look()
            self._end_if_empty()
        if room.phase is not Phase.PLAYING:
            self._follow()
            self._changed()

    # Telling

    def _changed(self) -> None:
        """Tell the state: at the end of this turn at the earliest, with all that the turn brings."""
        self._change += 1
        if self._sending is None and not self.closed:
            clock = self._core.clock
            now = clock.seconds()
            self._due = max(now, self._sent + self._interval)
            self._sending = clock.callLater(self._due - now, self._send)

    def _send(self) -> None:
        self._sending = None
        if self._beating:
            return  # the next step tells
        clock = self._core.clock
        self._sent = clock.seconds()
        self._pace.late.observe(self._sent - self._due)
        self._talk.channel.flush()
        try:
            self._catch_up()
            left = self._caught(self._audience.tell, self._change, always=self.room.game.brief)
        except Refused:
            return
        self._pace.duration.observe(clock.seconds() - self._sent)
        if left:
            self._changed()

    def _tell_said(self) -> None:
        records = self._talk.tell(self.room.scene, self._occupants)
        if records:
            self.reached(self.room.game, records)

    def _roster(self) -> Roster:
        """
        Who is here now.

        @raise Refused: it crashed, which is told.
        """
        self._catch_up()
        return roster_of(self.room, self._occupants, len(self._spectators), self._core.now())


def _account(person: Person) -> str | None:
    return None if person.account is None else person.account.name


def _uncounted(game: type[Game], records: Sequence[Record]) -> None:
    """A room whose scores go nowhere."""
