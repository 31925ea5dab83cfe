"""Tests of L{netplay.game.leaderboards}: what is reached in rounds, and who was best."""

from __future__ import annotations

from typing import Any

from netplay.errors import Refused
from netplay.game import Game, Message, Player, Score
from netplay.game.messages import Standing
from netplay.game.operations import Best, GetLeaderboard
from tests.accounts.keeper import PASSWORD, account
from tests.features import START, LineClient
from tests.game.rooms import RoomsTestCase, Walk
from tests.support import LogRecorder

DAY = 24 * 3600


class Lap(Message):
    """Go round in so many seconds, and end the round if it was the C{last}."""

    seconds: float
    last: bool = False


class Laps(Game):
    """Who is fastest?"""

    name, api, players = "laps", 1, (1, 4)
    starts, countdown, rest = "at once", 0, 1
    messages = [Lap]
    fastest = Score("seconds", best=min)
    most = Score("laps")

    def start(self) -> None:
        self.run = 0

    def on_lap(self, player: Player, message: Lap) -> None:
        self.run += 1
        self.fastest.record(player, message.seconds)
        if message.last:
            self.most.record(player, self.run)
            self.over()


class LeaderboardTestCase(RoomsTestCase):
    """Ann and Bob run."""

    games = (Laps, Walk)

    def setUp(self) -> None:
        super().setUp()
        for client, name in ((self.ann, "Ann"), (self.bob, "Bob")):
            self.join(client, game="laps", name=name)

    def round(self, **laps: float) -> None:
        """A round in which Ann and Bob need so many seconds for a lap each."""
        clients = {"ann": self.ann, "bob": self.bob}
        for n, (name, seconds) in enumerate(laps.items(), 1):
            clients[name].send("act", do="lap", seconds=seconds, last=n == len(laps))
        self.house.wait(2)

    def best(self, client: LineClient | None = None, **which: Any) -> list[tuple[str, float]]:
        """Who is, with what."""
        answer = (client or self.ann).ask("leaderboard", game="laps", **which)
        self.assertEqual(answer["type"], "leaderboard", answer)
        return [(line["player"], line["value"]) for line in answer["scores"]]

    def log_in(self, client: LineClient, name: str) -> None:
        """Somebody turns out to be an account."""
        self.house.store.accounts.add(account(name))
        answer = client.ask("login", user=name, password=PASSWORD)
        self.assertEqual(answer["type"], "logged_in", answer)


class LeaderboardTests(LeaderboardTestCase):
    """C{leaderboard}."""

    def test_the_answer(self) -> None:
        self.round(ann=61.5)
        self.assertEqual(
            self.ann.ask("leaderboard", game="laps"),
            {
                "type": "leaderboard",
                "game": "laps",
                "score": "seconds",
                "period": "all",
                "scores": [{"player": "Ann", "value": 61.5, "at": (START + 2) * 1000, "guest": True}],
            },
        )

    def test_each_player_once_with_its_best_the_best_first(self) -> None:
        self.round(ann=63, bob=62)
        self.round(ann=61, bob=62)
        self.round(ann=64, bob=64)
        self.assertEqual(self.best(), [("Ann", 61), ("Bob", 62)])

    def test_the_best_of_a_round_counts(self) -> None:
        for seconds in (63, 61, 62):
            self.ann.send("act", do="lap", seconds=seconds)
        self.round(ann=64)
        self.assertEqual(self.best(), [("Ann", 61)])

    def test_the_game_says_what_is_better(self) -> None:
        self.round(ann=61)
        self.round(ann=61, bob=62)
        self.assertEqual(self.best(score="laps"), [("Bob", 2), ("Ann", 1)])

    def test_nothing_counts_before_the_round_is_over(self) -> None:
        self.ann.send("act", do="lap", seconds=60)
        self.house.wait(5)
        self.assertEqual(self.best(), [])

    def test_who_has_left_by_then_counts(self) -> None:
        self.bob.send("act", do="lap", seconds=60)
        self.bob.ask("leave")
        self.round(ann=61)
        self.assertEqual(self.best(), [("Bob", 60), ("Ann", 61)])

    def test_today_ends_at_midnight_utc(self) -> None:
        self.round(ann=61)
        self.assertEqual(self.best(period="day"), [("Ann", 61)])
        self.house.wait(DAY - START % DAY - self.house.clock.seconds())
        self.assertEqual(self.best(period="day"), [])
        self.round(bob=62)
        self.assertEqual(self.best(period="day"), [("Bob", 62)])
        self.assertEqual(self.best(period="all"), [("Ann", 61), ("Bob", 62)])

    def test_so_many(self) -> None:
        self.round(ann=61, bob=62)
        self.assertEqual(self.best(limit=1), [("Ann", 61)])

    def test_it_may_be_asked_for_anywhere(self) -> None:
        self.round(ann=61)
        self.assertEqual(self.best(self.house.connect("game")), [("Ann", 61)])

    def test_what_there_is_not(self) -> None:
        for which, error in (
            ({"game": "nope"}, ("no_such_game", "$.game")),
            ({"game": "walk"}, ("bad_message", "$.game")),
            ({"game": "laps", "score": "nope"}, ("bad_message", "$.score")),
            ({"game": "laps", "period": "year"}, ("bad_message", "$.period")),
            ({"game": "laps", "limit": 101}, ("bad_message", "$.limit")),
        ):
            self.assertEqual(self.refused(self.ann.ask("leaderboard", **which)), error)

    def test_it_fits_into_the_reply_that_was_asked_for(self) -> None:
        self.bob.ask("leave")
        for n in range(20):
            self.join(self.bob, game="laps", name=f"{n:032}")
            self.round(ann=61, bob=60)
            self.bob.ask("leave")
        self.ann.ask("options", max_reply=1024)
        self.ann.largest = 0
        self.assertGreater(len(self.best(limit=100)), 3)
        self.assertLessEqual(self.ann.largest, 1024)

    def test_games_say_of_what_there_is_one(self) -> None:
        games = {game["name"]: game["scores"] for game in self.ann.ask("games")["games"]}
        self.assertEqual((games["laps"], games["walk"]), (["seconds", "laps"], []))


class WhoTests(LeaderboardTestCase):
    """Accounts, guests, bots."""

    def guests(self) -> list[tuple[str, bool]]:
        """Who is on the leaderboard, and whether as a guest."""
        return [(line["player"], line["guest"]) for line in self.ann.ask("leaderboard", game="laps")["scores"]]

    def test_who_logs_in_before_the_round_is_over_is_no_guest(self) -> None:
        self.ann.send("act", do="lap", seconds=60)
        self.log_in(self.ann, "Anna")
        self.round(bob=61)
        self.assertEqual(self.guests(), [("Anna", False), ("Bob", True)])

    def test_who_is_logged_in_when_it_joins(self) -> None:
        self.ann.ask("leave")
        self.log_in(self.ann, "Anna")
        self.join(self.ann, game="laps")
        self.round(ann=60)
        self.assertEqual(self.guests(), [("Anna", False)])

    def test_an_account_and_a_guest_who_had_its_name_are_two(self) -> None:
        self.round(ann=61)
        self.log_in(self.ann, "Ann")
        self.round(ann=60)
        self.assertEqual(self.guests(), [("Ann", False), ("Ann", True)])

    def test_bots_are_on_none(self) -> None:
        [live] = [live for live in self.house.game.directory if live.name == "laps-1"]
        live.seat_bot("bot-1", "Bot")
        live.act("bot-1", Lap(seconds=1))
        self.round(ann=61)
        self.assertEqual(self.guests(), [("Ann", True)])


class BusyTests(LeaderboardTestCase):
    """The store is busy."""

    def test_the_round_is_over_all_the_same(self) -> None:
        log = LogRecorder(self)

        def add(scores: Any) -> Any:
            raise Refused("store_busy", "too much waits")

        self.patch(self.house.store.scores, "add", add)
        self.round(ann=61)
        self.assertEqual(len(self.ann.heard("over")), 1)
        self.assertEqual(log.texts(), ["not kept, the store is busy: 1 x scores"])


class OperationTests(LeaderboardTestCase):
    """What backends ask."""

    def ask(self, **which: Any) -> Any:
        [handler] = [one.handler for one in self.house.game.operations if one.request is GetLeaderboard]
        return handler(GetLeaderboard(**which))

    def test_the_same(self) -> None:
        self.round(ann=61.5)
        best = self.successResultOf(self.ask(game="laps", period="day", limit=5))
        self.assertEqual(best, Best("seconds", [Standing("Ann", 61.5, (START + 2) * 1000, True)]))

    def test_no_such_game(self) -> None:
        self.assertEqual(self.assertRaises(Refused, self.ask, game="nope").code, "no_such_game")
