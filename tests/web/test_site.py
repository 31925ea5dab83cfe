"""Tests of L{netplay.web.site} and L{netplay.web.http}: requests and what comes of them."""

from __future__ import annotations

import json
import os
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.features import House, Peer, unframed, upgrade_request
from tests.support import LogRecorder


class WebTestCase(SynchronousTestCase):
    """A web port, and someone who asks."""

    def setUp(self) -> None:
        self.house = House()

    def visit(self) -> Peer:
        """A connection."""
        return Peer(self.house, self.house.web.factory)

    def ask(self, request: bytes) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of the answer to one request."""
        visitor = self.visit()
        visitor.write(request)
        return answered(visitor.read())

    def get(self, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
        """What comes of a GET."""
        headers = {"Host": "localhost", **headers}
        fields = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        return self.ask(f"GET {path} HTTP/1.1\r\n{fields}\r\n".encode())


def answered(data: bytes) -> tuple[int, dict[str, str], bytes]:
    """One answer: its status, headers with names in lower case, and what comes after them."""
    head, _, body = data.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    return int(status.split()[1]), {name.lower(): value for name, value in headers.items()}, body


class RootTests(WebTestCase):
    """Who may ask, and for what."""

    def test_what_is_not_there(self) -> None:
        for path in ("/nothing", "/ws/golf", "/ws/chat/x", "/..%2f..%2fetc/passwd"):
            self.assertEqual(self.get(path)[0], 404, path)

    def test_an_answer_says_what_it_is_and_not_by_what_it_was_made(self) -> None:
        _, headers, _ = self.get("/nothing")
        self.assertEqual(headers["content-type"], "application/problem+json")
        self.assertEqual(headers["x-content-type-options"], "nosniff")
        self.assertTrue(headers["server"].startswith("netplay/"))

    def test_a_host_that_is_not_ours_is_refused_and_the_log_says_what_would_allow_it(self) -> None:
        log = LogRecorder(self)
        status, _, body = self.get("/", Host="evil.example")
        self.assertEqual((status, json.loads(body)["code"]), (421, "wrong_host"))
        self.assertEqual(self.house.core.complaints.total, {"host": 1})
        [line] = [text for text in log.texts() if "public-url" in text]
        self.assertIn("refused the Host evil.example; if that is yours, add --public-url https://evil.example", line)

    def test_programs_know_whom_they_ask(self) -> None:
        self.assertEqual(self.get("/healthz", Host="netplay.internal:8080")[0], 200)

    def test_a_whole_url_is_asked_for_by_its_own_host(self) -> None:
        for target, status in (
            ("http://localhost/healthz", 200),
            ("HTTP://localhost:8080/nothing", 404),
            ("http://localhost?x", 200),
            ("http://evil.example/", 421),
            ("http:///", 421),
        ):
            asked = self.ask(f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
            self.assertEqual(asked[0], status, target)
        request = upgrade_request("/ws/chat").replace(b"GET /", b"GET http://localhost:8080/")
        self.assertEqual(self.ask(request)[0], 101)

    def test_no_host(self) -> None:
        self.assertEqual(self.ask(b"GET / HTTP/1.1\r\n\r\n")[0], 400)

    def test_two_hosts(self) -> None:
        for first, second in (("evil.example", "localhost"), ("localhost", "localhost")):
            request = upgrade_request("/ws/chat", Host=f"{first}\r\nHost: {second}")
            self.assertEqual(self.ask(request)[0], 400)

    def test_headers_need_not_be_utf_8(self) -> None:
        for name in ("Host", "Origin", "Accept", "Authorization", "Content-Type", "Cookie", "Sec-WebSocket-Protocol"):
            for path in ("/ws/chat", "/healthz", "/api/clients"):
                request = upgrade_request(path, **{name: "wrong"}).replace(b"wrong", b"\xff")
                self.assertLess(self.ask(request)[0], 500, (name, path))
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_what_a_shell_would_act_on_is_not_advised(self) -> None:
        log = LogRecorder(self)
        for host in ("a;id", "$(id)", "`id`", "a|b", "a{b,c}", "x" * 300):
            self.get("/", Host=host)
            self.ask(upgrade_request("/ws/chat", Origin=f"https://{host}"))
            self.ask(upgrade_request("/ws/chat", Origin=host))
            self.house.wait(10)
        lines = [text for text in log.texts() if text.startswith("refused ") and not text.startswith("refused: ")]
        self.assertEqual(len(lines), 12)
        self.assertEqual([line for line in lines if "--" in line], [])

    def test_the_advice_is_given_now_and_then_and_cannot_forge_lines(self) -> None:
        log = LogRecorder(self)
        for _ in range(5):
            self.get("/", Host="evil.example\x1b[2J\x85" + "x" * 1000)
        [line] = [text for text in log.texts() if "the Host" in text]
        self.assertTrue(line.isprintable())
        self.assertLess(len(line), 600)
        self.house.wait(10)
        self.get("/", Host="evil.example")
        self.assertEqual(len([text for text in log.texts() if "the Host" in text]), 2)


class SocketTests(WebTestCase):
    """Requests for a WebSocket."""

    def upgrade(self, path: str = "/ws/chat", **headers: Any) -> tuple[int, dict[str, str], bytes]:
        return self.ask(upgrade_request(path, **headers))

    def test_it_opens_and_greets(self) -> None:
        status, headers, rest = self.upgrade()
        self.assertEqual((status, headers["sec-websocket-accept"]), (101, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="))
        [(_, welcome)] = unframed(rest)
        self.assertIn(b'"type":"welcome"', welcome)

    def test_the_shared_one_says_nothing_of_itself(self) -> None:
        for path in ("/ws", "/ws/", "/ws/echo"):
            status, _, rest = self.upgrade(path)
            self.assertEqual((status, rest), (101, b""), path)

    def test_a_page_from_elsewhere_is_refused_and_the_log_says_what_would_allow_it(self) -> None:
        log = LogRecorder(self)
        status, _, body = self.upgrade(Origin="https://evil.example")
        self.assertEqual((status, json.loads(body)["code"]), (403, "wrong_origin"))
        self.assertEqual(self.house.core.complaints.total, {"origin": 1})
        self.assertTrue([text for text in log.texts() if "--allow-origin https://evil.example" in text])
        self.assertEqual(self.upgrade(Origin="http://localhost:8080")[0], 101)

    def test_a_wrong_key(self) -> None:
        status, headers, body = self.upgrade(Sec_WebSocket_Key="short")
        self.assertEqual((status, headers["content-type"]), (400, "application/problem+json"))
        self.assertEqual(json.loads(body)["code"], "bad_handshake")
        self.assertEqual(self.house.core.complaints.total, {"handshake": 1})

    def test_a_wrong_version_is_told_the_right_one(self) -> None:
        for version in ("8", "14", "x"):
            status, headers, _ = self.upgrade(Sec_WebSocket_Version=version)
            self.assertEqual((status, headers["sec-websocket-version"]), (426, "13"), version)

    def test_no_upgrade_at_all(self) -> None:
        status, headers, _ = self.get("/ws/chat")
        self.assertEqual((status, headers["upgrade"], headers["sec-websocket-version"]), (426, "websocket", "13"))

    def test_a_wrong_method(self) -> None:
        request = upgrade_request("/ws/chat").replace(b"GET ", b"POST ", 1)
        status, headers, _ = self.ask(request)
        self.assertEqual((status, headers["allow"]), (405, "GET"))

    def test_http_1_0(self) -> None:
        self.assertEqual(self.ask(upgrade_request("/ws/chat").replace(b"HTTP/1.1", b"HTTP/1.0"))[0], 505)

    def test_who_is_refused_may_ask_again_on_the_same_connection(self) -> None:
        visitor = self.visit()
        visitor.write(upgrade_request("/ws/chat", Sec_WebSocket_Version="8"))
        status, headers, _ = answered(visitor.read())
        self.assertEqual((status, headers.get("connection")), (426, None))
        visitor.write(upgrade_request("/ws/chat"))
        self.assertEqual(answered(visitor.read())[0], 101)

    def test_the_first_subprotocol_that_is_known(self) -> None:
        _, headers, rest = self.upgrade(subprotocol="soap, netplay.msgpack, netplay.json")
        self.assertEqual(headers["sec-websocket-protocol"], "netplay.msgpack")
        self.assertEqual(rest[0], 0x82)

    def test_none_of_those_that_are_wanted(self) -> None:
        status, _, body = self.upgrade(subprotocol="soap")
        self.assertEqual(status, 400)
        self.assertIn(b"netplay.json, netplay.msgpack", body)

    def test_a_session_in_the_address_is_resumed(self) -> None:
        first = self.house.connect("chat")
        first.drop()
        _, _, rest = self.upgrade(f"/ws/chat?session={first.hello['session']}")
        messages = [payload for _, payload in unframed(rest)]
        self.assertIn(b'"type":"resumed"', messages[1])
        self.assertIn(b'"id":"User_1"', messages[1])

    def test_one_that_is_over_is_told(self) -> None:
        _, _, rest = self.upgrade("/ws/chat?session=x")
        self.assertIn(b'"code":"bad_session"', unframed(rest)[1][1])


class LimitTests(WebTestCase):
    """Requests that are too much."""

    def counted(self) -> int:
        return self.house.core.complaints.total.get("http", 0)

    def test_headers_that_are_too_long(self) -> None:
        self.assertEqual(self.get("/", X="x" * 20_000)[0], 431)
        self.assertEqual(self.get("/", **{f"X{n}": "x" * 3000 for n in range(6)})[0], 431)
        self.assertEqual(self.counted(), 2)

    def test_too_many_headers(self) -> None:
        self.assertEqual(self.get("/", **{f"X{n}": "x" for n in range(101)})[0], 431)
        self.assertEqual(self.get("/healthz", **{f"X{n}": "x" for n in range(99)})[0], 200)

    def test_what_is_no_request(self) -> None:
        for wrong in (
            b"hello\r\n",
            b"\x16\x03\x01\x00\x00\r\n",
            b"GET / HTTP/1.1\r\nno header\r\nnor this\r\n\r\n",
            b"POST / HTTP/1.1\r\nContent-Length: many\r\n\r\n",
            b"POST / HTTP/1.1\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n",
            b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nmany\r\n",
        ):
            visitor = self.visit()
            visitor.write(wrong)
            status, headers, body = answered(visitor.read())
            self.assertEqual((status, headers["content-type"]), (400, "application/problem+json"))
            self.assertEqual(json.loads(body)["code"], "bad_request")  # one answer, and nothing behind it
            self.assertTrue(visitor.closed)
        self.assertEqual(self.counted(), 6)

    def test_a_line_without_an_end(self) -> None:
        visitor = self.visit()
        for _ in range(40):
            visitor.write(b"x" * 1000)
        self.assertTrue(visitor.closed)

    def test_a_body_that_is_said_to_be_too_long_is_not_waited_for(self) -> None:
        status, _, _ = self.ask(b"POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 65537\r\n\r\n")
        self.assertEqual((status, self.counted()), (413, 1))

    def test_nor_one_that_turns_out_to_be(self) -> None:
        visitor = self.visit()
        visitor.write(b"POST /x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(17):
            visitor.write(b"1000\r\n" + b"x" * 4096 + b"\r\n")
        self.assertEqual(answered(visitor.read())[0], 413)
        self.assertTrue(visitor.closed)

    def test_a_body_of_unknown_length_takes_no_descriptor(self) -> None:
        before = len(os.listdir("/dev/fd"))
        visitor = self.visit()
        visitor.write(b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel")
        self.assertLessEqual(len(os.listdir("/dev/fd")), before)
        visitor.write(b"lo\r\n0\r\n\r\n")
        self.assertEqual(answered(visitor.read())[0], 405)

    def test_requests_in_one_piece_are_answered_in_their_order(self) -> None:
        visitor = self.visit()
        visitor.write(b"GET /a HTTP/1.1\r\nHost: localhost\r\n\r\nGET /b HTTP/1.1\r\nHost: evil.example\r\n\r\n")
        data = visitor.read()
        self.assertLess(data.index(b" 404 "), data.index(b" 421 "))
        self.assertFalse(visitor.closed)

    def test_whoever_sends_no_more_gets_the_answer_and_the_end(self) -> None:
        visitor = self.visit()
        visitor.write(b"GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n")
        visitor.half_close()
        self.assertEqual(answered(visitor.read())[0], 404)
        self.assertTrue(visitor.closed)
