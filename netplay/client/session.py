"""
What a client knows of its conversation with the server: who it is, what it has asked, and up to where it has heard
each room. It outlives connections, and knows nothing of them.

Nothing is missing and nothing comes twice: a room's messages are numbered, and a new connection begins with C{resume}
and the number of the last one that came. What was missed is handed on as if it had come live. Where some of it may be
missing, a message of type C{gap} says so, the only one that the server has not sent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any

from netplay.client.credentials import Credentials
from netplay.client.errors import ClientError, Disconnected, ServerError, TooMuch
from netplay.client.wires import Message

MOST_ASKED = 1000
"""Requests that wait for their answers."""

COME_BACK_AFTER = frozenset(
    {"shutting_down", "slow_consumer", "idle_timeout", "server_full", "rate_limited", "store_busy"}
)
"""Codes of errors that ended a connection, or with which a login was refused, after which a client may come back."""

MOST_MEANWHILE = 1000
"""Messages that may come while a login is checked."""

COME_BACK_AFTER_CLOSE = frozenset({1001, 1006, 4001, 4002, 4003})
"""The same for a WebSocket that was closed without one."""

TRACKED = frozenset({"join_room", "leave_room", "history"})
"""Types of requests whose answers matter to the session: they are always sent with a C{ref}."""

OUT_OF_ROOM = frozenset({
    ("leave_room", "ok"), ("join_room", "no_such_room"), ("join_room", "banned"), ("join_room", "not_allowed"),
})  # fmt: skip
"""Requests and what answers them when one is not in their room after that."""

PUT_OUT = frozenset({"removed", "room_deleted"})
"""Events that say that one is in a room no more."""

Answered = Callable[["Message | ClientError"], None]


@dataclass(slots=True)
class Position:
    """
    Up to where a room was heard.

    @ivar seq: C{None} when that is not known, as after a gap.
    @ivar gap: whether it was said that something is missing, since the connection is there.
    """

    epoch: str
    seq: int | None
    gap: bool = False


@dataclass(slots=True)
class _Asked:
    """
    A request that was sent.

    @ivar answered: is called with the answer; without it the answer is a message like any other.
    @ivar own: whether the C{ref} was made here, and nobody else is to see it.
    @ivar rejoins: whether somebody new takes its old place by it.
    """

    request: Message
    answered: Answered | None = None
    own: bool = True
    rejoins: bool = False


class Session:
    """
    @param credentials: who it is, for a server that does not know it from before; C{None} for a guest.
    @ivar you: C{id}, C{name} and C{guest}, as the server last said.
    @ivar limits: C{max_message} and so on, as the server last said.
    @ivar ready: whether requests can be sent.
    @ivar rooms: the rooms that it is in; the last one is the current.
    @ivar outgoing: messages to be sent, for the link to take.
    @ivar last_words: the error with which the server ended the connection, if it has said one.
    """

    def __init__(self, credentials: Credentials | None = None) -> None:
        self.you: Message | None = None
        self.limits: Message = {}
        self.ready = False
        self.rooms: dict[str, Position] = {}
        self.outgoing: list[Message] = []
        self.last_words: ServerError | None = None
        self._token: str | None = None
        self._refs = count(1)
        self._asked: dict[str | int, _Asked] = {}
        self._greeting: Message | None = None  # to be handed on once it is valid
        self._resuming: str | None = None  # the ref of what is to be answered first, while it is not
        self._credentials = credentials
        self._logging_in: str | None = None
        self._meanwhile: list[Message] = []  # came while a login was checked
        self._leaving: str | None = None
        self._heard = False
        self._pinged = False

    # What the program says

    @property
    def asking(self) -> bool:
        """Whether somebody waits for an answer."""
        return any(asked.answered not in (None, _ignored) for asked in self._asked.values())

    def send(self, message: Message, answered: Answered | None = None) -> str | int | None:
        """
        Say something.

        @param answered: is called, once, with the answer, with a L{ServerError} or with L{Disconnected}.
        @return: the C{ref} with which it is sent.
        @raise Disconnected: there is no connection.
        @raise TooMuch: L{MOST_ASKED} requests wait for their answers.
        @raise ValueError: an answer with the C{ref} of this one is waited for already.
        """
        if not self.ready:
            raise Disconnected("there is no connection just now")
        own = "ref" not in message
        if answered is None and message["type"] not in TRACKED:
            self.outgoing.append(message)
            return message.get("ref")
        if len(self._asked) >= MOST_ASKED:
            raise TooMuch(f"{MOST_ASKED} requests wait for their answers")
        asked = {**message, "ref": self._ref()} if own else message
        if asked["ref"] in self._asked:
            raise ValueError(
                f"an answer with the ref {asked['ref']!r} is waited for already; leave it out, or take another"
            )
        return self._ask(asked, _Asked(asked, answered, own))

    def unsay(self, ref: str | int | None) -> None:
        """It was not sent after all."""
        if ref is not None:
            self._asked.pop(ref, None)

    def forget(self, ref: str | int | None) -> None:
        """Nobody waits for this answer any more."""
        asked = self._asked.get(ref) if ref is not None else None
        if asked is not None:
            asked.answered = _ignored

    def give_up(self, reason: ClientError) -> None:
        """Whoever waits for an answer is told why none comes."""
        for asked in list(self._asked.values()):
            if asked.answered is not None:
                answered, asked.answered = asked.answered, _ignored
                answered(reason)

    # What the server says

    def opened(self) -> None:
        """There is a new connection."""
        self.last_words = None
        self._heard, self._pinged = True, False
        if self._token is not None:
            since = {
                room: {"epoch": position.epoch, "seq": position.seq}
                for room, position in self.rooms.items()
                if position.seq is not None
            }
            self._resuming = self._ref()
            self.outgoing.append({"type": "resume", "session": self._token, "since": since, "ref": self._resuming})

    def lost(self) -> None:
        """The connection is gone."""
        self.ready = False
        self.outgoing.clear()
        self._greeting = self._resuming = self._logging_in = self._leaving = None
        self._meanwhile.clear()
        if any(asked.rejoins for asked in self._asked.values()):
            self._token = None  # that session is not in all its rooms yet: another one tries again
        self.give_up(self.last_words or Disconnected("the connection was lost before the answer came"))
        self._asked.clear()

    def comes_back(self, close_code: int | None) -> bool:
        """
        Whether to connect again, after a while.

        @param close_code: of a WebSocket.
        """
        if self.last_words is not None:
            return self.last_words.code in COME_BACK_AFTER
        return close_code is None or close_code in COME_BACK_AFTER_CLOSE

    def beat(self) -> bool:
        """
        To be called every half minute.

        @return: false when nothing has come since the call before, which asked for a sign of life.
        """
        if self._heard:
            self._heard = self._pinged = False
            return True
        if self._pinged:
            return False
        self._pinged = True
        if self.ready and len(self._asked) < MOST_ASKED:
            ping: Message = {"type": "ping", "ref": self._ref()}
            self._ask(ping, _Asked(ping, _ignored))
        return True

    def received(self, message: Message) -> list[Message]:
        """
        Take a message from the server.

        @return: what of it is for the program, which may be nothing.
        """
        self._heard = True
        kind = message["type"]
        if kind == "error" and message.get("fatal") is True:
            self.last_words = ServerError(message)
            return [message]
        if not self.ready:
            return self._arriving(message)
        if kind == "logged_in":
            self.you = message["you"]
        asked = self._asked.pop(message["ref"], None) if "ref" in message else None
        if asked is not None:
            return self._answer(asked, message)
        if kind == "chat":
            return self._live(message)
        if kind in PUT_OUT:
            self.rooms.pop(message["room"], None)
        if kind == "history":
            return self._missed(message)
        return [message]

    # Coming and coming back

    def _arriving(self, message: Message) -> list[Message]:
        ref = message.get("ref")
        if self._resuming is not None and ref == self._resuming:
            self._resuming = None
            return self._resumed(message) if message["type"] == "resumed" else self._enter()
        if self._logging_in is not None and ref == self._logging_in:
            self._logging_in = None
            return self._logged_in(message)
        if self._leaving is not None:
            if ref == self._leaving:
                self._leaving = None
                return self._arrived()
        elif "session" in message or message["type"] == "login_required":
            self._greeting = message
            if self._resuming is None and self._logging_in is None:  # otherwise void, if the session is still there
                return self._enter()
        elif self._logging_in is not None:
            if len(self._meanwhile) >= MOST_MEANWHILE:
                raise TooMuch(f"{MOST_MEANWHILE} messages came before the answer to the login")
            self._meanwhile.append(message)
        return []  # what a newcomer hears before it is somebody will come again

    def _enter(self) -> list[Message]:
        """As somebody new: say who that is, if it is somebody."""
        greeting = self._greeting
        if greeting is None:
            return []
        if self._credentials is not None and greeting.get("you", {}).get("guest", True):
            self._logging_in = self._ref()
            self.outgoing.append({**self._credentials(), "ref": self._logging_in})
            return []
        if greeting["type"] == "login_required":
            raise self._sent_away({"code": "not_allowed", "message": greeting["message"]})
        return self._newcomer(greeting)

    def _logged_in(self, message: Message) -> list[Message]:
        if message["type"] == "error":
            raise self._sent_away(message)
        assert self._greeting is not None
        meanwhile, self._meanwhile = self._meanwhile, []
        messages = self._newcomer({**self._greeting, "you": message["you"]})
        return [*messages, *(one for message in meanwhile for one in self.received(message))]

    def _sent_away(self, error: Message) -> ServerError:
        """Not said to be fatal, but there is nothing to do here."""
        self.last_words = ServerError(error)
        return self.last_words

    def _resumed(self, message: Message) -> list[Message]:
        self._greeted(message)
        rooms, gaps = {}, []
        for room, told in message["rooms"].items():
            before = self.rooms.get(room)
            if before is not None and told["recovered"]:
                rooms[room] = Position(told["epoch"], before.seq)
            else:
                # The newest page follows where it was said what is known, and nothing where not.
                known = before is not None and before.seq is not None
                rooms[room] = Position(told["epoch"], None if known else told["seq"], gap=known)
                gaps.append(_gap(room))
        self.rooms = rooms
        return [*self._arrived(), *gaps]

    def _newcomer(self, message: Message) -> list[Message]:
        """It is somebody new; who takes the place of the one it was before, if it was one."""
        self._greeted(message)
        if "epoch" not in message:
            return self._arrived()
        if not self.rooms:
            self.rooms[message["room"]] = Position(message["epoch"], message["seq"])
            return self._arrived()
        # What was missed is to come before what is live: out of the room in which newcomers are.
        self._leaving = self._ref()
        self.outgoing.append({"type": "leave_room", "room": message["room"], "ref": self._leaving})
        for room, position in self.rooms.items():
            position.gap = False
            join: Message = {"type": "join_room", "room": room, "also": True, "ref": self._ref()}
            if position.seq is not None:
                join["since"] = {"epoch": position.epoch, "seq": position.seq}
            self._ask(join, _Asked(join, rejoins=True))
        return []

    def _arrived(self) -> list[Message]:
        self.ready = True
        greeting, self._greeting = self._greeting, None
        return [] if greeting is None else [greeting]

    def _greeted(self, message: Message) -> None:
        self._greeting = _without_ref(message)
        self._token = message["session"]
        self.you = message.get("you")
        self.limits = message.get("limits", {})

    # Answers

    def _ref(self) -> str:
        return f"netplay-{next(self._refs)}"

    def _ask(self, message: Message, asked: _Asked) -> str | int:
        ref: str | int = message["ref"]
        self._asked[ref] = asked
        self.outgoing.append(message)
        return ref

    def _answer(self, asked: _Asked, message: Message) -> list[Message]:
        request, kind = asked.request, message["type"]
        also: list[Message] = []
        if kind == "room_changed":
            also = self._joined(request, message)
        elif (request["type"], message.get("code", kind)) in OUT_OF_ROOM:
            self.rooms.pop(request["room"], None)
        if asked.answered is not None:
            asked.answered(ServerError(message) if kind == "error" else _without_ref(message) if asked.own else message)
            return also
        if asked.own:
            return also if kind == "ok" else [*also, _without_ref(message)]
        return [*also, message]

    def _joined(self, request: Message, message: Message) -> list[Message]:
        room = message["room"]
        before = self.rooms.pop(room, None)
        if not request.get("also"):
            self.rooms.clear()
        self.rooms[room] = Position(message["epoch"], message["seq"])
        untold = before is not None and not before.gap
        return [_gap(room)] if untold and message.get("recovered") is False else []

    # Rooms

    def _live(self, message: Message) -> list[Message]:
        position = self.rooms.get(message.get("room", ""))
        return [message] if position is None else self._next(position, message)

    def _next(self, position: Position, message: Message) -> list[Message]:
        """The message, unless it has come before; and after what is missing, if something is."""
        seq, last = message["seq"], position.seq
        if last is not None and seq <= last:
            return []
        position.seq = seq
        return [message] if last is None or seq == last + 1 else [_gap(message["room"]), message]

    def _missed(self, page: Message) -> list[Message]:
        """A page of what came while nobody was there; or of what was before, for one who joins."""
        position = self.rooms.get(page["room"])
        messages = page["messages"]
        if position is None:
            return [page]
        if not messages:
            return []
        if position.epoch != page["epoch"]:
            if position.seq is not None and messages[0]["seq"] != position.seq + 1:
                position.seq = None  # the numbers of another epoch say nothing
            position.epoch = page["epoch"]
        elif position.seq is not None and messages[0]["seq"] > position.seq + 1:
            position.seq = None
        if position.seq is not None:
            return [one for message in messages for one in self._next(position, message)]
        position.seq = messages[-1]["seq"]
        told, position.gap = position.gap, not position.gap
        return [page] if told else [_gap(page["room"]), page]


def _gap(room: str) -> Message:
    """Something that was said in a room may be missing."""
    return {"type": "gap", "room": room}


def _without_ref(message: Message) -> Message:
    return {name: value for name, value in message.items() if name != "ref"}


def _ignored(_: Any) -> None:
    """Nobody waits for it."""
