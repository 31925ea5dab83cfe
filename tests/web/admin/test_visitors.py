"""Tests of L{netplay.web.admin.visitors}: who is connected, who is removed, who is kept out."""

from __future__ import annotations

from typing import Any

from netplay.web.admin.feature import AdminFeature
from netplay.web.feature import WebFeature, WebService
from tests.features import LineClient, Peer, options_of, unframed, upgrade_request
from tests.web.admin.asking import TOKEN, AdminCase, answer


class ClientTests(AdminCase):
    """C{/api/clients}."""

    def listed(self, query: str = "") -> list[dict[str, Any]]:
        clients: list[dict[str, Any]] = self.get(f"/api/clients{query}").json["clients"]
        return clients

    def test_nobody(self) -> None:
        self.assertEqual(self.get("/api/clients").json, {"clients": [], "more": False})

    def test_who_they_are_and_how_they_are_reached(self) -> None:
        ann = self.house.connect("chat")
        ann.ask("set_name", name="Ann")
        self.house.connect("game")
        self.house.connect("ticker")
        here = {"backlog": 0, "address": "192.0.2.7"}
        lines = {"framing": "lines", "codec": "json", **here}
        self.assertEqual(
            self.listed(),
            [
                {"id": "User_1", "name": "Ann", "feature": "chat", "connection": 1, **lines},
                {"id": "Player_1", "name": "Player_1", "feature": "game", "connection": 2, **lines}
                | {"framing": "stream"},
                {"id": "Trader_1", "name": "Trader_1", "feature": "ticker", "connection": 3, **lines},
            ],
        )

    def test_several_features_on_one_connection(self) -> None:
        binary = self.house.connect_binary()
        binary.frame(16)
        binary.frame(33)
        self.assertEqual(
            [(c["id"], c["feature"], c["framing"], c["codec"], c["connection"]) for c in self.listed()],
            [("User_1", "chat", "frames", "msgpack", 1), ("Player_1", "game", "frames", "json", 1)],
        )

    def test_who_has_no_name_has_that_of_the_connection(self) -> None:
        self.house.connect_echo()
        (echo,) = self.listed()
        self.assertEqual((echo["id"], echo["feature"], echo["framing"]), ("echo_1", "echo", "bytes"))
        self.assertIsNone(echo["name"])

    def test_who_asks_for_pages_is_no_client_before_there_is_a_websocket(self) -> None:
        page = Peer(self.house, self.house.web.factory)
        page.write(b"GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self.assertEqual(self.listed(), [])
        page.write(upgrade_request("/ws/echo"))
        (echo,) = self.listed()
        self.assertEqual((echo["id"], echo["framing"]), ("web_1", "websocket"))

    def test_page_by_page(self) -> None:
        for _ in range(5):
            Peer(self.house, self.house.web.factory)
            self.house.connect("chat")
        seen, after, more = [], 0, True
        while more:
            page = self.get(f"/api/clients?limit=2&after={after}").json
            more = page["more"]
            seen += [client["id"] for client in page["clients"]]
            after = page["clients"][-1]["connection"]
        self.assertEqual(seen, [f"User_{n}" for n in range(1, 6)])

    def test_who_is_gone_or_was_not_let_in_is_not_in_it(self) -> None:
        self.house.connect("chat").drop()
        self.core.gate.inside = self.core.limits.max_connections
        self.house.connect_echo()
        self.assertEqual(self.listed(), [])

    def test_one_is_removed(self) -> None:
        ann, ben = self.house.connect("chat"), self.house.connect("chat")
        self.assertEqual(self.ask("DELETE", "/api/clients/User_1?reason=spam").status, 204)
        error = ann.received()[-1]
        self.assertEqual((error["code"], error["message"], error["fatal"]), ("kicked", "spam", True))
        self.assertTrue(ann.closed)
        self.assertFalse(ben.closed)
        self.assertEqual(self.core.complaints.total["kicked"], 1)

    def test_with_all_that_is_on_the_connection(self) -> None:
        binary = self.house.connect_binary()
        binary.frame(32)
        binary.frame(33)
        self.ask("DELETE", "/api/clients/Player_1")
        _, error = binary.received()[-1]
        self.assertEqual((error["code"], error["message"]), ("kicked", "removed by an operator"))
        self.assertEqual(self.listed(), [])

    def test_a_websocket_is_closed_so_that_its_page_knows(self) -> None:
        page = Peer(self.house, self.house.web.factory)
        page.write(upgrade_request("/ws/chat"))
        page.read()
        self.ask("DELETE", "/api/clients/User_1")
        (_, error), (_, close) = unframed(page.read())
        self.assertIn(b'"code":"kicked"', error)
        self.assertEqual(int.from_bytes(close[:2]), 4004)

    def test_one_without_a_name(self) -> None:
        echo = self.house.connect_echo()
        self.ask("DELETE", "/api/clients/echo_1")
        self.assertTrue(echo.closed)

    def test_nobody_has_that_id(self) -> None:
        self.assert_problem(self.ask("DELETE", "/api/clients/User_9"), 404, "no_such_client", "$.id")


class BanTests(AdminCase):
    """C{/api/bans}. Clients come from 192.0.2.7."""

    def ban(self, network: str = "192.0.2.7", seconds: int = 60, **more: Any) -> Any:
        return self.ask("POST", "/api/bans", {"network": network, "seconds": seconds, **more}).json

    def bans(self) -> list[Any]:
        bans: list[Any] = self.get("/api/bans").json["bans"]
        return bans

    def came_in(self) -> bool:
        client = LineClient(self.house, "chat")
        first = client.received()[0]
        if first["type"] == "welcome":
            return True
        self.assertEqual((first["code"], first["fatal"]), ("banned", True))
        self.assertTrue(client.closed)
        return False

    def test_who_is_there_is_told_and_ended(self) -> None:
        ann, echo = self.house.connect("chat"), self.house.connect_echo()
        added = self.ban("192.0.2.0/24", 60, reason="spam")
        self.assertEqual(
            added,
            {
                "ban": {
                    "ban": "1",
                    "network": "192.0.2.0/24",
                    "until": self.core.now() + 60_000,
                    "reason": "spam",
                    "by": "api",
                },
                "ended": 2,
            },
        )
        error = ann.received()[-1]
        self.assertEqual((error["code"], error["message"], error["fatal"]), ("banned", "spam", True))
        self.assertTrue(ann.closed)
        self.assertTrue(echo.closed)

    def test_others_stay(self) -> None:
        ann = self.house.connect("chat")
        self.assertEqual(self.ban("192.0.2.8")["ended"], 0)
        self.assertFalse(ann.closed)
        self.assertTrue(self.came_in())

    def test_nobody_comes_in_from_there_until_it_ends(self) -> None:
        self.ban(seconds=60, reason="spam")
        self.assertFalse(self.came_in())
        self.house.wait(59)
        self.assertFalse(self.came_in())
        self.house.wait(1)
        self.assertTrue(self.came_in())
        self.assertEqual(self.bans(), [])

    def test_lifted(self) -> None:
        ban = self.ban()["ban"]["ban"]
        self.assertEqual(self.ask("DELETE", f"/api/bans/{ban}").status, 204)
        self.assertTrue(self.came_in())
        self.assert_problem(self.ask("DELETE", f"/api/bans/{ban}"), 404, "no_such_ban", "$.ban")

    def test_one_who_bans_itself_is_answered_first(self) -> None:
        options = {**options_of(WebFeature), **options_of(AdminFeature), "api-token": TOKEN, "served": {"admin": []}}
        keeper = Peer(self.house, WebService(options, self.core).factory)
        self.send(keeper, "POST", "/api/bans", {"network": "192.0.2.7", "seconds": 60})
        self.assertEqual(answer(keeper.read()).json["ended"], 1)
        self.assertTrue(keeper.closed)

    def test_page_by_page(self) -> None:
        for n in range(1, 4):
            self.ban(f"198.51.100.{n}")
        page = self.get("/api/bans?limit=2").json
        self.assertEqual(([ban["ban"] for ban in page["bans"]], page["more"]), (["1", "2"], True))
        page = self.get("/api/bans?limit=2&after=2").json
        self.assertEqual(([ban["ban"] for ban in page["bans"]], page["more"]), (["3"], False))

    def test_what_is_no_network(self) -> None:
        answered = self.ask("POST", "/api/bans", {"network": "example.com", "seconds": 60})
        self.assert_problem(answered, 422, "bad_message", "$.network")
