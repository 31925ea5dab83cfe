"""Who is who in one feature: numbers for guests, names that nobody else has. A plain object."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from netplay.errors import Refused
from netplay.messages import Identity
from netplay.text import clean_name, same_name

if TYPE_CHECKING:
    from netplay.accounts.account import Account


def _nobody_to_tell() -> None:
    pass


class Person:
    """
    Someone in a feature. The id stays, the name may change. An account that is connected several times is several
    persons of one name.

    @ivar account: whose name it is, C{None} for a guest.
    @ivar renamed: called when the name was changed by what somebody else did.
    """

    __slots__ = ("account", "id", "name", "renamed")

    def __init__(self, id: str, account: Account | None = None) -> None:
        self.id = id
        self.name = id if account is None else account.name
        self.account = account
        self.renamed: Callable[[], None] = _nobody_to_tell

    def back(self, account: Account | None) -> None:
        """It is here again, on a connection that has its account as it is now."""
        if self.account is not None:
            self.account = account

    def identity(self) -> Identity:
        """As clients are told."""
        return Identity(self.id, self.name, self.account is None)


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
        # Those who have a name of their own: one guest, or all the persons of one account.
        self._by_name: dict[str, dict[str, Person]] = {}

    def number(self) -> str:
        """The next guest's id. Numbers only rise, so none is in use twice."""
        self._number += 1
        return f"{self._prefix}_{self._number}"

    def add(self, person: Person) -> None:
        """Someone came."""
        self._by_id[person.id] = person
        if person.account is not None:
            self._own(person)

    def remove(self, person: Person) -> None:
        """Someone is gone for good: the name is free."""
        del self._by_id[person.id]
        self._release(person)

    def rename(self, person: Person, name: str) -> None:
        """
        Give a guest a name, as good as it is or refused.

        @raise Refused: C{bad_message}, C{name_taken}; C{not_allowed} for an account, which has its name for good.
        """
        name = clean_name(name)
        wanted = same_name(name)
        if person.account is not None:
            if wanted != same_name(person.name):
                raise Refused("not_allowed", f"you are logged in as {person.name}, and are called that", "$.name")
            return
        own_number = name == person.id
        if self._by_name.get(wanted, {}).keys() - {person.id} or (self._reserved.fullmatch(wanted) and not own_number):
            raise Refused("name_taken", "somebody has that name; take another", "$.name")
        self._release(person)
        person.name = name
        if not own_number:
            self._hold(person)

    def log_in(self, person: Person, account: Account) -> None:
        """Someone who is here turns out to be an account. A guest who was called that is called by number again."""
        self._release(person)
        person.account = account
        person.name = account.name
        self._own(person)

    def _own(self, person: Person) -> None:
        for other in list(self._by_name.get(same_name(person.name), {}).values()):
            if other.account is None:
                self._release(other)
                other.name = other.id
                other.renamed()
        self._hold(person)

    def _hold(self, person: Person) -> None:
        self._by_name.setdefault(same_name(person.name), {})[person.id] = person

    def _release(self, person: Person) -> None:
        name = same_name(person.name)
        holders = self._by_name.get(name)
        if holders is not None and holders.pop(person.id, None) is not None and not holders:
            del self._by_name[name]

    def find(self, who: str) -> Person | None:
        """By id, or by name as people read it."""
        return next(iter(self.all(who)), None)

    def all(self, who: str) -> list[Person]:
        """The one with that id, or all with that name: those of an account."""
        person = self._by_id.get(who)
        return list(self._by_name.get(same_name(who), {}).values()) if person is None else [person]
