"""What a client sees of a room: made from C{state} and C{delta}, whatever the codec, without a socket in sight."""

from __future__ import annotations

from typing import Any

from netplay.client.wires import Message

MOST_ENTITIES = 100_000
"""Things of which a client keeps track; ten times what a room may have."""


class Mirror:
    """
    A room as one client knows it. Each C{state} and each C{delta} that comes is to be applied, in their order.

    >>> mirror = Mirror()
    >>> async for message in client:
    ...     if message["type"] in ("state", "delta"):
    ...         mirror.apply(message)
    ...         draw(mirror.entities)

    @ivar room: what the room is called.
    @ivar game: what is played there.
    @ivar tick: the tick of the newest message.
    @ivar entities: what is in sight by id, each a dict of its C{kind}, its fields, and its C{owner}: left out where
        that is the player with the id of the entity, C{None} where it is nobody's. Where a full state says positions
        and scores alone, as the lobby's does, it is these by player.
    @ivar acks: by player the C{seq} of the newest input that has taken effect.
    """

    def __init__(self) -> None:
        self.room = ""
        self.game = ""
        self.tick = 0
        self.entities: dict[str, dict[str, Any]] = {}
        self.acks: dict[str, int] = {}
        self._schema: dict[str, tuple[tuple[str, int], ...]] = {}  # kind -> name and scale of each field
        self._ids: dict[int, str] = {}

    @property
    def positions(self) -> dict[str, dict[str, Any]]:
        """C{x} and C{y} by player."""
        return {
            id: {"x": entity["x"], "y": entity["y"]}
            for id, entity in self._players()
            if "x" in entity and "y" in entity
        }

    @property
    def scores(self) -> dict[str, Any]:
        """Scores by player."""
        return {id: entity["score"] for id, entity in self._players() if "score" in entity}

    def apply(self, message: Message) -> None:
        """
        Take in what the server says.

        @param message: a C{state} or a C{delta}.
        @raise ValueError: it is neither, or does not fit to what came before. Until the next C{state}, there is
            nothing to rely on.
        """
        try:
            match message["type"]:
                case "state":
                    self._state(message)
                case "delta":
                    self._delta(message)
                case other:
                    raise ValueError(f"neither a state nor a delta, but {other!r}")
        except (LookupError, TypeError, AttributeError) as error:
            raise ValueError(f"no {message!r:.100} can follow here: {error!r}") from error
        if max(len(self.entities), len(self.acks), len(self._ids)) > MOST_ENTITIES:
            raise ValueError(f"more than {MOST_ENTITIES} entities in one room")

    def _players(self) -> list[tuple[str, dict[str, Any]]]:
        return [(id, entity) for id, entity in self.entities.items() if entity.get("owner", id) == id]

    def _state(self, state: Message) -> None:
        self.room = state["room"]
        self.game = state["game"]
        self.tick = state["tick"]
        self.acks = dict(state.get("ack") or {})
        scales = state.get("scales") or {}
        self._schema = {
            kind: tuple(zip(fields, scales[kind], strict=True)) for kind, fields in (state.get("schema") or {}).items()
        }
        self._ids = {number: id for id, number in (state.get("numbers") or {}).items()}
        entities = state.get("entities")
        self.entities = _brief(state, list(self._schema)) if entities is None else _copied(entities)

    def _delta(self, delta: Message) -> None:
        if delta["room"] != self.room:
            raise ValueError(f"a delta of the room {delta['room']!r} without a state before it")
        self.tick = delta["tick"]
        for gone in delta.get("gone") or ():
            id = gone if isinstance(gone, str) else self._ids.pop(gone, None)
            self.entities.pop(id, None)  # type: ignore[arg-type]
        for id, fields in (delta.get("set") or {}).items():
            if "kind" in fields:
                self.entities[id] = dict(fields)
            else:
                self.entities[id].update(fields)
        for number, (id, kind, *owner) in (delta.get("new") or {}).items():
            self._ids[number] = id
            self.entities[id] = {"kind": kind, "owner": owner[0]} if owner else {"kind": kind}
        for number, mask, *values in delta.get("rows") or ():
            self._row(self.entities[self._ids[number]], mask, values)
        for player, seq in (delta.get("ack") or {}).items():
            self.acks[player if isinstance(player, str) else self._ids[player]] = seq

    def _row(self, entity: dict[str, Any], mask: int, values: list[Any]) -> None:
        fields = self._schema[entity["kind"]]
        named = [field for n, field in enumerate(fields) if mask >> n & 1]
        for (name, scale), value in zip(named, values, strict=True):
            entity[name] = value / scale if scale > 1 else value


def _copied(entities: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {id: dict(entity) for id, entity in entities.items()}


def _brief(state: Message, kinds: list[str]) -> dict[str, dict[str, Any]]:
    """Where positions and scores say it all. Rows speak of fields by kind: there is one, if there are rows."""
    entities = _copied(state["positions"])
    for id, score in state["scores"].items():
        entities.setdefault(id, {})["score"] = score
    if len(kinds) == 1:
        for entity in entities.values():
            entity["kind"] = kinds[0]
    return entities
