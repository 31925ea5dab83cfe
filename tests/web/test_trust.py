"""Connections of the web port that come through a proxy: the caps and bans are those of whom it names."""

from __future__ import annotations

import json
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.features import House, Peer, masked, unframed, upgrade_request
from tests.web.test_site import answered

PROXY = "192.0.2.7"
"""Where the peers of a house connect from."""


class TrustTestCase(SynchronousTestCase):
    """Behind a proxy."""

    def house_behind(self, trusted: str, **limits: Any) -> None:
        self.house = House(web={"trust-proxy": trusted}, **limits)

    def come(self, forwarded_for: str) -> tuple[Peer, list[tuple[int, bytes]]]:
        """Somebody through the proxy: the connection, and the frames that came."""
        peer = Peer(self.house, self.house.web.factory)
        peer.write(upgrade_request("/ws/chat", X_Forwarded_For=forwarded_for))
        status, _, rest = answered(peer.read())
        self.assertEqual(status, 101)
        return peer, unframed(rest)

    def said(self, forwarded_for: str) -> str:
        """The type or the code of what somebody is greeted with."""
        message = json.loads(self.come(forwarded_for)[1][0][1])
        return str(message.get("code", message["type"]))


class AddressTests(TrustTestCase):
    """Whose connection it is."""

    def test_each_client_counts_for_itself(self) -> None:
        self.house_behind(PROXY, max_per_address=1)
        self.assertEqual(self.said("198.51.100.1"), "welcome")
        self.assertEqual(self.said("198.51.100.2"), "welcome")
        self.assertEqual(self.said("198.51.100.1"), "server_full")

    def test_there_is_room_again_when_it_leaves(self) -> None:
        self.house_behind(PROXY, max_per_address=1)
        peer, _ = self.come("198.51.100.1")
        peer.drop()
        self.assertEqual(self.said("198.51.100.1"), "welcome")

    def test_nobody_else_is_believed(self) -> None:
        self.house_behind("203.0.113.0/24", max_per_address=1)
        self.assertEqual(self.said("198.51.100.1"), "welcome")
        self.assertEqual(self.said("198.51.100.2"), "server_full")

    def test_what_the_client_itself_claims_is_not_believed(self) -> None:
        self.house_behind(PROXY, max_per_address=1)
        self.assertEqual(self.said("203.0.113.1, 198.51.100.1"), "welcome")
        self.assertEqual(self.said("203.0.113.2, 198.51.100.1"), "server_full")

    def test_a_ban_is_of_the_client_and_not_of_the_proxy(self) -> None:
        self.house_behind(PROXY)
        core = self.house.core
        core.moderation.banish("network:198.51.100.1/32", 60, "spam", "ann")
        _, frames = self.come("198.51.100.1")
        self.assertEqual(json.loads(frames[0][1])["code"], "banned")
        self.assertEqual(int.from_bytes(frames[1][1][:2]), 4004)
        self.assertEqual(self.said("198.51.100.2"), "welcome")

    def test_so_it_is_for_each_request_of_a_connection_that_the_proxy_uses_for_many(self) -> None:
        self.house_behind(PROXY)
        core = self.house.core
        core.moderation.banish("network:198.51.100.1/32", 60, "spam", "ann")
        peer = Peer(self.house, self.house.web.factory)
        for address, expected in (("198.51.100.2", 200), ("198.51.100.1", 403), ("198.51.100.2", 200)):
            peer.write(f"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: {address}\r\n\r\n".encode())
            status, _, body = answered(peer.read())
            self.assertEqual((status, b'"code":"banned"' in body), (expected, expected == 403))
        self.assertEqual(core.complaints.total, {"banned": 1})

    def test_it_is_known_by_that_address(self) -> None:
        self.house_behind(PROXY)
        peer, _ = self.come("198.51.100.1")
        self.assertEqual(peer.protocol.address, "198.51.100.1")
        peer.write(masked(1, b'{"type":"ping"}'))
        self.assertEqual(len(unframed(peer.read())), 1)
