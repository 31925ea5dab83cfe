"""What the ticker and the games find again when the daemon was stopped: alerts, what they fired, charts, the best."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from pytest_twisted import ensureDeferred

from tests.e2e.clients import MessageClient
from tests.e2e.daemon import Daemons

GAME = '''
from netplay.game import Game, Message, Score

class Lap(Message):
    seconds: float

class Laps(Game):
    """Who is fastest?"""
    name, api = "laps", 1
    starts, countdown = "at once", 0
    messages = [Lap]
    fastest = Score("seconds", best=min)

    def on_lap(self, player, message):
        self.fastest.record(player, message.seconds)
        self.over()
'''


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL], ids=lambda end: end.name)
@ensureDeferred
async def test_alerts_charts_and_leaderboards_are_there_after_a_restart(
    daemons: Daemons, tmp_path: Path, end: signal.Signals
) -> None:
    laps, low, high = (tmp_path / name for name in ("laps.py", "low.csv", "high.csv"))
    laps.write_text(GAME)
    low.write_text("Date,AAPL\n2024-01-01,100\n2024-01-02,101\n")
    high.write_text("Date,AAPL\n2024-01-01,200\n2024-01-02,201\n")
    options = ("--registration", "open", "--load", str(laps), "--ticker-interval", "0.1")
    who = {"user": "ann", "password": "correct horse battery"}

    daemon = await daemons.start(*options, "--prices", f"csv:{low}")
    ann: MessageClient = await daemon.client("ticker")
    assert (await ann.ask(type="register", **who))["type"] == "logged_in"
    fires = (await ann.ask(type="alert", symbol="AAPL", above=150, once=True))["alert"]
    stays = (await ann.ask(type="alert", symbol="AAPL", above=900))["alert"]
    player: MessageClient = await daemon.client("game")
    assert (await player.ask(type="login", **who))["type"] == "logged_in"
    await player.ask(type="join", game="laps")
    await player.ask(type="act", do="lap", seconds=61.5)
    await player.get("over")
    await player.settled()
    await ann.ask(type="subscribe", symbols=["AAPL"])
    began = (await ann.get("price_update"))["at"] // 1000
    while (await ann.get("price_update"))["at"] // 1000 == began:
        pass  # so that there is a second before that in which the next daemon begins
    daemon.signal(end)
    await daemon.ended()

    daemon = await daemons.start(*options, "--prices", f"csv:{high}")
    watcher: MessageClient = await daemon.client("ticker")
    await watcher.ask(type="subscribe", symbols=["AAPL"])
    for _ in range(3):
        await watcher.get("price_update")  # it has fired by then, and nobody was there to be told
    daemon.signal(end)
    await daemon.ended()

    daemon = await daemons.start(*options, "--prices", f"csv:{high}")
    ann = await daemon.client("ticker")
    assert (await ann.ask(type="login", **who))["type"] == "logged_in"
    assert (await ann.get("alert"))["alert"] == fires
    assert [line["alert"] for line in (await ann.ask(type="alerts"))["alerts"]] == [stays]
    prices = [price for _, price in (await ann.ask(type="history", symbol="AAPL"))["points"]]
    assert min(prices) <= 101
    assert prices[-1] >= 200
    [year] = (await ann.ask(type="history", symbol="AAPL", candles=366 * 86400))["candles"][-1:]
    assert year[1] == 100
    player = await daemon.client("game")
    [best] = (await player.ask(type="leaderboard", game="laps"))["scores"]
    assert (best["player"], best["value"], best["guest"]) == ("ann", 61.5, False)
