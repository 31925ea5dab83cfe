"""
What every store does, whatever it is made of. A test case of a store is one of these with L{StoreCase.make} of its own.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace
from twisted.internet import reactor as _reactor
from twisted.internet.defer import gatherResults
from twisted.trial.unittest import TestCase
from zope.interface.verify import verifyObject

from netplay.messages import Chat, Position
from netplay.store.interfaces import (
    IAccounts,
    IAlerts,
    IAudit,
    ICandles,
    IReports,
    IRoomLog,
    IRooms,
    ISanctions,
    IScores,
    ISessions,
    IStore,
)
from netplay.store.records import (
    AccountRecord,
    AlertRecord,
    AuditRecord,
    MissedRecord,
    ReportRecord,
    RoomRecord,
    SanctionRecord,
    ScoreRecord,
    SessionRecord,
)
from tests.support import make_core

reactor: Any = _reactor

MINUTE = 60_000
DAY = 24 * 60 * MINUTE
NOW = 20_000 * DAY
"""Some midnight."""


def chat(text: str, room: str = "general", at: int = NOW) -> Chat:
    """A message that has no number yet."""
    return Chat(user="Ann", message=text, emoji="🦊", room=room, timestamp="", at=at, seq=0, id="")


class StoreCase(TestCase):
    """A store that is open."""

    store: Any

    def make(self) -> Any:
        """A store, not started."""
        raise NotImplementedError

    def setUp(self) -> None:
        self.core = make_core(reactor)
        self.store = self.make()
        self.store.startService()
        self.addCleanup(lambda: self.store.stopService())

    async def say(self, *texts: str, room: str = "general", at: int = NOW) -> list[Chat]:
        """Say things in a room, which is made if there is none, and wait until they are kept."""
        await self.have(room)
        messages = [chat(text, room, at + i) for i, text in enumerate(texts)]
        log = self.store.rooms.log(room)
        for message in messages:
            log.append(message)
        await log.kept()
        return messages

    async def have(self, *rooms: str) -> None:
        """Make these rooms."""
        there = {room.name for room in self.store.rooms.load()}
        for name in rooms:
            if name not in there:
                await self.store.rooms.put(RoomRecord(name))


class PartsCases(StoreCase):
    """What a store is made of."""

    async def test_each_provides_what_it_should(self) -> None:
        await self.have("general")
        verifyObject(IStore, self.store)
        verifyObject(IRoomLog, self.store.rooms.log("general"))
        for part, interface in {
            "rooms": IRooms,
            "accounts": IAccounts,
            "sessions": ISessions,
            "sanctions": ISanctions,
            "audit": IAudit,
            "reports": IReports,
            "alerts": IAlerts,
            "candles": ICandles,
            "scores": IScores,
        }.items():
            verifyObject(interface, getattr(self.store, part))


class LogCases(StoreCase):
    """What was said in one room."""

    async def page(self, before: int | None = None, after: int | None = None, limit: int = 10) -> list[int]:
        found = await self.store.rooms.log("general").page(before, after, limit)
        return [message.seq for message in found]

    async def test_numbers_count_up_by_one_from_1(self) -> None:
        messages = await self.say("a", "b", "c")
        self.assertEqual([message.seq for message in messages], [1, 2, 3])
        self.assertEqual(self.store.rooms.log("general").seq, 3)

    async def test_an_id_is_made_of_epoch_and_number(self) -> None:
        (message,) = await self.say("a")
        self.assertEqual(message.id, f"{self.store.rooms.log('general').epoch}-1")

    async def test_what_is_numbered_is_there_before_it_is_kept(self) -> None:
        await self.have("general")
        log = self.store.rooms.log("general")
        for n in range(300):
            log.append(chat(f"m{n}"))
        found = await log.page(None, 290, 100)
        self.assertEqual([message.seq for message in found], list(range(291, 301)))
        await log.kept()

    async def test_pages(self) -> None:
        await self.say(*(f"m{n}" for n in range(1, 51)))
        self.assertEqual(await self.page(limit=3), [48, 49, 50])
        self.assertEqual(await self.page(before=8, limit=3), [5, 6, 7])
        self.assertEqual(await self.page(after=4, limit=3), [5, 6, 7])
        self.assertEqual(await self.page(before=8, after=5), [6, 7])
        self.assertEqual(await self.page(before=1), [])
        self.assertEqual(await self.page(after=50), [])
        self.assertEqual(await self.page(after=10_000), [])

    async def test_a_message_comes_back_as_it_was(self) -> None:
        (said,) = await self.say("It's \"quoted\" 🎉\n'; DROP TABLE messages; --")
        (found,) = await self.store.rooms.log("general").page(None, None, 1)
        self.assertEqual(replace(found, timestamp=""), said)

    async def test_nothing_is_missing_after_a_position_that_is_kept(self) -> None:
        await self.say("a", "b")
        log = self.store.rooms.log("general")
        self.assertTrue(log.recovers(Position(log.epoch, 0)))
        self.assertTrue(log.recovers(Position(log.epoch, 2)))
        self.assertFalse(log.recovers(Position(log.epoch, 3)))
        self.assertFalse(log.recovers(Position("another", 1)))

    async def test_a_deleted_message_leaves_its_number(self) -> None:
        await self.say("a", "shame", "c")
        log = self.store.rooms.log("general")
        left = await log.delete(2)
        self.assertEqual((left.seq, left.user, left.message, left.deleted), (2, "Ann", "", True))
        found = await log.page(None, None, 10)
        self.assertEqual(
            [(m.seq, m.message, m.deleted) for m in found], [(1, "a", False), (2, "", True), (3, "c", False)]
        )
        self.assertEqual(await self.store.rooms.search("shame", ["general"], None, 10), [])

    async def test_what_is_not_there_cannot_be_deleted(self) -> None:
        await self.say("a")
        self.assertIsNone(await self.store.rooms.log("general").delete(2))
        self.assertIsNone(await self.store.rooms.log("general").delete(0))


class RoomsCases(StoreCase):
    """The rooms themselves."""

    async def test_what_was_put_last_counts(self) -> None:
        room = RoomRecord("tech", "How things work", "ann", 7, 2.5, True, True)
        await self.store.rooms.put(RoomRecord("tech"))
        await self.store.rooms.put(RoomRecord("art"))
        await self.store.rooms.put(room)
        self.assertEqual(self.store.rooms.load(), [RoomRecord("art"), room])

    async def test_a_room_has_one_log(self) -> None:
        await self.have("a", "b")
        self.assertIs(self.store.rooms.log("a"), self.store.rooms.log("a"))
        self.assertNotEqual(self.store.rooms.log("a").epoch, self.store.rooms.log("b").epoch)

    async def test_a_room_that_is_made_again_is_another(self) -> None:
        await self.say("x", room="a")
        before = self.store.rooms.log("a").epoch
        await self.store.rooms.drop("a")
        await self.have("a")
        after = self.store.rooms.log("a")
        self.assertEqual(after.seq, 0)
        self.assertNotEqual(after.epoch, before)
        self.assertFalse(after.recovers(Position(before, 1)))
        self.assertEqual(await self.store.rooms.search("x", ["a"], None, 10), [])

    async def test_a_room_that_never_was_can_be_dropped(self) -> None:
        await self.store.rooms.drop("never")


class SearchCases(StoreCase):
    """Finding what was said."""

    async def found(self, text: str, *rooms: str, before: str | None = None, limit: int = 10) -> list[str]:
        messages = await self.store.rooms.search(text, rooms or ("general",), before, limit)
        return [message.message for message in messages]

    async def test_all_words_the_newest_first(self) -> None:
        await self.say("red fox", "blue fox", "The FOX is red, indeed", "nothing")
        self.assertEqual(await self.found("fox"), ["The FOX is red, indeed", "blue fox", "red fox"])
        self.assertEqual(await self.found("red fox"), ["The FOX is red, indeed", "red fox"])
        self.assertEqual(await self.found("green"), [])

    async def test_the_last_word_may_be_the_beginning_of_one(self) -> None:
        await self.say("a foxglove", "an ox")
        self.assertEqual(await self.found("fox"), ["a foxglove"])
        self.assertEqual(await self.found("a fox"), ["a foxglove"])

    async def test_only_in_the_rooms_named(self) -> None:
        await self.say("fox one", room="a")
        await self.say("fox two", room="b", at=NOW + 10)
        await self.say("fox three", room="c", at=NOW + 20)
        self.assertEqual(await self.found("fox", "a", "c"), ["fox three", "fox one"])

    async def test_page_by_page(self) -> None:
        messages = await self.say(*(f"fox {n}" for n in range(5)))
        self.assertEqual(await self.found("fox", limit=2), ["fox 4", "fox 3"])
        self.assertEqual(await self.found("fox", before=messages[3].id, limit=2), ["fox 2", "fox 1"])
        self.assertEqual(await self.found("fox", before=messages[0].id), [])

    async def test_what_means_something_to_a_database_is_only_text(self) -> None:
        await self.say('NEAR("x" OR y) * ^ AND -z')
        self.assertEqual(len(await self.found("near or")), 1)
        for hostile in ('"', "'", "*", "room1", "room : general", "a AND", "NOT", "\0", "text:x", "(", "%", "🎉"):
            self.assertEqual(await self.found(hostile + " zzz"), [])
        self.assertEqual(await self.found('"'), [])


class AccountsCases(StoreCase):
    """Who owns a name."""

    ann = AccountRecord("Ann", "ann", 1, "hash", ("operator", "moderator:tech"))

    async def test_one_is_found_by_what_its_name_looks_like(self) -> None:
        self.assertTrue(await self.store.accounts.add(self.ann))
        self.assertEqual(await self.store.accounts.find("ann"), self.ann)
        self.assertIsNone(await self.store.accounts.find("bob"))

    async def test_a_name_has_one_owner(self) -> None:
        await self.store.accounts.add(self.ann)
        self.assertFalse(await self.store.accounts.add(replace(self.ann, name="ANN", password="other")))
        self.assertEqual(await self.store.accounts.find("ann"), self.ann)

    async def test_a_change(self) -> None:
        await self.store.accounts.add(self.ann)
        changed = replace(self.ann, disabled=True, roles=())
        self.assertEqual(await self.store.accounts.change("ann", disabled=True, roles=()), changed)
        self.assertEqual(await self.store.accounts.find("ann"), changed)

    async def test_what_is_changed_at_the_same_time_is_all_changed(self) -> None:
        await self.store.accounts.add(self.ann)
        await gatherResults(
            [self.store.accounts.change("ann", disabled=True), self.store.accounts.change("ann", password="other")]
        )
        self.assertEqual(await self.store.accounts.find("ann"), replace(self.ann, disabled=True, password="other"))

    async def test_nobody_is_changed(self) -> None:
        self.assertIsNone(await self.store.accounts.change("bob", disabled=True))
        self.assertIsNone(await self.store.accounts.find("bob"))

    async def test_pages(self) -> None:
        for name in ("cleo", "ann", "bob"):
            await self.store.accounts.add(AccountRecord(name, name, 1))
        page = await self.store.accounts.page(None, 2)
        self.assertEqual([account.name for account in page], ["ann", "bob"])
        page = await self.store.accounts.page("bob", 2)
        self.assertEqual([account.name for account in page], ["cleo"])


class SessionsCases(StoreCase):
    """What accounts come back to."""

    def session(self, key: str, used: int = 1, account: str = "ann") -> SessionRecord:
        return SessionRecord(key, account, "chat", b'{"rooms":["general"]}', used)

    async def test_the_newest_state_counts(self) -> None:
        await self.store.sessions.put(self.session("k"))
        changed = replace(self.session("k", 2), state=b"{}")
        await self.store.sessions.put(changed)
        self.assertEqual(await self.store.sessions.find("k"), changed)

    async def test_over(self) -> None:
        for key in ("k", "l", "m"):
            await self.store.sessions.put(self.session(key))
        await self.store.sessions.put(self.session("other", account="bob"))
        await self.store.sessions.drop("k")
        self.assertIsNone(await self.store.sessions.find("k"))
        await self.store.sessions.drop_all("ann")
        self.assertIsNone(await self.store.sessions.find("l"))
        self.assertIsNotNone(await self.store.sessions.find("other"))

    async def test_an_account_has_so_many_the_last_used_ones(self) -> None:
        for n in range(25):
            await self.store.sessions.put(self.session(f"k{n}", n))
        there = [n for n in range(25) if await self.store.sessions.find(f"k{n}") is not None]
        self.assertEqual(there, list(range(5, 25)))


class SanctionsCases(StoreCase):
    """Who is muted or banned."""

    async def test_put_change_drop(self) -> None:
        mute = SanctionRecord(1, "mute", "name:bob", "tech", NOW, "spam", "ann", 5)
        ban = SanctionRecord(2, "ban", "network:192.0.2.0/24", None, None, "", "api", 6)
        await self.store.sanctions.put(mute)
        await self.store.sanctions.put(ban)
        longer = replace(mute, until=None)
        await self.store.sanctions.put(longer)
        self.assertEqual(self.store.sanctions.load(), [longer, ban])
        await self.store.sanctions.drop(1)
        await self.store.sanctions.drop(9)
        self.assertEqual(self.store.sanctions.load(), [ban])


class AuditCases(StoreCase):
    """Who has done what to whom."""

    async def test_the_newest_first_page_by_page(self) -> None:
        for n in range(5):
            await self.store.audit.note(AuditRecord(n, "ann", "mute", f"bob{n}", "in tech"))
        page = await self.store.audit.page(None, 2)
        self.assertEqual([entry.target for entry in page], ["bob4", "bob3"])
        page = await self.store.audit.page(page[-1].id, 10)
        self.assertEqual([entry.target for entry in page], ["bob2", "bob1", "bob0"])

    async def test_so_many_stay(self) -> None:
        self.patch(type(self.store.audit), "most", 2)
        for n in range(4):
            await self.store.audit.note(AuditRecord(n, "ann", "mute", f"bob{n}"))
        self.assertEqual([entry.target for entry in await self.store.audit.page(None, 10)], ["bob3", "bob2"])


class ReportsCases(StoreCase):
    """What was reported."""

    async def report(self, *rooms: str) -> None:
        for room in rooms:
            await self.store.reports.note(ReportRecord(1, "cy", room, 7, "bob", "shame", "rude"))

    async def test_all_of_it_is_kept(self) -> None:
        await self.report("tech")
        (report,) = await self.store.reports.page(None, 10)
        self.assertEqual(report, ReportRecord(1, "cy", "tech", 7, "bob", "shame", "rude", report.id))

    async def test_of_one_room_page_by_page(self) -> None:
        await self.report("tech", "gaming", "tech", "gaming", "gaming", "tech")
        page = await self.store.reports.page(None, 2, "tech")
        self.assertEqual([report.room for report in page], ["tech", "tech"])
        page = await self.store.reports.page(page[-1].id, 2, "tech")
        self.assertEqual([report.room for report in page], ["tech"])
        self.assertEqual(len(await self.store.reports.page(None, 10)), 6)

    async def test_so_many_stay_whatever_is_in_the_audit_log(self) -> None:
        self.patch(type(self.store.reports), "most", 2)
        await self.store.audit.note(AuditRecord(1, "ann", "mute", "bob"))
        await self.report("tech", "gaming", "general")
        self.assertEqual([report.room for report in await self.store.reports.page(None, 10)], ["general", "gaming"])
        self.assertEqual(len(await self.store.audit.page(None, 10)), 1)


class AlertsCases(StoreCase):
    """The price alerts of accounts."""

    async def test_put_change_drop(self) -> None:
        one = AlertRecord("ann", 1, "AAPL", 150.5, "above", False, True)
        other = AlertRecord("bob", 2, "TSLA", 800, "below", True, True)
        await self.store.alerts.put(one)
        await self.store.alerts.put(other)
        await self.store.alerts.put(replace(one, armed=False))
        self.assertEqual(self.store.alerts.load(), [replace(one, armed=False), other])
        await self.store.alerts.drop(2)
        self.assertEqual(self.store.alerts.load(), [replace(one, armed=False)])

    async def test_what_was_missed_is_there_until_it_was_told(self) -> None:
        for n in range(3):
            await self.store.alerts.miss(MissedRecord("ann", n, b"%d" % n))
        missed = await self.store.alerts.missed("ann")
        self.assertEqual([one.body for one in missed], [b"0", b"1", b"2"])
        await self.store.alerts.told("ann", missed[1].id)
        self.assertEqual([one.body for one in await self.store.alerts.missed("ann")], [b"2"])
        self.assertEqual(await self.store.alerts.missed("bob"), [])

    async def test_the_newest_hundred_were_missed(self) -> None:
        for n in range(103):
            await self.store.alerts.miss(MissedRecord("ann", n, b"{}"))
        missed = await self.store.alerts.missed("ann")
        self.assertEqual([one.at for one in missed], list(range(3, 103)))


class CandlesCases(StoreCase):
    """How prices went."""

    async def test_prices_within_a_candle_are_one(self) -> None:
        for at, price in ((NOW, 5.0), (NOW + 10, 7.0), (NOW + 20, 4.0), (NOW + 999, 6.0), (NOW + 1000, 9.0)):
            await self.store.candles.add([("AAPL", price), ("TSLA", 1.0)], at)
        first, second = await self.store.candles.page("AAPL", 1, 10)
        self.assertEqual((first.at, first.open, first.high, first.low, first.close), (NOW, 5.0, 7.0, 4.0, 6.0))
        self.assertEqual((second.at, second.open), (NOW + 1000, 9.0))
        (minute,) = await self.store.candles.page("AAPL", 60, 10)
        self.assertEqual((minute.at, minute.high, minute.close), (NOW, 9.0, 9.0))

    async def test_pages(self) -> None:
        for n in range(10):
            await self.store.candles.add([("AAPL", 1.0 + n)], NOW + n * MINUTE)
        newest = await self.store.candles.page("AAPL", 60, 3)
        self.assertEqual([candle.open for candle in newest], [8.0, 9.0, 10.0])
        later = await self.store.candles.page("AAPL", 60, 3, NOW + MINUTE)
        self.assertEqual([candle.open for candle in later], [3.0, 4.0, 5.0])
        self.assertEqual(await self.store.candles.page("NONE", 60, 3), [])

    async def test_a_clock_that_was_set_back(self) -> None:
        await self.store.candles.add([("AAPL", 5.0)], NOW + MINUTE)
        await self.store.candles.add([("AAPL", 7.0)], NOW)
        candles = await self.store.candles.page("AAPL", 60, 10)
        self.assertEqual([candle.at for candle in candles], sorted(candle.at for candle in candles))


class ScoresCases(StoreCase):
    """What players have reached."""

    async def reached(self, player: str, value: float, at: int = NOW, account: str | None = None) -> None:
        await self.store.scores.add([ScoreRecord("arena", "stars", player, account, value, at)])

    async def best(self, *, highest: bool = True, day: int | None = None, limit: int = 10) -> list[tuple[str, float]]:
        found = await self.store.scores.best("arena", "stars", highest=highest, day=day, limit=limit)
        return [(score.player, score.value) for score in found]

    async def test_the_best_of_each_the_best_first(self) -> None:
        for player, value in (("Ann", 3), ("Bob", 5), ("Ann", 7), ("Cleo", 1), ("Bob", 4)):
            await self.reached(player, value)
        self.assertEqual(await self.best(), [("Ann", 7), ("Bob", 5), ("Cleo", 1)])
        self.assertEqual(await self.best(limit=1), [("Ann", 7)])
        self.assertEqual(await self.best(highest=False), [("Cleo", 1), ("Ann", 3), ("Bob", 4)])

    async def test_of_two_that_are_as_good_the_older(self) -> None:
        await self.reached("Bob", 5, NOW + 1)
        await self.reached("Ann", 5, NOW + 2)
        await self.reached("Bob", 5, NOW + 3)
        self.assertEqual(await self.best(), [("Bob", 5), ("Ann", 5)])

    async def test_of_a_day(self) -> None:
        await self.reached("Ann", 9, NOW - 1)
        await self.reached("Ann", 3, NOW)
        await self.reached("Bob", 4, NOW + DAY - 1)
        self.assertEqual(await self.best(day=NOW // DAY), [("Bob", 4), ("Ann", 3)])
        self.assertEqual(await self.best(day=NOW // DAY - 1), [("Ann", 9)])
        self.assertEqual(await self.best(), [("Ann", 9), ("Bob", 4)])

    async def test_an_account_is_one_player_whatever_its_name_and_guests_are_others(self) -> None:
        await self.reached("Ann", 3, account="ann")
        await self.reached("Annie", 5, account="ann")
        await self.reached("Ann", 4)
        self.assertEqual(await self.best(), [("Annie", 5), ("Ann", 4)])

    async def test_games_and_scores_do_not_mix(self) -> None:
        await self.reached("Ann", 3)
        await self.store.scores.add([ScoreRecord("arena", "laps", "Bob", None, 9, NOW)])
        await self.store.scores.add([ScoreRecord("tag", "stars", "Bob", None, 9, NOW)])
        self.assertEqual(await self.best(), [("Ann", 3)])

    async def test_days_are_forgotten_after_a_month_and_the_best_of_all_time_is_not(self) -> None:
        await self.reached("Ann", 9, NOW)
        await self.reached("Bob", 1, NOW + 31 * DAY)
        self.assertEqual(await self.best(day=NOW // DAY), [])
        self.assertEqual(await self.best(), [("Ann", 9), ("Bob", 1)])


CASES = (
    PartsCases, LogCases, RoomsCases, SearchCases, AccountsCases, SessionsCases, SanctionsCases, AuditCases,
    ReportsCases, AlertsCases, CandlesCases, ScoresCases,
)  # fmt: skip


def cases_of(prefix: str, make: Any) -> dict[str, type[StoreCase]]:
    """The test cases of one store, by name."""
    made = {}
    for case in CASES:
        name = f"{prefix}{case.__name__.removesuffix('Cases')}Tests"
        made[name] = type(name, (case,), {"make": make, "__doc__": case.__doc__, "__module__": make.__module__})
    return made
