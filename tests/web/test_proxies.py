"""Tests of L{netplay.web.proxies}."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.python.usage import UsageError
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.http_headers import Headers

from netplay.limits import address_of
from netplay.web.proxies import MOST_PROXIES, Proxies, client_address, parse_proxies

PROXY = "10.0.0.1"
INNER = parse_proxies("--trust-proxy", "10.0.0.0/8,2001:db8:1::/48,unix")


def headers(**lines: str | list[str]) -> Headers:
    """C{x_forwarded_for="..."}."""
    made = Headers()
    for name, value in lines.items():
        made.setRawHeaders(name.replace("_", "-"), [value] if isinstance(value, str) else value)
    return made


def forwarded_for(*lines: str, peer: str | None = PROXY) -> str | None:
    """The client by C{X-Forwarded-For}."""
    return client_address(peer, headers(x_forwarded_for=list(lines)), INNER)


def forwarded(*lines: str, peer: str | None = PROXY) -> str | None:
    """The client by C{Forwarded}."""
    return client_address(peer, headers(forwarded=list(lines)), INNER)


class ParseTests(SynchronousTestCase):
    """C{--trust-proxy}."""

    def test_nobody(self) -> None:
        self.assertEqual(parse_proxies("--trust-proxy", ""), Proxies())
        for host in ("127.0.0.1", "::1", None):
            self.assertFalse(Proxies().trusted(host))

    def test_addresses_networks_and_unix_sockets(self) -> None:
        proxies = parse_proxies("--trust-proxy", "127.0.0.1, 10.0.0.0/8,2001:db8::/32,unix,")
        for host in ("127.0.0.1", "10.255.0.1", "::ffff:10.0.0.1", "2001:db8::5", None):
            self.assertTrue(proxies.trusted(host), host)
        for host in ("127.0.0.2", "11.0.0.1", "2001:db9::5", "::1"):
            self.assertFalse(proxies.trusted(host), host)

    def test_what_is_wrong_says_what_to_type(self) -> None:
        for wrong in ("nginx", "10.0.0.1/8", "10.0.0.0/33", "127.0.0.1;10.0.0.1", "*"):
            error = self.assertRaises(UsageError, parse_proxies, "--trust-proxy", wrong)
            self.assertTrue(str(error).startswith(f"--trust-proxy {wrong}: "), error)
            self.assertTrue(str(error).endswith("such as --trust-proxy 127.0.0.1,10.0.0.0/8,unix"), error)


class ClientAddressTests(SynchronousTestCase):
    """Whose request it is."""

    def test_without_trust_the_headers_mean_nothing(self) -> None:
        said = headers(x_forwarded_for="192.0.2.7", forwarded="for=192.0.2.7")
        for peer in ("203.0.113.9", "2001:db8:2::1"):
            self.assertEqual(client_address(peer, said, INNER), peer)
        for peer in (PROXY, None):
            self.assertEqual(client_address(peer, said, Proxies()), peer)

    def test_a_trusted_proxy_says_it(self) -> None:
        for peer in (PROXY, "::ffff:10.0.0.1", "2001:db8:1::1", None):
            self.assertEqual(forwarded_for("192.0.2.7", peer=peer), "192.0.2.7")
            self.assertEqual(forwarded("for=192.0.2.7", peer=peer), "192.0.2.7")

    def test_what_the_client_wrote_itself_is_further_left(self) -> None:
        self.assertEqual(forwarded_for("127.0.0.1, 10.0.0.2, 192.0.2.7"), "192.0.2.7")
        self.assertEqual(forwarded_for("1.1.1.1", "2.2.2.2,192.0.2.7"), "192.0.2.7")
        self.assertEqual(forwarded("for=1.1.1.1, for=192.0.2.7"), "192.0.2.7")

    def test_several_trusted_proxies(self) -> None:
        self.assertEqual(forwarded_for("1.1.1.1, 192.0.2.7, 10.0.0.3, 2001:db8:1::2"), "192.0.2.7")
        self.assertEqual(forwarded("for=1.1.1.1,for=192.0.2.7", 'for="[2001:db8:1::2]:99"'), "192.0.2.7")

    def test_if_all_are_trusted_it_is_the_one_furthest_away(self) -> None:
        self.assertEqual(forwarded_for("10.0.0.3, 10.0.0.2"), "10.0.0.3")

    def test_a_proxy_that_says_nothing(self) -> None:
        self.assertEqual(client_address(PROXY, Headers(), INNER), PROXY)
        self.assertIsNone(client_address(None, Headers(), INNER))
        self.assertEqual(forwarded_for(""), PROXY)

    def test_ways_of_writing_an_address(self) -> None:
        for written, address in (
            ("192.0.2.7:4711", "192.0.2.7"),
            ("2001:db8::7", "2001:db8::7"),
            ("[2001:DB8::7]", "2001:db8::7"),
            ("[2001:db8:0::7]:4711", "2001:db8::7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("  192.0.2.7\t", "192.0.2.7"),
        ):
            self.assertEqual(forwarded_for(written), address)
            self.assertEqual(forwarded(f'by=x;For="{written.strip()}";proto=http'), address)

    def test_what_makes_no_sense_is_the_proxys_that_wrote_it(self) -> None:
        for garbage in ("unknown", "_hidden", "somebody", "999.1.1.1", "[", "[]", "1.2.3.4:5:6", "\xff", "127.1"):
            self.assertEqual(forwarded_for(f"192.0.2.7, {garbage}"), PROXY)
            self.assertEqual(forwarded(f'for=192.0.2.7, for="{garbage}"'), PROXY)
            self.assertEqual(forwarded_for(f"192.0.2.7, {garbage}, 10.0.0.2"), "10.0.0.2")
            self.assertIsNone(forwarded_for(f"192.0.2.7, {garbage}", peer=None))
        self.assertEqual(forwarded("by=10.0.0.1"), PROXY)

    def test_a_quote_left_open_swallows_nothing(self) -> None:
        self.assertEqual(forwarded('for="1.1.1.1, for=192.0.2.7'), "192.0.2.7")
        self.assertEqual(forwarded('for=1.1.1.1;by="', "for=192.0.2.7"), "192.0.2.7")

    def test_X_Forwarded_For_goes_before(self) -> None:
        """The proxy has written it; the other came through from the client."""
        said = headers(x_forwarded_for="192.0.2.7", forwarded="for=1.1.1.1")
        self.assertEqual(client_address(PROXY, said, INNER), "192.0.2.7")

    def test_a_list_without_end(self) -> None:
        self.assertEqual(forwarded_for("192.0.2.7," + "10.0.0.2," * 3000 + "10.0.0.3"), "10.0.0.2")
        self.assertEqual(forwarded_for(*["192.0.2.7"], *["10.0.0.2"] * MOST_PROXIES), "10.0.0.2")
        self.assertEqual(forwarded_for("1.1.1.1," * 3000 + "192.0.2.7"), "192.0.2.7")

    @given(st.text(st.characters(codec="latin-1", exclude_characters="\r\n\0")))
    def test_whatever_the_client_writes_the_proxys_word_stands(self, written: str) -> None:
        self.assertEqual(forwarded_for(f"{written}, 192.0.2.7"), "192.0.2.7")
        self.assertEqual(forwarded(f"{written}, for=192.0.2.7"), "192.0.2.7")
        self.assertEqual(forwarded(written, 'for="[2001:db8::7]:1"'), "2001:db8::7")

    @given(st.lists(st.ip_addresses().map(str), max_size=MOST_PROXIES))
    def test_it_is_the_last_that_is_not_trusted(self, hops: list[str]) -> None:
        way = [str(address_of(hop)) for hop in (*hops, PROXY)]
        outside = [hop for hop in way if not INNER.trusted(hop)]
        self.assertEqual(forwarded_for(", ".join(hops)), outside[-1] if outside else way[0])
