"""
What the benchmarks share: starting servers in turn, a crowd of connections, CPU time of a process, tables.

The crowd lives in the process of the benchmark, the server in one of its own: only the server's time is counted.
"""

from __future__ import annotations

import argparse
import os
import resource
import selectors
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from math import isnan
from pathlib import Path

PEERS = Path(__file__).resolve().parent / "peers"
CHUNK = 1 << 18

_CPUS = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
SERVER_CPUS, LOAD_CPUS = (_CPUS[:1], _CPUS[1:]) if len(_CPUS) > 1 else ([], [])
"""The server has a processor to itself, as far as this program is concerned."""

Figures = dict[str, float]
Command = Callable[[int], list[str]]
"""A port -> how a server that listens there is started."""


class Failed(Exception):
    """A server could not be started or did not do its job; the text says how."""


# Servers


def netplay(feature: str, options: Sequence[str] = ()) -> Command:
    """The daemon with the port of one feature open, and limits that are out of the way."""
    beside = Path(sys.executable).with_name("twistd")
    twistd = str(beside) if beside.exists() else shutil.which("twistd") or "twistd"
    roomy = ["--max-connections", "20000", "--max-per-address", "20000", "--rate", "0"]
    others = [f"--{name}=off" for name in ("echo", "binary", "chat", "game", "ticker") if name != feature]

    def command(port: int) -> list[str]:
        endpoint = f"tcp:{port}:interface=127.0.0.1:backlog=4096"
        return [twistd, "-n", "--pidfile=", "netplay", f"--{feature}", endpoint, *others, *roomy, *options]

    return command


def peer(script: str, *arguments: str) -> Command:
    """A server in C{peers/}: its first argument is the port."""
    return lambda port: [sys.executable, str(PEERS / script), str(port), *arguments]


@contextmanager
def running(command: Command) -> Iterator[tuple[int, int]]:
    """Start a server in an empty folder, wait until it listens, hand out (port, pid), and end it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder, open(Path(folder, "log"), "w+b") as log:
        server = subprocess.Popen(command(port), cwd=folder, stdout=log, stderr=log)
        try:
            _keep_to(server.pid, SERVER_CPUS)
            _wait_until_it_listens(server, port, Path(log.name))
            yield port, server.pid
        finally:
            server.terminate()
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def _keep_to(pid: int, cpus: Sequence[int]) -> None:
    """Left alone, the kernel may put both sides on one processor, and the load takes away what it measures."""
    if cpus:
        os.sched_setaffinity(pid, cpus)


def _wait_until_it_listens(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    for _ in range(150):
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", port), 1).close()
            time.sleep(0.5)  # it has forgotten that visitor
            return
        if server.poll() is not None:
            break
        time.sleep(0.1)
    raise Failed("did not start: " + log.read_text(errors="replace").strip()[-300:].replace("\n", " | "))


def cpu_seconds(pid: int) -> float:
    """Time that a process has spent on processors, all threads, in user and in kernel mode."""
    if seconds := _schedstat(pid, 0):
        return seconds
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def kept_waiting(pid: int) -> float:
    """Seconds for which threads of a process could have run, but something else had the processor."""
    return _schedstat(pid, 1)


def _schedstat(pid: int, field: int) -> float:
    nanoseconds = 0
    for thread in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        with suppress(OSError, ValueError, IndexError):
            nanoseconds += int(thread.read_text().split()[field])
    return nanoseconds / 1e9


# Clients


class Crowd:
    """
    Connections to one server, each with an object of the benchmark's.

    @param server: what it goes by in the table.
    @param port: where it listens.
    """

    def __init__(self, server: str, port: int) -> None:
        self.server = server
        self.port = port
        self._selector = selectors.DefaultSelector()
        self._began = time.process_time(), time.monotonic()

    def connect(self, request: bytes = b"", end: bytes = b"\n") -> tuple[socket.socket, bytes]:
        """A new connection, and what it was sent first, after it said something: a line, or what else has an end."""
        client = socket.create_connection(("127.0.0.1", self.port), 30)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.sendall(request)
        first = b""
        while not first.endswith(end):
            # A byte at a time would be slow, and a greeting is all there is so far: the rest is looked at first.
            seen = first + client.recv(CHUNK, socket.MSG_PEEK)
            if seen == first:
                raise Failed("the server closed a connection")
            found = seen.find(end)
            first += client.recv((len(seen) if found < 0 else found + len(end)) - len(first))
        return client, first

    def add(self, client: socket.socket, who: object) -> None:
        """From now on it is read."""
        client.setblocking(False)
        self._selector.register(client, selectors.EVENT_READ, who)

    def read(self, timeout: float) -> Iterator[tuple[object, bytes]]:
        """What came for whom, after C{timeout} seconds at the latest."""
        for key, _ in self._selector.select(timeout):
            client: socket.socket = key.fileobj  # type: ignore[assignment]
            try:
                data = client.recv(CHUNK)
            except BlockingIOError:
                continue
            if not data:
                raise Failed("the server closed a connection")
            yield key.data, data

    def load(self) -> float:
        """How much of one processor this side has used since it was last asked: near 1 it is the bottleneck."""
        before, self._began = self._began, (time.process_time(), time.monotonic())
        return (self._began[0] - before[0]) / (self._began[1] - before[1])

    def close(self) -> None:
        """Everybody goes."""
        for key in list(self._selector.get_map().values()):
            key.fileobj.close()  # type: ignore[union-attr]
        self._selector.close()


# Runs


def options(description: str, servers: Sequence[str]) -> argparse.ArgumentParser:
    """The options of every benchmark."""
    parser = argparse.ArgumentParser(
        description=description,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("server", nargs="*", default=list(servers), help=f"which ones, of {', '.join(servers)}")
    parser.add_argument("--rounds", type=int, default=3, help="times that each server is started and measured")
    parser.add_argument("--netplay-args", default="", metavar="'...'", help="more options for netplay")
    return parser


def rounds(
    servers: Mapping[str, Command],
    wanted: Sequence[str],
    count: int,
    measure: Callable[[Crowd, int], Figures],
) -> dict[str, Figures | str]:
    """
    Start each server afresh in every round, in turn, and measure it.

    @param measure: called with a crowd that has nobody in it yet and the server's pid.
    @return: the medians of each server's figures, or why there are none.
    """
    _keep_to(0, LOAD_CPUS)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))  # for the servers too: they inherit it
    results: dict[str, list[Figures]] = {name: [] for name in wanted}
    reasons: dict[str, str] = {}
    for number in range(count):
        for name in wanted:
            if name in reasons:
                continue
            _progress(f"round {number + 1} of {count}: {name}")
            try:
                if name not in servers:
                    raise Failed(f"no such server; there are {', '.join(servers)}")
                with running(servers[name]) as (port, pid), closing(Crowd(name, port)) as crowd:
                    results[name].append(measure(crowd, pid))
            except (Failed, OSError) as failed:
                reasons[name] = str(failed)
    _progress("")
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return {name: reasons.get(name) or medians(results[name]) for name in wanted}


def medians(figures: Sequence[Figures]) -> Figures:
    """The median of each figure."""
    return {name: statistics.median(round_[name] for round_ in figures) for name in figures[0]}


def percentile(values: Sequence[float], share: float) -> float:
    """The value that C{share} of all are at or below; NaN when there are none."""
    ordered = sorted(values)
    return ordered[int((len(ordered) - 1) * share)] if ordered else float("nan")


def table(results: Mapping[str, Figures | str], columns: Mapping[str, str], ratio_of: str, of: str = "server") -> None:
    """
    Print a line for each server, or for what else there are figures of.

    @param columns: the figures, each with how it is formatted.
    @param ratio_of: the figure that is also shown as a multiple of the first server's.
    """
    first = next((figures for figures in results.values() if not isinstance(figures, str)), None)
    heads = [*columns, "ratio"]
    widths = [max(len(head), 8) + 2 for head in heads]
    print(f"{of:<10}" + "".join(f"{head:>{width}}" for head, width in zip(heads, widths, strict=True)))
    for name, figures in results.items():
        if isinstance(figures, str):
            print(f"{name:<10}  left out: {figures}")
            continue
        cells = ["-" if isnan(figures[column]) else f"{figures[column]:{shown}}" for column, shown in columns.items()]
        cells.append(f"{figures[ratio_of] / first[ratio_of]:.2f}" if first and first[ratio_of] else "-")
        print(f"{name:<10}" + "".join(f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True)))


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
