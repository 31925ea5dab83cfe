"""What every test in a browser may ask for. Nothing here imports a reactor before pytest-twisted installs one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING

import pytest
import pytest_twisted

from tests.e2e.conftest import daemons as daemons

if TYPE_CHECKING:
    from tests.browser.windows import Browser, Windows


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests."""
    from tests.browser.windows import Browser

    running = Browser()
    yield running
    running.quit()


@pytest_twisted.async_yield_fixture
async def windows(browser: Browser) -> AsyncIterator[Windows]:
    """Opens pages of their own, closes them after the test, and fails it if one of them complained."""
    from tests.browser.windows import Windows

    opened = Windows(browser)
    yield opened
    await opened.close()
