"""Tests of L{netplay.lan}."""

from __future__ import annotations

import ipaddress

import segno
from twisted.trial.unittest import SynchronousTestCase

from netplay.lan import lan_address, lan_hints, qr_lines


class AddressTests(SynchronousTestCase):
    """This machine's."""

    def test_it_is_an_address_or_none(self) -> None:
        address = lan_address()
        if address is not None:
            self.assertFalse(ipaddress.IPv4Address(address).is_loopback)

    def test_the_way_to_itself_leads_to_no_network(self) -> None:
        self.assertIsNone(lan_address(("127.0.0.1", 9)))

    def test_no_way_at_all(self) -> None:
        self.assertIsNone(lan_address(("255.255.255.255", 9)))  # not without asking for it


class QRTests(SynchronousTestCase):
    """The code, for a terminal."""

    URL = "http://192.168.1.20:8080/"

    def test_it_is_the_code(self) -> None:
        """Each character is two modules, one above the other."""
        matrix = [list(row) for row in segno.make_qr(self.URL, error="l").matrix_iter(border=2)]
        matrix.append([1] * len(matrix[0]))  # the number of rows is odd
        blocks = {(0, 0): "█", (0, 1): "▀", (1, 0): "▄", (1, 1): " "}
        expected = [
            "".join(blocks[upper, lower] for upper, lower in zip(above, below, strict=True))
            for above, below in zip(matrix[::2], matrix[1::2], strict=True)
        ]
        self.assertEqual(qr_lines(self.URL), expected)

    def test_it_fits_a_terminal_beside_the_time(self) -> None:
        lines = qr_lines("http://192.168.100.200:65535/")
        self.assertLessEqual(max(map(len, lines)), 33)
        self.assertLessEqual(len(lines), 17)


class HintTests(SynchronousTestCase):
    """What is said."""

    def test_where_others_find_it(self) -> None:
        hints = list(lan_hints("192.168.1.20", [("chat", "", 8888), ("web", "http", 8080)]))
        self.assertEqual(
            hints,
            [
                "on this network: chat on 192.168.1.20 port 8888",
                "on this network: http://192.168.1.20:8080/",
                *qr_lines("http://192.168.1.20:8080/"),
                "everyone on this network can come in, and nothing is encrypted: use --lan only where you trust it",
            ],
        )

    def test_without_a_network(self) -> None:
        self.assertEqual(
            list(lan_hints(None, [("chat", "", 8888)])),
            ["this machine has no address in a network: only programs on it reach the ports"],
        )
