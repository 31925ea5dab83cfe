"""Those who see a room: each is told the state as it asked for, and what several see alike is encoded once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from netplay.game.changes import View
from netplay.game.messages import State
from netplay.game.room import Room
from netplay.game.sync import Stream
from netplay.outbox import Fanout
from netplay.totals import Totals
from netplay.wire.codecs import Wire

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

    __slots__ = (
        "_groups",
        "_now",
        "_rate",
        "_room",
        "_sends",
        "_totals",
        "_viewers",
        "unseen",
    )

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
        Somebody sees the room from now on, everything at first. The others are told what changed before that, but only
        once from one state of the room to the next: they do not get more for those who come and go.

        @param change: how many changes there were.
        """
        viewer = self._viewer(client, player, change)
        group = self._group(1)
        if group.hurried:
            client.send(self.preview(client, player))
            group.add(viewer)
        else:
            group.hurried = True
            self._settle(viewer, group)

    def admit_knowing(self, client: Client, player: str, change: int) -> None:
        """Somebody sees the room from now on that was told everything up to that change already."""
        self._group(1).add(self._viewer(client, player, change))

    def leave(self, client: Client) -> None:
        """Somebody sees it no more, if it did."""
        viewer = self._viewers.pop(client, None)
        if viewer is not None:
            client.channels.remove(self)
            client.forget(STATE)
            self._unsettle(viewer)

    def rewire(self, client: Client, before: Wire) -> None:
        """Somebody is reached by another wire than before."""
        group = self._viewers[client].group
        if group is not None:
            group.close_lanes()

    def sync(self, client: Client, *, deltas: bool, max_rate: float | None) -> None:
        """A client is told everything once more, and from then on what it asks for."""
        viewer = self._viewers[client]
        every = 1
        while max_rate is not None and every * max_rate < self._rate:
            every *= 2
        self._unsettle(viewer)
        client.forget(STATE)
        viewer.deltas = deltas
        self._settle(viewer, self._group(every))

    def preview(self, client: Client, player: str | None) -> State:
        """Everything that a player may see just now, for one who is not told of changes yet."""
        group = _Group(1, self)
        group.send(always=False)
        return group.state(Viewer(client, player))

    def _viewer(self, client: Client, player: str | None, knows: int) -> Viewer:
        viewer = self._viewers[client] = Viewer(client, player)
        viewer.knows = knows
        client.channels.append(self)
        return viewer

    def _settle(self, viewer: Viewer, group: _Group) -> None:
        group.send(always=False)
        group.add(viewer)
        viewer.client.send(group.state(viewer))

    def _unsettle(self, viewer: Viewer) -> None:
        group = viewer.group
        if group is not None:  # what it was to be shown could be shown to nobody
            group.remove(viewer)
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
                group.hurried = False
                group.send(change, always=always)
        return left

    def forget(self) -> None:
        """The world is another than it was: next they are told everything."""
        for group in self._groups.values():
            group.forget()


class _Lane:
    """Viewers who are always sent the same bytes."""

    __slots__ = ("fanout", "viewers")

    def __init__(self) -> None:
        self.fanout = Fanout()
        self.viewers: list[Viewer] = []


class _Group:
    """
    Viewers with the same rate: they know the same, as far as they may.

    @ivar hurried: they were told something before its time, since somebody came.
    """

    __slots__ = ("_audience", "_lanes", "_stream", "every", "hurried", "viewers")

    def __init__(self, every: int, audience: Audience) -> None:
        self.every = every
        self.hurried = False
        self.viewers: dict[Viewer, None] = {}
        self._audience = audience
        self._lanes: dict[tuple[Wire, bool], _Lane] | None = None  # by wire and whether they get deltas
        self._stream: Stream
        self.forget()

    def add(self, viewer: Viewer) -> None:
        viewer.group = self
        self.viewers[viewer] = None
        self.close_lanes()

    def remove(self, viewer: Viewer) -> None:
        viewer.group = None
        del self.viewers[viewer]
        self.close_lanes()

    def forget(self) -> None:
        room = self._audience._room
        self._stream = Stream(room.name, room.game)
        self.close_lanes()

    def send(self, change: int = -1, *, always: bool) -> None:
        """Tell each of them what it may know and does not yet; who lags gets all of it when it has caught up."""
        audience = self._audience
        room = audience._room
        stream = self._stream
        changes = stream.take(room.world, room.acks, audience._now(), audience.unseen)
        if not (changes or always):
            return
        frames: dict[Any, bytes] = {}
        if not stream.uniform or changes.refresh:
            self._tell(self.viewers, frames, change, whole=changes.refresh)
        elif self._lanes is None:
            self._tell(self.viewers, frames, change)
            self._open_lanes()
        else:
            for (wire, deltas), lane in self._lanes.items():
                if lane.fanout.open:
                    frame = frames[wire, deltas] = self._encoded(View(), View(), wire, not deltas, deltas)
                    if frame:
                        lane.fanout.write(frame)
                        audience._totals.delivered += len(lane.viewers)
                else:
                    self._tell(lane.viewers, frames, change)
        audience._totals.published += len(frames)

    def _tell(self, viewers: Iterable[Viewer], frames: dict[Any, bytes], change: int, *, whole: bool = False) -> None:
        """
        One by one.

        @param frames: what others were sent, by what it depends on.
        @param whole: whether all are to be told everything.
        """
        stream = self._stream
        uniform = stream.uniform
        delivered = 0
        for viewer in viewers:
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
            deltas = viewer.deltas
            all_of_it = whole or not deltas
            before = now = viewer.view
            key: Any = (wire, deltas)
            if not uniform:
                now = viewer.view = self._view(viewer)
                key = (wire, deltas, stream.company(now) if all_of_it else stream.group(before, now))
            frame = frames.get(key)
            if frame is None:
                frame = frames[key] = self._encoded(before, now, wire, all_of_it, deltas)
            if frame:
                outbox.write(frame)
                delivered += 1
        self._audience._totals.delivered += delivered

    def _encoded(self, before: View, now: View, wire: Wire, whole: bool, deltas: bool) -> bytes:
        """What is told to who saw the one and sees the other; nothing if there is nothing to tell."""
        codec = wire.codec
        if whole:
            return wire.encode(self._stream.state(now, codec, deltas=deltas))
        delta = self._stream.delta(before, now, codec)
        return b"" if delta is None else wire.encode(delta)

    def _open_lanes(self) -> None:
        self._lanes = {}
        for viewer in self.viewers:
            key = (viewer.client.wire, viewer.deltas)
            lane = self._lanes.get(key)
            if lane is None:
                lane = self._lanes[key] = _Lane()
            lane.viewers.append(viewer)
            lane.fanout.add(viewer.client.outbox)

    def close_lanes(self) -> None:
        """Somebody came or went, or is reached in another way."""
        lanes, self._lanes = self._lanes, None
        for lane in lanes.values() if lanes is not None else ():
            for outbox in lane.fanout:
                lane.fanout.remove(outbox)

    def state(self, viewer: Viewer) -> State:
        """Everything that a viewer may know; from now on it does."""
        viewer.view = self._view(viewer)
        return self._stream.state(viewer.view, viewer.client.wire.codec, deltas=viewer.deltas)

    def _view(self, viewer: Viewer) -> View:
        seat = self._audience._room.seats.get(viewer.player or "")
        return View() if seat is None else self._stream.view(seat, viewer.view)
