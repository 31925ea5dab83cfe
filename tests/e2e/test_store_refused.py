"""A store that cannot be used ends the start, in one line that says what is wrong, and is left as it is."""

from __future__ import annotations

import pytest
from pytest_twisted import ensureDeferred

from tests.e2e.daemon import NETPLAY_RUN, TWIST, TWISTD, Daemons, only


@pytest.mark.parametrize("command", [TWISTD, TWIST, NETPLAY_RUN], ids=lambda command: command[0])
@ensureDeferred
async def test_in_the_foreground(daemons: Daemons, command: tuple[str, ...]) -> None:
    diary = daemons.directory / "netplay.sqlite"
    diary.write_text("Dear diary")
    status, output = await daemons.run(*command, *only("chat"))
    assert status not in (0, None)
    assert output.count("netplay: --store sqlite:netplay.sqlite: file is not a database; ") == 1
    assert "Traceback" not in output
    assert diary.read_text() == "Dear diary"


@ensureDeferred
async def test_daemonized(daemons: Daemons) -> None:
    await daemons.spawn(*TWISTD, *only("chat")).ready()
    status, output = await daemons.run(
        "twistd", "--pidfile", "second.pid", "--logfile", "second.log", "netplay", *only("chat")
    )
    assert status not in (0, None)
    assert "another netplay uses it" in (daemons.directory / "second.log").read_text()
    assert "look at log file" in output
    assert not (daemons.directory / "second.pid").exists()
