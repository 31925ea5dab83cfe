"""Tests of L{netplay.ticker.notices}: alerts of accounts, whoever of them is here, and whatever the store does."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

import netplay.ticker.alerts
from netplay.errors import Refused
from netplay.store.memory import MemoryStore
from netplay.store.memory.tables import MemoryAlerts
from tests.accounts.keeper import PASSWORD, Keeper, account
from tests.features import House, LineClient, Prices
from tests.support import LogRecorder


class SlowAlerts(MemoryAlerts):
    """
    Keeps alerts when a test says so.

    @ivar full: whether it takes nothing more.
    @ivar asked: what it was told, in its order.
    """

    full = False
    slow = False

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self._todo: list[tuple[Deferred[Any], Deferred[Any]]] = []

    def work(self) -> None:
        """Everything is kept."""
        todo, self._todo = self._todo, []
        for waiter, done in todo:
            done.chainDeferred(waiter)

    def _do(self, what: str, change: Any, *args: Any) -> Any:
        if self.full:
            raise Refused("store_busy", "too much waits to be kept")
        self.asked.append(what)
        done = change(*args)
        if not self.slow:
            return done
        waiter: Deferred[Any] = Deferred()
        self._todo.append((waiter, done))
        return waiter

    def put(self, record: Any) -> Any:
        return self._do(f"put {record.id} {'armed' if record.armed else 'fired'}", super().put, record)

    def drop(self, id: int) -> Any:
        return self._do(f"drop {id}", super().drop, id)

    def miss(self, missed: Any) -> Any:
        return self._do("miss", super().miss, missed)

    def missed(self, account: str) -> Any:
        return self._do("missed", super().missed, account)

    def told(self, account: str, id: int) -> Any:
        return self._do(f"told {id}", super().told, account, id)


class NoticesTestCase(SynchronousTestCase):
    """Ann is logged in; AAPL is at 150."""

    def setUp(self) -> None:
        self.store: Any = MemoryStore()
        self.store.alerts = self.alerts = SlowAlerts()
        for name in ("Ann", "Bob"):
            self.store.accounts.add(account(name))
        self.start()
        self.ann = self.come()

    def start(self, **first: float) -> None:
        """A daemon begins, with this store."""
        self.house = House(store=self.store, prices=Prices({"AAPL": 150.0, **first}), accounts={"checkers": [Keeper()]})

    def come(self, name: str = "Ann") -> LineClient:
        """One more connection of an account."""
        client = self.house.connect("ticker")
        self.assertEqual(client.ask("login", user=name, password=PASSWORD)["type"], "logged_in")
        return client

    def beat(self, price: float) -> None:
        """A second passes, and this is the price."""
        self.house.prices.coming = {"AAPL": price}
        self.house.wait(1)

    def told(self, client: LineClient) -> list[tuple[str, float]]:
        """The alerts that a client was told, with the prices."""
        return [(message["alert"], message["price"]) for message in client.heard("alert")]

    def ids(self, client: LineClient) -> list[str]:
        """The alerts that a client has."""
        return [line["alert"] for line in client.ask("alerts")["alerts"]]


class SharedTests(NoticesTestCase):
    """An account that is connected several times."""

    def test_all_connections_have_the_same_alerts(self) -> None:
        other = self.come()
        self.ann.ask("alert", symbol="AAPL", above=155)
        other.ask("alert", symbol="AAPL", below=100)
        self.assertEqual((self.ids(self.ann), self.ids(other)), (["1", "2"], ["1", "2"]))
        other.ask("cancel_alert", alert="1")
        self.assertEqual(self.ids(self.ann), ["2"])

    def test_each_is_told_once(self) -> None:
        other, bob = self.come(), self.come("Bob")
        self.ann.ask("alert", symbol="AAPL", above=155)
        self.beat(156)
        self.assertEqual([self.told(client) for client in (self.ann, other, bob)], [[("1", 156)], [("1", 156)], []])

    def test_the_cap_is_that_of_the_account(self) -> None:
        other = self.come()
        for n in range(netplay.ticker.alerts.MOST_EACH):
            (self.ann if n % 2 else other).ask("alert", symbol="AAPL", above=200 + n)
        self.assertEqual(other.ask("alert", symbol="AAPL", above=151)["code"], "too_many")

    def test_one_that_goes_takes_nothing_along(self) -> None:
        other = self.come()
        other.ask("alert", symbol="AAPL", above=155)
        other.drop()
        self.house.wait(121)
        self.beat(156)
        self.assertEqual(self.told(self.ann), [("1", 156)])


class LoginTests(NoticesTestCase):
    """A guest who logs in."""

    def test_keeps_what_it_has_set(self) -> None:
        self.ann.ask("alert", symbol="AAPL", above=155)
        guest = self.house.connect("ticker")
        guest.ask("alert", symbol="AAPL", above=160)
        guest.ask("login", user="Ann", password=PASSWORD)
        self.ann.ask("alert", symbol="AAPL", above=165)
        self.assertEqual(self.ids(guest), ["1", "2", "3"])
        self.assertEqual([record.account for record in self.alerts.load()], ["Ann"] * 3)
        self.beat(161)
        self.assertEqual(self.told(self.ann), [("1", 161), ("2", 161)])

    def test_up_to_the_cap(self) -> None:
        for n in range(netplay.ticker.alerts.MOST_EACH - 1):
            self.ann.ask("alert", symbol="AAPL", above=200 + n)
        guest = self.house.connect("ticker")
        for _ in range(2):
            guest.ask("alert", symbol="AAPL", above=155)
        guest.ask("login", user="Ann", password=PASSWORD)
        self.assertEqual(len(self.alerts.load()), netplay.ticker.alerts.MOST_EACH)
        self.beat(156)
        self.assertEqual(self.told(guest), [("100", 156)])

    def test_what_guests_set_is_not_kept(self) -> None:
        self.house.connect("ticker").ask("alert", symbol="AAPL", above=155)
        self.assertEqual(list(self.alerts.load()), [])


class RestartTests(NoticesTestCase):
    """The daemon begins again."""

    def test_alerts_are_there_and_numbers_go_on(self) -> None:
        self.ann.ask("alert", symbol="AAPL", above=155)
        self.start()
        ann = self.come()
        self.assertEqual(self.ids(ann), ["1"])
        self.assertEqual(ann.ask("alert", symbol="AAPL", above=160)["alert"], "2")
        self.beat(156)
        self.assertEqual(self.told(ann), [("1", 156)])

    def test_what_has_fired_has_to_go_back_first_and_what_went_back_fires(self) -> None:
        self.ann.ask("alert", symbol="AAPL", above=155)
        self.beat(156)
        self.start(AAPL=156)
        ann = self.come()
        self.beat(157)
        self.assertEqual(self.told(ann), [])
        self.beat(150)
        self.start(AAPL=150)
        ann = self.come()
        self.beat(158)
        self.assertEqual(self.told(ann), [("1", 158)])

    def test_one_for_once_that_fired_is_gone(self) -> None:
        self.ann.ask("alert", symbol="AAPL", above=155, once=True)
        self.beat(156)
        self.start()
        self.assertEqual(self.ids(self.come()), [])

    def test_so_is_one_that_was_taken_back(self) -> None:
        self.ann.ask("alert", symbol="AAPL", above=155)
        self.ann.ask("cancel_alert", alert="1")
        self.start()
        self.assertEqual(self.ids(self.come()), [])

    def test_what_is_crossed_with_the_first_price_fires(self) -> None:
        self.ann.ask("alert", symbol="AAPL", above=155)
        self.start(AAPL=160)
        self.assertEqual(self.told(self.come()), [("1", 160)])


class MissedTests(NoticesTestCase):
    """What fired while an account was away."""

    def setUp(self) -> None:
        super().setUp()
        self.ann.ask("alert", symbol="AAPL", above=155)
        self.ann.drop()
        self.beat(156)
        self.beat(100)
        self.beat(157)

    def test_comes_when_it_is_back_in_order_and_once(self) -> None:
        self.assertEqual(self.told(self.come()), [("1", 156), ("1", 157)])
        self.assertEqual(self.told(self.come()), [])

    def test_comes_after_a_restart(self) -> None:
        self.start(AAPL=157)
        self.assertEqual(self.told(self.come()), [("1", 156), ("1", 157)])

    def test_is_kept_until_a_connection_has_taken_it(self) -> None:
        ann = self.house.connect("ticker")
        ann.lag()
        ann.send("login", user="Ann", password=PASSWORD)
        self.assertEqual(self.alerts.asked[-1], "missed")
        ann.drop()
        again = self.come()
        self.assertEqual(self.told(again), [("1", 156), ("1", 157)])
        self.assertEqual(self.alerts.asked[-1], "told 2")

    def test_comes_to_all_who_are_back_by_then(self) -> None:
        self.alerts.slow = True
        one, other = self.come(), self.come()
        self.alerts.work()
        self.assertEqual([len(self.told(client)) for client in (one, other)], [2, 2])

    def test_who_is_gone_by_then_is_told_the_next_time(self) -> None:
        self.alerts.slow = True
        self.come().drop()
        self.alerts.work()
        self.alerts.slow = False
        self.assertEqual(len(self.told(self.come())), 2)


class OrderTests(NoticesTestCase):
    """Between firing and telling nothing is lost: what the store knows when the daemon is killed is enough."""

    def setUp(self) -> None:
        super().setUp()
        self.ann.ask("alert", symbol="AAPL", above=155)
        del self.alerts.asked[:]

    def test_it_is_told_first_and_then_kept_that_it_has_fired(self) -> None:
        self.alerts.slow = True
        self.beat(156)
        self.assertEqual((self.told(self.ann), self.alerts.asked), ([("1", 156)], ["put 1 fired"]))

    def test_for_who_is_away_it_is_kept_as_missed_first(self) -> None:
        self.ann.drop()
        self.beat(156)
        self.assertEqual(self.alerts.asked, ["miss", "put 1 fired"])

    def test_for_who_lags_it_stays_armed_until_it_is_taken(self) -> None:
        self.ann.lag()
        self.beat(156)
        self.assertEqual(self.alerts.asked, [])
        self.ann.catch_up()
        self.assertEqual((len(self.told(self.ann)), self.alerts.asked), (1, ["put 1 fired"]))

    def test_who_goes_before_it_is_taken_has_missed_it(self) -> None:
        self.ann.lag()
        self.beat(156)
        self.ann.drop()
        self.assertEqual(self.alerts.asked, ["miss", "put 1 fired"])
        self.assertEqual(self.told(self.come()), [("1", 156)])

    def test_that_one_takes_it_is_enough(self) -> None:
        self.come()
        del self.alerts.asked[:]
        self.ann.lag()
        self.beat(156)
        self.ann.drop()
        self.assertEqual(self.alerts.asked, ["put 1 fired"])

    def test_when_it_is_taken_late_the_store_knows_how_it_is_by_then(self) -> None:
        self.ann.lag()
        self.beat(156)
        self.beat(100)
        self.ann.catch_up()
        self.assertEqual(self.alerts.asked, ["put 1 armed", "put 1 armed"])

    def test_taken_back_meanwhile_it_does_not_return(self) -> None:
        other = self.come()
        for client in (self.ann, other):
            client.lag()
        self.beat(156)
        other.write(b'{"type": "cancel_alert", "alert": "1"}\n')
        self.ann.catch_up()
        self.assertEqual(list(self.alerts.load()), [])


class BusyTests(NoticesTestCase):
    """The store is slow, or full."""

    def test_an_alert_is_set_when_it_is_kept(self) -> None:
        self.alerts.slow = True
        self.ann.send("alert", symbol="AAPL", above=155)
        self.ann.send("cancel_alert", alert="1", ref=2)
        self.assertEqual(self.ann.received(), [])
        self.alerts.work()
        self.assertEqual([message["type"] for message in self.ann.received()], ["alert_set"])
        self.alerts.work()
        self.assertEqual([message["type"] for message in self.ann.received()], ["ok"])

    def test_what_is_refused_has_no_effect(self) -> None:
        self.ann.ask("alert", symbol="AAPL", above=155)
        self.alerts.full = True
        self.assertEqual(self.ann.ask("alert", symbol="AAPL", above=160)["code"], "store_busy")
        self.assertEqual(self.ann.ask("cancel_alert", alert="1")["code"], "store_busy")
        self.assertEqual(self.ids(self.ann), ["1"])

    def test_who_is_here_is_told_all_the_same(self) -> None:
        log = LogRecorder(self)
        self.ann.ask("alert", symbol="AAPL", above=155)
        self.alerts.full = True
        self.beat(156)
        self.assertEqual(self.told(self.ann), [("1", 156)])
        self.assertEqual(log.texts(), ["not kept, the store is busy: 1 x alerts"])

    def test_who_is_away_is_told_on_return_or_it_fires_again_after_a_restart(self) -> None:
        self.ann.ask("alert", symbol="AAPL", above=155)
        self.ann.drop()
        self.alerts.full = True
        self.beat(156)
        self.alerts.full = False
        self.assertEqual(self.told(self.come()), [("1", 156)])
        self.start(AAPL=156)
        self.assertEqual(self.told(self.come()), [("1", 156)])

    def test_a_full_store_delays_no_beat(self) -> None:
        self.ann.ask("subscribe", symbols=["AAPL"])
        self.ann.received()
        log = LogRecorder(self)

        def add(prices: Any, at: int) -> Any:
            raise Refused("store_busy", "too much waits to be kept")

        self.patch(self.store.candles, "add", add)
        for price in range(151, 163):
            self.beat(price)
        self.assertEqual(len(self.ann.heard("price_update")), 12)
        busy = "not kept, the store is busy: "
        self.assertEqual(log.texts(), [f"{busy}1 x prices", f"{busy}9 x prices"])
