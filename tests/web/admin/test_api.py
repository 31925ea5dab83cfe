"""Tests of L{netplay.web.admin.api}: who may ask, what is found, how it is answered."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct
from twisted.internet.defer import Deferred

from netplay.core import Phase
from netplay.errors import Refused
from netplay.operations import Operation
from tests.support import LogRecorder
from tests.web.admin.asking import TOKEN, AdminCase, answer


class Turn(Struct, forbid_unknown_fields=True, kw_only=True):
    """Turn a knob."""

    knob: Annotated[str, Meta(pattern=r"^[a-z]+\Z", examples=["volume"])]
    by: Annotated[int, Meta(ge=-9, le=9, examples=[1])]
    hard: bool = False


class Look(Struct, forbid_unknown_fields=True, kw_only=True):
    """Look at a knob."""

    knob: Annotated[str, Meta(examples=["volume"])]
    digits: Annotated[int, Meta(ge=1, le=4)] = 1
    unit: str | None = None


class Remove(Look, kw_only=True):
    """Take a knob off."""


class LookAtAll(Struct, forbid_unknown_fields=True, kw_only=True):
    """Look at all knobs."""

    loud: bool = False


class Knob(Struct):
    """How a knob stands."""

    knob: str
    at: int


class APICase(AdminCase):
    """
    An API with knobs, as somebody's feature would bring them.

    @ivar turned: what was asked for so far.
    @ivar comes: what the next request gets.
    """

    def setUp(self) -> None:
        super().setUp()
        self.turned: list[Any] = []
        self.comes: Any = Knob("volume", 3)
        self.core.operations += [
            Operation("POST", "/knobs/{knob}", Turn, Knob, self.handle, ("too_many",)),
            Operation("GET", "/knobs/{knob}", Look, Knob, self.handle),
            Operation("DELETE", "/knobs/{knob}", Remove, None, self.handle),
        ]

    def handle(self, request: Any) -> Any:
        self.turned.append(request)
        if isinstance(self.comes, Exception):
            raise self.comes
        return self.comes


class TokenTests(APICase):
    """Who may ask."""

    def test_with_the_token(self) -> None:
        answered = self.get("/api/knobs/volume")
        self.assertEqual((answered.status, answered.json), (200, {"knob": "volume", "at": 3}))
        self.assertEqual(answered.headers["content-type"], "application/json")
        self.assertEqual(answered.headers["cache-control"], "no-store")

    def test_without_one(self) -> None:
        keeper = self.visit()
        keeper.write(b"GET /api/knobs/volume HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answered = answer(keeper.read())
        self.assert_problem(answered, 401, "bad_token")
        self.assertEqual(answered.headers["www-authenticate"], 'Bearer realm="netplay"')
        self.assertEqual(self.turned, [])

    def test_with_another(self) -> None:
        for wrong in (f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", f"Basic {TOKEN}", TOKEN, "Bearer", "Bearer é"):
            answered = self.get("/api/knobs/volume", Authorization=wrong)
            self.assert_problem(answered, 401, "bad_token")
            self.assertIn('error="invalid_token"', answered.headers["www-authenticate"])
        self.assertEqual(self.turned, [])

    def test_nobody_learns_what_there_is_without_it(self) -> None:
        self.assertEqual(self.get("/api/nothing", Authorization="Bearer x").status, 401)

    def test_the_name_of_the_scheme_may_be_in_any_case(self) -> None:
        self.assertEqual(self.get("/api/knobs/volume", Authorization=f"bearer {TOKEN}").status, 200)

    def test_the_token_is_not_logged_nor_is_what_was_shown(self) -> None:
        log = LogRecorder(self)
        self.get("/api/knobs/volume")
        self.get("/api/knobs/volume", Authorization="Bearer some-other-token")
        text = "\n".join(log.texts(("netplay", "twisted")))
        self.assertIn("1 x bad_token", text)
        self.assertNotIn("token-that", text)
        self.assertNotIn("some-other", text)


class OffTests(APICase):
    """A daemon without a token."""

    token = None

    def test_there_is_no_api(self) -> None:
        for path in ("/api", "/api/knobs/volume", "/api/openapi.json"):
            self.assert_problem(self.get(path, Authorization="Bearer None"), 404, "not_found")


class RouteTests(APICase):
    """What is found."""

    def test_nothing_there(self) -> None:
        for path in ("/api", "/api/", "/api/knobs", "/api/knobs/volume/", "/api/knobs/volume/x", "/api/%ff/x"):
            self.assert_problem(self.get(path), 404, "not_found")

    def test_something_there_but_not_for_this_method(self) -> None:
        answered = self.ask("PATCH", "/api/knobs/volume")
        self.assert_problem(answered, 405, "not_allowed")
        self.assertEqual(answered.headers["allow"], "DELETE, GET, HEAD, POST")

    def test_head_is_get_without_a_body(self) -> None:
        answered = self.ask("HEAD", "/api/knobs/volume")
        self.assertEqual((answered.status, answered.body), (200, b""))
        self.assertEqual(answered.headers["content-length"], str(len(self.get("/api/knobs/volume").body)))

    def test_the_path_may_be_escaped(self) -> None:
        self.get("/api/knobs/caf%C3%A9%2Fbar")
        self.assertEqual(self.turned, [Look(knob="café/bar")])

    def test_of_two_that_fit_the_one_that_says_more_is_meant(self) -> None:
        all_knobs = Operation("GET", "/knobs/all", LookAtAll, Knob, self.handle)
        self.core.operations.insert(0, all_knobs)
        self.get("/api/knobs/all?loud=true")
        self.ask("DELETE", "/api/knobs/all")
        self.assertEqual(self.turned, [LookAtAll(loud=True), Remove(knob="all")])

    def test_a_third_partys_operations_are_described(self) -> None:
        self.assertIn("/knobs/{knob}", self.get("/api/openapi.json").json["paths"])

    def test_the_description_needs_no_token(self) -> None:
        self.assertEqual(self.get("/api/openapi.json", Authorization="").status, 200)

    def test_the_description_cannot_be_changed(self) -> None:
        answered = self.ask("PUT", "/api/openapi.json", {})
        self.assert_problem(answered, 405, "not_allowed")
        self.assertEqual(answered.headers["allow"], "GET, HEAD")


class AskingTests(APICase):
    """What is read."""

    def test_fields_in_the_path_and_in_the_body(self) -> None:
        self.ask("POST", "/api/knobs/volume", {"by": 2.0})
        self.assertEqual(self.turned, [Turn(knob="volume", by=2)])

    def test_fields_in_the_path_and_in_the_query(self) -> None:
        self.get("/api/knobs/volume?digits=2&unit=%C3%A9")
        self.ask("DELETE", "/api/knobs/volume?unit=")
        self.assertEqual(self.turned, [Look(knob="volume", digits=2, unit="é"), Remove(knob="volume", unit="")])

    def test_what_is_wrong_is_named(self) -> None:
        for path, body, field in (
            ("/api/knobs/volume", {"by": 10}, "$.by"),
            ("/api/knobs/volume", {"by": "1"}, "$.by"),
            ("/api/knobs/volume", {}, "$.by"),
            ("/api/knobs/VOLUME", {"by": 1}, "$.knob"),
            ("/api/knobs/volume", {"by": 1, "knob": "bass"}, "$.knob"),
            ("/api/knobs/volume", [], "$"),
            ("/api/knobs/volume", {"by": 1, "bye": 1}, "$"),
        ):
            self.assert_problem(self.ask("POST", path, body), 400, "bad_request", field)
        for query, field in (
            ("digits=5", "$.digits"),
            ("digits=x", "$.digits"),
            ("digits=1&digits=2", "$.digits"),
            ("unit=%ff", "$.unit"),
            ("knob=bass", "$.knob"),
            ("digit=1", "$"),
        ):
            self.assert_problem(self.get(f"/api/knobs/volume?{query}"), 400, "bad_request", field)
        self.assertEqual(self.turned, [])

    def test_bodies_are_as_strict_as_messages(self) -> None:
        for wrong in (b"", b"{", b'{"by": NaN}', b'{"by": 1e400}', b'"\xff"', b'{"x":' * 40 + b"1" + b"}" * 40):
            self.assert_problem(self.ask("POST", "/api/knobs/volume", wrong), 400, "bad_json")

    def test_an_error_shows_what_would_be_right(self) -> None:
        self.assertIn('{"by":1}', self.ask("POST", "/api/knobs/volume", {}).json["detail"])

    def test_bodies_are_json(self) -> None:
        for kind in ("text/plain", "application/x-www-form-urlencoded", "application/jsonx", ""):
            answered = self.ask("POST", "/api/knobs/volume", {"by": 1}, Content_Type=kind)
            self.assert_problem(answered, 415, "unsupported_media_type")
        self.assertEqual(self.ask("POST", "/api/knobs/volume").status, 415)
        answered = self.ask("POST", "/api/knobs/volume", {"by": 1}, Content_Type="Application/JSON; charset=utf-8")
        self.assertEqual(answered.status, 200)

    def test_a_body_of_64_KiB_is_read_and_no_more(self) -> None:
        fill = b'{"by":1}'
        self.assertEqual(self.ask("POST", "/api/knobs/volume", fill.ljust(65536)).status, 200)
        self.assert_problem(self.ask("POST", "/api/knobs/volume", fill.ljust(65537)), 413, "too_large")
        self.assertEqual(len(self.turned), 1)

    def test_what_is_too_long_has_no_effect_whatever_it_begins_with(self) -> None:
        keeper = self.visit()
        self.send(keeper, "POST", "/api/knobs/volume", Content_Type="application/json", Transfer_Encoding="chunked")
        keeper.write(b'8\r\n{"by":1}\r\n10000\r\n' + b" " * 0x10000 + b"\r\n0\r\n\r\n")
        data = keeper.read()
        self.assert_problem(answer(data), 413, "too_large")
        self.assertEqual((data.count(b"HTTP/1.1"), self.turned), (1, []))

    def test_nobody_is_asked_to_go_on_with_what_is_too_long(self) -> None:
        keeper = self.visit()
        self.send(keeper, "POST", "/api/knobs/volume", Expect="100-continue", Content_Length="65537")
        self.assertNotIn(b"100 Continue", keeper.read())
        keeper = self.visit()
        self.send(keeper, "POST", "/api/knobs/volume", Expect="100-continue", Content_Length="65536")
        self.assertIn(b"100 Continue", keeper.read())


class AnswerTests(APICase):
    """What comes back."""

    def test_nothing(self) -> None:
        self.comes = None
        answered = self.ask("DELETE", "/api/knobs/volume")
        self.assertEqual((answered.status, answered.body), (204, b""))
        self.assertNotIn("content-length", answered.headers)

    def test_refusals(self) -> None:
        for code, status in (
            ("no_such_room", 404),
            ("not_allowed", 403),
            ("bad_message", 422),
            ("too_many", 409),
            ("name_taken", 409),
            ("unavailable", 503),
            ("store_busy", 503),
        ):
            self.comes = Refused(code, "no", "$.knob")
            self.assert_problem(self.get("/api/knobs/volume"), status, code, "$.knob")

    def test_a_mistake_of_ours_is_in_the_log_and_not_in_the_answer(self) -> None:
        self.comes = RuntimeError("a secret")
        answered = self.get("/api/knobs/volume")
        self.assert_problem(answered, 500, "internal")
        self.assertNotIn(b"secret", answered.body)
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)

    def test_later(self) -> None:
        self.comes = Deferred()
        keeper = self.visit()
        self.send(keeper, "GET", "/api/knobs/volume")
        self.assertEqual(keeper.read(), b"")
        self.comes.callback(Knob("volume", 9))
        self.assertEqual(answer(keeper.read()).json, {"knob": "volume", "at": 9})

    def test_refused_and_failed_later(self) -> None:
        for error, status in ((Refused("no_such_room", "no"), 404), (RuntimeError("boom"), 500)):
            self.comes = Deferred()
            keeper = self.visit()
            self.send(keeper, "GET", "/api/knobs/volume")
            self.comes.errback(error)
            self.assertEqual(answer(keeper.read()).status, status)
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)

    def test_too_late(self) -> None:
        self.comes = Deferred()
        keeper = self.visit()
        self.send(keeper, "GET", "/api/knobs/volume")
        self.house.wait(30)
        answered = answer(keeper.read())
        self.assert_problem(answered, 503, "store_busy")
        self.assertIn("retry-after", answered.headers)

    def test_who_has_gone_meanwhile_gets_nothing(self) -> None:
        self.comes = Deferred()
        keeper = self.visit()
        self.send(keeper, "GET", "/api/knobs/volume")
        keeper.drop()
        self.comes.callback(Knob("volume", 9))
        self.assertEqual(keeper.read(), b"")

    def test_while_the_daemon_does_not_run(self) -> None:
        for phase in (Phase.STARTING, Phase.DRAINING):
            self.core.phase = phase
            answered = self.get("/api/knobs/volume")
            self.assert_problem(answered, 503, "shutting_down")
            self.assertEqual(answered.headers["retry-after"], "5")
        self.assertEqual(self.turned, [])
