"""Passwords, and what is kept of them: worked out by threads of their own, as it takes long on purpose."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable
from typing import Any, TypeVar

from argon2 import PasswordHasher, Type, extract_parameters
from argon2.exceptions import InvalidHashError, VerificationError
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool

from netplay.errors import Refused

T = TypeVar("T")

ARGON2 = PasswordHasher(time_cost=5, memory_cost=19 * 1024, parallelism=1, type=Type.ID)
"""
Some 50 ms and 19 MiB for each: the memory and lanes of the least that
U{OWASP <https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html>} asks for, with more passes.
"""

THREADS = max(1, min(4, (os.cpu_count() or 1) // 2))
"""However many log in at once, half of the processors are left to those who have."""

MOST_WAITING = 50
"""What may wait or be under way: the last of them waits some seconds."""


class Passwords:
    """
    @param reactor: with threads. They begin with the first password, and end with the reactor.
    """

    def __init__(self, reactor: Any, argon2: PasswordHasher = ARGON2) -> None:
        self._reactor = reactor
        self._argon2 = argon2
        self._pool: ThreadPool | None = None
        self._waiting = 0

    def hash(self, password: bytes) -> Deferred[str]:
        """
        What is kept of a password.

        @raise Refused: C{store_busy}: too many wait.
        """
        return self._work(lambda: self._argon2.hash(_composed(password)))

    def check(self, kept: str | None, password: bytes) -> Deferred[str | None]:
        """
        Whether it is that password, in a time that does not tell whether there is one.

        @param kept: what L{hash} once gave, C{None} if nobody is called that.
        @return: what is to be kept from now on, another than C{kept} where that is weaker than it would be made today;
            C{None} if it is not the password.
        @raise Refused: C{store_busy}: too many wait.
        """
        return self._work(lambda: self._check(kept, _composed(password)))

    def stop(self) -> None:
        """End the threads, when what waits is done."""
        if self._pool is not None:
            self._pool.stop()
            self._pool = None

    def _check(self, kept: str | None, password: bytes) -> str | None:
        if kept is None:
            self._argon2.hash(password)
            return None
        try:
            self._argon2.verify(kept, password)
        except (VerificationError, InvalidHashError):
            return None
        return self._argon2.hash(password) if self._is_weak(kept) else kept

    def _is_weak(self, kept: str) -> bool:
        was = extract_parameters(kept)
        return was.time_cost < self._argon2.time_cost or was.memory_cost < self._argon2.memory_cost

    def _work(self, work: Callable[[], T]) -> Deferred[T]:
        if self._waiting >= MOST_WAITING:
            raise Refused("store_busy", "too many log in just now; try again in a few seconds")
        if self._pool is None:
            self._pool = ThreadPool(0, THREADS, "passwords")
            self._pool.start()
            self._reactor.addSystemEventTrigger("during", "shutdown", self.stop)
        self._waiting += 1
        return deferToThreadPool(self._reactor, self._pool, work).addBoth(self._done)

    def _done(self, result: T) -> T:
        self._waiting -= 1
        return result


def _composed(password: bytes) -> bytes:
    """The same on every keyboard (NFC, as U{RFC 8265 <https://www.rfc-editor.org/rfc/rfc8265#section-4.2>} has it)."""
    text = password.decode(errors="surrogateescape")
    return unicodedata.normalize("NFC", text).encode(errors="surrogateescape")
