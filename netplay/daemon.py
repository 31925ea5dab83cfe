"""The service at the top: starts and ends the parts of the daemon in their order."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from twisted.application.service import IService, Service
from twisted.internet.defer import Deferred
from twisted.logger import Logger

from netplay.core import Core, Phase
from netplay.listen import Doors


class Daemon(Service):
    """
    A MultiService stops all its children at once: the store would close while clients are still told good-bye. This
    one ends in phases, each when the one before has really ended: listeners, connections, features, store.

    @param store: where things are kept.
    @param features: the features, in the order in which they start.
    @param doors: the listeners.
    @param hints: lines for the log once all is running.
    @param when_running: calls something once the reactor runs, signals included.
    @param running: called once all is running.
    @param stopping: called when the end begins.
    """

    log = Logger()

    def __init__(
        self,
        core: Core,
        store: Any,
        features: Iterable[Any],
        doors: Doors,
        *,
        hints: Callable[[], Iterable[str]] = tuple,
        when_running: Callable[[Callable[[], None]], object] = lambda call: call(),
        running: Callable[[], None] = lambda: None,
        stopping: Callable[[], None] = lambda: None,
    ) -> None:
        self.setName("netplay")
        self.core = core
        self.store: IService = store
        self.features: list[IService] = list(features)
        self.doors = doors
        self._hints = hints
        self._when_running = when_running
        self._is_running = running
        self._stopping = stopping

    def privilegedStartService(self) -> None:
        """
        Open the listeners, while we may still be root.

        @raise netplay.listen.PortsInUse: some cannot be opened.
        """
        super().privilegedStartService()
        self.doors.privilegedStartService()

    def startService(self) -> None:
        """
        Start everything, what others lean on first.

        @raise netplay.store.errors.CannotOpen: the store cannot be used.
        """
        # The doors first of all: should they not open, nothing else has begun.
        self.doors.startService()
        try:
            self.store.startService()
        except BaseException:
            self.doors.shut()
            raise
        super().startService()
        self.core.accounts.startService()
        self.core.moderation.startService()
        for feature in self.features:
            feature.startService()
        self.core.watch.startService()
        self._when_running(self._now_running)

    def _now_running(self) -> None:
        if self.running:
            self.core.phase = Phase.RUNNING
            for hint in self._hints():
                self.log.info("{hint}", hint=hint)
            self._is_running()

    def stopService(self) -> Deferred[None]:
        """End everything; fires when all is closed."""
        self._stopping()
        self.core.phase = Phase.DRAINING
        super().stopService()
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        await self._phase("the listeners", self.doors.stopService)
        await self._phase(
            "the connections",
            lambda: self.core.watch.drain("shutting_down", "the server is going down; come back later"),
        )
        await self._phase("the watch", self.core.watch.stopService)
        for feature in reversed(self.features):
            await self._phase("a feature", feature.stopService)
        await self._phase("moderation", self.core.moderation.stopService)
        await self._phase("the accounts", self.core.accounts.stopService)
        await self._phase("the store", self.store.stopService)

    async def _phase(self, name: str, stop: Callable[[], Any]) -> None:
        """One part; its trouble must not keep the others from ending."""
        try:
            done = stop()
            if isinstance(done, Deferred):
                await done
        except Exception:
            self.log.failure("while closing {name}", name=name)
