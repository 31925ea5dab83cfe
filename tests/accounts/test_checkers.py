"""Tests of L{netplay.accounts.checkers}."""

from __future__ import annotations

from typing import Any

from argon2 import PasswordHasher, extract_parameters
from twisted.cred.credentials import UsernamePassword
from twisted.cred.error import UnauthorizedLogin
from twisted.internet import reactor as _reactor
from twisted.trial.unittest import TestCase
from zope.interface.verify import verifyObject

from netplay.accounts.account import Account
from netplay.accounts.checkers import StoreChecker
from netplay.accounts.interfaces import IPasswordKeeper
from netplay.accounts.passwords import Passwords
from netplay.store.memory import MemoryStore
from netplay.store.records import AccountRecord
from netplay.text import skeleton
from tests.accounts.test_accounts import FakeConnection
from tests.support import make_core

reactor: Any = _reactor

WEAK = PasswordHasher(1, 8, 1)
STRONGER = PasswordHasher(2, 8, 1)


class StoreCheckerTests(TestCase):
    """Passwords in the store."""

    async def setUp(self) -> None:
        self.core = make_core(reactor)
        self.core.store = MemoryStore()
        self.accounts = self.core.store.accounts
        self.checker = StoreChecker()
        self.checker.bind(self.core)
        self.use(WEAK)
        await self.have("Ann", "correct horse")

    def use(self, argon2: PasswordHasher) -> None:
        self.checker.passwords = Passwords(reactor, argon2)
        self.addCleanup(self.checker.passwords.stop)

    async def have(self, name: str, password: str | None, **more: Any) -> None:
        kept = None if password is None else WEAK.hash(password)
        await self.accounts.add(AccountRecord(name, skeleton(name), 1, password=kept, **more))

    async def ask(self, name: str, password: str) -> Any:
        return await self.checker.requestAvatarId(UsernamePassword(name.encode(), password.encode()))

    async def refuses(self, name: str, password: str) -> None:
        with self.assertRaises(UnauthorizedLogin):
            await self.ask(name, password)

    def test_it_is_one(self) -> None:
        verifyObject(IPasswordKeeper, self.checker)

    async def test_a_name_and_its_password(self) -> None:
        self.assertEqual(await self.ask("Ann", "correct horse"), "Ann")
        self.assertEqual(await self.ask("ANN", "correct horse"), "Ann")

    async def test_another_password(self) -> None:
        await self.refuses("Ann", "battery staple")

    async def test_nobody_of_that_name(self) -> None:
        await self.refuses("Bob", "correct horse")

    async def test_a_name_that_only_looks_like_it(self) -> None:
        self.assertEqual(skeleton("Аnn"), skeleton("Ann"))
        await self.refuses("Аnn", "correct horse")  # that A is Cyrillic

    async def test_an_account_whose_password_is_elsewhere(self) -> None:
        await self.have("Bob", None)
        for password in ("", "None", "correct horse"):
            await self.refuses("Bob", password)

    async def test_one_that_is_disabled_is_still_who_it_is(self) -> None:
        await self.have("Bob", "secret", disabled=True)
        self.assertEqual(await self.ask("Bob", "secret"), "Bob")

    async def test_what_it_hashes_it_takes(self) -> None:
        await self.accounts.change("ann", password=await self.checker.hash(b"battery staple"))
        self.assertEqual(await self.ask("Ann", "battery staple"), "Ann")
        await self.refuses("Ann", "correct horse")

    async def test_a_weak_hash_is_replaced_when_the_password_is_there(self) -> None:
        self.use(STRONGER)
        await self.refuses("Ann", "battery staple")
        self.assertEqual(await self.time_cost(), 1)
        self.assertEqual(await self.ask("Ann", "correct horse"), "Ann")
        self.assertEqual(await self.time_cost(), 2)
        self.assertEqual(await self.ask("Ann", "correct horse"), "Ann")

    async def test_which_is_no_other_password(self) -> None:
        ann, connection = Account("Ann", "ann"), FakeConnection()
        self.core.accounts.enter(connection, ann)  # type: ignore[arg-type]
        ann.password = "weak"
        self.use(STRONGER)
        await self.ask("Ann", "correct horse")
        self.assertIsNone(ann.password)

    async def time_cost(self) -> int:
        account = await self.accounts.find("ann")
        assert account is not None
        assert account.password is not None
        return extract_parameters(account.password).time_cost
