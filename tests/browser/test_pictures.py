"""
Pictures of the console, for the documentation. They are kept where C{NETPLAY_PICTURES} says::

    NETPLAY_PICTURES=docs/images pytest tests/browser/test_pictures.py
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
from pytest_twisted import ensureDeferred

from tests.browser.windows import Window, Windows
from tests.e2e.clients import Client, MessageClient
from tests.e2e.daemon import Daemon, Daemons

LARGEST = 150_000  # bytes of one picture

DESK: dict[str, Any] = {"viewport": {"width": 1100, "height": 680}}
PHONE: dict[str, Any] = {"viewport": {"width": 360, "height": 720}, "has_touch": True}

BEATS = 90


async def in_chat(daemon: Daemon, window: Window) -> None:
    """A conversation, from all sides."""
    await window.in_chat("User_1")
    people: dict[str, MessageClient] = {}
    for name, emoji in (("Ann", "🦉"), ("Ben", "🚀"), ("probe-7", "🌵")):
        people[name] = await daemon.client("chat")
        await people[name].ask(type="set_name", name=name)
        await people[name].ask(type="set_emoji", emoji=emoji)
    await window.fill("Your name", "Cleo")
    await window.click("Save")
    await window.do(window.page.get_by_role("radio", name="🦊").check())
    await window.shows("#people .name", "Ann", "Ben", "Cleo", "probe-7")
    said = (
        ("Ann", "Hello from telnet. Who else is here?"),
        ("Ben", "Me, in Python: three lines with netplay.client 🎉"),
        ("Cleo", "And I just opened a web page."),
        ("probe-7", '{"greenhouse": 21.4}'),
        ("Ann", "Even the greenhouse talks."),
        ("Ben", "מה שלומך? <b>still just text</b>"),
    )
    for name, text in said:
        if name in people:
            await people[name].ask(type="chat", text=text)
        else:
            await window.say(text)
            await people["Ann"].get("chat", message=text)
    await window.heard(*[text for _, text in said])
    await people["Ann"].ask(type="join_room", room="tech", also=True)
    await window.click("Join #tech")
    await window.click("#general")
    await people["Ann"].ask(type="chat", room="tech", text="over here")
    await window.shows("#rooms-mine .badge", "1")


async def in_game(daemon: Daemon, window: Window) -> None:
    """Some players."""
    for dx, dy, points in ((7, -4, 12), (-9, 3, 7), (4, 5, 3), (60, -2, 1)):
        player: Client = await daemon.client("game")
        player.write(b'{"type":"move","dx":%d,"dy":%d}{"type":"score","points":%d}' % (dx, dy, points))
    await window.shows("#game-count", "5")
    await window.do(window.page.locator("#game-canvas").focus())
    await window.tap("ArrowLeft", "ArrowUp", *["Space"] * 5)
    await window.tells("#game-players", "-1, -1")
    await window.tells("#game-where", "-1, -1")


async def in_ticker(daemon: Daemon, window: Window) -> None:
    """Prices that have gone on for a while, and alerts."""
    listener: MessageClient = await daemon.client("ticker")
    while len((await listener.ask(type="history", symbol="AAPL"))["points"]) < BEATS:
        await listener.ask(type="subscribe", symbols=["AAPL"])
        await listener.get("price_update")
    await window.do(window.page.reload())
    await window.do(window.page.locator("#chart svg").wait_for())
    box = await window.do(window.page.locator("#chart").bounding_box())
    assert box is not None
    await window.do(window.page.locator("#chart").click(position={"x": 200, "y": box["height"] * 0.25}))
    await window.tells("#alerts", "AAPL")


async def in_candles(daemon: Daemon, window: Window) -> None:
    """The same as candles."""
    await in_ticker(daemon, window)
    await window.click("Candles")
    await window.do(window.page.locator("#chart .candle").first.wait_for())


async def in_messages(daemon: Daemon, window: Window) -> None:
    """What goes over the wire."""
    await window.turn_to("Chat")
    await window.in_chat("User_1")
    await window.say("hi all")
    await window.heard("hi all")
    await window.turn_to("Messages")
    await window.do(window.page.locator("#wire-log .sent", has_text='"text":"hi all"').click())
    await window.click("nc")


SCENES = [
    ("chat", "chat", in_chat, DESK, "light"),
    ("chat-dark", "chat", in_chat, DESK, "dark"),
    ("chat-phone", "chat", in_chat, PHONE, "light"),
    ("game", "game", in_game, DESK, "light"),
    ("game-phone", "game", in_game, PHONE, "dark"),
    ("ticker", "ticker", in_ticker, DESK, "light"),
    ("ticker-dark", "ticker", in_candles, DESK, "dark"),
    ("messages", "messages", in_messages, DESK, "light"),
]


@pytest.mark.parametrize(("name", "view", "play", "size", "scheme"), SCENES, ids=[scene[0] for scene in SCENES])
@ensureDeferred
async def test_a_picture(
    daemons: Daemons, windows: Windows, tmp_path: Path, name: str, view: str, play: Any, size: Any, scheme: str
) -> None:
    folder = Path(os.environ.get("NETPLAY_PICTURES", tmp_path))
    daemon = await daemons.start("--prices", "walk:seed=11", "--ticker-interval", "0.05")
    window = await windows.open(daemon, view, color_scheme=scheme, **size)
    await play(daemon, window)
    await taken(window, folder / f"{name}.png")


@ensureDeferred
async def test_pictures_of_the_arena(daemons: Daemons, windows: Windows, tmp_path: Path) -> None:
    folder = Path(os.environ.get("NETPLAY_PICTURES", tmp_path))
    daemon = await daemons.start("--arena-bots", "9")
    desk = await windows.open(daemon, "game", **DESK)
    await desk.fill("Play as", "Mia")
    await desk.click("Play arena")
    await desk.do(desk.page.wait_for_url("**/#join=*"))
    phone = await windows.open(daemon, desk.page.url.partition("#")[2], color_scheme="dark", **PHONE)
    for team in ("red", "blue"):
        await desk.shows(f"#arena-{team}", re.compile("[1-9]"))
    await desk.fill("Say to the room", "Who is red?")
    await desk.press("Enter")
    await phone.tells("#room-log", "Mia Who is red?")
    await taken(desk, folder / "arena.png")
    await taken(phone, folder / "arena-phone.png")


async def taken(window: Window, path: Path) -> None:
    """A picture, without what comes and goes."""
    await window.evaluate("document.getElementById('toasts').replaceChildren(); scrollTo(0, 0)")
    await window.do(window.page.mouse.move(0, 0))  # over nothing
    picture = await window.do(window.page.screenshot(animations="disabled", caret="hide"))
    assert picture.startswith(b"\x89PNG")
    assert len(picture) < LARGEST
    path.write_bytes(picture)
