"""The console in a browser: what people do there, with others on TCP."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pytest_twisted import ensureDeferred

from tests.browser.windows import Window, Windows, fits, named, usable_by_touch
from tests.e2e.clients import Client, MessageClient
from tests.e2e.daemon import Daemon, Daemons

UP_AND_DOWN = "date,symbol,price\n2024-01-01,UP,100\n2024-01-02,UP,110\n"


async def on_tcp(daemon: Daemon, name: str) -> MessageClient:
    """Somebody in chat."""
    client: MessageClient = await daemon.client("chat")
    assert (await client.ask(type="set_name", name=name))["type"] == "ok"
    return client


# Chat


@ensureDeferred
async def test_two_pages_and_a_terminal_in_one_room(daemons: Daemons, windows: Windows) -> None:
    daemon = await daemons.start()
    one, two = await windows.open(daemon), await windows.open(daemon)
    await one.in_chat("User_1")
    await two.in_chat("User_2")
    terminal = await on_tcp(daemon, "Ann")
    await one.say("from one")
    assert (await terminal.get("chat"))["message"] == "from one"
    await two.say("from two 🎉")
    assert (await terminal.get("chat"))["message"] == "from two 🎉"
    assert (await terminal.ask(type="chat", text="from a terminal"))["type"] == "ok"
    for window in (one, two):
        await window.heard("from one", "from two 🎉", "from a terminal")
        await window.shows("#talk-log .name", "User_1", "User_2", "Ann")
        await window.shows("#people .name", "Ann", "User_1", "User_2")
        await window.shows("#people-count", "3")
    terminal.close()
    await one.shows("#people .name", "User_1", "User_2")


@ensureDeferred
async def test_rooms_names_emoji_and_direct_messages(daemons: Daemons, windows: Windows) -> None:
    daemon = await daemons.start()
    one, two = await windows.open(daemon), await windows.open(daemon)
    await one.in_chat("User_1")
    await two.in_chat("User_2")
    await one.fill("Your name", "Bea")
    await one.click("Save")
    await two.shows("#people .name", "Bea", "User_2")
    await one.do(one.page.get_by_role("radio", name="🦊").check())
    await one.fill("New room", "garden")
    await one.click("Create")
    await one.shows("#talk-title", "#garden")
    await one.say("roses")
    await one.heard("roses")
    await one.shows("#talk-log .face", "🦊")

    await two.do(two.page.reload())  # to see the room without waiting for the list to be asked again
    await two.click("Join #garden")
    await two.heard("roses")
    await two.click("#general")
    await one.say("tulips")
    await two.shows("#rooms-mine .badge", "1")  # in several rooms at once

    await two.click("Bea")
    await two.say("just you")
    await two.heard("just you")
    await one.click((await one.texts("#rooms-mine .name"))[-1])
    await one.heard("just you")


@ensureDeferred
async def test_history_is_paged_back(daemons: Daemons, windows: Windows) -> None:
    daemon = await daemons.start("--rate", "0")
    terminal = await on_tcp(daemon, "Ann")
    for n in range(80):
        terminal.send(type="chat", text=f"message {n}")
    await terminal.settled()
    window = await windows.open(daemon)
    await window.heard(*[f"message {n}" for n in range(30, 80)])
    await window.click("Show earlier messages")
    await window.heard(*[f"message {n}" for n in range(80)])
    assert await window.evaluate("document.getElementById('talk-earlier').hidden")


@ensureDeferred
async def test_what_people_type_is_shown_as_text(daemons: Daemons, windows: Windows) -> None:
    daemon = await daemons.start()
    window = await windows.open(daemon, viewport={"width": 360, "height": 640})
    name = "<img src=x onerror=alert(1)>"
    hostile = [
        "<img src=x onerror=\"document.title='owned'\">",
        "<script>document.title='owned'</script>",
        "</li></ol><h1>owned</h1>",
        "\u202egnirts desrever\u202e",
        "javascript:alert(1)",
        "x" * 4000,
        "👩‍👩‍👧‍👦" * 500,
    ]
    terminal = await on_tcp(daemon, name)
    for text in hostile:
        assert (await terminal.ask(type="chat", text=text))["type"] == "ok"
    await window.heard(*hostile)
    await window.shows("#talk-log .name", *[name for _ in hostile])
    await window.shows("#people .name", name, "User_1")
    assert await window.evaluate("document.title") == "Chat · netplay"
    assert await window.evaluate("document.querySelectorAll('#chat img, #chat script, h1 + h1').length") == 0
    # A text that turns its direction turns nothing beside it: the time still stands to the right of the name.
    assert await window.evaluate(
        """() => [...document.querySelectorAll("#talk-log .who")].every((who) => {
            const name = who.querySelector("bdi").getBoundingClientRect();
            const time = who.querySelector("time").getBoundingClientRect();
            return name.left < time.left || name.top < time.top;
        })"""
    )
    await fits(window)


# Game


async def held(window: Window, key: str, until: str) -> None:
    """Hold a key down until the own place is C{until} or beyond, in the one direction that it goes."""
    await window.do(window.page.keyboard.down(key))
    await window.tells("#game-players", until)
    await window.do(window.page.keyboard.up(key))


@ensureDeferred
async def test_players_see_each_other_move(daemons: Daemons, windows: Windows) -> None:
    daemon = await daemons.start()
    one = await windows.open(daemon, "game")
    await one.shows("#game-players tr", re.compile("Player_1 you.*0, 0"))
    raw: Client = await daemon.client("game")
    two = await windows.open(daemon, "game", has_touch=True)
    await two.shows("#game-count", "3")
    raw.write(b'{"type":"move","dx":7,"dy":-2}{"type":"score","points":5}')
    await one.do(one.page.locator("#game-canvas").focus())
    await one.tap("ArrowRight", "KeyD", "ArrowDown", "Space")
    await two.do(two.page.get_by_role("button", name="Left", exact=True).tap())
    expected = {"Player_1": ("1", "2, 1"), "Player_2": ("5", "7, -2"), "Player_3": ("0", "-1, 0")}
    for window in (one, two):
        for player, (score, place) in expected.items():
            await window.shows(
                f"#game-players tr:has(bdi:text-is('{player}')) td.number",
                score,
                place,
            )
    # Who is near is drawn, each in a colour of its own.
    colours = await one.evaluate(
        """() => new Promise((resolve) => requestAnimationFrame(() => {
            const canvas = document.getElementById("game-canvas");
            const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
            const seen = new Map();
            for (let at = 0; at < data.length; at += 4) {
                if (data[at + 3] !== 255) continue;
                const colour = data.slice(at, at + 3).join();
                seen.set(colour, (seen.get(colour) ?? 0) + 1);
            }
            const dots = [...document.querySelectorAll("#game-players .dot")].map((dot) =>
                getComputedStyle(dot).backgroundColor.match(/\\d+/g).slice(0, 3).join());
            resolve(dots.map((dot) => (seen.get(dot) ?? 0) > 100));
        }))"""
    )
    assert colours == [True, True, True]
    raw.close()
    await one.shows("#game-count", "2")


@ensureDeferred
async def test_a_key_that_is_held_keeps_moving_until_it_is_let_go(daemons: Daemons, windows: Windows) -> None:
    daemon = await daemons.start()
    window = await windows.open(daemon, "game")
    await window.do(window.page.locator("#game-canvas").focus())
    await held(window, "ArrowRight", "5, 0")
    await window.tells("#game-where", re.compile(r"You are at [1-9]"))  # which is said once it stays
    rested = await window.texts("#game-where")
    await window.evaluate("new Promise((resolve) => setTimeout(resolve, 200))")
    assert rested[0].removeprefix("You are at ") in (await window.texts("#game-players td:last-child"))[0]


# Ticker


@ensureDeferred
async def test_prices_a_chart_and_alerts(daemons: Daemons, windows: Windows, tmp_path: Path) -> None:
    (tmp_path / "up.csv").write_text(UP_AND_DOWN)
    daemon = await daemons.start("--prices", "csv:up.csv", "--ticker-interval", "0.1")
    window = await windows.open(daemon, "ticker")
    await window.tells("#ticker-prices", re.compile(r"UP.*(110\.00▲ \+10\.00|100\.00▼ −10\.00)"))
    chart = window.page.locator("#chart svg")
    await window.do(chart.wait_for())
    label = await window.do(chart.get_attribute("aria-label"))
    assert re.fullmatch(r"UP: 1[01]0\.00 now, from 100\.00 to 110\.00", label or ""), label
    assert await window.evaluate("document.querySelectorAll('#chart polyline').length") == 1

    # By a click into the chart, in its middle.
    box = await window.do(window.page.locator("#chart").bounding_box())
    assert box is not None
    await window.do(window.page.locator("#chart").click(position={"x": 100, "y": box["height"] / 2}))
    await window.tells("#alerts", re.compile(r"UP (above|below) 10[3-7]\.\d\d"))
    await window.tells("#alerts-fired li >> nth=0", re.compile(r"UP is (above|below) 10[3-7]\.\d\d: 1[01]0\.00"))
    await window.do(window.page.locator("#chart .threshold").wait_for(state="attached"))  # in the next frame
    await window.do(window.page.get_by_role("button", name=re.compile("Cancel UP")).click())
    await window.shows("#alerts li")

    # Also by a click during which the chart is drawn anew.
    await window.do(window.page.mouse.move(box["x"] + 100, box["y"] + box["height"] / 2))
    await window.do(window.page.mouse.down())
    await window.evaluate("document.querySelector('#chart svg').classList.add('old')")
    await window.do(window.page.locator("#chart svg:not(.old)").wait_for())
    await window.do(window.page.mouse.up())
    await window.tells("#alerts", re.compile(r"UP (above|below) 10[3-7]\.\d\d"))
    await window.do(window.page.get_by_role("button", name=re.compile("Cancel UP")).click())
    await window.shows("#alerts li")

    # By keyboard, once.
    await window.do(window.page.get_by_label("once").check())
    await window.fill("Tell me at", "104.50")
    await window.press("Enter")
    await window.tells("#alerts-fired", re.compile(r"UP is (above|below) 104\.50"))
    await window.shows("#alerts li")  # gone with that

    await window.click("Candles")
    await window.do(window.page.locator("#chart .candle").first.wait_for())


@ensureDeferred
async def test_a_page_that_stops_reading_gets_the_newest_prices_only(daemons: Daemons, windows: Windows) -> None:
    daemon = await daemons.start("--ticker-interval", "0.1")
    window = await windows.open(daemon, "ticker")
    await window.do(window.page.locator("#chart svg").wait_for())
    await window.click("Stop reading for 10 s")
    await window.tells("#slow-text", "Reads nothing for")
    await window.tells("#slow-text", "Reading on")
    await window.tells("#slow-text", "prices that newer ones had replaced")
    [told] = await window.texts("#slow-text")
    found = re.fullmatch(
        r"The server left out (\d+) prices that newer ones had replaced, and at most (\d+) KiB ever waited .*", told
    )
    assert found is not None, told
    assert int(found[1]) > 5
    assert int(found[2]) < 1024  # --send-queue
    await window.connected()


# The messages


@ensureDeferred
async def test_messages_are_shown_and_can_be_sent_from_elsewhere(
    daemons: Daemons, windows: Windows, tmp_path: Path
) -> None:
    daemon = await daemons.start()
    window = await windows.open(daemon)
    text = 'it\'s "quoted" $HOME `x` \\ 🎉'
    await window.say(text)
    await window.heard(text)
    await window.turn_to("Messages")
    await window.do(window.page.locator("#wire-log .sent", has_text='"text":"it').click())
    await window.tells("#wire-text", '"feature": "chat"')
    await window.click("nc")
    [command] = await window.texts("#wire-text")
    chat = daemon.addresses["chat"][0]
    listener = await on_tcp(daemon, "Ann")
    command = command.replace("127.0.0.1 8888", f"{chat.host} {chat.port}").replace("nc -N", "cat; : ")
    status, printed = await daemons.run("sh", "-c", command)
    assert status == 0
    listener.write(printed.encode())
    assert (await listener.get("chat"))["message"] == text
    await window.click("Python")
    [program] = await window.texts("#wire-text")
    (tmp_path / "said.py").write_text(program)
    status, printed = await daemons.run("python", "said.py")
    assert (status, "'type': 'ok'" in printed) == (0, True), printed
    assert (await listener.get("chat"))["message"] == text
    await window.click("JavaScript")
    await window.tells("#wire-text", "/netplay.js")


# For everyone


@pytest.mark.parametrize("view", ["chat", "game", "ticker", "messages"])
@ensureDeferred
async def test_on_a_phone(daemons: Daemons, windows: Windows, view: str) -> None:
    daemon = await daemons.start()
    window = await windows.open(daemon, view, viewport={"width": 360, "height": 640}, has_touch=True)
    await fits(window)
    await usable_by_touch(window)


@ensureDeferred
async def test_without_a_mouse(daemons: Daemons, windows: Windows) -> None:
    daemon = await daemons.start()
    window = await windows.open(daemon)
    await window.in_chat("User_1")
    await tab_to(window, "Message")
    await window.do(window.page.keyboard.type("by keyboard"))
    await window.press("Enter")
    await window.heard("by keyboard")
    await tab_to(window, "Game", back=True)
    assert await window.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    await window.press("Enter")
    await window.tells("#game-players", "Player_1")  # who is no player yet moves nothing
    await tab_to(window, "The field.")
    await window.press("ArrowUp")
    await window.tells("#game-players", "0, -1")
    await tab_to(window, "Down")
    await window.press("Enter", "Enter")
    await window.tells("#game-players", "0, 1")
    await tab_to(window, "Ticker", back=True)
    await window.press("Enter")
    await window.do(window.page.locator("#chart svg").wait_for())
    await tab_to(window, "GOOGL")
    await window.press("Enter")
    await window.shows("#chart-title", "GOOGL")


@ensureDeferred
async def test_the_focus_stays_where_it_is_when_somebody_comes(daemons: Daemons, windows: Windows) -> None:
    daemon = await daemons.start()
    window = await windows.open(daemon)
    await on_tcp(daemon, "Ann")
    await window.shows("#people .name", "Ann", "User_1")
    await tab_to(window, "Ann")
    await on_tcp(daemon, "Ben")
    await window.shows("#people .name", "Ann", "Ben", "User_1")
    assert await window.evaluate("document.activeElement.textContent") == "Ann"


async def tab_to(window: Window, name: str, *, back: bool = False) -> None:
    """Press the tabulator until the focus is on what has this name."""
    for _ in range(60):
        await window.press("Shift+Tab" if back else "Tab")
        named = await window.evaluate(
            """() => {
                const at = document.activeElement;
                return at.getAttribute("aria-label") ?? at.labels?.[0]?.textContent ?? at.textContent;
            }"""
        )
        if named.strip().endswith(name) or named.startswith(name):
            return
    raise AssertionError(f"the focus never came to {name}")


@ensureDeferred
async def test_everything_has_a_name(daemons: Daemons, windows: Windows) -> None:
    daemon = await daemons.start()
    window = await windows.open(daemon)
    for view in ("Chat", "Game", "Ticker", "Messages"):
        await window.turn_to(view)
        await named(window)


@ensureDeferred
async def test_an_operator_logs_in_and_keeps_order(daemons: Daemons, windows: Windows) -> None:
    daemon = await daemons.start()
    (daemons.directory / "password").write_text("correct horse\n")
    made = await daemons.run("netplay", "user", "add", "Ann", "--role", "operator", "--password-file", "password")
    assert made[0] == 0, made
    window = await windows.open(daemon)
    await window.in_chat("User_1")
    await window.log_in("Ann", "correct horse")
    await window.in_chat("Ann")
    raw: MessageClient = await daemon.client("chat")
    await raw.ask(type="chat", text="shame")
    for done in ("Mute", "Delete message"):
        await window.click("About this message of User_2")
        await window.click(done)
    await window.tells("#talk-log", "deleted")
    await raw.get("deleted")
    assert (await raw.ask(type="chat", text="more of it"))["code"] == "muted"
