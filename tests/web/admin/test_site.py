"""Tests of L{netplay.web.admin.site} and L{netplay.web.admin.feature}: the endpoint of the keepers."""

from __future__ import annotations

from twisted.internet.address import IPv4Address
from twisted.python.usage import UsageError
from twisted.trial.unittest import SynchronousTestCase

from netplay.web.admin.feature import AdminFeature
from netplay.web.admin.site import MOST_CONNECTIONS
from tests.features import House, options_of
from tests.support import LogRecorder
from tests.web.admin.asking import AdminCase, answer


class EndpointTests(AdminCase):
    """Connections of the keepers."""

    def test_all_else_is_not_there(self) -> None:
        for path in ("/", "/nothing", "/metrics/", "/metrics/x", "/healthz/x", "/api.", "/ws"):
            self.assert_problem(self.get(path), 404, "not_found")

    def test_pages_are_only_looked_at(self) -> None:
        for path in ("/metrics", "/healthz", "/readyz", "/asyncapi.json"):
            answered = self.ask("POST", path, {})
            self.assert_problem(answered, 405, "not_allowed")
            self.assertEqual(answered.headers["allow"], "GET, HEAD")
            self.assertEqual(self.ask("HEAD", path).body, b"")

    def test_several_requests_on_one_connection(self) -> None:
        keeper = self.visit()
        for _ in range(3):
            self.send(keeper, "GET", "/healthz")
            self.assertEqual(answer(keeper.read()).status, 200)

    def test_they_are_none_of_the_daemons_connections(self) -> None:
        self.visit()
        self.assertEqual((len(self.core.watch.connections), self.core.gate.inside), (0, 0))

    def test_so_many_and_no_more(self) -> None:
        keepers = [self.visit() for _ in range(MOST_CONNECTIONS)]
        address = IPv4Address("TCP", "192.0.2.9", 1)
        self.assertIsNone(self.admin.factory.buildProtocol(address))
        keepers[0].drop()
        self.assertIsNotNone(self.admin.factory.buildProtocol(address))

    def test_one_that_is_idle_for_a_minute_is_ended(self) -> None:
        keeper = self.visit()
        self.house.wait(59)
        self.assertFalse(keeper.transport.disconnecting)
        self.house.wait(1)
        self.assertTrue(keeper.transport.disconnecting)

    def test_all_are_ended_with_the_service(self) -> None:
        keeper = self.visit()
        self.admin.stopService()
        self.assertTrue(keeper.transport.disconnecting)

    def test_requests_leave_no_line_in_the_log(self) -> None:
        log = LogRecorder(self)
        self.get("/healthz?what=comes")
        self.ask("HEAD", "/metrics?what=comes")
        self.assertEqual(log.texts(("netplay", "twisted")), [])

    def test_what_is_no_request_is_counted(self) -> None:
        keeper = self.visit()
        keeper.write(b"hello\r\n")
        self.assertTrue(keeper.transport.disconnecting)
        self.assertEqual(self.core.complaints.total, {"http": 1})


class FeatureTests(SynchronousTestCase):
    """What the daemon finds."""

    def test_it_is_off_unless_asked_for(self) -> None:
        self.assertIsNone(AdminFeature.port)

    def test_a_token_that_is_no_good(self) -> None:
        options = {**options_of(AdminFeature), "api-token": "short"}
        self.assertRaises(UsageError, AdminFeature().build, options, House().core)
