"""What docs/writing-a-game.md shows works as it stands there, as somebody else's games."""

from __future__ import annotations

import json
import re
from pathlib import Path
from shutil import copytree, ignore_patterns
from typing import Any

from pytest_twisted import ensureDeferred
from twisted.internet.defer import Deferred, gatherResults

from tests.e2e.clients import MessageClient
from tests.e2e.daemon import CHECKOUT, Daemon, Daemons, only

PAGE = (CHECKOUT / "docs" / "writing-a-game.md").read_text()
GAMES = CHECKOUT / "examples" / "games"

CHANCE = frozenset({"tick", "at", "x", "y", "breath", "player", "faces", "cups", "found", "loser"})
"""Fields that hold something else each time."""

Session = list[tuple[str, str, str]]
"""What is typed and shown in several terminals, in order: (whose, C{>} or C{:}, the line)."""


def sessions() -> list[Session]:
    """Those of the page."""
    blocks = re.findall(r"```\n(\w+> .*?)```", PAGE, re.DOTALL)
    return [re.findall(r"^(\w+)([>:]) (.*)$", block, re.MULTILINE) for block in blocks]


def copied(tmp_path: Path) -> Path:
    """The examples, in a folder of their own."""
    return Path(copytree(GAMES, tmp_path / "games", ignore=ignore_patterns("__pycache__")))


def agrees(shown: Any, came: Any, *, more: bool = False) -> bool:
    """Whether what came is what the page shows, but for time and chance. Together with that C{more} may be C{set}."""
    if not (isinstance(shown, dict) and isinstance(came, dict)):
        return bool(shown == came)
    chance = CHANCE | {"code"} if "room" in shown else CHANCE  # that of the room, not of an error
    return (shown.keys() <= came.keys() if more else shown.keys() == came.keys()) and all(
        name in chance or agrees(value, came[name], more=more or name == "set") for name, value in shown.items()
    )


async def connected(daemon: Daemon, session: Session) -> dict[str, MessageClient]:
    """A client for each of the terminals, in the order in which they are used."""
    clients = {}
    for who, _, _ in session:
        if who not in clients:
            clients[who] = await daemon.client("game")
            await clients[who].get("state")
    return clients


async def typed(session: Session, clients: dict[str, MessageClient]) -> None:
    """Type what is typed, when all has come that is shown before it."""
    for who, sign, line in session:
        if sign == ">":
            clients[who].write(f"{line}\n".encode())
        else:
            shown = json.loads(line)
            while not agrees(shown, await clients[who].get(shown["type"])):
                pass


def test_the_games_of_the_page_are_the_examples() -> None:
    for path in GAMES.glob("*.py"):
        assert f"```python\n{path.read_text()}```" in PAGE, path.name


@ensureDeferred
async def test_their_tests_pass_in_a_folder_of_their_own(daemons: Daemons, tmp_path: Path) -> None:
    status, output = await daemons.run("pytest", "-q", "-p", "no:cacheprovider", directory=copied(tmp_path))
    assert status == 0, output


@ensureDeferred
async def test_what_is_typed_brings_what_is_shown(daemons: Daemons, tmp_path: Path) -> None:
    games = copied(tmp_path)
    [(name, plugin)] = re.findall(r"```python\n# (netplay/plugins/\w+\.py)\n(.*?)```", PAGE, re.DOTALL)
    (games / name).parent.mkdir(parents=True)
    (games / name).write_text(plugin)
    twistd = ("env", f"PYTHONPATH={games}", "twistd", "-n", "--pidfile=", "netplay")
    daemon = daemons.spawn(*twistd, *only("game"), "--load", games / "tag.py", "--load", games / "noughts.py")
    await daemon.ready()
    plays = [(session, await connected(daemon, session)) for session in sessions()]
    assert len(plays) == 3
    await gatherResults([Deferred.fromCoroutine(typed(*play)) for play in plays])
