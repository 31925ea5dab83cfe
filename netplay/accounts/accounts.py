"""Who is logged in, and how one comes to be: what the daemon has around a L{twisted.cred} portal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from twisted.application.service import Service
from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.credentials import UsernamePassword
from twisted.cred.error import LoginFailed, UnhandledCredentials
from twisted.cred.portal import Portal
from twisted.internet.defer import Deferred
from twisted.logger import Logger

from netplay.accounts.account import Account, IAccount
from netplay.accounts.interfaces import IBoundChecker, IPasswordKeeper
from netplay.accounts.names import account_name
from netplay.accounts.realm import Realm, register_all
from netplay.accounts.throttle import FREE, Failures, Throttle
from netplay.beat import Beat
from netplay.confusables import folded_shapes
from netplay.errors import Refused
from netplay.limits import network_of
from netplay.store.records import AccountRecord
from netplay.text import readings, same_name, skeleton

if TYPE_CHECKING:
    from netplay.accounts.credentials import Token
    from netplay.connection import Connection
    from netplay.core import Core

SHORTEST_PASSWORD = 8
"""Characters; as NIST SP 800-63B-3 has it, there are no other rules."""

LOOK_EVERY = 2.0
"""Seconds from one look into the store to the next, where a command may have changed something."""

MOST_LOOKED_AT = 200
"""Accounts in one such look; the others come next."""


class Accounts(Service):
    """
    @param core: the daemon's; its store is asked when somebody comes.
    @param checkers: who says who somebody is; of several for the same kind of credentials, the first that agrees.
    @param registration: whether anybody may make an account; takes a checker that keeps passwords.
    @param guests: whether one may be here without an account.
    """

    _log = Logger()

    def __init__(
        self,
        core: Core,
        checkers: Iterable[ICredentialsChecker] = (),
        *,
        registration: bool = False,
        guests: bool = True,
    ) -> None:
        self._core = core
        self._registration = registration
        self.guests = guests
        self._here: dict[str, Account] = {}  # by skeleton, as long as one of their connections is there
        self._unseen: list[Account] = []  # of those, who are still to be looked at
        self._looking = False
        self._beat = Beat(core.clock, LOOK_EVERY, self._look, "accounts: while looking for what has changed")
        self._portal = Portal(Realm(core))
        checkers = list(checkers)
        register_all(self._portal, checkers)
        self._keeper: Any = next(filter(IPasswordKeeper.providedBy, checkers), None)
        for checker in checkers:
            if IBoundChecker.providedBy(checker):
                checker.bind(core)
        self._throttle = Throttle()
        self._registered = Failures(FREE)  # by address

    # Coming in

    def login(self, credentials: UsernamePassword | Token, address: str | None) -> Deferred[Account]:
        """
        Find out who somebody is.

        @param address: where it comes from.
        @raise Refused: C{bad_login}; C{rate_limited}; C{banned} where the account is disabled; C{name_taken} where
            the name is new, and looks like that of another account; C{not_allowed} where nobody can say that.
        """
        return Deferred.fromCoroutine(self._login(credentials, address))

    async def _login(self, credentials: UsernamePassword | Token, address: str | None) -> Account:
        clock = self._core.clock
        name = skeleton(credentials.username.decode()) if isinstance(credentials, UsernamePassword) else None
        self._throttle.attempt(address, name, clock.seconds())
        try:
            avatar: Any = await self._portal.login(credentials, None, IAccount)
        except UnhandledCredentials:
            kind = "a token" if name is None else "a password"
            raise Refused("not_allowed", f"nobody logs in with {kind} here") from None
        except LoginFailed:
            text = "no such token, or it has ended" if name is None else "no such name, or not that password"
            raise Refused("bad_login", text) from None
        except Refused:  # it is who it says, or nobody has looked
            self._throttle.take_back(address, name, clock.seconds())
            raise
        self._throttle.take_back(address, name, clock.seconds())
        account: Account = avatar[1]
        return account

    def register(self, user: str, password: str, address: str | None) -> Deferred[Account]:
        """
        Make a name somebody's own.

        @raise Refused: C{not_allowed} where registration is closed; C{banned} where the name is; C{name_taken},
            C{bad_message}, C{rate_limited}.
        """
        return Deferred.fromCoroutine(self._register(user, password, address))

    async def _register(self, user: str, password: str, address: str | None) -> Account:
        if not self._registration or self._keeper is None:
            raise Refused("not_allowed", "accounts are made by those who run this server")
        name = account_name(user, "$.user")
        _check_length(password, "$.password")
        self._core.moderation.check_name(name)
        await self._check_name(name, None, "$.user")
        if address is not None:
            self._pace_registering(network_of(address))
        record = AccountRecord(
            name, skeleton(name), self._core.now(), password=await self._keeper.hash(password.encode())
        )
        if not await self._core.store.accounts.add(record):
            raise _taken("$.user")
        return Account(name, record.skeleton)

    def _pace_registering(self, network: str) -> None:
        now = self._core.clock.seconds()
        wait = self._registered.wait(network, now)
        if wait:
            text = "too many accounts were made from your address; wait, then try again"
            raise Refused("rate_limited", text, retry_after=round(wait, 3))
        self._registered.charge(network, now)

    def set_password(self, connection: Connection, password: str, new: str) -> Deferred[None]:
        """
        Another password for the account of a connection, the only one that it has from then on.

        @raise Refused: C{not_allowed} for guests, and where somebody else keeps the password; C{bad_login},
            C{bad_message}, C{rate_limited}.
        """
        return Deferred.fromCoroutine(self._set_password(connection, password, new))

    async def _set_password(self, connection: Connection, password: str, new: str) -> None:
        account, store = connection.account, self._core.store
        if account is None:
            raise Refused("not_allowed", "log in first; guests have no password")
        _check_length(new, "$.new")
        record = await store.accounts.find(account.skeleton)
        if self._keeper is None or record is None or record.password is None:
            raise Refused("not_allowed", "your password is not kept here; change it where you have it from")
        await self._login(UsernamePassword(record.name.encode(), password.encode()), connection.address)
        await store.accounts.change(account.skeleton, password=await self._keeper.hash(new.encode()))
        account.password = None  # it is no change that somebody else has made
        await self._send_away(account, but=connection)

    async def _send_away(self, account: Account, *, but: Connection | None = None) -> None:
        """Its password is another: who came in with the old one is to come in again."""
        account.end(Refused("kicked", "the password of this account was changed"), but=but)
        self._core.sessions.forget(account)
        await self._core.store.sessions.drop_all(account.name)

    # Who is here

    def enter(self, connection: Connection, account: Account) -> Account:
        """
        A connection is an account's from now on.

        @return: the object that stands for it on all its connections.
        """
        here = self._here.setdefault(account.skeleton, account)
        here.granted, here.vouched = account.granted, account.vouched
        here.connections.add(connection)
        self._throttle.at_home(connection.address, here.skeleton)
        return here

    def leave(self, connection: Connection, account: Account) -> None:
        """A connection has gone."""
        account.connections.discard(connection)
        if not account.connections and self._here.get(account.skeleton) is account:
            del self._here[account.skeleton]

    def connections(self, skeleton: str) -> int:
        """How many the account with that skeleton has."""
        account = self._here.get(skeleton)
        return 0 if account is None else len(account.connections)

    def changed(self, record: AccountRecord) -> None:
        """This is what the store has of an account: it may have other roles, or may not be here any more."""
        account = self._here.get(record.skeleton)
        if account is not None:
            account.granted = frozenset(record.roles)
            if record.disabled:
                account.end(Refused("kicked", "this account is disabled"))

    def rehashed(self, skeleton: str) -> None:
        """The store is to have something else of the same password: that is no reason to send anybody away."""
        account = self._here.get(skeleton)
        if account is not None:
            account.password = None

    def startService(self) -> None:
        """Begin to look after those who are here."""
        super().startService()
        folded_shapes()  # takes some milliseconds, which nobody is to wait for later
        self._beat.start()

    def stopService(self) -> None:
        """Look no more."""
        super().stopService()
        self._beat.stop()

    def _look(self) -> None:
        if self._here and not self._looking:
            Deferred.fromCoroutine(self._look_at_some())

    async def _look_at_some(self) -> None:
        self._looking = True
        try:
            self._unseen = self._unseen or list(self._here.values())
            for account in self._unseen[:MOST_LOOKED_AT]:
                record = await self._core.store.accounts.find(account.skeleton)
                if record is not None:
                    self.changed(record)
                    before, account.password = account.password, record.password
                    if before not in (None, record.password):
                        await self._send_away(account)
            del self._unseen[:MOST_LOOKED_AT]
        except Refused:
            self._log.info("accounts: the store has no time to say what has changed")
        except Exception:  # the next look may go well
            self._log.failure("accounts: while looking for what has changed")
        finally:
            self._looking = False

    # Whose a name is

    def find(self, name: str) -> Deferred[Account | None]:
        """The account of that name, C{None} if there is none or it may not be used."""
        return Deferred.fromCoroutine(self._find(name))

    async def _find(self, name: str) -> Account | None:
        record = await self._core.store.accounts.find(skeleton(name))
        if record is None or record.disabled or same_name(record.name) != same_name(name):
            return None
        return self._here.get(record.skeleton) or Account(record.name, record.skeleton, record.roles)

    def check_name(self, name: str, account: Account | None) -> Deferred[None]:
        """
        Whether somebody may be called that.

        @raise Refused: C{name_taken}: it looks like the name of an account that is not C{account}.
        """
        return Deferred.fromCoroutine(self._check_name(name, account))

    async def _check_name(self, name: str, account: Account | None, field: str = "$.name") -> None:
        for reading in readings(name):
            record = await self._core.store.accounts.find(reading)
            if record is not None and (account is None or account.skeleton != record.skeleton):
                raise _taken(field)


def _check_length(password: str, field: str) -> None:
    if len(password) < SHORTEST_PASSWORD:
        raise Refused("bad_message", f"a password has at least {SHORTEST_PASSWORD} characters", field)


def _taken(field: str) -> Refused:
    return Refused("name_taken", "that name belongs to somebody, or looks as if it did; take another", field)
