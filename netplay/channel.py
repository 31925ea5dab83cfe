"""
A group of clients that are sent the same: encoded once per wire, flushed once per turn of the reactor.

What is published within a turn is joined and written to each member in one go. Under load the cost of a message
falls towards nothing, and none waits for a timer.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from netplay.outbox import Fanout
from netplay.totals import Totals
from netplay.wire.codecs import Wire

if TYPE_CHECKING:
    from netplay.clients import Client
    from netplay.messages import Event


class Channel:
    """
    The members of one room, or whoever else hears the same.

    @param clock: the reactor, whose next turn flushes.
    @param totals: where it is counted what is published and delivered; the daemon's.
    """

    __slots__ = ("_clock", "_flushing", "_groups", "totals")

    _log = Logger()

    def __init__(self, clock: IReactorTime, totals: Totals | None = None) -> None:
        self._clock = clock
        self._groups: dict[Wire, _Group] = {}
        self._flushing = False
        self.totals = totals or Totals()

    def __len__(self) -> int:
        return sum(len(group.members) for group in self._groups.values())

    def join(self, client: Client) -> None:
        """From now on C{client} hears what is published. What was published before, it does not."""
        self.flush()
        self._add(client)
        client.channels.append(self)

    def leave(self, client: Client) -> None:
        """C{client} hears no more; it gets what was published up to now."""
        self.flush()
        client.channels.remove(self)
        self._remove(client, client.wire)

    def rewire(self, client: Client, before: Wire) -> None:
        """C{client} is reached by another wire than C{before} from now on."""
        self.flush()
        self._remove(client, before)
        self._add(client)

    def publish(self, message: Event, key: Hashable = None) -> None:
        """
        Send a message to all members at the end of this turn.

        @param key: if given, a newer message under it takes the place of this one: for everyone within a turn, and
            for those who lag until they have caught up. It is sent after what is published without a key.
        """
        self.totals.published += 1
        for wire, group in self._groups.items():
            frame = wire.encode(message)
            if key is None:
                group.frames.append(frame)
            else:
                group.latest[key] = frame
        if not self._flushing and self._groups:
            self._flushing = True
            self._clock.callLater(0, self._end_of_turn)

    def flush(self) -> None:
        """Send now what was published in this turn: before anything whose order matters."""
        if self._flushing:  # otherwise there was nothing
            self._send_all()

    def _end_of_turn(self) -> None:
        self._flushing = False
        began = self._clock.seconds()
        self._send_all()
        self.totals.flushes.observe(self._clock.seconds() - began)

    def _send_all(self) -> None:
        for group in list(self._groups.values()):
            if group.frames or group.latest:
                self._send(group)

    def _send(self, group: _Group) -> None:
        frames, group.frames = group.frames, []
        latest, group.latest = group.latest, {}
        self.totals.delivered += (len(frames) + len(latest)) * len(group.members)
        if not latest:
            group.members.write(frames[0] if len(frames) == 1 else b"".join(frames))
            return
        data = b"".join(frames)
        whole = data + b"".join(latest.values())
        for outbox in group.members:
            if outbox.clear:
                outbox.write(whole)
            else:
                if data:
                    outbox.write(data)
                for key, frame in latest.items():
                    outbox.offer(key, lambda frame=frame: frame)  # type: ignore[misc]

    def _add(self, client: Client) -> None:
        group = self._groups.get(client.wire)
        if group is None:
            group = self._groups[client.wire] = _Group()
        group.members.add(client.outbox)

    def _remove(self, client: Client, wire: Wire) -> None:
        group = self._groups[wire]
        group.members.remove(client.outbox)
        if not group.members:
            del self._groups[wire]


class _Group:
    """The members that one wire reaches, and what waits for the end of the turn."""

    __slots__ = ("frames", "latest", "members")

    def __init__(self) -> None:
        self.members = Fanout()
        self.frames: list[bytes] = []
        self.latest: dict[Hashable, bytes] = {}
