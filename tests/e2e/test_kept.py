"""What was acknowledged is there, whatever happens to the daemon."""

from __future__ import annotations

import random
import resource
import shutil
import signal
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from pytest_twisted import ensureDeferred
from twisted.internet import reactor as _reactor
from twisted.internet.task import deferLater

from netplay.store.sqlite.database import MOST_WAITING
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


def stall(store: Path) -> sqlite3.Connection:
    """Nothing can be written to a store until this is closed: whoever tries waits."""
    other = sqlite3.connect(store, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    return other


@ensureDeferred
async def test_while_the_store_stands_still_talking_goes_on_and_acknowledgements_wait(daemons: Daemons) -> None:
    daemon = await daemons.spawn(*TWISTD, *only("chat")).ready()
    ann: MessageClient = await daemon.client("chat")
    bob: MessageClient = await daemon.client("chat")
    with closing(stall(daemons.directory / "netplay.sqlite")):
        ann.send(type="chat", text="one", ref="one")
        assert (await bob.get("chat"))["message"] == "one"
        bob.send(type="chat", text="two")
        assert (await ann.get("chat", message="two"))["seq"] == 2
        page = await bob.ask(type="history")  # has what is not kept yet, too
        assert [message["message"] for message in page["messages"]] == ["one", "two"]
        assert not [message for message in ann.messages if "ref" in message]
    assert (await ann.get(ref="one"))["type"] == "ok"


@ensureDeferred
async def test_nobody_waits_for_ever_and_all_is_kept_in_the_end(daemons: Daemons) -> None:
    daemon = await daemons.spawn(*TWISTD, *only("chat")).ready()
    ann: MessageClient = await daemon.client("chat")
    bob: MessageClient = await daemon.client("chat")
    with closing(stall(daemons.directory / "netplay.sqlite")):
        assert (await ann.ask(type="chat", text="one"))["code"] == "store_busy"
        bob.send(type="chat", text="two")
        assert (await ann.get("chat", message="two"))["seq"] == 2
    await daemon.line("store: changes are kept again")
    daemon.kill()
    await daemon.ended()

    daemon = await daemons.spawn(*TWISTD, *only("chat")).ready()
    assert list((await everything(await daemon.client("chat"))).values()) == ["one", "two"]


@ensureDeferred
async def test_what_waits_for_it_is_bounded_and_none_of_it_is_lost(daemons: Daemons) -> None:
    daemon = await daemons.spawn(*TWISTD, *only("chat"), "--rate=0", "--keep-messages=0").ready()
    ann: MessageClient = await daemon.client("chat")
    with closing(stall(daemons.directory / "netplay.sqlite")):
        for n in range(MOST_WAITING + 1):
            ann.send(type="chat", text=str(n))
        assert (await ann.ask(type="chat", text="one too many"))["code"] == "store_busy"
        await ann.settled()
        heard = [message["seq"] for message in ann.messages if message["type"] == "chat"]
        assert heard == list(range(1, len(heard) + 1))
        assert len(heard) > 0.99 * MOST_WAITING
    while (await ann.ask(type="chat", text="later"))["type"] != "ok":
        await ann.settled()
    daemon.kill()
    await daemon.ended()

    daemon = await daemons.spawn(*TWISTD, *only("chat"), "--rate=0", "--keep-messages=0").ready()
    said = await everything(await daemon.client("chat"))
    assert [said[seq] for seq in heard] == [str(n) for n in range(len(heard))]


@ensureDeferred
async def test_with_a_backup_in_its_place_everything_is_as_it_was(daemons: Daemons) -> None:
    who = {"user": "Ann", "password": "correct horse battery"}
    options = ("--registration", "open")
    daemon = await daemons.start(*options)
    ann: MessageClient = await daemon.client("chat")
    epoch = (await ann.get("welcome"))["epoch"]
    await ann.ask(type="register", **who)
    await ann.ask(type="create_room", room="garden", topic="what grows")
    kept = await ann.ask(type="chat", text="in the backup")
    status, output = await daemons.run("netplay", "backup", "monday.sqlite")
    assert status == 0, output
    lost = await ann.ask(type="chat", text="not in it")
    daemon.signal(signal.SIGTERM)
    await daemon.ended()

    before = daemons.directory / "before"
    before.mkdir()
    for file in daemons.directory.glob("netplay.sqlite*"):
        file.rename(before / file.name)
    shutil.move(daemons.directory / "monday.sqlite", daemons.directory / "netplay.sqlite")
    daemon = await daemons.start(*options)
    ann = await daemon.client("chat")
    assert (await ann.ask(type="login", **who))["you"]["name"] == "Ann"
    assert list((await everything(ann)).values()) == ["in the backup"]
    [garden] = [room for room in (await ann.ask(type="rooms"))["rooms"] if room["room"] == "garden"]
    assert (garden["topic"], garden["owner"]) == ("what grows", "Ann")
    # Who has seen more than the backup knows is told so, though the next message will have the same number.
    for seen, recovered in ((kept, True), (lost, False)):
        joined = await ann.ask(type="join_room", room="general", since={"epoch": epoch, "seq": seen["seq"]})
        assert joined["recovered"] is recovered
    assert (await ann.ask(type="chat", text="after it"))["seq"] == lost["seq"]
