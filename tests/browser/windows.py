"""A real browser, and the console in it as somebody sees and uses it."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import Coroutine
from concurrent.futures import Future
from threading import Thread
from typing import Any, TypeVar

from playwright.async_api import ConsoleMessage, Locator, Page, async_playwright, expect
from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred

from tests.e2e.clients import PATIENCE
from tests.e2e.daemon import Daemon

reactor: Any = _reactor
T = TypeVar("T")

LONGEST = 2 * PATIENCE
"""Seconds that a step in the browser may take, also where Playwright has no limit of its own."""

NO_CONNECTION = re.compile(r"WebSocket connection to \S+ failed|net::ERR_CONNECTION")
"""What the browser says of a connection that could not be made: no mistake of the page."""


class Browser:
    """
    Chromium. Playwright wants an asyncio loop, which the reactor need not be: it has one on a thread of its own.
    """

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._now(self._start())

    async def _start(self) -> None:
        executable = shutil.which("chromium")
        assert executable is not None, "these tests need Chromium: apt-get install chromium"
        self._playwright = await async_playwright().start()
        self._chromium = await self._playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])

    async def _stop(self) -> None:
        await self._chromium.close()
        await self._playwright.stop()

    def _now(self, steps: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(steps, self._loop).result(60)

    def quit(self) -> None:
        """End it."""
        self._now(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def do(self, steps: Coroutine[Any, Any, T]) -> Deferred[T]:
        """Take steps of Playwright; what comes of them."""
        done: Deferred[T] = Deferred()

        def finish(future: Future[T]) -> None:
            error = future.exception()
            if error is None:
                done.callback(future.result())
            else:
                done.errback(error)

        limited = asyncio.wait_for(steps, LONGEST)
        asyncio.run_coroutine_threadsafe(limited, self._loop).add_done_callback(
            lambda future: reactor.callFromThread(finish, future)
        )
        return done

    async def new_page(self, **options: Any) -> Page:
        """An empty page that shares nothing with others. On the loop of the browser."""
        context = await self._chromium.new_context(**options)
        page = await context.new_page()
        page.set_default_timeout(PATIENCE * 1000)
        return page


class Window:
    """
    A page. Elements are named as those who cannot see them hear them.

    @ivar complaints: what the page said on the browser's console, and exceptions that nobody caught.
    """

    def __init__(self, browser: Browser, page: Page, url: str) -> None:
        self._browser = browser
        self.page = page
        self.url = url
        self.complaints: list[str] = []

    def watch(self) -> None:
        """Hear its complaints. On the loop of the browser."""
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not NO_CONNECTION.search(message.text):
            self.complaints.append(f"{message.type}: {message.text}")

    def do(self, steps: Coroutine[Any, Any, T]) -> Deferred[T]:
        """Take steps of Playwright."""
        return self._browser.do(steps)

    async def go(self, view: str = "") -> None:
        """Load the console and look at one of its views."""
        await self.do(self.page.goto(f"{self.url}#{view}"))

    async def turn_to(self, view: str) -> None:
        """By its link."""
        await self.do(self.page.get_by_role("link", name=view, exact=True).click())

    async def fill(self, label: str, text: str) -> None:
        """Write into a field."""
        await self.do(self.page.get_by_label(label, exact=True).fill(text))

    async def click(self, button: str) -> None:
        """Press a button."""
        await self.do(self.page.get_by_role("button", name=button, exact=True).click())

    async def press(self, *keys: str) -> None:
        """Keys, one after the other."""
        for key in keys:
            await self.do(self.page.keyboard.press(key))

    async def tap(self, *codes: str) -> None:
        """Keys of a game, one after the other, each for no time at all, however busy the machine is."""
        await self.evaluate(
            """(codes) => {
                for (const code of codes) {
                    for (const type of ["keydown", "keyup"]) {
                        document.activeElement.dispatchEvent(new KeyboardEvent(type, { code, bubbles: true }));
                    }
                }
            }""",
            list(codes),
        )

    async def evaluate(self, expression: str, argument: Any = None) -> Any:
        """Run JavaScript."""
        return await self.do(self.page.evaluate(expression, argument))

    async def shows(self, selector: str, *texts: str | re.Pattern[str]) -> None:
        """Wait until these elements, and no others, hold these texts in this order."""
        await self.do(expect(self._found(selector)).to_have_text(list(texts), timeout=PATIENCE * 1000))

    async def tells(self, selector: str, text: str | re.Pattern[str]) -> None:
        """Wait until an element holds a text, among others."""
        await self.do(expect(self._found(selector)).to_contain_text(text, timeout=PATIENCE * 1000))

    async def texts(self, selector: str) -> list[str]:
        """What these elements hold now."""
        return await self.do(self._found(selector).all_inner_texts())

    async def connected(self) -> None:
        """Wait until it is greeted, and can go on."""
        await self.shows("#status-text", "Connected")

    def _found(self, selector: str) -> Locator:
        return self.page.locator(selector)

    # Accounts

    async def log_in(self, user: str, password: str, button: str = "Log in") -> None:
        """Or register, in the dialog, which is opened if it does not ask by itself."""
        if not await self.do(self.page.locator("#login").is_visible()):
            await self.do(self.page.locator("#account-button").click())
        await self.fill("Account", user)
        await self.fill("Password of the account", password)
        await self.do(self.page.locator("#login").get_by_role("button", name=button, exact=True).click())
        await self.do(expect(self._found("#login")).to_be_hidden(timeout=PATIENCE * 1000))

    # Chat

    async def say(self, text: str) -> None:
        """Something, to the conversation that is open."""
        await self.fill("Message", text)
        await self.press("Enter")

    async def heard(self, *texts: str | re.Pattern[str]) -> None:
        """Wait until just this was said in the conversation that is open."""
        await self.shows("#talk-log .text", *texts)

    async def in_chat(self, name: str) -> None:
        """Wait until one is known by this name."""
        await self.do(expect(self._found("#name")).to_have_value(name, timeout=PATIENCE * 1000))


class Windows:
    """
    All pages of one test.

    @param browser: where they are opened.
    """

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self.all: list[Window] = []

    async def open(self, where: Daemon | int, view: str = "chat", **options: Any) -> Window:
        """
        The console of a daemon, in a window of its own.

        @param where: or a port of this machine.
        @param options: of Playwright's C{new_context}.
        """
        port = where if isinstance(where, int) else where.addresses["web"][0].port
        page = await self._browser.do(self._browser.new_page(**options))
        window = Window(self._browser, page, f"http://127.0.0.1:{port}/")
        self.all.append(window)

        async def watch() -> None:
            window.watch()

        await self._browser.do(watch())
        await window.go(view)
        await window.connected()
        return window

    async def close(self) -> None:
        """Close them; none has complained."""
        for window in self.all:
            await self._browser.do(window.page.context.close())
        complaints = [complaint for window in self.all for complaint in window.complaints]
        assert not complaints, complaints


# For everyone


async def fits(window: Window) -> None:
    """Nothing is wider than the window, nor than the part of it that it is in."""
    too_wide = await window.evaluate(
        """() => [document.documentElement, ...document.querySelectorAll("main *, dialog[open], dialog[open] *")]
            .filter((part) => part.matches(":root, dialog") || getComputedStyle(part).overflowX === "auto")
            .filter((part) => part.clientWidth > 0 && part.scrollWidth > part.clientWidth)
            .map((part) => part.outerHTML.slice(0, 200))"""
    )
    assert too_wide == [], too_wide


async def usable_by_touch(window: Window) -> None:
    """Whatever one presses is large enough (WCAG 2.2, 2.5.8)."""
    small = await window.evaluate(
        """() => [...document.querySelectorAll("button, input, select, summary, nav a")]
            .filter((control) => control.offsetParent !== null && control.type !== "checkbox")
            .filter((control) => control.getBoundingClientRect().height < 24)
            .map((control) => control.outerHTML)"""
    )
    assert small == [], small


async def named(window: Window) -> None:
    """Who cannot see it hears what everything is."""
    unnamed = await window.evaluate(
        """() => [...document.querySelectorAll("button, input, select, a, section, aside, nav, canvas, [role]")]
            .filter((found) => found.offsetParent !== null)
            .filter((found) => !(found.getAttribute("aria-label") ?? found.labels?.[0]?.textContent
                ?? found.textContent).trim() && !["status"].includes(found.getAttribute("role")))
            .map((found) => found.outerHTML)"""
    )
    assert unnamed == [], unnamed
