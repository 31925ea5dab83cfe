"""
A relay for games that their clients compute themselves, each from the same inputs.

Time is cut into frames. What a player does is meant for a frame that lies a little ahead, so that it has reached
everyone when they come to it; a frame is passed on when everybody's input for it is there. That is how Age of Empires
did it (Bettner & Terrano, I{1500 Archers on a 28.8: Network Programming in Age of Empires and Beyond}, GDC 2001), but
for one thing: nobody is waited for longer than a deadline, as the server and not the slowest player says when a frame
is complete.
"""

from __future__ import annotations

from collections import Counter
from typing import Annotated

from msgspec import Meta

from netplay.game import Data, Entity, Game, Message, Player, Timer
from netplay.messages import MAX_INTEGER

AHEAD = 64
"""Frames for which inputs are taken before the next one is complete."""

KEPT = 1000
"""Frames that somebody who was away can ask for."""

PAGE = 16
"""Frames in one answer."""

CHECKING = 1.0
"""Seconds from the first hash of a frame until those that have come are compared."""

N = Annotated[int, Meta(ge=0, lt=MAX_INTEGER, examples=[4])]
Small = Annotated[int, Meta(ge=-(2**31), lt=2**31)]
Input = Annotated[str, Meta(max_length=256)] | Annotated[list[Small], Meta(max_length=32)] | None


class Frame(Message):
    """What you do in the frame `n`: a string, some whole numbers, or nothing."""

    n: N
    input: Input


class Missed(Message):
    """Tell me the frames from `n` on again, as many as fit into one event."""

    n: N


class Check(Message):
    """After the frame `n` the state that I have computed has this `hash`."""

    n: N
    hash: Annotated[str, Meta(max_length=64, examples=["c0ffee"])]


class Done(Message):
    """By what I have computed the round is over, with this `result`."""

    result: Annotated[str, Meta(max_length=256, examples=["red wins"])]


class Terms(Entity):
    """
    What all clients begin with.

    @ivar seed: of their chance; C{None} before the round.
    @ivar order: the players, for whatever has to be done in the same order everywhere.
    @ivar rate: frames a second, if nobody is late.
    @ivar delay: in the frame n a client sends its input for n + delay. Nothing happens in the frames before the first
        that can be reached like this: the first frame that is passed on has this number.
    @ivar deadline: seconds from the first input for a frame until it is passed on without those that are missing.
    """

    seed: int | None = None
    order: tuple[str, ...] = ()
    rate: int = 0
    delay: int = 0
    deadline: float = 0


class Seat(Data):
    """
    What is known of a player.

    @ivar ahead: its inputs for frames that are not complete.
    @ivar prompt: the frame from which on it is waited for; C{None} if it was late, until it sends something in time.
    @ivar result: how the round ended, as it sees it.
    @ivar strayed: whether all have been told that it has computed something else than the others.
    """

    ahead: dict[int, Input] = {}
    prompt: int | None = 0
    result: str | None = None
    strayed: bool = False


class Lockstep(Game):
    """
    A relay: clients compute the game, each from the same inputs.

    @cvar rate: see L{Terms}, as for C{delay} and C{deadline}.
    """

    name, api, players = "lockstep", 1, (2, 8)
    messages, seat = [Frame, Missed, Check, Done], Seat
    tick_rate = 100  # nothing happens at each tick: they only measure the deadline
    send_rate = 1  # there are only the terms to see
    join_in = False
    rate, delay, deadline = 20, 4, 0.25

    def setup(self) -> None:
        """C{frames} are those that were passed on, the newest of them; C{coming} is the number of the next one."""
        self.terms = self.add(Terms(rate=self.rate, delay=self.delay, deadline=self.deadline), id="terms")
        self.frames: dict[int, dict[str, Input]] = {}
        self.coming = self.delay
        self.late: Timer | None = None
        self.hashes: dict[int, dict[str, str]] = {}

    def start(self) -> None:
        self.terms.seed = self.random.getrandbits(32)
        self.terms.order = tuple(player.id for player in self.seated)

    def away(self, player: Player) -> None:
        player.seat.prompt = None
        if self.playing:
            self.pass_on()

    def left(self, player: Player) -> None:
        if self.playing:
            self.pass_on()
            self.look_for_the_end()

    # Frames

    def on_frame(self, player: Player, message: Frame) -> None:
        seat, n = player.seat, message.n
        if n < self.coming:
            self.refuse(f"that is too late: the next frame is {self.coming}", "$.n")
        if n >= self.coming + AHEAD:
            self.refuse(f"that is too early: the next frame is {self.coming}, send at most {AHEAD} ahead", "$.n")
        if n in seat.ahead:
            self.refuse("you have sent your input for that frame", "$.n")
        seat.ahead[n] = message.input
        if seat.prompt is None:
            seat.prompt = n
        self.pass_on()

    def pass_on(self) -> None:
        """All frames that are complete. The next one may take no longer than the deadline."""
        while self.has_begun and all(self.coming in p.seat.ahead for p in self.seated if self.is_prompt(p)):
            self.complete()
        if self.late is None and self.has_begun:
            self.late = self.after(self.deadline, self.wait_no_longer)

    @property
    def has_begun(self) -> bool:
        """Whether there is an input for the next frame."""
        return any(self.coming in player.seat.ahead for player in self.seated)

    def is_prompt(self, player: Player) -> bool:
        """Whether its input for the next frame is waited for."""
        prompt = player.seat.prompt
        return prompt is not None and prompt <= self.coming

    def complete(self) -> None:
        """The next frame is passed on, with nothing from those who are late."""
        n = self.coming
        frame = {player.id: player.seat.ahead.pop(n, None) for player in self.seated}
        self.frames[n] = frame
        self.frames.pop(n - KEPT, None)
        self.coming += 1
        if self.late is not None:
            self.cancel(self.late)
            self.late = None
        self.event("frame", n=n, inputs=frame)

    def wait_no_longer(self) -> None:
        """Whoever has not sent its input is not waited for, until it sends one in time again."""
        for player in self.seated:
            if self.is_prompt(player) and self.coming not in player.seat.ahead:
                player.seat.prompt = None
        self.late = None
        self.pass_on()

    def on_missed(self, player: Player, message: Missed) -> None:
        first = next(iter(self.frames), self.coming)
        if not first <= message.n <= self.coming:
            self.refuse(f"there are the frames from {first} to {self.coming - 1}", "$.n")
        frames = [self.frames[n] for n in range(message.n, min(message.n + PAGE, self.coming))]
        self.event("frames", to=player, n=message.n, frames=frames, next=self.coming)

    # Whether all have computed the same

    def on_check(self, player: Player, message: Check) -> None:
        if message.n not in self.frames:
            self.refuse(f"the newest frame is {self.coming - 1}, of the last {KEPT} the hash is taken", "$.n")
        if message.n not in self.hashes:
            self.hashes[message.n] = {}
            self.after(CHECKING, self.compare, message.n)
        self.hashes[message.n][player.id] = message.hash

    def compare(self, n: int) -> None:
        """Whoever does not have what most have is told of; all, if as many have one thing as another."""
        hashes = self.hashes.pop(n)
        counts = Counter(hashes.values()).most_common(2)
        right = counts[0][0] if len(counts) == 1 or counts[0][1] > counts[1][1] else None
        strayed = [p for p in self.seated if p.id in hashes and hashes[p.id] != right and not p.seat.strayed]
        for player in strayed:
            player.seat.strayed = True
        if strayed:
            self.event("desync", n=n, players=[player.id for player in strayed])

    # The end

    def on_done(self, player: Player, message: Done) -> None:
        player.seat.result = message.result
        self.look_for_the_end()

    def look_for_the_end(self) -> None:
        """The round is over when everyone says so."""
        results = {player.id: player.seat.result for player in self.seated}
        if results and None not in results.values():
            self.over(results=results)
