"""Tests of L{netplay.text}."""

from __future__ import annotations

import unicodedata

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netplay.errors import Refused
from netplay.text import MAX_NAME, clean_emoji, clean_name, readings, same_name, skeleton

anything = st.text(max_size=40) | st.text(st.characters(codec=None), max_size=8)


class NameTests(SynchronousTestCase):
    """What people may call themselves."""

    def assertRefused(self, name: str) -> None:
        refused = self.assertRaises(Refused, clean_name, name)
        self.assertEqual((refused.code, refused.field), ("bad_message", "$.name"), ascii(name))

    def test_names_of_all_scripts_are_taken(self) -> None:
        for name in ("Ann", "Åse", "山田太郎", "Ольга", "محمد", "नमस्ते", "می\u200cخواهم", "A. B-C d'E", "🚀 Bob"):
            self.assertEqual(clean_name(name), name)

    def test_a_name_is_trimmed(self) -> None:
        self.assertEqual(clean_name(" \u3000Ann \u00a0"), "Ann")

    def test_a_name_is_composed(self) -> None:
        self.assertEqual(clean_name("A\u030ase"), "\u00c5se")

    def test_a_name_has_at_most_32_characters(self) -> None:
        self.assertEqual(clean_name("é" * 32), "é" * 32)
        self.assertRefused("é" * 33)

    def test_a_name_counts_as_it_will_be_shown(self) -> None:
        self.assertEqual(clean_name("  " + "e\u0301" * 32), "é" * 32)

    def test_an_empty_name_is_refused(self) -> None:
        for name in ("", " ", "\u3000\u00a0"):
            self.assertRefused(name)

    def test_a_name_that_turns_the_direction_of_what_follows_is_refused(self) -> None:
        for c in "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069":
            self.assertRefused(f"Ann{c}nnA")

    def test_a_name_with_control_characters_is_refused(self) -> None:
        for c in "\0\x07\n\r\t\x1b\x7f\x85\x9b\u2028\u2029":
            self.assertRefused(f"An{c}n")

    def test_a_name_with_a_lone_surrogate_is_refused(self) -> None:
        self.assertRefused("Ann\ud800")

    def test_a_name_with_nothing_to_see_in_it_is_refused(self) -> None:
        for c in "\u200b\u200c\u200d\u2060\ufeff\u00ad\ue000\u3164\u115f\u1160\uffa0\u034f\ufe0f\u2800\u180e":
            self.assertRefused(c)
            self.assertRefused(f"{c} {c}\u200b")

    @settings(deadline=None, max_examples=300)
    @given(anything)
    def test_any_text_is_a_name_that_stays_as_it_is_or_is_refused(self, text: str) -> None:
        try:
            name = clean_name(text)
        except Refused as refused:
            self.assertEqual(refused.code, "bad_message")
        else:
            self.assertEqual(clean_name(name), name)
            self.assertTrue(1 <= len(name) <= MAX_NAME)
            self.assertEqual(name, unicodedata.normalize("NFC", name).strip())
            name.encode()


class SameNameTests(SynchronousTestCase):
    """When two names are one to a reader."""

    def test_case_makes_no_difference(self) -> None:
        for one, other in (("Ann", "aNN"), ("Straße", "STRASSE"), ("ΣΊΣΥΦΟΣ", "Σίσυφος"), ("Ольга", "ОЛЬГА")):
            self.assertEqual(same_name(one), same_name(other))

    def test_width_and_style_make_no_difference(self) -> None:
        for other in ("Ａｎｎ", "𝐀𝐧𝐧", "Ⓐⓝⓝ"):
            self.assertEqual(same_name("Ann"), same_name(other))

    def test_how_an_accent_is_written_makes_no_difference(self) -> None:
        self.assertEqual(same_name("Åse"), same_name("A\u030ase"))

    def test_what_is_not_seen_makes_no_difference(self) -> None:
        for c in "\u200b\u200c\u200d\u2060\ufeff\u00ad\u3164\ufe0f":
            self.assertEqual(same_name(f"An{c}n{c}"), same_name("Ann"))

    def test_other_names_are_other_names(self) -> None:
        for other in ("Anna", "Änn", "An n", "An"):
            self.assertNotEqual(same_name("Ann"), same_name(other))

    @settings(deadline=None, max_examples=200)
    @given(st.text(max_size=20))
    def test_a_name_is_the_same_before_and_after_it_is_cleaned(self, text: str) -> None:
        try:
            name = clean_name(text)
        except Refused:
            return
        self.assertEqual(same_name(name), same_name(text.strip()))


class EmojiTests(SynchronousTestCase):
    """What stands beside a name."""

    def assertRefused(self, emoji: str) -> None:
        refused = self.assertRaises(Refused, clean_emoji, emoji)
        self.assertEqual((refused.code, refused.field), ("bad_message", "$.emoji"), ascii(emoji))

    def assertTaken(self, *emoji: str) -> None:
        for one in emoji:
            self.assertEqual(clean_emoji(one), one)

    def test_an_emoji_is_taken(self) -> None:
        self.assertTaken("🚀", "❤️", "❤", "☺️", "🫨")

    def test_flags_are_taken(self) -> None:
        self.assertTaken("🇩🇪", "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", "🏳️‍🌈")

    def test_families_are_taken(self) -> None:
        self.assertTaken("👨‍👩‍👧‍👦", "👩‍❤️‍💋‍👨", "👩🏽‍🚀")

    def test_skin_tones_are_taken(self) -> None:
        self.assertTaken("👍🏿", "🤝🏻", "🧑🏻‍🤝‍🧑🏿")

    def test_keycaps_are_taken(self) -> None:
        self.assertTaken("1️⃣", "#️⃣", "*️⃣")

    def test_any_other_single_character_is_taken(self) -> None:
        self.assertTaken("A", "é", "字", "e\u0301")

    def test_more_than_one_is_refused(self) -> None:
        for emoji in ("🚀🚀", "🇩🇪🇫🇷", "AB", "🚀 ", " 🚀", "👍a"):
            self.assertRefused(emoji)

    def test_nothing_is_refused(self) -> None:
        for emoji in ("", " ", "\u3000"):
            self.assertRefused(emoji)

    def test_newlines_and_control_characters_are_refused(self) -> None:
        for emoji in ("\n", "\r\n", "\0", "\x1b", "🚀\n", "\u2028", "\u202e", "\ud800"):
            self.assertRefused(emoji)

    def test_what_cannot_be_seen_is_refused(self) -> None:
        for emoji in "\u200b\u200d\ufe0f\u3164\u2800\U000e0067":
            self.assertRefused(emoji)

    def test_one_of_more_than_64_bytes_is_refused(self) -> None:
        self.assertTaken("e" + "\u0301" * 31)
        self.assertRefused("ee" + "\u0301" * 31)
        self.assertRefused("e" + "\u0301" * 32)

    @settings(deadline=None, max_examples=300)
    @given(anything)
    def test_any_text_is_taken_as_it_is_or_refused(self, text: str) -> None:
        try:
            self.assertEqual(clean_emoji(text), text)
        except Refused as refused:
            self.assertEqual(refused.code, "bad_message")
        else:
            self.assertLessEqual(len(text.encode()), 64)


class SkeletonTests(SynchronousTestCase):
    """What names that look alike have in common."""

    def assertAlike(self, *names: str) -> None:
        self.assertEqual(len({skeleton(name) for name in names}), 1, {name: skeleton(name) for name in names})

    def test_letters_of_other_scripts(self) -> None:
        self.assertAlike("paypal", "раураl", "ρaypal", "pаypаl", "𝓹𝓪𝔂𝓹𝓪𝓵")

    def test_letters_that_look_like_others_of_the_same_script(self) -> None:
        self.assertAlike("Ian", "lan", "1an", "|an", "ian", "IAN")
        self.assertAlike("Oscar", "0scar", "oscar")
        self.assertAlike("mike", "rnike", "MIKE")

    def test_letters_that_look_like_others_as_capitals_only(self) -> None:
        self.assertAlike("bob", "ВОВ", "вов", "BOB")

    def test_what_is_not_seen(self) -> None:
        self.assertAlike("Ann", "A\u200bnn", "Ann\ufe0f")

    def test_others_do_not_look_alike(self) -> None:
        names = ("Ann", "Anna", "Anne", "Åse", "Ase", "Bob", "Ned", "Ved", "山田", "田山", "Ольга", "n", "v", "u", "y")
        self.assertEqual(len({skeleton(name) for name in names}), len(names))

    @settings(deadline=None, max_examples=200)
    @given(anything)
    def test_names_that_are_the_same_look_the_same(self, name: str) -> None:
        for same in (name.upper(), name.casefold(), unicodedata.normalize("NFD", name)):
            if same_name(same) == same_name(name):
                self.assertEqual(skeleton(same), skeleton(name))
        self.assertIn(skeleton(name), readings(name))

    def test_a_name_is_read_as_it_is_and_as_its_capitals_look(self) -> None:
        self.assertEqual(readings("ΑΝΝ"), {skeleton("ανν"), skeleton("ann")})
        self.assertEqual(readings("Ann"), {"ann"})
