"""The example with pygame, without a screen: keys are pressed in it, and others in the lobby see what comes of that."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pygame
import pytest
from pytest_twisted import ensureDeferred

from tests.e2e.clients import MessageClient
from tests.e2e.daemon import CHECKOUT, Daemon, Daemons, Ended, reactor
from tests.e2e.ways import WAYS, started_again

EXAMPLE = CHECKOUT / "examples" / "pygame_lobby.py"

MOST_PICTURES = 500

# Does what the test writes to its standard input: event and key, or a picture of the window to a file.
DRIVER = """
import runpy, sys, threading
import pygame

def drive():
    for line in sys.stdin:
        what, of = line.split()
        if what == "picture":
            pygame.image.save(pygame.display.get_surface(), of)
            print("saved", of, flush=True)
        else:
            pygame.event.post(pygame.event.Event(getattr(pygame, what), key=getattr(pygame, of)))

threading.Thread(target=drive, daemon=True).start()
runpy.run_path(sys.argv.pop(1), run_name="__main__")
"""


class Window(Daemon):
    """The example as a process."""

    def press(self, what: str, of: str) -> None:
        """An event and a key, as pygame calls them."""
        assert self.transport is not None
        self.transport.write(f"{what} {of}\n".encode())

    async def picture(self, path: Path) -> pygame.Surface:
        """What the window shows."""
        path.unlink(missing_ok=True)
        before = len(self.output)
        self.press("picture", str(path))
        await self.line("saved", after=before)
        return pygame.image.load(str(path))


def opened(directory: Path, where: str) -> Window:
    """Start it."""
    window = Window(directory)
    environment = {**os.environ, "SDL_VIDEODRIVER": "dummy", "SDL_AUDIODRIVER": "dummy"}
    command = [sys.executable, "-c", DRIVER, str(EXAMPLE), where]
    reactor.spawnProcess(window, sys.executable, command, environment, str(directory))
    return window


def color_of(player: str) -> Any:
    """As the example paints it."""
    from runpy import run_path

    return run_path(str(EXAMPLE))["color_of"](player)


def discs(picture: pygame.Surface, color: pygame.Color) -> list[tuple[int, int]]:
    """Where there is something of this color."""
    mask = pygame.mask.from_threshold(picture, color, (2, 2, 2, 255))
    return [(int(x), int(y)) for x, y in (part.centroid() for part in mask.connected_components(100))]


@pytest.mark.parametrize("way", [WAYS["lines"], WAYS["ws-json"]], ids=["tcp", "websocket"])
@ensureDeferred
async def test_a_player_with_a_window_is_seen_to_move_and_sees_the_others(
    daemons: Daemons, tmp_path: Path, way: Any
) -> None:
    daemon = await daemons.start()
    ann: MessageClient = await daemon.client("game")
    window = opened(tmp_path, way.where.format(port=way.port(daemon, "game")))
    try:
        state = await ann.get("state")
        while "Player_2" not in state["positions"]:
            state = await ann.get("state")
        window.press("KEYDOWN", "K_RIGHT")
        window.press("KEYDOWN", "K_SPACE")
        while state["positions"]["Player_2"]["x"] < 40 or state["scores"]["Player_2"] != 1:
            state = await ann.get("state")
        window.press("KEYUP", "K_RIGHT")
        assert state["positions"]["Player_2"]["y"] == 0

        ann.send(type="move", dx=-150, dy=-90)
        for _ in range(MOST_PICTURES):
            picture = await window.picture(tmp_path / "window.png")
            left_above = [at for at in discs(picture, color_of("Player_1")) if at[0] < 250 and abs(at[1] - 210) <= 2]
            if left_above:
                break
        else:
            pytest.fail(f"it is not seen to come to rest; see {tmp_path / 'window.png'}")
        ((x, y),) = discs(picture, color_of("Player_2"))
        assert abs(x - 400) <= 1, "we are in the middle"
        assert abs(y - 300) <= 1

        daemon.kill()
        await daemon.ended()
        again = await started_again(daemons, daemon)
        ben: MessageClient = await again.client("game")
        window.press("KEYDOWN", "K_DOWN")
        while not [at for at in state["positions"].values() if at["y"] > 20]:
            state = await ben.get("state")
        window.press("KEYDOWN", "K_ESCAPE")
        assert await window.ended() == Ended(0, None), window.output
    finally:
        if window.end is None:
            window.kill()
            await window.ended()


@ensureDeferred
async def test_without_a_server_it_says_so(tmp_path: Path) -> None:
    window = opened(tmp_path, "tcp:127.0.0.1:1")
    assert await window.ended() == Ended(1, None)
    assert "tcp:127.0.0.1:1: [Errno 111] Connection refused" in window.output
