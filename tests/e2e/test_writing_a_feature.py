"""What docs/writing-a-feature.md shows works as it stands there, as somebody else's package."""

from __future__ import annotations

from pathlib import Path

from pytest_twisted import ensureDeferred

from netplay.wire.codecs import MSGPACK
from netplay.wire.frames import frame
from tests.e2e.clients import MessageClient
from tests.e2e.daemon import CHECKOUT, Daemons, only
from tests.e2e.pages import write_the_code

PAGE = CHECKOUT / "docs" / "writing-a-feature.md"


@ensureDeferred
async def test_the_feature_of_the_page_is_found_and_plays(daemons: Daemons, tmp_path: Path) -> None:
    write_the_code(PAGE, tmp_path)
    twistd = ("env", f"PYTHONPATH={tmp_path}", "twistd", "-n", "--pidfile=", "netplay")
    dice_port = ("--dice", "tcp:0:interface=127.0.0.1", "--dice-seed", "7")
    daemon = daemons.spawn(*twistd, *only("chat", "binary"), *dice_port)
    await daemon.ready()

    dice = await daemon.connect(MessageClient(), "dice")
    await dice.get("welcome", message="Roll!")
    assert (await dice.ask(type="roll", sides=6))["type"] == "ok"
    assert (await dice.get("rolled"))["value"] == 3, "a seed is a seed"
    refused = await dice.ask(type="roll", sides=1)
    assert (refused["code"], refused["field"]) == ("bad_message", "$.sides")

    binary = await daemon.client("binary")
    binary.write(frame(24, MSGPACK.encode({"type": "roll", "sides": 100})))
    rolled = await dice.get("rolled")
    assert rolled["sides"] == 100, "one room, every wire"
