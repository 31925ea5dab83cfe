"""Tests of L{netplay.accounts.passwords}."""

from __future__ import annotations

from threading import Event
from typing import Any

from argon2 import PasswordHasher, extract_parameters
from twisted.internet import reactor as _reactor
from twisted.internet.defer import gatherResults
from twisted.trial.unittest import TestCase

from netplay.accounts.passwords import MOST_WAITING, Passwords
from netplay.errors import Refused
from tests.support import turn, until

reactor: Any = _reactor

QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


class Held(PasswordHasher):
    """Takes as long as the test says."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.go = Event()

    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
        self.go.wait(60)
        return super().hash(password)


class PasswordsTests(TestCase):
    """What is kept of passwords, and how they are checked."""

    def make(self, argon2: PasswordHasher = QUICK) -> Passwords:
        passwords = Passwords(reactor, argon2)
        self.addCleanup(passwords.stop)
        if isinstance(argon2, Held):
            self.addCleanup(argon2.go.set)  # before that, or it would wait
        return passwords

    async def test_the_password_and_no_other(self) -> None:
        passwords = self.make()
        kept = await passwords.hash(b"correct horse")
        self.assertNotIn("correct", kept)
        self.assertEqual(await passwords.check(kept, b"correct horse"), kept)
        self.assertIsNone(await passwords.check(kept, b"correct hors"))
        self.assertIsNone(await passwords.check(kept, b""))

    async def test_the_same_password_is_kept_differently_each_time(self) -> None:
        passwords = self.make()
        self.assertNotEqual(await passwords.hash(b"correct horse"), await passwords.hash(b"correct horse"))

    async def test_however_a_keyboard_puts_its_letters_together(self) -> None:
        passwords = self.make()
        kept = await passwords.hash("caf\u00e9 noir".encode())
        self.assertEqual(await passwords.check(kept, "cafe\u0301 noir".encode()), kept)

    async def test_what_is_no_text_is_a_password_too(self) -> None:
        passwords = self.make()
        kept = await passwords.hash(b"\xff\xfe\xfd\xfc")
        self.assertEqual(await passwords.check(kept, b"\xff\xfe\xfd\xfc"), kept)
        self.assertIsNone(await passwords.check(kept, b"\xff\xfe\xfd\xfb"))

    async def test_what_cannot_be_understood_is_no_password(self) -> None:
        for kept in ("", "secret", "$argon2id$v=19$m=8,t=1,p=1$", "$2b$12$abc"):
            self.assertIsNone(await self.make().check(kept, b"secret"))

    async def test_nobody_takes_as_much_work_as_somebody(self) -> None:
        worked: list[bytes] = []

        class Counting(PasswordHasher):
            def hash(self, password: Any, *, salt: bytes | None = None) -> str:
                worked.append(password)
                return super().hash(password)

        self.assertIsNone(await self.make(Counting(1, 8, 1)).check(None, b"secret"))
        self.assertEqual(worked, [b"secret"])

    async def test_it_is_made_with_19_MiB_and_5_passes(self) -> None:
        passwords = Passwords(reactor)
        self.addCleanup(passwords.stop)
        made = extract_parameters(await passwords.hash(b"secret"))
        self.assertEqual((made.type.name, made.memory_cost, made.time_cost, made.parallelism), ("ID", 19456, 5, 1))

    async def test_what_was_kept_with_less_is_kept_anew(self) -> None:
        for stronger in (PasswordHasher(2, 8, 1), PasswordHasher(1, 16, 1)):
            passwords = self.make(stronger)
            better = await passwords.check(QUICK.hash(b"secret"), b"secret")
            assert better is not None
            self.assertEqual(extract_parameters(better).time_cost, stronger.time_cost)
            self.assertEqual(extract_parameters(better).memory_cost, stronger.memory_cost)
            self.assertEqual(await passwords.check(better, b"secret"), better)

    async def test_what_was_kept_with_more_stays(self) -> None:
        kept = PasswordHasher(2, 16, 1).hash(b"secret")
        self.assertEqual(await self.make().check(kept, b"secret"), kept)

    async def test_the_reactor_goes_on_meanwhile(self) -> None:
        held = Held()
        kept = self.make(held).hash(b"secret")
        for _ in range(10):
            await turn()
        self.assertNoResult(kept)
        held.go.set()
        self.assertTrue(await kept)

    async def test_only_so_many_wait(self) -> None:
        held = Held()
        passwords = self.make(held)
        waiting = [passwords.hash(b"secret") for _ in range(MOST_WAITING)]
        for ask in (passwords.hash, lambda password: passwords.check(None, password)):
            error = self.assertRaises(Refused, ask, b"secret")
            self.assertEqual(error.code, "store_busy")
        held.go.set()
        await gatherResults(waiting)
        self.assertTrue(await passwords.hash(b"secret"))

    async def test_threads_come_with_the_first_password_and_can_be_ended(self) -> None:
        passwords = Passwords(reactor, QUICK)
        passwords.stop()
        await passwords.hash(b"secret")
        passwords.stop()
        passwords.stop()
        kept = passwords.hash(b"secret")
        await until(lambda: kept.called)
        passwords.stop()
        self.assertTrue(await kept)
