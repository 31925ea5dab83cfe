"""Who one is in the console: logging in, registering and logging out, in whichever view."""

from __future__ import annotations

import pytest
from pytest_twisted import ensureDeferred

from tests.browser.windows import Windows, fits, named
from tests.e2e.daemon import Daemons
from tests.e2e.test_api import TOKEN, ask

PASSWORD = "correct horse battery"


@pytest.mark.parametrize("view", ["chat", "game", "ticker"])
@ensureDeferred
async def test_where_there_are_no_guests_every_view_asks_once_and_for_all(
    daemons: Daemons, windows: Windows, view: str
) -> None:
    daemon = await daemons.start("--store=memory:", "--guests=off", "--registration=open")
    window = await windows.open(daemon, view)
    await window.tells("#login", "Password of the account")
    await fits(window)
    await window.log_in("Ann", PASSWORD, "Register")
    await window.shows("#account-who", "Ann")
    await window.turn_to("Game")
    await window.tells("#game-players", "you")
    await window.turn_to("Ticker")
    await window.tells("#ticker-prices", "AAPL")
    await window.turn_to("Chat")
    await window.in_chat("Ann")
    await window.say("hello")
    await window.heard("hello")
    await window.turn_to("Game")
    await named(window)


@ensureDeferred
async def test_logging_out(daemons: Daemons, windows: Windows) -> None:
    daemon = await daemons.start("--store=memory:", "--registration=open")
    window = await windows.open(daemon)
    await window.in_chat("User_1")
    await window.log_in("Ann", PASSWORD, "Register")
    await window.in_chat("Ann")
    await window.click("Log out")
    await window.shows("#account-who", "")
    await window.in_chat("User_2")
    assert await window.evaluate("[localStorage.length, sessionStorage.length]") == [0, 0]


@ensureDeferred
async def test_who_is_banned_reads_why(daemons: Daemons, windows: Windows) -> None:
    daemon = await daemons.start("--store=memory:", "--registration=open", f"--api-token={TOKEN}")
    window = await windows.open(daemon)
    await window.in_chat("User_1")
    await window.log_in("Bob", PASSWORD, "Register")
    await window.in_chat("Bob")
    status, _ = await ask(daemon, "POST", "/api/bans", {"account": "Bob", "reason": "spam"}, port="web")
    assert status == 200
    await window.shows("#status-text", "You are banned: spam")
