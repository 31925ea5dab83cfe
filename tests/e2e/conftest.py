"""
What every end-to-end test may ask for.

pytest reads this before pytest-twisted installs the reactor that C{--reactor} names: nothing here imports one earlier.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_twisted

if TYPE_CHECKING:
    from tests.e2e.daemon import Certificate, Daemons


@pytest_twisted.async_yield_fixture
async def daemons(tmp_path: Path) -> AsyncIterator[Daemons]:
    """Starts daemons, and ends those that still run after the test."""
    from tests.e2e.daemon import Daemons

    running = Daemons(tmp_path)
    yield running
    await running.clean_up()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """A certificate for C{localhost} that only its own clients trust."""
    from tests.e2e.daemon import self_signed

    return self_signed(tmp_path_factory.mktemp("tls"))
