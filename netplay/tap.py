"""What C{twistd netplay} takes and builds: options and assembly, nothing else."""

from __future__ import annotations

import gc
import resource
import signal
import sys
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any

from twisted.logger import Logger
from twisted.plugin import getPlugins
from twisted.python.usage import UsageError

import netplay.plugins
from netplay.accounts.accounts import Accounts
from netplay.accounts.auth import AuthOptions
from netplay.accounts.interfaces import IPasswordKeeper
from netplay.connection import MOST_TURNED_AWAY
from netplay.core import Core
from netplay.daemon import Daemon
from netplay.endpoints import endpoint_from, objection
from netplay.interfaces import IFeature, IOperated
from netplay.lan import lan_address, lan_hints
from netplay.limits import Limits
from netplay.listen import Door, Doors, PortsInUse
from netplay.moderation.interfaces import IWordFilterPlugin
from netplay.options import number, one_of, plugin_named
from netplay.store.interfaces import IStorePlugin

log = Logger()

SOME_PORT = 8081
"""An example, where a feature has no port unless it is told one."""

SPARE_DESCRIPTORS = 64
"""What the daemon needs besides its connections: listeners, log, plugins."""


def features() -> list[Any]:
    """All features that are installed, in their order."""
    return sorted(getPlugins(IFeature, netplay.plugins), key=lambda feature: (feature.order, feature.name))


class BaseOptions(AuthOptions):
    """What does not depend on the features that are installed."""

    synopsis = "[options]"
    longdesc = (
        "Endpoints are written as Twisted does (tcp:8888:interface=127.0.0.1, unix:/run/chat, ssl:...) and may be "
        "given several times; `off` closes a feature's own port, and it stays on the shared ones. Sizes are in "
        "bytes, times in seconds."
    )

    optParameters = [
        number("max-connections", 1000, "Connections to the whole daemon, at most", 1, 1_000_000),
        number("max-per-address", 100, "Connections from one address (of IPv6: one /64), at most", 1, 1_000_000),
        number("rate", 50, "Messages a second from one connection, twice that in a burst", 0.1, 1e6, zero="no limit"),
        number("max-message", 65536, "Bytes of one message from a client, at most", 1024, 2**24),
        number("send-queue", 1048576, "Bytes that may wait for a client that reads slowly", 65536, 2**30),
        number("idle-timeout", 600, "Seconds without anything in or out, after which a connection ends", 0.1, 1e7,
               zero="never"),
        ["store", None, "sqlite:netplay.sqlite",
         "Where everything is kept that is to outlive the daemon; memory: forgets it at the end"],
        one_of("registration", ("closed", "open"), "Whether anybody may make an account"),
        one_of("guests", ("on", "off"), "Whether one may be here without an account"),
        ["word-filter", None, None, "Looks at what is said in chat and games: words:PATH, a file with a word a line"],
        number("keep-messages", 100_000, "Messages of a chat room that are kept", 100, 10**9, zero="all"),
        number("keep-days", 0, "Days that messages are kept", 0.001, 1e5, zero="for ever"),
    ]  # fmt: skip
    optFlags = [
        ["lan", None, "Listen on all interfaces where no endpoint is given, and show where others find the web port"],
    ]

    def __init__(self) -> None:
        super().__init__()
        self.endpoints: dict[str, list[str]] = {}
        self.without: set[str] = set()
        self["store-plugin"] = None
        self["served"] = {}
        for row in (row for feature in self.features for row in feature.parameters if isinstance(row[2], list)):
            self[row[0]] = []

    def opt_without(self, name: str) -> None:
        """Leave a feature out altogether. May be given several times."""
        self.without.add(name)

    def opt_version(self) -> None:
        """Print the versions and exit."""
        print(f"netplay {netplay.__version__}")  # noqa: T201
        super().opt_version()

    def parseArgs(self, *rest: str) -> None:
        """Nothing but options."""
        if rest:
            raise UsageError(f"{rest[0]!r} is no option; --help lists them")

    def postOptions(self) -> None:
        """
        Check what only makes sense together.

        @raise UsageError: says what to type instead.
        """
        known = [feature.name for feature in self.features]
        for name in sorted(self.without):
            if name not in known:
                raise UsageError(f"--without {name}: there is no such feature; there are {', '.join(known)}")
        self.chosen = [feature for feature in self.features if feature.name not in self.without]
        if not self.chosen:
            raise UsageError("nothing is left to serve; leave out a --without")
        for feature in self.chosen:
            for description in self.descriptions(feature):
                self._check_endpoint(feature, description)
        if not any(self.descriptions(feature) for feature in self.chosen):
            raise UsageError(
                f"every port is off; open one, such as --{self.chosen[0].name} tcp:{_port(self.chosen[0])}"
            )
        if self["registration"] == "open" and not any(map(IPasswordKeeper.providedBy, self.checkers())):
            raise UsageError("--registration open: nobody keeps the passwords; add --auth store")
        self["store-plugin"] = plugin_named(IStorePlugin, "--store", self["store"])
        if self["word-filter"] is not None:
            plugin, argument = plugin_named(IWordFilterPlugin, "--word-filter", self["word-filter"])
            self["word-filter"] = plugin.build(argument)
        self["served"] = {feature.name: self.descriptions(feature) for feature in self.chosen}

    features: list[Any] = []
    chosen: list[Any] = []

    def descriptions(self, feature: Any) -> list[str]:
        """The endpoints of a feature's own port."""
        default = _default(feature).removesuffix(":interface=127.0.0.1") if self["lan"] else _default(feature)
        given = self.endpoints.get(feature.name, [default])
        return [] if "off" in given else given

    def _check_endpoint(self, feature: Any, description: str) -> None:
        try:
            endpoint_from(_reactor(), description)
        except UsageError as error:
            raise UsageError(f"--{feature.name} {description}: {error}") from None
        except Exception as error:
            raise UsageError(
                f"--{feature.name} {description}: {objection(error)}; write an endpoint such as "
                f"tcp:{_port(feature)}, tcp:{_port(feature)}:interface=0.0.0.0 or unix:/tmp/{feature.name}, or off"
            ) from None


def _port(feature: Any) -> int:
    """To type, for example."""
    return feature.port or SOME_PORT


def _default(feature: Any) -> str:
    return "off" if feature.port is None else f"tcp:{feature.port}:interface=127.0.0.1"


def _endpoint_option(feature: Any) -> Callable[[BaseOptions, str], None]:
    def opt(self: BaseOptions, endpoint: str) -> None:
        self.endpoints.setdefault(feature.name, []).append(endpoint)

    opt.__doc__ = f"{feature.summary[0].upper()}{feature.summary[1:]}: endpoint, or off. [default: {_default(feature)}]"
    return opt


def _repeated_option(name: str, doc: str, coerce: Callable[[str], Any]) -> Callable[[BaseOptions, str], None]:
    def opt(self: BaseOptions, value: str) -> None:
        self[name].append(coerce(value))

    opt.__doc__ = f"{doc}. May be given several times."
    return opt


def options_for(available: list[Any]) -> type[BaseOptions]:
    """The options class for these features: one endpoint option each, and what they bring themselves."""
    body: dict[str, Any] = {f"opt_{feature.name}": _endpoint_option(feature) for feature in available}
    rows = [row for feature in available for row in feature.parameters]
    body["optParameters"] = [row for row in rows if not isinstance(row[2], bool | list)]
    body["optFlags"] = [[row[0], None, row[3]] for row in rows if row[2] is False]
    body |= {f"opt_{row[0]}": _repeated_option(row[0], *row[3:]) for row in rows if isinstance(row[2], list)}
    body["features"] = available
    body["__doc__"] = BaseOptions.__doc__
    return type("Options", (BaseOptions,), body)


Options = options_for(features())


def makeService(options: BaseOptions) -> Daemon:
    """The daemon that these options describe."""
    _one_line_for_what_the_user_can_mend()
    reactor = _reactor()
    limits = Limits(
        max_connections=_affordable(options["max-connections"]),
        max_per_address=options["max-per-address"],
        rate=options["rate"],
        burst=2 * options["rate"],
        max_message=options["max-message"],
        send_queue=options["send-queue"],
        idle=options["idle-timeout"],
        keep_messages=options["keep-messages"],
        keep_days=options["keep-days"],
    )
    core = Core(reactor, limits)
    store_plugin, argument = options["store-plugin"]
    core.store = store_plugin.build(argument, core)
    core.accounts = Accounts(
        core,
        options.checkers(),
        registration=options["registration"] == "open",
        guests=options["guests"] == "on",
    )
    core.moderation.word_filter = options["word-filter"]
    services = {feature.name: feature.build(options, core) for feature in options.chosen}
    for feature in options.chosen:
        if feature.frame_type is not None:
            core.features[feature.name] = services[feature.name]
    for service in services.values():
        if IOperated.providedBy(service):
            core.operations.extend(service.operations)
    core.frame_types = {f.frame_type: f.name for f in options.features if f.frame_type is not None}
    doors = Doors(
        Door(
            f"--{feature.name}",
            description,
            endpoint_from(reactor, description),
            services[feature.name].factory,
            reactor,
        )
        for feature in options.chosen
        for description in options.descriptions(feature)
    )
    return Daemon(
        core,
        core.store,
        services.values(),
        doors,
        hints=lambda: _hints(options, doors),
        when_running=reactor.callWhenRunning,
        running=_spare_what_stays,
        stopping=_end_at_once_on_a_second_signal,
    )


def _reactor() -> Any:
    from twisted.internet import reactor  # only here: by now it has been chosen

    return reactor


def _spare_what_stays() -> None:
    """The garbage collector need not look again and again at what was there when all had been started."""
    gc.collect()
    gc.freeze()


def _affordable(connections: int) -> int:
    """As many connections as there can be descriptors, after asking for as many as are needed."""
    wanted = connections + SPARE_DESCRIPTORS + MOST_TURNED_AWAY
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted and soft != resource.RLIM_INFINITY:
        best = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        if best > soft:
            resource.setrlimit(resource.RLIMIT_NOFILE, (best, hard))
            soft = best
        if soft < connections + SPARE_DESCRIPTORS:
            connections = max(1, soft - SPARE_DESCRIPTORS)
            log.warn(
                "only {soft} file descriptors are allowed: at most {n} connections; raise the limit with ulimit -n",
                soft=soft,
                n=connections,
            )
    return connections


def _hints(options: BaseOptions, doors: Iterable[Door]) -> Iterable[str]:
    """An address a line, and what to type next."""
    by_option = {f"--{feature.name}": feature for feature in options.chosen}
    tries: dict[str, str] = {}
    for door in doors:
        feature = by_option[door.option]
        yield f"{feature.name}: {door.address}"
        if feature.greeting and door.description.startswith("tcp"):
            host, _, port = door.address.rpartition(" port ")
            if feature.greeting.startswith("http:"):
                reachable = "localhost" if host in ("127.0.0.1", "0.0.0.0") else host
                tries.setdefault("browser", f"open {feature.greeting.format(host=reachable, port=port)} in a browser")
            elif feature.name == "chat" or "nc" not in tries:
                typed = f"type `nc localhost {port}` in another terminal, then paste {feature.greeting}"
                tries["nc"] = typed
    if options["lan"]:
        yield from lan_hints(lan_address(), _open_to_all(by_option, doors))
    if tries:
        yield f"try it: {'; or '.join(tries[key] for key in sorted(tries))}"


def _open_to_all(by_option: dict[str, Any], doors: Iterable[Door]) -> Iterable[tuple[str, str, int]]:
    """Name, scheme of its URL if it has one, and port of what listens on all interfaces."""
    for door in doors:
        host, _, port = door.address.rpartition(" port ")
        if host == "0.0.0.0":
            feature = by_option[door.option]
            yield feature.name, (feature.greeting or "").partition("://{")[0], int(port)


def _end_at_once_on_a_second_signal() -> None:
    """Twisted ignores signals while it shuts down; someone who asks twice wants it over."""
    for which in (signal.SIGTERM, signal.SIGINT):
        signal.signal(which, signal.SIG_DFL)


def _one_line_for_what_the_user_can_mend() -> None:
    """A port in use or a file that is not there is no bug of ours: one line, not a traceback, wherever it surfaces."""
    before = sys.excepthook

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if isinstance(error, (PortsInUse, UsageError)):
            sys.stderr.write(f"netplay: {error}\n")
        else:
            before(kind, error, trace)

    sys.excepthook = hook
