"""What clients have in common whatever kind of program they are for: all but input, output and waiting."""

from __future__ import annotations

from collections.abc import Callable

from twisted.logger import Logger

from netplay.client.addresses import Address
from netplay.client.credentials import Credentials
from netplay.client.link import Inbox
from netplay.client.session import Session
from netplay.client.wires import Message


class Face:
    """
    One client of one feature, over all its connections.

    @param place: which feature, where.
    @param retry: attempt (from 1) -> seconds to wait before it.
    @param credentials: who it is, C{None} for a guest.
    """

    _log = Logger()

    def __init__(self, place: Address, retry: Callable[[int], float], credentials: Credentials | None = None) -> None:
        self._place = place
        self._retry = retry
        self._session = Session(credentials)
        self._inbox = Inbox(self._session)
        self._attempt = 0
        self._over: BaseException | None = None  # why there is no more than what waits in the inbox

    @property
    def you(self) -> Message:
        """Who the server says we are: C{id}, C{name} (as it was on connecting), C{guest}."""
        return self._session.you or {}

    @property
    def connected(self) -> bool:
        """Whether something can be sent just now."""
        return self._session.ready

    @property
    def unread(self) -> int:
        """How many messages wait to be read."""
        return len(self._inbox)

    def _next_attempt(self, greeted: bool, reason: BaseException) -> float:
        """
        There is to be another connection.

        @param greeted: whether the server had let us in, on the one before.
        @param reason: why that one is gone.
        @return: seconds to wait.
        """
        self._attempt = 1 if greeted else self._attempt + 1
        delay = self._retry(self._attempt)
        self._log.info(
            "{feature}: no connection ({reason!r}), attempt {attempt} to come back in {delay:.1f} s",
            feature=self._place.feature,
            reason=str(reason),
            attempt=self._attempt,
            delay=delay,
        )
        return delay
