"""Tests of L{netplay.wire.grammar}."""

from __future__ import annotations

import json
import struct
from typing import Annotated, Any, Literal

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Meta, Struct
from twisted.trial.unittest import SynchronousTestCase

from netplay.errors import MISTAKES, Refused
from netplay.messages import COMMON, Help, Integer, Number, Ping, Position, Request, Resume
from netplay.wire.codecs import JSON, MSGPACK, Codec
from netplay.wire.examples import example, example_of
from netplay.wire.grammar import Grammar
from netplay.wire.strict import MAX_DEPTH, MAX_INTEGER


class Seat(Struct, forbid_unknown_fields=True):
    row: Integer
    at: Position | None = None


class Circle(Struct, tag="circle", tag_field="shape", forbid_unknown_fields=True):
    r: Number


class Box(Struct, tag="box", tag_field="shape", forbid_unknown_fields=True):
    w: Number
    h: Number


class Move(Request, tag="move"):
    """Numbers."""

    dx: Number = 0
    steps: Integer = 0


class Book(Request, tag="book"):
    """Structs in all places, and a choice."""

    seats: Annotated[list[Seat], Meta(max_length=100)]
    speed: Literal["fast", "slow"] = "fast"
    shape: Circle | Box | None = None
    by_name: dict[str, Seat] = {}
    pair: tuple[Seat, Integer] | None = None


class Pick(Request, tag="pick"):
    """Required fields of many types."""

    how: Literal["first", "last"]
    shape: Circle
    by_name: dict[str, Integer]
    pair: tuple[str, Integer]
    maybe: None


class Loose(Struct):
    """A Struct that takes what it does not know."""

    a: Integer = 0


class Free(Request, tag="free"):
    """What a game's author might write without a thought for limits."""

    any: Any = None
    count: int = 0
    share: float = 0.0
    loose: Loose | None = None


GRAMMAR = Grammar((*COMMON, Move, Book, Pick, Free))

PATH = r"^\$(\.\w+|\[\d+\]|\[\.\.\.\])*$"

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([7.0, -0.0, 2.0**53, 1e300, "fast", "circle", "5f3a", "x" * 300, 2**53, -(2**53)])
    | st.text(max_size=5),
    lambda below: (
        st.lists(below, max_size=3)
        | st.dictionaries(
            st.text(max_size=3) | st.sampled_from(["row", "at", "epoch", "seq", "shape", "r", "w", "h", "a"]),
            below,
            max_size=4,
        )
    ),
    max_leaves=8,
)
slots = st.sampled_from(
    [(tag, field.encode_name) for tag, kind in GRAMMAR.types.items() for field in msgspec.structs.fields(kind)]
    + [("ping", "unknown"), ("move", "type")]
)


def refusal(codec: Codec, payload: bytes, grammar: Grammar = GRAMMAR) -> Refused:
    """What a payload that must not be taken is refused with."""
    try:
        message = codec.decode(payload, grammar)
    except Refused as refused:
        return refused
    raise AssertionError(f"{message!r} was taken")


def text(**fields: Any) -> bytes:
    """A message in JSON."""
    return json.dumps(fields).encode()


def packed(**fields: Any) -> bytes:
    """A message in MessagePack."""
    return msgspec.msgpack.encode(fields)


def with_raw(raw: bytes, tag: str = "ping", field: str = "x") -> bytes:
    """A message in JSON with a field written in these bytes."""
    return f'{{"type":"{tag}","ref":5,"{field}":'.encode() + raw + b"}"


def packed_with_raw(raw: bytes, tag: str = "ping", field: str = "x") -> bytes:
    """A message in MessagePack with a field written in these bytes."""
    encode = msgspec.msgpack.encode
    return b"\x83" + b"".join(encode(part) for part in ("type", tag, "ref", 5, field)) + raw


EVERYWHERE = [("ping", "x"), ("move", "dx"), ("move", "steps"), ("help", "about"), ("book", "seats")] + [
    ("free", name) for name in ("any", "count", "share", "loose")
]
"""A field that is not known, fields with bounds, fields without."""


class AnythingTests(SynchronousTestCase):
    """Whatever is put into a field."""

    def check(self, codec: Codec, payload: bytes, ref: object) -> None:
        try:
            message = codec.decode(payload, GRAMMAR)
        except Refused as refused:
            self.assertIn(refused.code, MISTAKES)
            self.assertEqual(refused.ref, ref)
            if refused.code == "bad_message":
                self.assertRegex(str(refused.field), PATH)
        else:
            self.assertEqual(codec.decode(JSON.encode(message), GRAMMAR) if codec is JSON else message, message)
            self.assertEqual(JSON.decode(JSON.encode(message), GRAMMAR), message)
            self.assertEqual(MSGPACK.decode(MSGPACK.encode(message), GRAMMAR), message)

    @settings(deadline=None, max_examples=400)
    @given(slots, values, st.booleans())
    def test_any_value_in_any_field_gives_a_message_that_can_be_written_again_or_a_refusal(
        self, slot: tuple[str, str], value: Any, escaped: bool
    ) -> None:
        tag, field = slot
        message = example_of(GRAMMAR.types[tag]) | {"ref": "r1"} | {field: value}
        ref = None if field == "ref" else "r1"
        if field == "ref":  # a good one is good, a bad one is not sent back
            ref = JSON.ref_in(json.dumps(message).encode())
        self.check(JSON, json.dumps(message, ensure_ascii=escaped).encode(), ref)
        self.check(MSGPACK, msgspec.msgpack.encode(message), ref)

    @settings(deadline=None, max_examples=150)
    @given(values.filter(lambda value: not isinstance(value, dict)))
    def test_what_is_no_object_is_no_message(self, value: Any) -> None:
        self.assertEqual(refusal(JSON, json.dumps(value).encode()).code, "bad_message")
        self.assertEqual(refusal(MSGPACK, msgspec.msgpack.encode(value)).code, "bad_message")

    @settings(deadline=None, max_examples=150)
    @given(st.sampled_from(sorted(GRAMMAR.types)), st.data())
    def test_a_message_cut_short_is_not_read(self, tag: str, data: st.DataObject) -> None:
        message = example_of(GRAMMAR.types[tag])
        for codec, payload in ((JSON, json.dumps(message).encode()), (MSGPACK, packed(**message))):
            cut = data.draw(st.integers(0, len(payload) - 1))
            self.assertEqual(refusal(codec, payload[:cut]).code, "bad_json")


class JSONTests(SynchronousTestCase):
    """What JSON can say, and what it cannot."""

    def refused_everywhere(self, *raw: bytes) -> None:
        for tag, field in EVERYWHERE:
            for one in raw:
                self.assertIn(refusal(JSON, with_raw(one, tag, field)).code, ("bad_json", "bad_message"))
        for one in raw:
            self.assertEqual(refusal(JSON, with_raw(one)).code, "bad_json")

    def test_numbers_that_overflow_a_double_are_refused(self) -> None:
        self.refused_everywhere(b"1e400", b"-1e400", b"[1e400]", b"9" * 400, b"-" + b"9" * 400, b"9" * 60_000)

    def test_nan_and_the_infinities_are_refused(self) -> None:
        self.refused_everywhere(b"NaN", b"Infinity", b"-Infinity", b"[NaN]")

    def test_lone_surrogates_are_refused(self) -> None:
        self.refused_everywhere(rb'"\ud800"', rb'"\udc00"', rb'"\ud800\ud800"', rb'"a\ud800b"', rb'["\udfff"]')

    def test_lone_surrogates_are_refused_in_the_names_of_fields(self) -> None:
        self.refused_everywhere(rb'{"\ud800":1}')
        self.assertEqual(refusal(JSON, rb'{"type":"ping","\udc00":1}').code, "bad_json")

    def test_invalid_utf_8_is_refused(self) -> None:
        self.refused_everywhere(b'"\xff"', b'"\xc3"', b'"\xed\xa0\x80"', b'{"\xff":1}', b'["\xc0\x80"]')
        self.assertIn("invalid UTF-8", refusal(JSON, with_raw(b'"\xff"')).message)

    def test_deep_nesting_is_refused(self) -> None:
        self.refused_everywhere(
            b"[" * 40 + b"]" * 40, b"[" * 900 + b"]" * 900, b'{"a":' * 40 + b"1" + b"}" * 40, b"[" * 60_000
        )

    def test_nesting_is_taken_down_to_the_limit_and_no_deeper(self) -> None:
        for tag, field in (("ping", "x"), ("free", "any")):
            within = MAX_DEPTH - 1  # the message itself is one
            JSON.decode(with_raw(b"[" * within + b"]" * within, tag, field), GRAMMAR)
            deeper = within + 1
            refused = refusal(JSON, with_raw(b"[" * deeper + b"]" * deeper, tag, field))
            self.assertEqual((refused.code, refused.ref), ("bad_json", 5))

    def test_integers_may_be_written_as_whole_floats(self) -> None:
        for written in (b"7.0", b"7", b"70e-1", b"0.7e1"):
            message = JSON.decode(b'{"type":"move","steps":' + written + b"}", GRAMMAR)
            self.assertEqual((message.steps, type(message.steps)), (7, int))

    def test_integers_in_nested_structs_may_be_written_as_whole_floats(self) -> None:
        message = JSON.decode(b'{"type":"book","ref":1.0,"seats":[{"row":7.0,"at":{"epoch":"a","seq":41.0}}]}', GRAMMAR)
        self.assertEqual(message, Book(ref=1, seats=[Seat(row=7, at=Position("a", 41))]))

    def test_other_floats_are_no_integers(self) -> None:
        for written in (b"7.5", b"1e300", b"9007199254740992.0"):
            refused = refusal(JSON, b'{"type":"move","steps":' + written + b"}")
            self.assertEqual((refused.code, refused.field), ("bad_message", "$.steps"))

    def test_integers_stay_under_two_to_the_53(self) -> None:
        for name in ("steps", "dx"):
            for sign in (1, -1):
                largest = sign * (MAX_INTEGER - 1)
                self.assertEqual(getattr(JSON.decode(text(type="move", **{name: largest}), GRAMMAR), name), largest)
                refused = refusal(JSON, text(type="move", **{name: sign * MAX_INTEGER}))
                self.assertEqual((refused.code, refused.field), ("bad_message", f"$.{name}"))

    def test_integers_stay_under_two_to_the_53_where_the_type_sets_no_bounds(self) -> None:
        for value, field in (
            ({"count": 10**30}, "$.count"),
            ({"any": MAX_INTEGER}, "$.any"),
            ({"any": [1, {"a": -MAX_INTEGER}]}, "$.any[1][...]"),
        ):
            refused = refusal(JSON, text(type="free", ref=1, **value))
            self.assertEqual((refused.code, refused.field, refused.ref), ("bad_message", field, 1))

    def test_of_two_fields_of_the_same_name_the_last_counts(self) -> None:
        self.assertEqual(JSON.decode(b'{"type":"move","dx":1,"dx":2}', GRAMMAR), Move(dx=2))
        self.assertEqual(JSON.decode(b'{"type":"move","dx":1,"dx":2,"x":0}', GRAMMAR), Move(dx=2))

    def test_two_types_give_a_message_or_a_refusal(self) -> None:
        for payload in (b'{"type":"ping","type":"help"}', b'{"type":"move","dx":1,"type":"ping"}'):
            try:
                message = JSON.decode(payload, GRAMMAR)
            except Refused as refused:
                self.assertIn(refused.code, MISTAKES)
            else:
                self.assertIsInstance(message, Ping | Help | Move)

    def test_something_after_the_object_is_a_mistake(self) -> None:
        self.assertEqual(refusal(JSON, b'{"type":"ping"} {"type":"ping"}').code, "bad_json")

    def test_nothing_is_no_json(self) -> None:
        self.assertEqual(refusal(JSON, b"").code, "bad_json")


class MessagePackTests(SynchronousTestCase):
    """What MessagePack can say more than JSON is refused."""

    def refused_everywhere(self, *raw: bytes) -> None:
        for tag, field in EVERYWHERE:
            for one in raw:
                self.assertIn(refusal(MSGPACK, packed_with_raw(one, tag, field)).code, ("bad_json", "bad_message"))
        for one in raw:
            self.assertEqual(refusal(MSGPACK, packed_with_raw(one)).code, "bad_json")

    def test_nan_and_the_infinities_are_refused(self) -> None:
        for number in (float("nan"), float("inf"), float("-inf")):
            double, single = b"\xcb" + struct.pack("!d", number), b"\xca" + struct.pack("!f", number)
            self.refused_everywhere(double, single, b"\x91" + double)

    def test_a_refusal_of_nan_has_the_ref(self) -> None:
        self.assertEqual(refusal(MSGPACK, packed(type="move", ref="r", dx=float("nan"))).ref, "r")

    def test_bytes_are_refused(self) -> None:
        self.refused_everywhere(b"\xc4\x01a", b"\xc5\x00\x01a", b"\x91\xc4\x01a")

    def test_extensions_and_dates_are_refused(self) -> None:
        self.refused_everywhere(
            b"\xd4\x05\x00",
            b"\xc7\x03\x05abc",
            b"\xd6\xff\x00\x00\x00\x01",
            b"\xd7\xff" + b"\xff" * 8,
            b"\xc7\x0c\xff" + b"\xff" * 12,
        )

    def test_names_of_fields_that_are_no_strings_are_refused(self) -> None:
        for key in (b"\x01", b"\xc0", b"\xc3", b"\xcb" + b"\0" * 8, b"\xc4\x01a", b"\x91\x01", b"\x80"):
            self.refused_everywhere(b"\x81" + key + b"\x01")
            self.assertEqual(refusal(MSGPACK, b"\x82\xa4type\xa4ping" + key + b"\x01").code, "bad_json")

    def test_invalid_utf_8_is_refused(self) -> None:
        self.refused_everywhere(b"\xa1\xff", b"\xa3\xed\xa0\x80", b"\x81\xa1\xff\x01")

    def test_deep_nesting_is_refused(self) -> None:
        self.refused_everywhere(
            b"\x91" * 40 + b"\x90", b"\x91" * 900 + b"\x90", b"\x81\xa1a" * 40 + b"\x01", b"\x91" * 60_000
        )

    def test_data_that_claims_more_than_there_is_is_refused(self) -> None:
        for claim in (b"\xdd", b"\xdf", b"\xdb", b"\xc6"):
            self.refused_everywhere(claim + b"\x80\x00\x00\x00", claim + b"\x80\x00\x00\x00" + b"\x00" * 100)
            self.assertEqual(refusal(MSGPACK, claim + b"\x80\x00\x00\x00").code, "bad_json")
        self.refused_everywhere(b"\xdc\xff\xff" * 20)

    def test_the_byte_that_means_nothing_is_refused(self) -> None:
        self.refused_everywhere(b"\xc1")

    def test_integers_may_be_written_as_whole_floats(self) -> None:
        message = MSGPACK.decode(packed(type="move", steps=7.0), GRAMMAR)
        self.assertEqual((message.steps, type(message.steps)), (7, int))

    def test_integers_stay_under_two_to_the_53(self) -> None:
        for tag, field in (("move", "steps"), ("free", "count"), ("free", "any")):
            refused = refusal(MSGPACK, packed(type=tag, **{field: 2**64 - 1}))
            self.assertEqual((refused.code, refused.field), ("bad_message", f"$.{field}"))

    def test_the_reason_names_the_format(self) -> None:
        self.assertIn("MessagePack", refusal(MSGPACK, b"\xc1").message)


class UnknownFieldsTests(SynchronousTestCase):
    """What a type does not know is ignored."""

    def both(self, **fields: Any) -> list[Any]:
        return [JSON.decode(text(**fields), GRAMMAR), MSGPACK.decode(packed(**fields), GRAMMAR)]

    def test_at_the_top(self) -> None:
        for message in self.both(type="move", dx=1, colour="red", more={"a": [1]}):
            self.assertEqual(message, Move(dx=1))

    def test_before_the_type(self) -> None:
        self.assertEqual(JSON.decode(b'{"colour":"red","type":"ping"}', GRAMMAR), Ping())

    def test_in_structs_that_are_values_of_an_object(self) -> None:
        for message in self.both(type="resume", session="s", since={"tech": {"epoch": "a", "seq": 1, "colour": "red"}}):
            self.assertEqual(message, Resume(session="s", since={"tech": Position("a", 1)}))

    def test_in_structs_in_a_list(self) -> None:
        seat = {"row": 1, "colour": "red", "at": {"epoch": "a", "seq": 2, "colour": "red"}}
        for message in self.both(type="book", seats=[seat]):
            self.assertEqual(message, Book(seats=[Seat(1, Position("a", 2))]))

    def test_in_structs_in_a_tuple(self) -> None:
        for message in self.both(type="book", seats=[], pair=[{"row": 1, "colour": "red"}, 2]):
            self.assertEqual(message, Book(seats=[], pair=(Seat(1), 2)))

    def test_in_one_of_several_structs(self) -> None:
        for message in self.both(type="book", seats=[], shape={"shape": "box", "w": 1, "h": 2, "r": 3}):
            self.assertEqual(message, Book(seats=[], shape=Box(1, 2)))

    def test_in_structs_that_say_they_take_them(self) -> None:
        for message in self.both(type="free", loose={"a": 1, "colour": "red"}):
            self.assertEqual(message, Free(loose=Loose(1)))


class RefusalTests(SynchronousTestCase):
    """What a person is told."""

    def shown(self, message: str) -> bytes:
        return message[message.index("example ") + len("example ") :].encode()

    def test_a_line_that_is_no_json_is_answered_with_an_example_that_is_right(self) -> None:
        for payload in (b"hello", b"[1e400]", b"\xff", b"[" * 60_000, with_raw(b"[" * 40 + b"]" * 40)):
            refused = refusal(JSON, payload)
            self.assertEqual(refused.code, "bad_json")
            JSON.decode(self.shown(refused.message), GRAMMAR)

    def test_what_is_no_object_is_answered_with_an_example_that_is_right(self) -> None:
        for payload in (b"[]", b"7", b"null", b'"type"', b"{}", b'{"type":7}'):
            refused = refusal(JSON, payload)
            self.assertEqual(refused.code, "bad_message")
            JSON.decode(self.shown(refused.message), GRAMMAR)

    def test_a_wrong_field_is_named_and_answered_with_an_example_of_the_same_type(self) -> None:
        refused = refusal(JSON, b'{"type":"book","seats":[{"row":1},{"row":"x"}],"ref":"r"}')
        self.assertEqual((refused.code, refused.field, refused.ref), ("bad_message", "$.seats[1].row", "r"))
        self.assertIsInstance(JSON.decode(self.shown(refused.message), GRAMMAR), Book)

    def test_a_missing_field_is_named(self) -> None:
        self.assertEqual(refusal(JSON, b'{"type":"resume"}').field, "$.session")
        self.assertEqual(refusal(JSON, b'{"type":"book","seats":[{}]}').field, "$.seats[0].row")

    def test_a_struct_without_its_tag_is_a_mistake(self) -> None:
        refused = refusal(JSON, b'{"type":"book","seats":[],"shape":{"w":1},"ref":1}')
        self.assertEqual((refused.code, refused.ref), ("bad_message", 1))
        self.assertEqual(refused.field, "$.shape.shape")

    def test_a_message_without_a_type_is_a_mistake(self) -> None:
        for payload in (b"{}", b'{"type":null}', b'{"type":["ping"]}', b'{"Type":"ping"}'):
            refused = refusal(JSON, payload)
            self.assertEqual((refused.code, refused.field), ("bad_message", "$.type"))

    def test_an_unknown_type_is_answered_with_those_there_are(self) -> None:
        refused = refusal(JSON, b'{"type":"dance","ref":3.0}')
        self.assertEqual((refused.code, refused.field, refused.ref), ("unknown_type", "$.type", 3))
        for tag in GRAMMAR.types:
            self.assertIn(tag, refused.message)

    def test_what_a_client_wrote_is_not_taken_for_the_place_of_its_mistake(self) -> None:
        refused = refusal(JSON, text(type="book", seats=[], speed="a - at `$.zzz`"))
        self.assertEqual(refused.field, "$.speed")

    def test_what_a_client_wrote_does_not_come_back_at_length(self) -> None:
        for fields in ({"speed": "x" * 60_000}, {"seats": {"x" * 60_000: 1}}, {"shape": {"shape": "x" * 60_000}}):
            self.assertLess(len(refusal(JSON, text(**{"type": "book", "seats": []} | fields)).message), 1000)

    def test_a_ref_that_is_none_is_not_sent_back(self) -> None:
        for ref in (True, [1], {"a": 1}, 1.5, "x" * 257, MAX_INTEGER):
            refused = refusal(JSON, text(type="ping", ref=ref))
            self.assertEqual((refused.code, refused.ref), ("bad_message", None))
            self.assertRegex(str(refused.field), r"^\$\.ref")


class ExampleTests(SynchronousTestCase):
    """L{example} and L{example_of}."""

    def test_every_example_is_taken_in_both_codecs(self) -> None:
        for tag, kind in GRAMMAR.types.items():
            self.assertIsInstance(JSON.decode(example(kind).encode(), GRAMMAR), kind, tag)
            self.assertIsInstance(MSGPACK.decode(packed(**example_of(kind)), GRAMMAR), kind, tag)

    def test_an_example_shows_what_the_type_gives_as_one(self) -> None:
        self.assertEqual(example_of(Resume), {"type": "resume", "session": "3q2-7wEvTg"})

    def test_a_type_may_bring_more_for_its_example(self) -> None:
        class Hop(Request, tag="hop"):
            EXAMPLE = {"dx": 3}
            dx: Number = 0

        self.assertEqual(example_of(Hop), {"type": "hop", "dx": 3})


class FastPassTests(SynchronousTestCase):
    """Which types are read in one C call."""

    def test_types_whose_fields_have_bounds_are_and_others_are_not(self) -> None:
        self.assertEqual(GRAMMAR._loose, {Free})

    def test_a_struct_that_nests_in_itself_gets_the_second_look(self) -> None:
        self.assertEqual(Grammar([Tree])._loose, {Tree})
        deep = b'{"type":"tree","below":' * 50 + b"null" + b"}" * 50
        self.assertEqual(refusal(JSON, deep, Grammar([Tree])).code, "bad_json")


class Tree(Request, tag="tree"):
    """A Struct in itself."""

    below: Tree | None = None
