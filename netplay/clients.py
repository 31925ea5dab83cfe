"""One feature on one connection: decodes its requests, sends its answers, keeps its session."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar
from typing import Protocol as Shape

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from netplay.accounts.credentials import credentials_of
from netplay.accounts.entrance import Entrance
from netplay.errors import MISTAKES, Refused
from netplay.messages import (
    ANSWERED,
    PROTOCOL,
    SERVER,
    Caps,
    Error,
    Event,
    Greeting,
    Identity,
    LoggedIn,
    Login,
    Ok,
    Options,
    Register,
    Request,
    Resume,
    SetPassword,
)
from netplay.pages import fitting

if TYPE_CHECKING:
    from netplay.accounts.account import Account
    from netplay.connection import Connection
    from netplay.interfaces import IMessageService, ISession
    from netplay.outbox import Outbox
    from netplay.wire.codecs import Wire

T = TypeVar("T")


class Heard(Shape):
    """What a client hears: a channel, or whatever else sends it something without being asked."""

    def leave(self, client: Client) -> None: ...
    def rewire(self, client: Client, before: Wire) -> None: ...


class Client:
    """
    @param connection: whose client it is.
    @param feature: the name of the feature.
    @param service: the feature at work.
    @param wire: how messages reach it.
    """

    __slots__ = (
        "_fresh",
        "_gone",
        "_saved",
        "_token",
        "_waits_for",
        "channels",
        "connection",
        "feature",
        "max_reply",
        "outbox",
        "session",
        "wire",
    )

    _log = Logger()

    def __init__(self, connection: Connection, feature: str, service: IMessageService, wire: Wire) -> None:
        self.connection = connection
        self.outbox: Outbox = connection.outbox
        self.feature = feature
        self.wire = wire
        self.channels: list[Heard] = []
        self.max_reply = connection.core.limits.max_reply
        self._fresh = True  # nothing was received yet: it may still resume
        self._gone = False
        self._waits_for: IMessageService | None = None  # which greets it once it has logged in
        self._saved: bytes | None = None  # what the store has of it
        self._token = connection.core.sessions.open(self)
        try:
            self.session: ISession = self._greeted_by(service)
        except BaseException:
            for channel in list(self.channels):
                channel.leave(self)
            connection.core.sessions.close(self._token)
            raise
        self.keep()

    # What the feature uses (IClient)

    @property
    def account(self) -> Account | None:
        """Who is logged in, C{None} for a guest."""
        return self.connection.account

    @property
    def gone(self) -> bool:
        """Whether it has left; for those who had to wait for something."""
        return self._gone

    @property
    def lagging(self) -> bool:
        """Whether something waits to be taken by the client."""
        return not self.outbox.clear

    def greet(self, message: Greeting, you: Identity, ref: str | int | None = None) -> None:
        """Send the first message, with who the client is, its session and its limits added."""
        message.you = you
        message.session = self._token
        message.protocol = PROTOCOL
        message.server = SERVER
        message.limits = self.caps()
        self.send(message, ref)

    def caps(self) -> Caps:
        """What it may do."""
        limits = self.connection.core.limits
        return Caps(limits.max_message, self.max_reply, limits.rate, limits.idle)

    def send(self, message: Event, ref: str | int | None = None) -> None:
        """Send a message, as the answer to C{ref} if there is one."""
        if ref is not None:
            message.ref = ref
        self.outbox.write(self.wire.encode(message))

    def fit(self, items: Sequence[T], *, newest: bool = False) -> list[T]:
        """As many items, from the first or from the newest, as fit in one reply to this client."""
        return fitting(items, self.max_reply, self.wire.codec.encode, newest=newest)

    def offer(self, key: Hashable, make: Callable[[], Event]) -> bool:
        """Send a message now, or its newest version once the client has caught up."""
        return self.outbox.offer((self.feature, key), lambda: self.wire.encode(make()))

    def drained(self) -> Deferred[None]:
        """Fires when the client has taken all that it was sent, or is gone."""
        return self.outbox.drained()

    def forget(self, key: Hashable) -> None:
        """Take back an offer that was not sent yet."""
        self.outbox.forget((self.feature, key))

    def keep(self) -> None:
        """What the client comes back to has changed, which is kept if it is an account's."""
        if not self._gone:
            self._keep()

    def may_wait(self, patient: bool) -> None:
        """Whether what it says takes effect a moment later anyway, so that it need not be read at once."""
        self.connection.may_wait(patient)

    def end(self, code: str, message: str) -> None:
        """Say an error and close the connection."""
        self.connection.end(Refused(code, message))

    # What the connection uses

    def rewire(self, wire: Wire) -> None:
        """From now on C{wire} reaches this client."""
        before, self.wire = self.wire, wire
        for channel in self.channels:
            channel.rewire(self, before)

    def logged_in(self, account: Account) -> None:
        """Its connection is an account's from now on. Who had to wait for that is greeted."""
        if self._waits_for is None:
            self.session.logged_in(account)
        else:
            self.session = self._waits_for.connected(self)
            self._waits_for = None

    def who(self, account: Account) -> LoggedIn:
        """Who it is now, as it is told."""
        you = self.session.identity() or Identity(account.name, account.name, guest=False)
        return LoggedIn(you=you, roles=sorted(account.roles))

    def received(self, payload: bytes) -> Deferred[Any] | None:
        """
        Handle one payload.

        @return: a Deferred that fires when the next may be handled, or C{None} when it may be at once.
        """
        connection = self.connection
        wait = connection.wait_for_token()
        if wait:
            return connection.in_turn(self._rate_limited, payload, wait)
        try:
            message = self.session.grammar.decode(payload, self.wire.codec.values)
        except Refused as refused:
            return connection.in_turn(self._refuse, refused, refused.ref)
        except Exception:
            return connection.in_turn(self._failed, Failure(), None)
        if connection.unanswered and not message.OVERTAKES:
            return connection.in_turn(self._carry_out, message)
        return self._carry_out(message)

    def _carry_out(self, message: Request) -> Deferred[Any] | None:
        ref = message.ref
        try:
            handler = OWN_HANDLERS.get(type(message))
            if handler is None:
                self._fresh = False
                answer = self.session.received(message)
            else:
                answer = self._handle(handler, message)
            # None first: Deferred is an abstract base class, of which asking for instances is slow.
            if answer is None or not isinstance(answer, Deferred):
                if ref is not None or answer is not None:
                    return self.connection.in_turn(self._answer, answer, ref)
                self.connection.mistakes = 0
                return None
        except Refused as refused:
            return self.connection.in_turn(self._refuse, refused, refused.ref if ref is None else ref)
        except Exception:
            return self.connection.in_turn(self._failed, Failure(), ref)
        answer.addCallback(self._answer, ref)
        answer.addErrback(self._failed, ref)
        return self.connection.answers_later(answer) if message.OVERTAKES else answer

    def lost(self, now: float) -> None:
        """The client is gone; later calls do nothing."""
        if self._gone:
            return
        self._gone = True
        sessions = self.connection.core.sessions
        for channel in list(self.channels):
            channel.leave(self)
        try:
            self._saved = None  # it was used up to now
            self._keep()
            kept = self.session.lost()
        except Exception:
            self._log.failure("{feature}: while a client left", feature=self.feature)
            kept = None
        if kept is None:
            sessions.close(self._token)
        else:
            sessions.keep(self._token, self.feature, kept, self.session.expired, now, self.account)

    def _keep(self) -> None:
        state = None if self.account is None else self.session.keep()
        if self.account is not None and state is not None and state != self._saved:
            self._saved = state
            self.connection.core.saved.save(self._token, self.account.name, self.feature, state)

    def _greeted_by(self, service: IMessageService) -> ISession:
        core = self.connection.core
        if self.account is None and not core.accounts.guests:
            self._waits_for = service
            return Entrance(self, core)
        return service.connected(self)

    def _handle(self, handler: Callable[[Any, Any], Any], message: Request) -> Event | Deferred[Event | None] | None:
        if type(message) is Resume and not self._fresh:
            raise Refused("not_allowed", "resume comes first on a new connection, before anything else")
        self._fresh = False
        answer: Event | Deferred[Event | None] | None = handler(self, message)
        return answer

    def _options(self, message: Options) -> None:
        self.max_reply = min(message.max_reply or self.max_reply, self.connection.core.limits.max_reply)

    def _log_in(self, message: Login) -> Deferred[Event]:
        connection = self.connection
        return self._become(connection.core.accounts.login(credentials_of(message), connection.address))

    def _register(self, message: Register) -> Deferred[Event]:
        if self.account is not None:
            raise Refused("not_allowed", f"you are logged in as {self.account.name}; register in a new connection")
        connection = self.connection
        return self._become(connection.core.accounts.register(message.user, message.password, connection.address))

    def _become(self, account: Deferred[Account]) -> Deferred[Event]:
        return account.addCallback(self._be)

    def _be(self, account: Account) -> Event:
        self.connection.logged_in(account, self)
        self.keep()
        return ANSWERED if self._gone else self.who(account)

    def _set_password(self, message: SetPassword) -> Deferred[None]:
        return self.connection.core.accounts.set_password(self.connection, message.password, message.new)

    def _resume(self, message: Resume) -> Deferred[Event]:
        return Deferred.fromCoroutine(self._come_back(message))

    async def _come_back(self, message: Resume) -> Event:
        core, token = self.connection.core, message.session
        saved = None if core.sessions.knows(token) else await core.saved.find(token, self.feature)
        owner = core.sessions.owner(token) if saved is None else saved.account
        account = None if owner is None else await self._owner(owner)
        if self._gone:
            raise Refused("unavailable", "you have gone")
        if saved is None or core.sessions.knows(token):  # somebody may have come back to it meanwhile
            saved, kept = None, core.sessions.resume(token, self.feature, self)
        else:
            core.sessions.take(token, self)
        self._give_up_own_session()
        self._token = token
        if account is not None:
            self.connection.logged_in(account, self)
        if saved is None:
            await maybeDeferred(self.session.resumed, kept, message)
        else:
            await maybeDeferred(self.session.restored, saved.state, message)
        if account is None and self.account is not None:  # a guest, which has logged in elsewhere on the connection
            self.session.logged_in(self.account)
            self.send(self.who(self.account))
        self.keep()
        return ANSWERED

    async def _owner(self, name: str) -> Account:
        account = await self.connection.core.accounts.find(name)
        if account is None:
            raise Refused("bad_session", "the account whose session it is may not be used", "$.session")
        self.connection.check_account(account)
        return account

    def _give_up_own_session(self) -> None:
        core = self.connection.core
        core.sessions.close(self._token)
        if self._saved is not None:
            core.saved.drop(self._token)
            self._saved = None

    def _answer(self, answer: Event | None, ref: str | int | None) -> None:
        self.connection.mistakes = 0
        if answer is None:
            if ref is not None:
                self.send(Ok(), ref)
        elif answer is not ANSWERED:
            self.send(answer, ref)

    def _failed(self, failure: Failure, ref: str | int | None) -> None:
        refused = failure.value
        if isinstance(refused, Refused):
            self._refuse(refused, ref)
        else:
            self._log.failure("{feature}: while handling a message", failure, feature=self.feature)
            self._refuse(Refused("internal", "that went wrong here, not with you; it is in the log"), ref)

    def _refuse(self, refused: Refused, ref: str | int | None) -> None:
        connection = self.connection
        connection.core.complaints.note(refused.code)
        if refused.code not in MISTAKES:
            connection.mistakes = 0
        elif not connection.bears_mistake(refused, ref):
            return
        self.send(error_of(refused, ref))

    def _rate_limited(self, payload: bytes, wait: float) -> None:
        connection = self.connection
        connection.core.complaints.note("rate_limited")
        ref = None
        if b"ref" in payload:  # whoever waits for an answer gets one
            ref = self.wire.codec.ref_in(payload)
        if connection.may_say_rate_limited() or ref is not None:
            limits = connection.core.limits
            text = f"more than {limits.rate:g} messages a second; this one had no effect"
            self.send(Error(code="rate_limited", message=text, retry_after=wait, ref=ref))


OWN_HANDLERS: dict[type[Request], Callable[[Any, Any], Any]] = {
    Resume: Client._resume,
    Options: Client._options,
    Login: Client._log_in,
    Register: Client._register,
    SetPassword: Client._set_password,
}
"""What is the same in every feature; all else is for its session."""


def error_of(refused: Refused, ref: str | int | None = None, *, fatal: bool = False) -> Error:
    """The message that says a refusal."""
    return Error(code=refused.code, message=refused.message, field=refused.field, ref=ref, fatal=fatal, **refused.more)
