"""What docs/python-clients.md shows works as it stands there, and says what it says there."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from pytest_twisted import ensureDeferred

from tests.e2e.clients import MessageClient
from tests.e2e.daemon import CHECKOUT, Daemon, Daemons
from tests.e2e.ways import started_again

PAGE = (CHECKOUT / "docs" / "python-clients.md").read_text()
PROGRAMS = {name: f"# {name}\n{code}" for name, code in re.findall(r"```python\n# (\S+)\n(.*?)```", PAGE, re.DOTALL)}
SHOWN = dict(re.findall(r"```\n\$ python (\S+)\n(.*?)```", PAGE, re.DOTALL))
PORTS = {"8888": "chat", "8080": "web", "9999": "ticker"}


def started(daemons: Daemons, daemon: Daemon, name: str, directory: Path) -> Daemon:
    """A program of the page; only the ports are others."""
    code = re.sub(
        r"localhost:(\d+)", lambda found: f"localhost:{daemon.addresses[PORTS[found[1]]][0].port}", PROGRAMS[name]
    )
    (directory / name).write_text(code)
    return daemons.spawn(sys.executable, name, directory=directory)


def alike(shown: str, printed: str) -> bool:
    """Whether it is what the page shows, but for ids and prices."""
    varying = re.compile(r"'[0-9a-f]{8}-1'|\d+\.\d+")
    return varying.sub("_", shown) == varying.sub("_", printed)


@ensureDeferred
async def test_listener_and_asker(daemons: Daemons, tmp_path: Path) -> None:
    daemon = await daemons.start("--store=memory:")
    listener = started(daemons, daemon, "listener.py", tmp_path)
    await listener.line("I am User_1, in general")
    ben: MessageClient = await daemon.client("chat")
    ben.send(type="chat", text="hello")
    await listener.line("User_2: hello")
    daemon.kill()
    await daemon.ended()
    again = await started_again(daemons, daemon, "--store=memory:")
    await listener.line("may be lost")
    ben = await again.client("chat")
    ben.send(type="chat", text="bye")
    assert (await listener.ended()).status == 0
    assert listener.output == SHOWN["listener.py"]

    third = await daemons.start("--store=memory:")
    asker = started(daemons, third, "asker.py", tmp_path)
    assert (await asker.ended()).status == 0
    assert alike(SHOWN["asker.py"], asker.output), asker.output


@ensureDeferred
async def test_greeter(daemons: Daemons, tmp_path: Path) -> None:
    daemon = await daemons.start()
    greeter = started(daemons, daemon, "greeter.py", tmp_path)
    await greeter.line("ready")
    ann: MessageClient = await daemon.client("chat")
    assert (await ann.get("direct"))["message"] == "Hello, User_2!"
    assert (await greeter.ended()).status == 0
    assert greeter.output == SHOWN["greeter.py"]


@ensureDeferred
async def test_prices(daemons: Daemons, tmp_path: Path) -> None:
    daemon = await daemons.start("--ticker-interval", "0.05")
    prices = started(daemons, daemon, "prices.py", tmp_path)
    assert (await prices.ended()).status == 0
    assert alike(SHOWN["prices.py"], prices.output), prices.output
