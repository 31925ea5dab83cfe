"""Tests of L{netplay.accounts.accounts}, L{netplay.accounts.realm} and L{netplay.accounts.account}."""

from __future__ import annotations

from typing import Any

from twisted.cred.checkers import InMemoryUsernamePasswordDatabaseDontUse as InMemory
from twisted.cred.credentials import UsernamePassword
from twisted.cred.error import UnauthorizedLogin
from twisted.cred.portal import IRealm
from twisted.internet.defer import Deferred, fail, succeed
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer
from zope.interface.verify import verifyObject

from netplay.accounts.account import Account, IAccount
from netplay.accounts.accounts import LOOK_EVERY, MOST_LOOKED_AT, Accounts
from netplay.accounts.credentials import Token
from netplay.accounts.interfaces import IPasswordKeeper, IToken, Vouched
from netplay.accounts.realm import Realm
from netplay.accounts.throttle import FREE
from netplay.errors import Refused
from netplay.store.memory import MemoryStore
from netplay.store.records import AccountRecord
from netplay.text import skeleton
from tests.accounts.keeper import PASSWORD, Keeper, account
from tests.support import LogRecorder, make_core

HOME = "192.0.2.7"


@implementer(IPasswordKeeper)
class Tokens:
    """Takes the token C{good}."""

    credentialInterfaces = (IToken,)

    def __init__(self, vouched: Any) -> None:
        self.vouched = vouched

    def requestAvatarId(self, credentials: Any) -> Deferred[Any]:
        return succeed(self.vouched) if credentials.token == "good" else fail(UnauthorizedLogin())

    def bind(self, core: Any) -> None:
        pass

    def hash(self, password: bytes) -> Deferred[str]:
        raise NotImplementedError


class FakeConnection:
    """What an account knows of a connection."""

    address: str | None = HOME
    account: Account | None = None

    def __init__(self) -> None:
        self.ended: list[Refused] = []

    def end(self, refused: Refused) -> None:
        self.ended.append(refused)


class AccountsCase(SynchronousTestCase):
    """Accounts over a store in memory."""

    def setUp(self) -> None:
        self.core = make_core()
        self.clock: Any = self.core.clock
        self.core.store = MemoryStore()
        self.keeper = Keeper()
        self.accounts = self.make([self.keeper])

    def make(self, checkers: list[Any], **more: Any) -> Accounts:
        self.accounts = self.core.accounts = Accounts(self.core, checkers, **more)
        return self.accounts

    def add(self, record: AccountRecord) -> None:
        self.assertTrue(self.successResultOf(self.core.store.accounts.add(record)))

    def change(self, name: str, **fields: Any) -> None:
        self.successResultOf(self.core.store.accounts.change(skeleton(name), **fields))

    def record(self, name: str) -> AccountRecord | None:
        return self.successResultOf(self.core.store.accounts.find(skeleton(name)))

    def login(self, user: str, password: str = PASSWORD, address: str | None = HOME) -> Deferred[Account]:
        return self.accounts.login(UsernamePassword(user.encode(), password.encode()), address)

    def assertRefused(self, code: str, deferred: Deferred[Any], field: str | None = None) -> Refused:
        refused: Refused = self.failureResultOf(deferred, Refused).value
        self.assertEqual((refused.code, refused.field), (code, field))
        return refused


class LoginTests(AccountsCase):
    """Who somebody is."""

    def test_name_and_password(self) -> None:
        self.add(account("Ann", "operator"))
        ann = self.successResultOf(self.login("Ann"))
        self.assertEqual((ann.name, ann.roles), ("Ann", {"operator"}))

    def test_the_name_in_whatever_case_and_the_account_as_it_is_shown(self) -> None:
        self.add(account("Ann"))
        self.assertEqual(self.successResultOf(self.login("ANN")).name, "Ann")

    def test_a_wrong_password_and_a_wrong_name_are_told_the_same(self) -> None:
        self.add(account("Ann"))
        wrong = self.assertRefused("bad_login", self.login("Ann", "no"))
        self.assertEqual(self.assertRefused("bad_login", self.login("Bob", "no")).message, wrong.message)

    def test_the_password_of_a_disabled_account_has_to_be_right_to_be_told_so(self) -> None:
        self.add(account("Ann", disabled=True))
        self.assertRefused("bad_login", self.login("Ann", "no"))
        self.assertRefused("banned", self.login("Ann"))

    def test_too_many_failures_have_to_wait_and_are_not_even_checked(self) -> None:
        self.add(account("Ann"))
        for _ in range(FREE + 1):
            self.assertRefused("bad_login", self.login("Ann", "no"))
        del self.keeper.asked[:]
        refused = self.assertRefused("rate_limited", self.login("Ann"))
        self.assertEqual((refused.more, self.keeper.asked), ({"retry_after": 1.0}, []))
        self.clock.advance(1.0)
        self.successResultOf(self.login("Ann"))

    def test_look_alikes_share_their_failures(self) -> None:
        for name in ("Ann", "ann", "ANN", "Аnn", "ａnn", "ann"):
            self.assertRefused("bad_login", self.login(name, "no"))
        self.assertRefused("rate_limited", self.login("Ann"))

    def test_who_is_right_does_not_wait(self) -> None:
        self.add(account("Ann"))
        for _ in range(10 * FREE):
            self.successResultOf(self.login("Ann"))

    def test_nobody_can_log_in_where_nobody_is_asked(self) -> None:
        self.make([])
        self.assertRefused("not_allowed", self.login("Ann"))
        self.assertRefused("not_allowed", self.accounts.login(Token("good"), HOME))

    def test_what_the_store_cannot_say_now_is_no_failure_of_theirs(self) -> None:
        for _ in range(FREE + 1):
            self.keeper.held = fail(Refused("store_busy", "come back later"))
            self.assertRefused("store_busy", self.login("Ann"))
        self.keeper.held = None
        self.assertRefused("bad_login", self.login("Ann"))

    def test_nothing_secret_is_logged(self) -> None:
        log = LogRecorder(self)
        self.add(account("Ann"))
        self.login("Ann")
        self.failureResultOf(self.login("Ann", "sesame"))
        self.failureResultOf(self.accounts.login(Token("sesame"), HOME))
        self.assertNotIn("sesame", str(log.events))


class CheckersTests(AccountsCase):
    """Others say who somebody is."""

    def test_what_twisted_brings(self) -> None:
        self.make([InMemory(ann=b"secret")])
        self.assertEqual(self.successResultOf(self.login("ann", "secret")).name, "ann")
        self.assertRefused("bad_login", self.login("ann", "no"))

    def test_whoever_of_several_agrees_first(self) -> None:
        self.add(account("Ann"))
        self.make([self.keeper, InMemory(bob=b"builder"), InMemory(ann=b"other", carl=b"cat")])
        for user, password in (("Ann", PASSWORD), ("bob", "builder"), ("ann", "other"), ("carl", "cat")):
            self.successResultOf(self.login(user, password))

    def test_whom_they_vouch_for_owns_the_name_from_then_on(self) -> None:
        self.make([InMemory(ann=b"secret")])
        self.assertIsNone(self.record("ann"))
        self.successResultOf(self.login("ann", "secret"))
        record = self.record("ann")
        assert record is not None
        self.assertEqual((record.name, record.password, record.created), ("ann", None, self.core.now()))

    def test_who_looks_like_another_is_not_that_one(self) -> None:
        self.add(account("Paul", "operator"))
        self.make([InMemory(pau1=b"secret")])
        self.assertRefused("name_taken", self.login("pau1", "secret"))

    def test_a_name_that_cannot_be_shown(self) -> None:
        self.make([Tokens("a\x07b")])
        self.assertRefused("bad_message", self.accounts.login(Token("good"), HOME), "$")

    def test_roles_that_come_with_a_token_hold_besides_those_of_the_store(self) -> None:
        self.add(account("Ann", "moderator:tech"))
        self.make([Tokens(Vouched("Ann", ["moderator:gaming"]))])
        ann = self.successResultOf(self.accounts.login(Token("good"), HOME))
        self.assertEqual(ann.roles, {"moderator:tech", "moderator:gaming"})
        self.assertRefused("bad_login", self.accounts.login(Token("bad"), HOME))

    def test_the_realm(self) -> None:
        realm = Realm(self.core)
        self.assertTrue(verifyObject(IRealm, realm))
        self.assertRaises(NotImplementedError, realm.requestAvatar, "ann", None)


class RegisterTests(AccountsCase):
    """Names become somebody's own."""

    def setUp(self) -> None:
        super().setUp()
        self.make([self.keeper], registration=True)

    def register(self, user: str, password: str = PASSWORD, address: str | None = HOME) -> Deferred[Account]:
        return self.accounts.register(user, password, address)

    def test_it_can_log_in_from_then_on(self) -> None:
        self.assertEqual(self.successResultOf(self.register(" Ann ")).name, "Ann")
        self.successResultOf(self.login("Ann"))

    def test_the_password_is_kept_as_the_keeper_says(self) -> None:
        self.successResultOf(self.register("Ann"))
        record = self.record("ann")
        assert record is not None
        self.assertEqual(record.password, PASSWORD[::-1])

    def test_only_where_it_is_open(self) -> None:
        self.make([self.keeper])
        self.assertRefused("not_allowed", self.register("Ann"))

    def test_only_where_passwords_are_kept(self) -> None:
        self.make([InMemory()], registration=True)
        self.assertRefused("not_allowed", self.register("Ann"))

    def test_a_name_is_had_by_one_only_and_its_look_alikes_by_nobody(self) -> None:
        self.successResultOf(self.register("Ann"))
        for name in ("Ann", "ann", "Аnn", "ΑΝΝ"):
            self.assertRefused("name_taken", self.register(name), "$.user")

    def test_names_like_those_of_guests(self) -> None:
        for name in ("User_7", "player_12", "Trader＿９", "x_1", ""):
            self.assertRefused("bad_message", self.register(name), "$.user")

    def test_a_name_that_nobody_may_have(self) -> None:
        self.core.moderation.impose("ban", "name:admin", None, None, "", "ann")
        self.assertRefused("banned", self.register("Admin"))
        self.assertIsNone(self.record("admin"))

    def test_a_short_password(self) -> None:
        self.assertRefused("bad_message", self.register("Ann", "1234567"), "$.password")

    def test_one_address_does_not_make_very_many(self) -> None:
        for number in range(FREE + 1):
            self.successResultOf(self.register(f"name {number}"))
        self.assertRefused("rate_limited", self.register("Ann"))
        self.successResultOf(self.register("Ann", address="192.0.2.8"))


class PasswordTests(AccountsCase):
    """Another password."""

    def set(self, name: str | None, password: str, new: str) -> Deferred[None]:
        connection: Any = FakeConnection()
        if name is not None:
            connection.account = self.accounts.enter(connection, Account(name, skeleton(name)))
        return self.accounts.set_password(connection, password, new)

    def test_it_is_the_new_one_from_then_on(self) -> None:
        self.add(account("Ann", "moderator"))
        self.successResultOf(self.set("Ann", PASSWORD, "battery staple"))
        self.assertRefused("bad_login", self.login("Ann"))
        self.assertEqual(self.successResultOf(self.login("Ann", "battery staple")).roles, {"moderator"})

    def test_it_takes_the_old_one(self) -> None:
        self.add(account("Ann"))
        self.assertRefused("bad_login", self.set("Ann", "wrong", "battery staple"))
        self.successResultOf(self.login("Ann"))

    def test_a_stolen_connection_does_not_help_in_guessing(self) -> None:
        self.add(account("Ann"))
        for _ in range(FREE + 1):
            self.assertRefused("bad_login", self.set("Ann", "wrong", "battery staple"))
        self.assertRefused("rate_limited", self.set("Ann", PASSWORD, "battery staple"))

    def test_a_short_one(self) -> None:
        self.add(account("Ann"))
        self.assertRefused("bad_message", self.set("Ann", PASSWORD, "1234567"), "$.new")

    def test_guests_have_none(self) -> None:
        self.assertRefused("not_allowed", self.set(None, PASSWORD, "battery staple"))

    def test_passwords_that_are_kept_elsewhere(self) -> None:
        self.make([self.keeper, InMemory(bob=b"the builder")])
        self.successResultOf(self.login("bob", "the builder"))
        self.assertRefused("not_allowed", self.set("bob", "the builder", "battery staple"))


class NameTests(AccountsCase):
    """Whose a name is."""

    def setUp(self) -> None:
        super().setUp()
        self.add(account("Ann"))

    def test_nobody_elses(self) -> None:
        for name in ("Ann", "ANN", "Аnn", "ΑΝΝ"):
            self.assertRefused("name_taken", self.accounts.check_name(name, None), "$.name")
            self.assertRefused("name_taken", self.accounts.check_name(name, Account("Bob", "bob")), "$.name")

    def test_its_own(self) -> None:
        self.successResultOf(self.accounts.check_name("ann", Account("Ann", "ann")))

    def test_any_other(self) -> None:
        self.successResultOf(self.accounts.check_name("Anna", None))

    def test_an_account_by_its_name(self) -> None:
        ann = self.successResultOf(self.accounts.find("ANN"))
        assert ann is not None
        self.assertEqual((ann.name, ann.skeleton), ("Ann", "ann"))

    def test_none_by_what_only_looks_like_it(self) -> None:
        self.assertIsNone(self.successResultOf(self.accounts.find("Аnn")))

    def test_none_that_may_not_be_used(self) -> None:
        self.change("Ann", disabled=True)
        self.assertIsNone(self.successResultOf(self.accounts.find("Ann")))


class HereTests(AccountsCase):
    """Those who are connected, while operators change what is in the store."""

    def setUp(self) -> None:
        super().setUp()
        self.add(account("Ann"))
        self.accounts.startService()
        self.addCleanup(self.accounts.stopService)

    def enter(self, name: str = "Ann") -> tuple[Account, FakeConnection]:
        connection: Any = FakeConnection()
        return self.accounts.enter(connection, self.successResultOf(self.login(name))), connection

    def test_an_account_is_one_on_all_its_connections(self) -> None:
        (one, a), (same, b) = self.enter(), self.enter()
        self.assertIs(one, same)
        self.assertEqual(one.connections, {a, b})

    def test_nothing_is_kept_of_who_has_gone(self) -> None:
        (ann, a), (_, b) = self.enter(), self.enter()
        self.accounts.leave(a, ann)  # type: ignore[arg-type]
        self.assertEqual(ann.connections, {b})
        self.accounts.leave(b, ann)  # type: ignore[arg-type]
        self.assertEqual(self.accounts._here, {})

    def test_new_roles_are_known_at_once(self) -> None:
        ann, _ = self.enter()
        self.change("Ann", roles=("moderator",))
        self.clock.advance(LOOK_EVERY)
        self.assertEqual(ann.roles, {"moderator"})

    def test_roles_of_a_new_login_hold_for_all_connections(self) -> None:
        ann, _ = self.enter()
        self.change("Ann", roles=("operator",))
        self.enter()
        self.assertTrue(ann.operator)

    def test_who_is_disabled_is_ended_everywhere(self) -> None:
        (_, a), (_, b) = self.enter(), self.enter()
        self.change("Ann", disabled=True)
        self.clock.advance(LOOK_EVERY)
        self.assertEqual([refused.code for refused in (*a.ended, *b.ended)], ["kicked", "kicked"])

    def test_so_is_who_came_in_with_a_password_that_was_changed_since(self) -> None:
        _, a = self.enter()
        self.clock.advance(LOOK_EVERY)
        self.assertEqual(a.ended, [])
        self.change("Ann", password="another")
        self.clock.advance(LOOK_EVERY)
        self.assertEqual([refused.code for refused in a.ended], ["kicked"])

    def test_but_not_who_has_changed_it(self) -> None:
        ann, here = self.enter()
        here.account = ann
        self.clock.advance(LOOK_EVERY)
        self.successResultOf(self.accounts.set_password(here, PASSWORD, "battery staple"))  # type: ignore[arg-type]
        self.clock.advance(2 * LOOK_EVERY)
        self.assertEqual(here.ended, [])

    def test_others_are_not(self) -> None:
        self.add(account("Bob"))
        _, bob = self.enter("Bob")
        self.change("Ann", disabled=True)
        self.clock.advance(LOOK_EVERY)
        self.assertEqual(bob.ended, [])

    def test_all_have_their_turn(self) -> None:
        everyone = []
        for number in range(MOST_LOOKED_AT + 1):
            self.add(account(f"name {number}"))
            everyone.append(self.enter(f"name {number}")[1])
            self.change(f"name {number}", disabled=True)
        self.clock.advance(LOOK_EVERY)
        self.assertEqual(sum(len(connection.ended) for connection in everyone), MOST_LOOKED_AT)
        self.clock.advance(LOOK_EVERY)
        self.assertTrue(all(connection.ended for connection in everyone))

    def test_a_store_that_is_busy_is_asked_again(self) -> None:
        ann, _ = self.enter()
        self.change("Ann", roles=("moderator",))
        self.patch(self.core.store.accounts, "find", lambda skeleton: fail(Refused("store_busy", "later")))
        self.clock.advance(LOOK_EVERY)
        del self.core.store.accounts.find  # type: ignore[method-assign]
        self.clock.advance(LOOK_EVERY)
        self.assertEqual(ann.roles, {"moderator"})

    def test_so_is_one_that_fails(self) -> None:
        ann, _ = self.enter()
        self.change("Ann", roles=("moderator",))
        self.patch(self.core.store.accounts, "find", lambda skeleton: fail(OSError("torn")))
        self.clock.advance(LOOK_EVERY)
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 1)
        del self.core.store.accounts.find  # type: ignore[method-assign]
        self.clock.advance(LOOK_EVERY)
        self.assertEqual(ann.roles, {"moderator"})


class AccountTests(SynchronousTestCase):
    """What it may do."""

    def test_its_interface(self) -> None:
        self.assertTrue(verifyObject(IAccount, Account("Ann", "ann")))

    def test_roles(self) -> None:
        def may(*roles: str) -> tuple[bool, bool, bool, bool]:
            ann = Account("Ann", "ann", roles)
            return ann.operator, ann.may_moderate(None), ann.may_moderate("tech"), ann.may_moderate("gaming")

        self.assertEqual(may(), (False, False, False, False))
        self.assertEqual(may("operator"), (True, True, True, True))
        self.assertEqual(may("moderator"), (False, True, True, True))
        self.assertEqual(may("moderator:tech"), (False, False, True, False))
