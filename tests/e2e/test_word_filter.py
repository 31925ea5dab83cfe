"""Words that are not said, by the filter that comes with netplay and by the one of docs/moderation.md."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_twisted import ensureDeferred

from tests.e2e.clients import MessageClient
from tests.e2e.daemon import CHECKOUT, Daemons, only
from tests.e2e.pages import write_the_code


@ensureDeferred
async def test_words_of_a_list(daemons: Daemons, tmp_path: Path) -> None:
    (tmp_path / "words").write_text("# not here\ndarn\nheck*\n")
    daemon = await daemons.start(f"--word-filter=words:{tmp_path / 'words'}")
    ann: MessageClient = await daemon.client("chat")
    bob: MessageClient = await daemon.client("chat")
    ann.send(type="chat", text="Darn! Hecking darning needles")
    assert (await bob.get("chat"))["message"] == "****! ******* darning needles"


@pytest.mark.parametrize("text", ["look: https://docs.example/page", "no link at all"])
@ensureDeferred
async def test_the_filter_of_the_page(daemons: Daemons, tmp_path: Path, text: str) -> None:
    write_the_code(CHECKOUT / "docs" / "moderation.md", tmp_path)
    twistd = ("env", f"PYTHONPATH={tmp_path}", "twistd", "-n", "--pidfile=", "netplay")
    daemon = daemons.spawn(*twistd, *only("chat"), "--word-filter=nolinks:docs.example")
    await daemon.ready()
    ann: MessageClient = await daemon.client("chat")
    refused = await ann.ask(type="chat", text="see https://evil.example/buy")
    assert (refused["code"], refused["field"]) == ("not_allowed", "$.text")
    assert refused["message"] == "no links to evil.example here"
    ann.send(type="chat", text=text)
    assert (await ann.get("chat"))["message"] == text
