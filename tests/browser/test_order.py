"""Keeping order in the console: settings of rooms, what was decided and reported; and finding what was said."""

from __future__ import annotations

import re
from typing import Any

from pytest_twisted import ensureDeferred

from tests.browser.windows import Window, Windows, fits, named, usable_by_touch
from tests.e2e.clients import MessageClient
from tests.e2e.daemon import Daemons

PASSWORD = "correct horse battery"


PHONE: dict[str, Any] = {"viewport": {"width": 360, "height": 640}, "has_touch": True, "color_scheme": "dark"}


async def operator(daemons: Daemons, windows: Windows) -> tuple[Window, MessageClient]:
    """The window of one, and a guest."""
    return await keeper(daemons, windows, "operator")


async def keeper(daemons: Daemons, windows: Windows, role: str, **options: Any) -> tuple[Window, MessageClient]:
    """The window of somebody who keeps order, and a guest."""
    daemon = await daemons.start()
    (daemons.directory / "password").write_text(f"{PASSWORD}\n")
    made = await daemons.run("netplay", "user", "add", "Ann", "--role", role, "--password-file", "password")
    assert made[0] == 0, made
    window = await windows.open(daemon, **options)
    await window.in_chat("User_1")
    await window.log_in("Ann", PASSWORD)
    await window.shows("#account-who", f"Ann · {role}")
    guest: MessageClient = await daemon.client("chat")
    await window.shows("#people .name", "Ann", "User_2")
    return window, guest


@ensureDeferred
async def test_settings_of_a_room(daemons: Daemons, windows: Windows) -> None:
    window, guest = await operator(daemons, windows)
    await window.click("Settings")
    await window.fill("Topic", "roses")
    await window.fill("Seconds from message to message", "30")
    await window.do(window.page.get_by_label("nobody comes in").check())
    await window.do(window.page.get_by_label("read-only").check())
    await usable(window)
    await window.click("Save settings")
    await window.shows("#talk-topic", "roses · one message every 30 s · nobody comes in · read-only")
    assert (await guest.ask(type="chat", text="hello"))["code"] == "not_allowed"
    await window.click("Settings")
    await window.do(window.page.get_by_label("read-only").uncheck())
    await window.click("Save settings")
    await window.shows("#talk-topic", "roses · one message every 30 s · nobody comes in")
    assert (await guest.ask(type="chat", text="hello"))["type"] == "ok"


@ensureDeferred
async def test_what_was_decided_and_reported(daemons: Daemons, windows: Windows) -> None:
    window, guest = await operator(daemons, windows)
    said = await guest.ask(type="chat", text="shame")
    await guest.ask(type="report", room="general", seq=said["seq"], reason="I am sorry")
    await window.click("About User_2")
    await window.fill("Reason", "spam")
    await window.click("Mute")
    await window.click("Records")
    await window.tells("#records-list", "muted until")
    await window.tells("#records-list", "spam")
    await named(window)
    await window.click("Reports")
    await window.tells("#records-list", "User_2: shame")
    await window.click("Audit log")
    await window.tells("#records-list", "Ann mute")
    assert (await guest.ask(type="chat", text="hello"))["code"] == "muted"
    await window.click("Here")
    await window.do(window.page.locator("#records-list").get_by_role("button").click())
    await window.shows("#records-list li", "There is nothing.")
    assert await window.evaluate("document.activeElement.id") == "records-list"
    assert (await guest.ask(type="chat", text="hello"))["type"] == "ok"


@ensureDeferred
async def test_operators_ban_people_and_networks_from_the_server(daemons: Daemons, windows: Windows) -> None:
    window, guest = await operator(daemons, windows)
    await window.click("About User_2")
    await window.do(window.page.get_by_label("on the whole server").check())
    await fits(window)
    await window.click("Put out")
    assert (await guest.get("error"))["code"] == "kicked"
    await window.click("Records")
    await window.click("Everywhere")
    await window.fill("Network", "192.0.2.7/24")
    await fits(window)
    await window.click("Ban network")
    await window.tells("#records-list", "192.0.2.0/24 banned for good by Ann")
    await window.do(window.page.locator("#records-list").get_by_role("button").click())
    await window.shows("#records-list li", "There is nothing.")
    await window.click("Everywhere")
    await window.shows("#records-list li", "There is nothing.")


@ensureDeferred
async def test_a_moderator_of_one_room_on_a_phone(daemons: Daemons, windows: Windows) -> None:
    window, guest = await keeper(daemons, windows, "moderator:general", **PHONE)
    await guest.ask(type="chat", text="hello" * 20)
    await window.click("About this message of User_2")
    assert not await window.do(window.page.locator("#order-where").is_visible())
    await usable(window)
    await window.click("Cancel")
    await window.click("Settings")
    await window.fill("Seconds from message to message", "0.5")
    await usable(window)
    await window.click("Save settings")
    await window.shows("#talk-topic", re.compile(r"one message every 0\.5 s$"))
    await window.click("Records")
    for button in ("Everywhere", "Audit log"):
        assert not await window.do(window.page.get_by_role("button", name=button).is_visible())
    await window.shows("#records-list li", "There is nothing.")
    await usable(window)
    await window.click("Close")
    await window.click("Search")
    await window.fill("Words", "hello" * 20)
    await window.click("Find")
    await window.tells("#search-found", "hello")
    await usable(window)


async def usable(window: Window) -> None:
    """By everyone, however small the window is."""
    await fits(window)
    await usable_by_touch(window)
    await named(window)


@ensureDeferred
async def test_who_keeps_no_order_is_offered_none_of_it(daemons: Daemons, windows: Windows) -> None:
    daemon = await daemons.start("--store=memory:")
    window = await windows.open(daemon)
    await window.in_chat("User_1")
    guest: MessageClient = await daemon.client("chat")
    await guest.ask(type="chat", text="hello")
    await window.click("About this message of User_2")
    for button in ("#talk-settings", "#talk-records", "#order-keep"):
        assert not await window.do(window.page.locator(button).is_visible())
    await window.click("Report")
    await window.tells("#toasts", "It is reported.")


@ensureDeferred
async def test_what_was_said_is_found(daemons: Daemons, windows: Windows) -> None:
    daemon = await daemons.start("--rate=0")
    window = await windows.open(daemon)
    await window.in_chat("User_1")
    guest: MessageClient = await daemon.client("chat")
    await guest.ask(type="join_room", room="tech", also=True)
    await window.click("Join #tech")
    for n in range(120):
        guest.send(type="chat", room="tech", text=f"red rose {n}")
    await guest.ask(type="chat", room="general", text="a red fox")
    await window.click("Search")
    await window.fill("Words", "red")
    await window.click("Find")
    await window.tells("#search-found", "a red fox")
    await fits(window)
    await named(window)
    await window.click("Show more")
    await window.tells("#search-found li:last-child", "red rose 0")
    await window.do(window.page.get_by_label("only in this room").check())
    await window.click("Find")
    await window.tells("#search-found li:first-child", "red rose 119")
    await window.do(window.page.get_by_label("only in this room").uncheck())
    await window.fill("Words", "fox")
    await window.click("Find")
    await window.shows("#search-found .text", "a red fox")
    await window.do(window.page.locator("#search-found button").click())
    await window.shows("#talk-title", "#general")
