"""What was acknowledged is there, whatever happens to the daemon."""

from __future__ import annotations

import random
import resource
from typing import Any

from pytest_twisted import ensureDeferred
from twisted.internet import reactor as _reactor
from twisted.internet.task import deferLater

from tests.e2e.clients import MessageClient
from tests.e2e.daemon import TWISTD, Daemon, Daemons, only

reactor: Any = _reactor

KILLED = 50
"""Times."""

TALKERS = 4


class Talker(MessageClient):
    """
    Says one thing after the other, each as soon as the last one is acknowledged, and a few more that nobody is to
    acknowledge.

    @ivar acknowledged: what was said, by its number.
    @ivar heard: the numbers of all that it heard.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.acknowledged: dict[int, str] = {}
        self.heard: list[int] = []
        self._saying = ""
        self._n = 0

    def dataReceived(self, data: bytes) -> None:
        """Take what came, and go on."""
        super().dataReceived(data)
        for message in self.messages:
            if message["type"] == "ok":
                self.acknowledged[message["seq"]] = self._saying
            elif message["type"] == "chat":
                self.heard.append(message["seq"])
            if message["type"] in ("ok", "welcome"):
                self._say()
        self.messages.clear()

    def _say(self) -> None:
        self._n += 1
        self._saying = f"{self.name} {self._n}"
        self.send(type="chat", text=f"{self._saying} to be lost")
        self.send(type="chat", text=self._saying, ref=self._n)


async def everything(client: MessageClient) -> dict[int, str]:
    """All that was said in C{general}, page by page, by its number."""
    said: dict[int, str] = {}
    more = True
    while more:
        page = await client.ask(type="history", before=min(said)) if said else await client.ask(type="history")
        for message in page["messages"]:
            assert message["seq"] not in said
            said[message["seq"]] = message["message"]
        more = page["more"]
    return said


@ensureDeferred
async def test_whenever_it_is_killed_all_that_was_acknowledged_is_there(daemons: Daemons) -> None:
    dice = random.Random(4)
    acknowledged: dict[int, str] = {}
    epochs: set[str] = set()

    async def start() -> Daemon:
        return await daemons.spawn(*TWISTD, *only("chat"), "--rate=0", "--keep-messages=0").ready()

    daemon = await start()
    for _ in range(KILLED):
        looker: MessageClient = await daemon.client("chat")
        welcome = await looker.get("welcome")
        assert welcome["epoch"] not in epochs
        epochs.add(welcome["epoch"])
        talkers = [Talker(f"{len(epochs)}-{n}") for n in range(TALKERS)]
        for talker in talkers:
            await daemon.connect(talker, "chat")
        await talkers[0].until(lambda: talkers[0].acknowledged or None, "the first acknowledgement")  # noqa: B023
        await deferLater(reactor, dice.uniform(0, 0.1))
        daemon.kill()
        await daemon.ended()
        for talker in talkers:
            await talker.rest()
            acknowledged |= talker.acknowledged
        last_heard = max(seq for talker in talkers for seq in talker.heard)

        daemon = await start()
        client: MessageClient = await daemon.client("chat")
        now = await client.get("welcome")
        assert now["seq"] >= max(acknowledged)
        changed = await client.ask(
            type="join_room", room="general", since={"epoch": welcome["epoch"], "seq": last_heard}
        )
        assert changed["recovered"] is (last_heard <= now["seq"])
        # Nothing is missing in between, even of what nobody was told is kept.
        page = await client.ask(type="history", limit=100)
        numbers = [message["seq"] for message in page["messages"]]
        assert numbers == list(range(numbers[0], now["seq"] + 1))
        client.close()
    said = await everything(await daemon.client("chat"))
    assert sorted(said) == list(range(1, len(said) + 1))
    assert {seq: said.get(seq) for seq in acknowledged} == acknowledged
    assert len(acknowledged) > KILLED


@ensureDeferred
async def test_when_no_file_can_grow_talking_goes_on_and_later_all_is_kept(daemons: Daemons) -> None:
    daemon = await daemons.spawn(*TWISTD, *only("chat")).ready()
    ann: MessageClient = await daemon.client("chat")
    bob: MessageClient = await daemon.client("chat")

    async def say(text: str) -> dict[str, Any]:
        ann.send(type="chat", text=text, ref=text)
        assert (await bob.get("chat", message=text))["message"] == text
        answer: dict[str, Any] = await ann.get(ref=text)
        return answer

    assert (await say("one"))["type"] == "ok"
    unlimited = resource.prlimit(daemon.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(daemon.pid, resource.RLIMIT_FSIZE, (4096, unlimited[1]))
    assert (await say("two"))["code"] == "store_busy"
    resource.prlimit(daemon.pid, resource.RLIMIT_FSIZE, unlimited)
    assert (await say("three"))["type"] == "ok"
    daemon.kill()
    await daemon.ended()

    daemon = await daemons.spawn(*TWISTD, *only("chat")).ready()
    assert list((await everything(await daemon.client("chat"))).values()) == ["one", "two", "three"]
