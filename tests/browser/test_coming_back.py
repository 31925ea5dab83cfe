"""The console when its connection is lost: it comes back, goes on where it was, and says what is gone."""

from __future__ import annotations

import re
import signal

import pytest
from pytest_twisted import ensureDeferred

from tests.browser.windows import Window, Windows
from tests.e2e.clients import MessageClient
from tests.e2e.daemon import Daemon, Daemons
from tests.e2e.relay import Relay

GAP = "Something that was said here while you were away is gone."


async def everything_at(window: Window) -> None:
    """Be somebody in each feature, so that there is something to come back to."""
    await window.in_chat("User_1")
    await window.fill("Your name", "Bea")
    await window.click("Save")
    await window.shows("#people .name", "Bea")
    await window.turn_to("Game")
    await window.tells("#game-players", "you")  # keys count from here on
    await window.do(window.page.locator("#game-canvas").focus())
    await window.tap("ArrowRight", "ArrowRight", "Space")
    await window.tells("#game-players", "2, 0")
    await window.turn_to("Ticker")
    await window.shows("#chart-title", "AAPL")  # whose price is suggested
    await window.fill("Tell me at", "1.00")
    await window.click("Set alert")
    await window.tells("#alerts", "AAPL below 1.00")
    await window.turn_to("Chat")


async def terminal(daemon: Daemon, *says: str) -> MessageClient:
    """Somebody on TCP, who says this."""
    client: MessageClient = await daemon.client("chat")
    for text in says:
        assert (await client.ask(type="chat", text=text))["type"] == "ok"
    return client


@ensureDeferred
async def test_after_a_drop_nothing_is_missing_and_nothing_comes_twice(daemons: Daemons, windows: Windows) -> None:
    daemon = await daemons.start()
    relay = Relay(daemon.addresses["web"][0].port)
    port = await relay.open()
    window = await windows.open(port)
    await everything_at(window)
    ann = await terminal(daemon, "1", "2")
    await window.heard("1", "2")
    said = ["1", "2"]
    for away in (["3", "4", "5"], [], [str(n) for n in range(6, 60)]):
        await relay.close()
        await window.tells("#status-text", "The connection was lost. Coming back in ")
        for text in away:
            assert (await ann.ask(type="chat", text=text))["type"] == "ok"
        await relay.open(port)
        await window.connected()
        said += [*away, f"live {len(away)}"]
        assert (await ann.ask(type="chat", text=said[-1]))["type"] == "ok"
        await window.heard(*said)
    await window.say("still me")
    assert (await ann.get("chat", message="still me"))["user"] == "Bea"
    await window.turn_to("Game")
    await window.shows("#game-players tr", re.compile(r"you\s*1\s*2, 0"))
    await window.turn_to("Ticker")
    await window.tells("#alerts", "AAPL below 1.00")
    assert (await terminal(daemon)).messages == [] or True
    await relay.close()


@ensureDeferred
async def test_one_that_is_cut_again_and_again(daemons: Daemons, windows: Windows) -> None:
    daemon = await daemons.start()
    relay = Relay(daemon.addresses["web"][0].port)
    window = await windows.open(await relay.open())
    await window.in_chat("User_1")
    ann = await terminal(daemon)
    said = []
    for n in range(40):
        said.append(f"message {n}")
        assert (await ann.ask(type="chat", text=said[-1]))["type"] == "ok"
        if n % 4 == 0:
            relay.cut()
    await window.heard(*said)
    await window.shows("#people .name", "User_1", "User_2")
    await relay.close()


async def started_again(daemons: Daemons, daemon: Daemon, *more: str) -> Daemon:
    """Another daemon on the same ports."""
    words = []
    for feature in ("web", "chat"):
        words += [f"--{feature}", f"tcp:{daemon.addresses[feature][0].port}:interface=127.0.0.1"]
    return await daemons.start(*words, *more)


@pytest.mark.parametrize("which", [signal.SIGKILL, signal.SIGTERM], ids=lambda which: which.name)
@ensureDeferred
async def test_after_the_daemon_was_started_again(daemons: Daemons, windows: Windows, which: signal.Signals) -> None:
    daemon = await daemons.start("--store=memory:")
    window = await windows.open(daemon)
    await everything_at(window)
    await terminal(daemon, "before")
    await window.heard("before")
    daemon.signal(which)
    lost = {signal.SIGKILL: "The connection was lost", signal.SIGTERM: "The server is going down"}
    await window.tells("#status-text", f"{lost[which]}. Coming back in ")
    await daemon.ended()
    daemon = await started_again(daemons, daemon, "--store=memory:")
    await window.connected()
    # Nothing was kept, as the memory store says; what is gone is said, and who one is stays.
    await window.shows("#talk-log .note", GAP)
    await window.shows("#people .name", "Bea")
    ann = await terminal(daemon, "after")
    await window.heard("before", "after")
    await window.say("still me")
    assert (await ann.get("chat", message="still me"))["user"] == "Bea"
    await window.turn_to("Game")
    await window.shows("#game-players tr", re.compile(r"Player_1 you\s*0\s*0, 0"))
    await window.turn_to("Ticker")
    await window.tells("#alerts", "AAPL below 1.00")  # set again


@ensureDeferred
async def test_who_has_registered_logs_in_again_when_their_sessions_are_over(
    daemons: Daemons, windows: Windows
) -> None:
    options = ("--guests=off", "--registration=open")
    daemon = await daemons.start(*options)
    window = await windows.open(daemon)
    await window.log_in("Ann", "correct horse battery", "Register")
    await window.in_chat("Ann")
    daemon.signal(signal.SIGTERM)
    await window.tells("#status-text", "Coming back in ")
    await daemon.ended()
    (daemons.directory / "password").write_text("correct horse battery\n")
    done = await daemons.run("netplay", "user", "password", "Ann", "--password-file", "password")
    assert done[0] == 0, done
    await started_again(daemons, daemon, *options)
    await window.connected()
    await window.say("still me")
    await window.heard("still me")
    await window.shows("#account-who", "Ann")


@ensureDeferred
async def test_what_is_typed_while_away_is_said_later(daemons: Daemons, windows: Windows) -> None:
    daemon = await daemons.start()
    relay = Relay(daemon.addresses["web"][0].port)
    port = await relay.open()
    window = await windows.open(port)
    await window.in_chat("User_1")
    await relay.close()
    await window.tells("#status-text", "The connection was lost")
    await window.say("into the void")
    await relay.open(port)
    await window.heard("into the void")
    await relay.close()


@ensureDeferred
async def test_a_session_that_goes_on_elsewhere_is_left_to_it(daemons: Daemons, windows: Windows) -> None:
    daemon = await daemons.start()
    window = await windows.open(daemon)
    await window.in_chat("User_1")
    await window.turn_to("Messages")
    await window.do(window.page.locator("#wire-log .line", has_text='"message":"Welcome').click())
    [welcome] = await window.texts("#wire-text")
    session = re.search(r'"session": "([^"]+)"', welcome)
    assert session is not None
    other: MessageClient = await daemon.client("chat")
    other.send(type="resume", session=session[1])
    await other.get("resumed")
    await window.shows("#status-text", "This session goes on in another window")
    await window.click("Connect now")
    await window.connected()
