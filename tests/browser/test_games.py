"""Rooms of games in the console: how people get there, who else is there, and a game that it knows nothing about."""

from __future__ import annotations

import re
from pathlib import Path

from pytest_twisted import ensureDeferred

from tests.browser.windows import Window, Windows, fits, named, usable_by_touch
from tests.e2e.clients import MessageClient
from tests.e2e.daemon import CHECKOUT, Daemon, Daemons
from tests.e2e.test_restart import GAME

A_LINK = re.compile(r"#join=([A-Z0-9]{5})$")


async def created(window: Window, game: str, password: str = "") -> str:
    """Make a room; the address of the page is then a link to it."""
    await window.do(window.page.get_by_role("combobox", name="Game").select_option(game))
    await window.do(window.page.get_by_role("textbox", name="Password").fill(password))
    await window.click("Create")
    await window.shows("#game-title", re.compile(f"{game}-"))
    await window.do(window.page.wait_for_url(A_LINK))
    return window.page.url


async def on_tcp(daemon: Daemon) -> MessageClient:
    """Somebody in the lobby."""
    return await daemon.connect(MessageClient(), "game")


async def for_everyone(window: Window) -> None:
    """With all that can be opened open."""
    await window.evaluate("document.querySelectorAll('details').forEach((details) => (details.open = true))")
    await window.do(window.page.get_by_role("button", name="Create").wait_for())
    await fits(window)
    await usable_by_touch(window)
    await named(window)


@ensureDeferred
async def test_whoever_opens_the_link_of_a_room_is_in_it(daemons: Daemons, windows: Windows) -> None:
    daemon = await daemons.start()
    one = await windows.open(daemon, "game")
    await one.fill("Play as", "<b>Ann</b>")
    link = await created(one, "arena")
    two = await windows.open(daemon, link.partition("#")[2], viewport={"width": 360, "height": 640}, has_touch=True)
    for window in (one, two):
        await window.shows("#game-title", "arena-1")
        await window.shows("#room-players .name", "<b>Ann</b>", "Player_2")
        await window.shows("#room-count", "2/25")
        await window.tells("#room-phase", re.compile("Starts in|The round is on"))
    await two.fill("Say to the room", "<i>hello</i>")
    await two.press("Enter")
    for window in (one, two):
        await window.shows("#room-log li", "Player_2 <i>hello</i>")
    await one.shows("#room-phase", "The round is on")
    await for_everyone(two)
    await two.click("Leave")
    await two.shows("#game-title", "Lobby")
    assert two.page.url.endswith("#game")
    await one.shows("#room-players .name", "<b>Ann</b>")
    await one.do(one.page.goto(f"{one.url}#join=NONE"))
    await one.tells("#toasts", "no room has that code")


@ensureDeferred
async def test_a_room_with_a_password_asks_for_it(daemons: Daemons, windows: Windows) -> None:
    daemon = await daemons.start()
    one, two = await windows.open(daemon, "game"), await windows.open(daemon, "game")
    await created(one, "eights", "swordfish")
    await two.do(two.page.reload())  # to see the room without waiting for the list to be asked again
    await two.click("Join eights-1")
    await two.shows("#password-why", "This room takes a password.")
    await two.do(two.page.get_by_role("dialog").get_by_label("Password").fill("sardine"))
    await two.press("Enter")
    await two.shows("#password-why", "That is not its password.")
    await two.do(two.page.get_by_role("dialog").get_by_label("Password").fill("swordfish"))
    await two.press("Enter")
    await two.shows("#game-title", "eights-1")
    await two.click("Ready")
    await one.tells("#room-players", "ready")
    await one.click("Start now")
    await one.tells("#room-phase", "Starts in")
    await two.click("Leave")
    await one.shows("#room-phase", "Waiting for 1 more")


@ensureDeferred
async def test_a_game_of_somebody_else_can_be_played_and_watched(daemons: Daemons, windows: Windows) -> None:
    daemon = await daemons.start("--load", str(CHECKOUT / "examples" / "games" / "noughts.py"))
    window = await windows.open(daemon, "game")
    watcher = await windows.open(daemon, "game", viewport={"width": 360, "height": 640})
    await created(window, "noughts")
    await watcher.do(watcher.page.reload())
    await watcher.click("Watch noughts-1")
    other = await on_tcp(daemon)
    them = (await other.ask(type="join", room="noughts-1"))["player"]
    await window.shows("#room-phase", "The round is on")
    for mine, theirs in ((4, 0), (2, 1)):
        await window.fill("cell", str(mine))
        await window.click("Send put")
        await window.tells("#any-entities tr:has-text('board')", f'turn "{them}"')
        assert (await other.ask(type="act", do="put", cell=theirs))["type"] == "ok"
    await window.fill("cell", "four")
    await window.click("Send put")
    await window.tells("#toasts", "Expected `int`, got `str`")
    await window.fill("cell", "6")
    await window.click("Send put")
    for page in (window, watcher):
        await page.tells("#any-entities", "oox.x.x")  # a table of what there is to see
        await page.shows("#room-result", "It ended: winner: Player_1")
        await page.tells("#any-events", '{"winner":"Player_1"}')
    await watcher.shows("#game-where", "You watch")
    await for_everyone(watcher)
    await for_everyone(window)


@ensureDeferred
async def test_the_best_of_today_and_ever(daemons: Daemons, windows: Windows, tmp_path: Path) -> None:
    (tmp_path / "laps.py").write_text(GAME)
    daemon = await daemons.start("--store=memory:", f"--load={tmp_path / 'laps.py'}")
    player: MessageClient = await daemon.client("game")
    await player.ask(type="join", game="laps")
    await player.ask(type="act", do="lap", seconds=61.5)
    await player.get("over")
    window = await windows.open(daemon, "game")
    await window.tells("#game-players", "you")
    assert not await window.do(window.page.locator("#leaders").is_visible())  # the lobby has no scores that are kept
    await window.click("Play laps")
    await window.do(window.page.locator("#leaders summary").click())
    await window.shows("#leaders-score", "seconds")
    await window.shows("#leaders-list li", "Player_161.5")
    await window.click("Ever")
    await window.shows("#leaders [aria-pressed=true]", "Ever")
    await window.shows("#leaders-list li", "Player_161.5")
