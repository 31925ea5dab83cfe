"""Tests of L{netplay.tap}: what the options mean, and that the daemon is put together from them."""

from __future__ import annotations

import gc
import os
import resource
import signal
import subprocess
import sys
import tempfile
from io import StringIO
from typing import Any

from twisted.application.service import IService
from twisted.cred.credentials import UsernamePassword
from twisted.internet.defer import Deferred
from twisted.internet.protocol import ClientCreator, Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.python.usage import UsageError
from twisted.trial.unittest import SynchronousTestCase, TestCase
from zope.interface.verify import verifyObject

import netplay
from netplay.daemon import Daemon
from netplay.listen import PortsInUse
from netplay.tap import Options, features, makeService, options_for
from tests.support import LogRecorder

OPEN = ["echo", "binary", "game", "chat", "ticker", "web"]
NAMES = [*OPEN, "admin"]
NOWHERE = [word for name in OPEN for word in (f"--{name}", "tcp:0:interface=127.0.0.1")]


class OptionsCase(SynchronousTestCase):
    """Options as the command line gives them."""

    def parse(self, *arguments: str) -> Any:
        options = Options()
        options.parseOptions(list(arguments))
        return options

    def refused(self, *arguments: str) -> str:
        return str(self.assertRaises(UsageError, self.parse, *arguments))

    def endpoints(self, *arguments: str) -> dict[str, list[str]]:
        options = self.parse(*arguments)
        return {feature.name: options.descriptions(feature) for feature in options.chosen}


class DefaultTests(OptionsCase):
    """Without options."""

    def test_numbers_and_plugins(self) -> None:
        options = self.parse()
        self.assertLessEqual(
            {
                "max-connections": 1000,
                "max-per-address": 100,
                "rate": 50,
                "max-message": 64 * 1024,
                "send-queue": 1024 * 1024,
                "idle-timeout": 600,
                "state-rate": 20,
                "ticker-interval": 1,
                "prices": "walk:",
                "store": "sqlite:netplay.sqlite",
                "keep-messages": 100_000,
                "keep-days": 0,
            }.items(),
            options.items(),
        )
        self.assertEqual(options["store-plugin"][0].name, "sqlite")

    def test_every_feature_on_its_port_on_the_loopback_interface(self) -> None:
        self.assertEqual(
            self.endpoints(),
            {
                "echo": ["tcp:5000:interface=127.0.0.1"],
                "binary": ["tcp:6000:interface=127.0.0.1"],
                "game": ["tcp:5555:interface=127.0.0.1"],
                "chat": ["tcp:8888:interface=127.0.0.1"],
                "ticker": ["tcp:9999:interface=127.0.0.1"],
                "web": ["tcp:8080:interface=127.0.0.1"],
                "admin": [],
            },
        )

    def test_features_are_in_their_order(self) -> None:
        self.assertEqual([feature.name for feature in features()], NAMES)


class EndpointTests(OptionsCase):
    """Where features listen."""

    def test_one_given_takes_the_place_of_the_default(self) -> None:
        self.assertEqual(self.endpoints("--chat", "tcp:1234")["chat"], ["tcp:1234"])

    def test_several(self) -> None:
        self.assertEqual(
            self.endpoints("--chat", "tcp:1234", "--chat=unix:/tmp/chat")["chat"], ["tcp:1234", "unix:/tmp/chat"]
        )

    def test_off(self) -> None:
        endpoints = self.endpoints("--chat", "off")
        self.assertEqual(endpoints["chat"], [])
        self.assertEqual(len(endpoints["game"]), 1)

    def test_off_is_stronger_than_others(self) -> None:
        self.assertEqual(self.endpoints("--chat", "tcp:1234", "--chat", "off")["chat"], [])

    def test_without(self) -> None:
        self.assertEqual(
            list(self.endpoints("--without", "chat", "--without=echo")), ["binary", "game", "ticker", "web", "admin"]
        )

    def test_on_the_network_where_nothing_else_is_given(self) -> None:
        endpoints = self.endpoints("--lan", "--chat", "tcp:1234:interface=127.0.0.1", "--game", "off")
        self.assertEqual(endpoints["chat"], ["tcp:1234:interface=127.0.0.1"])
        self.assertEqual(endpoints["game"], [])
        self.assertEqual((endpoints["echo"], endpoints["web"]), (["tcp:5000"], ["tcp:8080"]))

    def test_on_the_network_what_has_no_port_of_its_own_gets_none(self) -> None:
        features = [feature.name for feature in Options.features if feature.port is None]
        self.assertEqual([self.endpoints("--lan")[name] for name in features], [[] for _ in features])

    def test_two_sets_of_options_do_not_share_them(self) -> None:
        self.endpoints("--chat", "tcp:1234", "--without", "game")
        self.assertEqual(self.endpoints()["chat"], ["tcp:8888:interface=127.0.0.1"])


class RefusedTests(OptionsCase):
    """A wrong value is a usage error that names the option and says what to type."""

    def test_numbers(self) -> None:
        for option, wrong, right in (
            ("--max-connections", "0", "1000"),
            ("--max-connections", "many", "1000"),
            ("--max-per-address", "1.5", "100"),
            ("--rate", "-1", "50"),
            ("--max-message", "10", "65536"),
            ("--send-queue", "1k", "1048576"),
            ("--idle-timeout", "never", "600"),
            ("--state-rate", "0", "20"),
            ("--ticker-interval", "0", "1"),
        ):
            text = self.refused(option, wrong)
            self.assertTrue(text.startswith(f"{option} {wrong}: it takes a"), text)
            self.assertTrue(text.endswith(f"type for example {option} {right}"), text)

    def test_zero_where_it_means_no_limit(self) -> None:
        options = self.parse("--rate", "0", "--idle-timeout", "0")
        self.assertEqual((options["rate"], options["idle-timeout"]), (0, 0))

    def test_registration_takes_somebody_who_keeps_passwords(self) -> None:
        text = self.refused("--registration", "open", "--auth", "memory:ann:secret")
        self.assertEqual(text, "--registration open: nobody keeps the passwords; add --auth store")
        self.parse("--registration", "open")
        self.parse("--registration", "open", "--auth", "memory:ann:secret", "--auth", "store")

    def test_TLS_within_what_a_proxy_says_is_refused(self) -> None:
        text = self.refused("--chat", "haproxy:ssl:8888:privateKey=server.pem")
        self.assertTrue(text.startswith("--chat haproxy:ssl:8888:privateKey=server.pem: "), text)
        self.assertTrue(text.endswith("let it do TLS: haproxy:tcp:..."), text)

    def test_an_endpoint(self) -> None:
        for wrong in ("8888", "", "tcp", "tcp:http:x=1", "carrier-pigeon:1", "ssl:443:privateKey=/no/such.pem"):
            text = self.refused("--chat", wrong)
            self.assertTrue(text.startswith(f"--chat {wrong}: "), text)
            self.assertIn("write an endpoint such as tcp:8888, ", text)
            self.assertIn("unix:/tmp/chat, or off", text)
            self.assertNotIn("Traceback", text)

    def test_what_is_wrong_with_it_is_not_said_in_words_of_python(self) -> None:
        something = "something is missing, or there is something that such an endpoint does not have"
        for wrong, words in (
            ("8888", "Unknown endpoint type: '8888'"),
            ("tcp:http", "'http' is no number"),
            ("unix:/tmp/chat:mode=9", "'9' is no number"),
            ("tcp", something),
            ("haproxy:tcp", something),
            ("tcp:8888:adress=127.0.0.1", something),
            ("tcp:1:2:3:4", something),
            ("tcp:8888\\", something),
            ("ssl:443:privateKey=/no/such.pem", "/no/such.pem cannot be read (No such file or directory)"),
            (f"ssl:443:privateKey={__file__}", "there is no key, or no certificate, in a file that is to have one"),
        ):
            text = self.refused("--chat", wrong)
            self.assertTrue(text.startswith(f"--chat {wrong}: {words}; write an endpoint such as "), text)

    def test_a_feature_that_there_is_not(self) -> None:
        self.assertEqual(
            self.refused("--without", "golf"),
            "--without golf: there is no such feature; there are echo, binary, game, chat, ticker, web, admin",
        )

    def test_nothing_left(self) -> None:
        text = self.refused(*(f"--without={name}" for name in NAMES))
        self.assertIn("leave out a --without", text)

    def test_everything_off(self) -> None:
        text = self.refused(*(word for name in NAMES for word in (f"--{name}", "off")))
        self.assertEqual(text, "every port is off; open one, such as --echo tcp:5000")

    def test_a_store_and_a_price_source(self) -> None:
        self.assertIn("there is no 'cloud'; type --store memory: or sqlite:PATH", self.refused("--store", "cloud"))
        for option, value, hint in (
            ("--prices", "oracle:", "type --prices csv:PATH or push: or walk["),
            ("--prices", "walk:seed=x", "walk"),
            ("--prices", "csv:/no/such/file", "/no/such/file"),
            ("--store", "memory:x", "use --store memory:"),
            ("--store", "sqlite:", "type --store sqlite:netplay.sqlite"),
        ):
            error = self.assertRaises(UsageError, lambda: makeService(self.parse(option, value)))  # noqa: B023
            self.assertIn(option, str(error))
            self.assertIn(hint, str(error))

    def test_words_that_are_no_options(self) -> None:
        self.assertIn("'now' is no option", self.refused("now"))

    def test_an_option_that_there_is_not(self) -> None:
        self.assertIn("speed", self.refused("--speed", "9"))


class HelpTests(OptionsCase):
    """C{--help} and C{--version}."""

    def setUp(self) -> None:
        self.text = " ".join(str(Options()).split())

    def about(self, option: str) -> str:
        """What is said about one option."""
        rest = self.text.split(f" --{option}=", 1)[1]
        return rest.split(" --", 1)[0]

    def test_every_number_has_its_unit_its_bounds_and_its_default(self) -> None:
        for option, unit, default in (
            ("max-connections", "Connections", "1000"),
            ("max-per-address", "Connections", "100"),
            ("rate", "Messages a second", "50"),
            ("max-message", "Bytes", "65536"),
            ("send-queue", "Bytes", "1048576"),
            ("idle-timeout", "Seconds", "600"),
            ("state-rate", "States a second", "20"),
            ("ticker-interval", "Seconds", "1"),
        ):
            about = self.about(option)
            self.assertIn(unit, about)
            self.assertIn(f"[default: {default}]", about)
            self.assertRegex(about, r"\([\d.]+ to [\d.e+]+")
        self.assertIn("0 = no limit", self.about("rate"))
        self.assertIn("0 = never", self.about("idle-timeout"))

    def test_plugins_have_their_default(self) -> None:
        self.assertIn("[default: sqlite:netplay.sqlite]", self.about("store"))
        self.assertIn("[default: walk:]", self.about("prices"))

    def test_every_feature_has_its_endpoint(self) -> None:
        for feature in features():
            default = f"tcp:{feature.port}:interface=127.0.0.1" if feature.name in OPEN else "off"
            self.assertIn(f"[default: {default}]", self.about(feature.name))
            self.assertIn("or off", self.about(feature.name))

    def test_version(self) -> None:
        self.patch(sys, "stdout", out := StringIO())
        self.assertRaises(SystemExit, self.parse, "--version")
        self.assertIn(f"netplay {netplay.__version__}\n", out.getvalue())

    def test_a_feature_of_somebody_else(self) -> None:
        """It brings its own options, and is one like the others."""

        class Golf:
            name, summary, port, order, parameters = "golf", "balls and holes", 7777, 60, [["holes", None, 18, "Holes"]]

        options = options_for([*features(), Golf()])()
        options.parseOptions(["--golf", "tcp:7778", "--holes", "9"])
        self.assertEqual((options["holes"], options.descriptions(Golf)), ("9", ["tcp:7778"]))
        self.assertIn("Balls and holes: endpoint, or off.", " ".join(str(options).split()))


class Service:
    """What C{makeService} changes in the process is put back."""

    def make(self: Any, *arguments: str) -> Daemon:
        self.patch(sys, "excepthook", sys.excepthook)
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, resource.getrlimit(resource.RLIMIT_NOFILE))
        self.addCleanup(gc.unfreeze)
        options = Options()
        options.parseOptions([*NOWHERE, *arguments])
        return makeService(options)


class MakeServiceTests(Service, SynchronousTestCase):
    """Assembly."""

    def test_once_it_runs_what_is_there_is_no_more_looked_through_for_garbage(self) -> None:
        gc.unfreeze()
        daemon = self.make()
        self.assertEqual(gc.get_freeze_count(), 0)
        daemon._is_running()
        self.assertGreater(gc.get_freeze_count(), 0)

    def test_it_is_a_service(self) -> None:
        daemon = self.make()
        verifyObject(IService, daemon)
        self.assertEqual(daemon.name, "netplay")

    def test_limits_are_those_of_the_options(self) -> None:
        limits = self.make(
            *("--max-connections", "10", "--max-per-address", "5", "--rate", "7", "--max-message", "2048"),
            *("--send-queue", "70000", "--idle-timeout", "9"),
        ).core.limits
        self.assertEqual(
            (limits.max_connections, limits.max_per_address, limits.rate, limits.burst), (10, 5, 7.0, 14.0)
        )
        self.assertEqual((limits.max_message, limits.send_queue, limits.idle), (2048, 70000, 9.0))

    def test_accounts_are_those_of_the_options(self) -> None:
        accounts = self.make("--store", "memory:", "--guests", "off", "--auth", "memory:ann:secret").core.accounts
        self.assertFalse(accounts.guests)
        login = accounts.login(UsernamePassword(b"ann", b"secret"), None)
        self.assertEqual(self.successResultOf(login).name, "ann")

    def test_the_burst_is_100_as_it_comes(self) -> None:
        self.assertEqual(self.make().core.limits.burst, 100)

    def test_message_features_are_on_the_shared_wires(self) -> None:
        core = self.make().core
        self.assertEqual(sorted(core.features), ["chat", "game", "ticker"])
        self.assertEqual(core.frame_types, {16: "chat", 17: "game", 18: "ticker"})

    def test_what_backends_may_ask_of_them_is_gathered(self) -> None:
        paths = {operation.path for operation in self.make().core.operations}
        self.assertLessEqual({"/chat/rooms", "/game/rooms", "/ticker/prices"}, paths)

    def test_one_whose_port_is_off_stays_on_them(self) -> None:
        daemon = self.make("--chat", "off")
        self.assertIn("chat", daemon.core.features)
        self.assertEqual([door.option for door in daemon.doors], ["--echo", "--binary", "--game", "--ticker", "--web"])

    def test_one_that_is_left_out_is_nowhere(self) -> None:
        daemon = self.make("--without", "chat")
        self.assertNotIn("chat", daemon.core.features)
        self.assertEqual(len(daemon.features), len(NAMES) - 1)
        self.assertNotIn("--chat", [door.option for door in daemon.doors])

    def test_a_door_for_each_endpoint(self) -> None:
        daemon = self.make("--chat", "unix:/tmp/chat", "--chat", "tcp:0")
        self.assertEqual(
            [door.description for door in daemon.doors if door.option == "--chat"],
            ["tcp:0:interface=127.0.0.1", "unix:/tmp/chat", "tcp:0"],
        )

    def test_options_of_features_reach_them(self) -> None:
        core = self.make("--prices", "walk:seed=7", "--ticker-interval", "0.5", "--state-rate", "10").core
        ticker: Any = core.features["ticker"]
        game: Any = core.features["game"]
        self.assertEqual(ticker._beat._interval, 0.5)
        self.assertEqual(game.directory._state_rate, 10)

    def test_a_port_in_use_is_one_line_and_no_traceback(self) -> None:
        told: list[Any] = []
        self.patch(sys, "excepthook", lambda *args: told.append(args))
        self.make()
        self.patch(sys, "stderr", err := StringIO())
        sys.excepthook(PortsInUse, PortsInUse("cannot listen on x; use instead: y"), None)
        self.assertEqual((err.getvalue(), told), ("netplay: cannot listen on x; use instead: y\n", []))
        error = ValueError("something else")
        sys.excepthook(ValueError, error, None)
        self.assertEqual(told, [(ValueError, error, None)])

    def test_as_many_descriptors_as_connections_need_are_asked_for(self) -> None:
        script = (
            "import resource, sys\n"
            "resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[1]), int(sys.argv[2])))\n"
            "from netplay.tap import Options, makeService\n"
            "options = Options(); options.parseOptions([])\n"
            "connections = makeService(options).core.limits.max_connections\n"
            "print(connections, resource.getrlimit(resource.RLIMIT_NOFILE)[0])\n"
        )
        for soft, hard, expected in ((256, 4096, "1000 1164"), (256, 512, "448 512"), (2000, 4096, "1000 2000")):
            done = subprocess.run(
                [sys.executable, "-c", script, str(soft), str(hard)], capture_output=True, text=True, timeout=60
            )
            self.assertEqual((done.stdout.strip(), done.stderr), (expected, ""))


class Talk(Protocol):
    """Says something and takes note of what comes back."""

    def __init__(self) -> None:
        self.heard = b""
        self.answer: Deferred[bytes] = Deferred()
        self.gone: Deferred[None] = Deferred()

    def dataReceived(self, data: bytes) -> None:
        self.heard += data
        if not self.answer.called:
            self.answer.callback(self.heard)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.gone.callback(None)


class RunningTests(Service, TestCase):
    """The whole in this process, echo and binary only: the others have timers that outlive them."""

    timeout = 30
    alone = ("--without", "chat", "--without", "game", "--without", "ticker", "--without", "web")

    def setUp(self) -> None:
        for which in (signal.SIGTERM, signal.SIGINT):
            self.addCleanup(signal.signal, which, signal.getsignal(which))

    async def test_it_serves_until_it_is_stopped(self) -> None:
        from twisted.internet import reactor

        log = LogRecorder(self)
        with tempfile.TemporaryDirectory(prefix="netplay") as folder:
            daemon = self.make(*self.alone, "--echo", f"unix:{folder}/echo")
            daemon.privilegedStartService()
            daemon.startService()
            self.assertTrue(os.path.exists(f"{folder}/echo"))
            port = int(next(iter(daemon.doors)).address.rpartition(" ")[2])
            talk: Any = await ClientCreator(reactor, Talk).connectTCP("127.0.0.1", port)
            talk.transport.write(b"ho")
            self.assertEqual(await talk.answer, b"ho")
            await daemon.stopService()
            await talk.gone
            self.assertFalse(os.path.exists(f"{folder}/echo"))
        texts = log.texts()
        self.assertIn(f"echo: 127.0.0.1 port {port}", texts)
        self.assertIn(f"echo: unix socket {folder}/echo", texts)
        self.assertEqual(texts[-1], f"try it: type `nc localhost {port}` in another terminal, then paste anything")

    async def test_a_second_signal_ends_at_once(self) -> None:
        daemon = self.make(*self.alone)
        daemon.startService()
        stopped = daemon.stopService()
        for which in (signal.SIGTERM, signal.SIGINT):
            self.assertEqual(signal.getsignal(which), signal.SIG_DFL)
        await stopped
