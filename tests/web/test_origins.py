"""Tests of L{netplay.web.origins}."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.python.usage import UsageError
from twisted.trial.unittest import SynchronousTestCase

from netplay.web.origins import Origins


class HostTests(SynchronousTestCase):
    """Against DNS rebinding."""

    def test_addresses_and_localhost_are_what_they_say(self) -> None:
        for host in ("localhost", "LOCALHOST:8080", "127.0.0.1:8080", "[::1]:8080", "192.0.2.7", "a.localhost:1"):
            self.assertTrue(Origins().host_allowed(host), host)

    def test_a_name_may_be_anybodys(self) -> None:
        for host in ("evil.example", "localhost.evil.example:8080", "127.0.0.1.evil.example"):
            self.assertFalse(Origins().host_allowed(host), host)

    def test_the_name_of_the_public_url_is_ours(self) -> None:
        origins = Origins("https://play.example.com")
        for host in ("play.example.com", "Play.Example.COM:443", "play.example.com.", "localhost:8080"):
            self.assertTrue(origins.host_allowed(host), host)
        self.assertFalse(origins.host_allowed("example.com"))

    def test_none_and_garbage(self) -> None:
        for host in (None, "", "a b", "localhost:port", "user@localhost", "localhost/x", "[::1", "localhost?x", "::1"):
            self.assertFalse(Origins().host_allowed(host), host)

    @given(st.text(max_size=40))
    def test_anything_is_answered(self, host: str) -> None:
        self.assertIsInstance(Origins().host_allowed(host), bool)


class OriginTests(SynchronousTestCase):
    """Against WebSockets that pages from elsewhere open."""

    def test_programs_send_none(self) -> None:
        self.assertTrue(Origins().origin_allowed(None, "localhost:8080"))

    def test_the_same_origin(self) -> None:
        for origin, host in (
            ("http://localhost:8080", "localhost:8080"),
            ("https://192.0.2.7", "192.0.2.7"),
            ("http://192.0.2.7:80", "192.0.2.7"),
            ("http://[::1]:8080", "[::1]:8080"),
            ("http://[::1]", "[::1]"),
        ):
            self.assertTrue(Origins().origin_allowed(origin, host), origin)

    def test_another_port_is_another_origin(self) -> None:
        self.assertFalse(Origins().origin_allowed("http://localhost:3000", "localhost:8080"))
        self.assertFalse(Origins().origin_allowed("http://localhost", "localhost:8080"))

    def test_other_pages_and_none(self) -> None:
        for origin in ("https://evil.example", "null", "", "file://", "localhost:8080", "http://localhost:8080.evil"):
            self.assertFalse(Origins().origin_allowed(origin, "localhost:8080"), origin)

    def test_behind_a_proxy_the_page_is_of_https(self) -> None:
        origins = Origins("https://play.example.com")
        self.assertTrue(origins.origin_allowed("https://play.example.com", "play.example.com"))
        self.assertTrue(origins.origin_allowed("https://play.example.com", "localhost:8080"))  # if it hides the Host

    def test_those_that_are_allowed_besides(self) -> None:
        origins = Origins(allowed=["https://a.example", "http://b.example:3000"])
        self.assertTrue(origins.origin_allowed("https://a.example", "localhost"))
        self.assertTrue(origins.origin_allowed("http://b.example:3000", "localhost"))
        self.assertFalse(origins.origin_allowed("http://a.example", "localhost"))
        self.assertFalse(origins.origin_allowed("http://b.example", "localhost"))

    def test_all(self) -> None:
        self.assertTrue(Origins(allowed=["*"]).origin_allowed("null", "localhost"))


class OptionTests(SynchronousTestCase):
    """What is typed."""

    def test_what_is_no_origin_is_a_usage_error_that_says_what_to_type(self) -> None:
        for url in ("play.example.com", "https://", "https://a.example/path", "ftp://a.example", "https://a:port", "x"):
            error = self.assertRaises(UsageError, Origins, url)
            self.assertEqual(
                str(error),
                f"--public-url {url}: write an origin, such as --public-url https://play.example.com",
            )
        error = self.assertRaises(UsageError, Origins, "", ["a.example"])
        self.assertTrue(str(error).startswith("--allow-origin a.example: "), error)
