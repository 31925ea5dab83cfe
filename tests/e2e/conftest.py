"""What every end-to-end test may ask for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_twisted

from tests.e2e.daemon import Certificate, Daemons, self_signed


@pytest_twisted.async_yield_fixture
async def daemons(tmp_path: Path) -> AsyncIterator[Daemons]:
    """Starts daemons, and ends those that still run after the test."""
    running = Daemons(tmp_path)
    yield running
    await running.clean_up()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """A certificate for C{localhost} that only its own clients trust."""
    return self_signed(tmp_path_factory.mktemp("tls"))
