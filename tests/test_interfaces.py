"""Everything that says it provides one of the seams does, and the plugins that must be there are."""

from __future__ import annotations

from typing import Any

from twisted.application.service import IService, IServiceMaker
from twisted.internet.interfaces import (
    IConsumer,
    IHalfCloseableProtocol,
    IHandshakeListener,
    IProtocol,
    IProtocolFactory,
    IPullProducer,
    IPushProducer,
    ITransport,
)
from twisted.plugin import IPlugin, getPlugins
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

import netplay.plugins
from netplay.connection import ConnectionFactory
from netplay.daemon import Daemon
from netplay.echo import EchoFeature
from netplay.interfaces import (
    IDescribed,
    IFeature,
    IFeatureService,
    IGame,
    IMessageService,
    IOperated,
    IPriceSource,
    IPriceSourcePlugin,
    IPushedPrices,
    ISession,
)
from netplay.listen import Door, Doors
from netplay.outbox import _Drain
from netplay.store.interfaces import IStorePlugin
from netplay.store.memory import MemoryStore
from netplay.tap import Options
from tests.support import Parrot, connect, make_core, make_folder


def plugins(interface: Any) -> dict[str, Any]:
    """The plugins that are found, by name. One whose module fails to import is logged and missing."""
    return {plugin.name: plugin for plugin in getPlugins(interface, netplay.plugins)}


class PluginTests(SynchronousTestCase):
    """What comes with netplay is found."""

    def assert_there(self, interface: Any, *names: str) -> None:
        found = plugins(interface)
        for name in names:
            self.assertIn(name, found)
            verifyObject(interface, found[name])
            verifyObject(IPlugin, found[name])

    def test_features(self) -> None:
        self.assert_there(IFeature, "echo", "binary", "game", "chat", "ticker", "web", "admin")

    def test_games(self) -> None:
        self.assert_there(IGame, "sandbox")

    def test_price_sources(self) -> None:
        self.assert_there(IPriceSourcePlugin, "walk", "csv", "push")

    def test_stores(self) -> None:
        self.assert_there(IStorePlugin, "memory", "sqlite")

    def test_the_service_maker(self) -> None:
        (maker,) = [maker for maker in getPlugins(IServiceMaker) if maker.tapname == "netplay"]
        verifyObject(IServiceMaker, maker)
        self.assertIs(maker.options, Options)

    def test_features_do_not_get_in_each_others_way(self) -> None:
        found = plugins(IFeature).values()
        ports = [feature.port for feature in found]
        self.assertEqual(len(set(ports)), len(ports))
        types = [feature.frame_type for feature in found if feature.frame_type is not None]
        both = types + [kind + 16 for kind in types]
        self.assertEqual(len(set(both)), len(both))

    def test_the_protocols_ports_and_frame_types(self) -> None:
        found = plugins(IFeature)
        names = ("echo", "binary", "game", "chat", "ticker")
        self.assertEqual([found[name].port for name in names], [5000, 6000, 5555, 8888, 9999])
        self.assertEqual([found[name].frame_type for name in names], [None, None, 17, 16, 18])


class ProviderTests(SynchronousTestCase):
    """C{verifyObject} for every provider of every seam."""

    def setUp(self) -> None:
        self.core = make_core()
        self.core.store = MemoryStore()
        self.options = Options()
        self.options.parseOptions([])
        self.clock: Any = self.core.clock

    def services(self) -> dict[str, Any]:
        services = {name: feature.build(self.options, self.core) for name, feature in plugins(IFeature).items()}
        for service in services.values():
            service.startService()
        return services

    def test_services(self) -> None:
        for name, service in self.services().items():
            verifyObject(IFeatureService, service)
            verifyObject(IService, service)
            verifyObject(IProtocolFactory, service.factory)
            if IOperated.providedBy(service):
                verifyObject(IOperated, service)
                verifyObject(IDescribed, service)
            if plugins(IFeature)[name].frame_type is not None:
                verifyObject(IMessageService, service)

    def test_connections(self) -> None:
        for service in self.services().values():
            if not isinstance(service.factory, ConnectionFactory):
                continue  # it looks after the connections itself
            protocol = connect(service.factory, self.clock).protocol
            for interface in (IProtocol, IHalfCloseableProtocol, IHandshakeListener, IPushProducer):
                verifyObject(interface, protocol)
            for interface in (ITransport, IConsumer, IPushProducer):
                verifyObject(interface, protocol.outbox)

    def test_sessions(self) -> None:
        for name in ("game", "chat", "ticker"):
            protocol = connect(self.services()[name].factory, self.clock).protocol
            verifyObject(ISession, protocol.client.session)

    def test_what_drains_an_outbox(self) -> None:
        protocol = connect(EchoFeature().build({}, self.core).factory, self.clock).protocol
        for interface in (IPushProducer, IPullProducer):
            verifyObject(interface, _Drain(protocol.outbox))

    def test_worlds(self) -> None:
        for game in plugins(IGame).values():
            verifyObject(IGame, game)

    def test_price_sources(self) -> None:
        path = make_folder(self) / "prices.csv"
        path.write_text("date,symbol,price\n2020-01-01,AAPL,1.5\n2020-01-02,AAPL,2.5\n")
        sources = plugins(IPriceSourcePlugin)
        verifyObject(IPriceSource, sources["walk"].build(""))
        verifyObject(IPriceSource, sources["csv"].build(str(path)))
        verifyObject(IPushedPrices, sources["push"].build(""))

    def test_the_daemon(self) -> None:
        doors = Doors([Door("--chat", "tcp:0", None, None, self.clock)])  # type: ignore[arg-type]
        for service in (Daemon(self.core, MemoryStore(), (), doors), doors, *doors, self.core.watch):
            verifyObject(IService, service)

    def test_those_of_the_tests_themselves(self) -> None:
        parrot = Parrot(self.core)
        verifyObject(IMessageService, parrot)
        connect(parrot.factory, self.clock)
        verifyObject(ISession, parrot.sessions[0])
