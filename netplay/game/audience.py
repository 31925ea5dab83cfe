"""Those who see a room: each is told the state as it asked for, and what several see alike is encoded once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from netplay.game.changes import View
from netplay.game.messages import State
from netplay.game.room import Room
from netplay.game.sync import Stream
from netplay.totals import Totals

if TYPE_CHECKING:
    from netplay.clients import Client

STATE = "state"
"""The key under which a state waits for a client that lags."""


class Viewer:
    """
    One client that sees a room.

    @ivar player: as whom, C{None} for those who only watch.
    @ivar deltas: whether it is told what changed, not everything each time.
    @ivar knows: the change of the room that it was told of already, in some other way.
    @ivar view: what it saw when it was told something last.
    """

    __slots__ = ("client", "deltas", "group", "knows", "player", "view")

    def __init__(self, client: Client, player: str | None) -> None:
        self.client = client
        self.player = player
        self.deltas = False
        self.knows = -1
        self.view = View()
        self.group: _Group | None = None


class Audience:
    """
    The viewers of one room.

    Those who want fewer states are told every second, fourth, eighth... one. Few different rates, since what changed is
    found for each of them.

    @param room: what they see.
    @param rate: states a second, at most.
    @param now: tells the time, in milliseconds since 1970.
    @param totals: where it is counted what is published and delivered.
    @ivar unseen: a player of whom nobody is told yet.
    """

    def __init__(self, room: Room, rate: float, now: Callable[[], int], totals: Totals) -> None:
        self.unseen: str | None = None
        self._room = room
        self._rate = rate
        self._now = now
        self._totals = totals
        self._groups: dict[int, _Group] = {}
        self._viewers: dict[Client, Viewer] = {}
        self._sends = 0

    def __len__(self) -> int:
        return len(self._viewers)

    def __iter__(self) -> Iterator[Viewer]:
        return iter(list(self._viewers.values()))

    # Coming and going

    def admit(self, client: Client, player: str | None, change: int) -> None:
        """
        Somebody sees the room from now on, everything at first. The others are told what changed before that.

        @param change: how many changes there were.
        """
        viewer = self._viewers[client] = Viewer(client, player)
        viewer.knows = change
        self._settle(viewer, 1)

    def admit_knowing(self, client: Client, player: str, change: int) -> None:
        """Somebody sees the room from now on that was told everything up to that change already."""
        viewer = self._viewers[client] = Viewer(client, player)
        viewer.knows = change
        self._group(1).add(viewer)

    def remove(self, client: Client) -> None:
        """Somebody sees it no more, if it did."""
        viewer = self._viewers.pop(client, None)
        if viewer is not None:
            client.forget(STATE)
            self._unsettle(viewer)

    def sync(self, client: Client, *, deltas: bool, max_rate: float | None) -> None:
        """A client is told everything once more, and from then on what it asks for."""
        viewer = self._viewers[client]
        every = 1
        while max_rate is not None and every * max_rate < self._rate:
            every *= 2
        self._unsettle(viewer)
        client.forget(STATE)
        viewer.deltas = deltas
        self._settle(viewer, every)

    def preview(self, client: Client, player: str) -> State:
        """Everything that a player may see just now, for one who is not told of changes yet."""
        group = _Group(1, self)
        group.send(always=False)
        return group.state(Viewer(client, player))

    def _settle(self, viewer: Viewer, every: int) -> None:
        group = self._group(every)
        group.send(always=False)
        group.add(viewer)
        viewer.client.send(group.state(viewer))

    def _unsettle(self, viewer: Viewer) -> None:
        group, viewer.group = viewer.group, None
        if group is not None:  # what it was to be shown could be shown to nobody
            del group.viewers[viewer]
            if not group.viewers:
                del self._groups[group.every]

    def _group(self, every: int) -> _Group:
        group = self._groups.get(every)
        if group is None:
            group = self._groups[every] = _Group(every, self)
        return group

    # Telling

    def tell(self, change: int = -1, *, always: bool = False) -> bool:
        """
        Tell what changed to those whose turn it is.

        @param change: how many changes there were; who knows of this one is left out.
        @param always: whether those who get whole states get one even if it is as it was.
        @return: whether it was not the turn of some.
        """
        self._sends += 1
        left = False
        for group in list(self._groups.values()):
            if self._sends % group.every:
                left = True
            else:
                group.send(change, always=always)
        return left

    def forget(self) -> None:
        """The world is another than it was: next they are told everything."""
        for group in self._groups.values():
            group.forget()


class _Group:
    """Viewers with the same rate: they know the same, as far as they may."""

    __slots__ = ("_audience", "_stream", "every", "viewers")

    def __init__(self, every: int, audience: Audience) -> None:
        self.every = every
        self.viewers: dict[Viewer, None] = {}
        self._audience = audience
        self._stream: Stream
        self.forget()

    def add(self, viewer: Viewer) -> None:
        viewer.group = self
        self.viewers[viewer] = None

    def forget(self) -> None:
        room = self._audience._room
        self._stream = Stream(room.name, room.game)

    def send(self, change: int = -1, *, always: bool) -> None:
        """Tell each of them what it may know and does not yet; who lags gets all of it when it has caught up."""
        audience = self._audience
        room = audience._room
        stream = self._stream
        changes = stream.take(room.world, room.acks, audience._now(), audience.unseen)
        if not (changes or always):
            return
        refresh = changes.refresh
        uniform = stream.uniform
        frames: dict[Any, bytes] = {}
        delivered = 0
        for viewer in self.viewers:
            client = viewer.client
            if viewer.knows >= 0:
                known, viewer.knows = viewer.knows, -1
                if known == change:
                    viewer.view = self._view(viewer)
                    continue
            outbox = client.outbox
            if not outbox.clear:
                client.offer(STATE, lambda viewer=viewer: self.state(viewer))  # type: ignore[misc]
                continue
            wire = client.wire
            whole = refresh or not viewer.deltas
            before = now = viewer.view
            key: Any = (wire, whole, viewer.deltas)
            if not uniform:
                now = viewer.view = self._view(viewer)
                key = (wire, stream.company(now) if whole else stream.group(before, now), whole, viewer.deltas)
            frame = frames.get(key)
            if frame is None:
                codec = wire.codec
                message = stream.state(now, codec, deltas=viewer.deltas) if whole else stream.delta(before, now, codec)
                frame = frames[key] = wire.encode(message) if message is not None else b""
            if frame:
                outbox.write(frame)
                delivered += 1
        audience._totals.published += len(frames)
        audience._totals.delivered += delivered

    def state(self, viewer: Viewer) -> State:
        """Everything that a viewer may know; from now on it does."""
        viewer.view = self._view(viewer)
        return self._stream.state(viewer.view, viewer.client.wire.codec, deltas=viewer.deltas)

    def _view(self, viewer: Viewer) -> View:
        seat = self._audience._room.seats.get(viewer.player or "")
        return View() if seat is None else self._stream.view(seat, viewer.view)
