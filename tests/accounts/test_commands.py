"""Tests of L{netplay.accounts.commands} and L{netplay.accounts.users}. That the command really runs is tried in e2e."""

from __future__ import annotations

import sys
from io import StringIO
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher
from twisted.internet import reactor as _reactor
from twisted.python.usage import UsageError
from twisted.trial.unittest import SynchronousTestCase, TestCase

from netplay.accounts import commands, users
from netplay.accounts.commands import UserOptions
from netplay.accounts.passwords import Passwords
from netplay.accounts.users import Users
from netplay.errors import Refused
from netplay.store.memory import MemoryStore
from netplay.store.records import AccountRecord, SessionRecord
from netplay.text import skeleton
from tests.support import make_core, make_folder

reactor: Any = _reactor


class Typed(StringIO):
    """A terminal, or what is not one."""

    def __init__(self, text: str = "", *, terminal: bool = False) -> None:
        super().__init__(text)
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


class OptionsTests(SynchronousTestCase):
    """What can be typed."""

    def setUp(self) -> None:
        self.file = Path(make_folder(self)) / "password"
        self.file.write_text("correct horse\nand more\n")
        self.patch(sys, "stdin", Typed("from a pipe\n"))

    def parsed(self, *words: str) -> Any:
        options = UserOptions()
        options.parseOptions(words)
        return options.subOptions

    def refused(self, *words: str) -> str:
        return str(self.assertRaises(UsageError, self.parsed, *words))

    def asked(self, *answers: str | type[BaseException]) -> None:
        """What somebody at a terminal types."""
        self.patch(sys, "stdin", Typed(terminal=True))
        left = list(answers)

        def getpass(prompt: str) -> str:
            answer = left.pop(0)
            if isinstance(answer, str):
                return answer
            raise answer

        self.patch(commands, "getpass", getpass)

    def test_the_name_comes_first_or_last(self) -> None:
        for words in (("Ann", "--role=operator", "--no-password"), ("--role=operator", "--no-password", "Ann")):
            options = self.parsed("add", *words)
            self.assertEqual((options["name"], options["roles"], options["password"]), ("Ann", ["operator"], None))

    def test_a_password_from_a_file_or_a_pipe_is_its_first_line(self) -> None:
        self.assertEqual(self.parsed("add", "Ann", "--password-file", str(self.file))["password"], "correct horse")
        self.assertEqual(self.parsed("password", "Ann", "--password-file=-")["password"], "from a pipe")

    def test_a_password_that_is_typed_twice(self) -> None:
        self.asked("correct horse", "correct horse")
        self.assertEqual(self.parsed("add", "Ann")["password"], "correct horse")
        self.asked("correct horse", "correct hrose")
        self.assertIn("two different passwords", self.refused("add", "Ann"))

    def test_a_password_that_is_not_typed_after_all(self) -> None:
        for end in (EOFError, KeyboardInterrupt):
            self.asked(end)
            self.assertIn("nothing is changed", self.refused("add", "Ann"))

    def test_nobody_there_to_type_it(self) -> None:
        self.assertIn("--password-file", self.refused("add", "Ann"))

    def test_a_password_that_will_not_do(self) -> None:
        for text in ("", "short", "x" * 1025):
            self.file.write_text(text)
            self.assertIn("8 to 1024 characters", self.refused("add", "Ann", "--password-file", str(self.file)))
        self.file.write_bytes(b"\xff" * 10)
        self.assertIn("not UTF-8", self.refused("add", "Ann", "--password-file", str(self.file)))
        self.file.unlink()
        self.assertIn("cannot be read (No such file", self.refused("add", "Ann", "--password-file", str(self.file)))

    def test_a_password_is_no_argument(self) -> None:
        self.assertRaises(UsageError, self.parsed, "password", "Ann", "correct horse")
        self.assertRaises(UsageError, self.parsed, "add", "Ann", "--password", "correct horse")

    def test_a_password_or_none(self) -> None:
        self.assertIn("one or the other", self.refused("add", "Ann", "--no-password", "--password-file", "x"))

    def test_what_is_missing(self) -> None:
        self.assertIn("netplay user add NAME", self.refused())
        for command in ("add", "show", "password", "role", "disable", "enable"):
            self.assertIn(f"netplay user {command} NAME", self.refused(command))
        self.assertIn("netplay user role Ann operator", self.refused("role", "Ann"))

    def test_roles(self) -> None:
        options = self.parsed("role", "Ann", "moderator:tech", "operator")
        self.assertEqual(options["roles"], ["moderator:tech", "operator"])
        self.assertEqual(self.parsed("role", "Ann", "none")["roles"], [])
        for role in ("admin", "none", "moderator:", "moderator:A"):
            self.assertIn(f"{role}: there is no such role", self.refused("role", "Ann", "operator", role))
        self.assertIn("no such role", self.refused("add", "Ann", "--role", "admin"))

    def test_a_store_that_there_is_not(self) -> None:
        self.assertIn("sqlite:PATH", self.refused("list", "--store", "cloud:9"))

    def test_the_store_of_memory_is_in_the_daemon(self) -> None:
        plugin, argument = self.parsed("list", "--store", "memory:")["store-plugin"]
        error = self.assertRaises(UsageError, plugin.beside, argument, make_core())
        self.assertIn("sqlite:netplay.sqlite", str(error))


class UsersTests(TestCase):
    """What is done then."""

    def setUp(self) -> None:
        self.core = make_core(reactor)
        self.core.store = MemoryStore()
        self.passwords = Passwords(reactor, PasswordHasher(1, 8, 1))
        self.addCleanup(self.passwords.stop)
        self.users = Users(self.core, self.passwords)

    async def record(self, name: str = "Ann") -> AccountRecord:
        record = await self.core.store.accounts.find(skeleton(name))
        assert record is not None
        return record

    async def refused(self, doing: Any) -> str:
        with self.assertRaises(UsageError) as caught:
            await doing
        return str(caught.exception)

    async def test_one_is_made(self) -> None:
        said = await self.users.add(" Ann ", "correct horse", ["operator", "moderator:tech", "operator"])
        self.assertEqual(said, "Ann has an account now; roles: moderator:tech, operator")
        record = await self.record()
        self.assertEqual((record.name, record.roles, record.disabled), ("Ann", ("moderator:tech", "operator"), False))
        self.assertLess(abs(self.core.now() - record.created), 60_000)
        self.assertEqual(await self.passwords.check(record.password, b"correct horse"), record.password)

    async def test_one_without_a_password(self) -> None:
        await self.users.add("Ann", None, [])
        self.assertIsNone((await self.record()).password)

    async def test_a_name_that_is_or_looks_like_that_of_another(self) -> None:
        await self.users.add("Ann", None, [])
        for name in ("Ann", "ANN", "Аnn", "ΑΝΝ"):
            self.assertIn("there is Ann already", await self.refused(self.users.add(name, None, [])))

    async def test_a_name_that_nobody_may_have(self) -> None:
        for name in ("", "x" * 33, "guest_7", "a\nb"):
            with self.assertRaises(Refused):
                await self.users.add(name, None, [])

    async def test_one_that_there_is_not(self) -> None:
        await self.users.add("Ann", None, [])
        for what in (
            self.users.show,
            self.users.disable,
            self.users.enable,
            lambda name: self.users.password(name, "correct horse"),
            lambda name: self.users.role(name, []),
        ):
            self.assertIn("Bob: there is no such account", await self.refused(what("Bob")))
            self.assertIn("there is only Ann, which looks like that", await self.refused(what("Аnn")))

    async def test_another_password_ends_its_sessions(self) -> None:
        await self.users.add("Ann", "correct horse", [])
        await self.core.store.sessions.put(SessionRecord("key", "Ann", "chat", b"{}", 1))
        await self.users.password("ann", "battery staple")
        kept = (await self.record()).password
        self.assertIsNone(await self.passwords.check(kept, b"correct horse"))
        self.assertIsNotNone(await self.passwords.check(kept, b"battery staple"))
        self.assertIsNone(await self.core.store.sessions.find("key"))

    async def test_these_roles_and_no_others(self) -> None:
        await self.users.add("Ann", None, ["operator"])
        self.assertEqual(await self.users.role("Ann", ["moderator"]), "Ann has other roles now: moderator")
        self.assertEqual((await self.record()).roles, ("moderator",))
        self.assertEqual(await self.users.role("Ann", []), "Ann has other roles now: none")
        self.assertEqual((await self.record()).roles, ())

    async def test_disabled_and_enabled(self) -> None:
        await self.users.add("Ann", "correct horse", ["operator"])
        before = await self.record()
        await self.users.disable("Ann")
        self.assertTrue((await self.record()).disabled)
        await self.users.enable("Ann")
        self.assertEqual(await self.record(), before)

    async def test_the_list_goes_through_all_pages(self) -> None:
        self.patch(users, "PAGE", 2)
        for name in ("Eve", "Ann", "Dora", "Bob", "Cleo"):
            await self.users.add(name, None, [])
        lines = (await self.users.list()).splitlines()
        self.assertEqual([line.split()[0] for line in lines], ["NAME", "Ann", "Bob", "Cleo", "Dora", "Eve"])

    async def test_what_is_told_is_told_of_each(self) -> None:
        await self.users.add("Ann", "correct horse", ["operator"])
        await self.users.add("Bob", None, [])
        await self.users.disable("Bob")
        _, ann, bob = (await self.users.list()).splitlines()
        self.assertRegex(ann, r"^Ann   \d{4}-\d\d-\d\d  enabled   here       operator$")
        self.assertRegex(bob, r"^Bob   \d{4}-\d\d-\d\d  disabled  elsewhere$")
        self.assertIn("none here", await self.users.show("bob"))
        shown = await self.users.show("ann")
        self.assertIn("roles     operator", shown)
        self.assertNotIn("argon2", shown + ann)

    async def test_what_was_done_is_noted(self) -> None:
        await self.users.add("Ann", "correct horse", ["operator"])
        await self.users.role("Ann", ["moderator"])
        await self.users.password("Ann", "battery staple")
        await self.users.disable("Ann")
        await self.users.enable("Ann")
        await self.users.show("Ann")
        notes = [(note.by, note.action, note.target, note.detail) for note in await self.core.store.audit.page(None, 9)]
        self.assertEqual(
            notes[::-1],
            [
                ("shell", "user_add", "Ann", "operator"),
                ("shell", "user_role", "Ann", "moderator"),
                ("shell", "user_password", "Ann", ""),
                ("shell", "user_disable", "Ann", ""),
                ("shell", "user_enable", "Ann", ""),
            ],
        )
