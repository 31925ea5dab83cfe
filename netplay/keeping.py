"""What is to be kept though nobody waits for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from netplay.complaints import Complaints
from netplay.errors import Refused

P = ParamSpec("P")


class Keeping:
    """
    Hands changes to the store for those who go on without waiting: a beat, a round that is over. When the store is
    busy nobody can be told, so it is counted, and the log says so, a line every ten seconds at most.

    @ivar unkept: what was not kept, or is not yet.
    """

    _log = Logger()

    def __init__(self, clock: IReactorTime) -> None:
        self.unkept = Complaints(clock, what="not kept, the store is busy")

    def keep(self, what: str, change: Callable[P, Deferred[Any]], *args: P.args, **kwargs: P.kwargs) -> bool:
        """
        Change something in the store.

        @param what: in a word, for the log.
        @return: whether the store has taken it.
        """
        try:
            change(*args, **kwargs).addErrback(self._failed, what)
        except Refused:
            self.unkept.note(what)
            return False
        return True

    def _failed(self, failure: Failure, what: str) -> None:
        if failure.check(Refused):
            self.unkept.note(what)
        else:
            self._log.failure("while {what} were kept", failure, what=what)
