"""Who is who in one feature: numbers for guests, names that nobody else has. A plain object."""

from __future__ import annotations

import re

from netplay.errors import Refused
from netplay.messages import Identity
from netplay.text import clean_name, same_name


class Person:
    """Someone in a feature. The id stays, the name may change."""

    __slots__ = ("id", "name")

    def __init__(self, id: str) -> None:
        self.id = id
        self.name = id

    def identity(self) -> Identity:
        """As clients are told."""
        return Identity(self.id, self.name)


class People:
    """
    Everybody in a feature, those included who may come back.

    @param prefix: what guests are called before their number, such as C{User}.
    """

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._number = 0
        self._reserved = re.compile(rf"{prefix}_\d+", re.IGNORECASE)
        self._by_id: dict[str, Person] = {}
        self._by_name: dict[str, Person] = {}  # those who have chosen one

    def number(self) -> str:
        """The next guest's id. Numbers only rise, so none is in use twice."""
        self._number += 1
        return f"{self._prefix}_{self._number}"

    def add(self, person: Person) -> None:
        """Someone came."""
        self._by_id[person.id] = person

    def remove(self, person: Person) -> None:
        """Someone is gone for good: the name is free."""
        del self._by_id[person.id]
        self._release(person)

    def rename(self, person: Person, name: str) -> None:
        """
        Give someone a name, as good as it is or refused.

        @raise Refused: C{bad_message}, C{name_taken}.
        """
        name = clean_name(name)
        wanted = same_name(name)
        holder = self._by_name.get(wanted)
        own_number = name == person.id
        if (holder is not None and holder is not person) or (self._reserved.fullmatch(wanted) and not own_number):
            raise Refused("name_taken", "somebody has that name; take another", "$.name")
        self._release(person)
        person.name = name
        if not own_number:
            self._by_name[wanted] = person

    def _release(self, person: Person) -> None:
        name = same_name(person.name)
        if self._by_name.get(name) is person:
            del self._by_name[name]

    def find(self, who: str) -> Person | None:
        """By id, or by name as people read it."""
        return self._by_id.get(who) or self._by_name.get(same_name(who))
