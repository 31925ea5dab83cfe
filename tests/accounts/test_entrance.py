"""Tests of L{netplay.accounts.entrance}; what clients see of it is in L{tests.contract}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from netplay.accounts.entrance import Entrance
from netplay.interfaces import ISession
from tests.accounts.keeper import PASSWORD, Keeper, account
from tests.features import TICKER, House


class EntranceTests(SynchronousTestCase):
    """Where a client waits that is nobody yet."""

    def setUp(self) -> None:
        self.house = House(accounts={"checkers": [Keeper()], "guests": False})
        self.house.store.accounts.add(account("Ann"))

    def test_it_is_a_session(self) -> None:
        session = self.house.connect("chat").session
        self.assertIsInstance(session, Entrance)
        self.assertTrue(verifyObject(ISession, session))

    def test_all_who_wait_on_a_connection_come_in_with_the_one_that_logs_in(self) -> None:
        ann = self.house.connect_binary()
        ann.frame(16)
        ann.frame(17)
        self.assertEqual([message["type"] for _, message in ann.received()], ["login_required"] * 2)
        ann.send(16, "login", user="Ann", password=PASSWORD)
        came = [(kind, message["type"]) for kind, message in ann.received()]
        self.assertEqual(came, [(16, "welcome"), (17, "state"), (17, "logged_in"), (16, "logged_in")])
        ann.frame(TICKER)
        self.assertEqual([message["type"] for _, message in ann.received()], ["welcome"])
