"""Tests of L{netplay.accounts.jwt}."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import time
from functools import cache
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.cred.error import UnauthorizedLogin
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from netplay.accounts.credentials import Token
from netplay.accounts.interfaces import IBoundChecker, Vouched
from netplay.accounts.jwt import LEEWAY, MAX_FILE, MAX_TOKEN, JWTChecker, Keys, KeysUnusable, jwks, secret
from tests.support import LogRecorder, make_core, make_folder

SECRET = b"0123456789abcdef0123456789abcdef"


@cache
def rsa_key(name: str) -> rsa.RSAPrivateKey:
    """The same for the same name: they take long to make."""
    return rsa.generate_private_key(public_exponent=65537, key_size=1024 if name == "small" else 2048)


def jwk(name: str, *, private: bool = False, **more: Any) -> dict[str, Any]:
    """As a member of a JSON Web Key Set."""
    key = rsa_key(name)
    shown: Any = jwt.algorithms.RSAAlgorithm.to_jwk(key if private else key.public_key(), as_dict=True)
    return {**shown, "kid": name, **more}


def key_set(*keys: dict[str, Any]) -> bytes:
    return json.dumps({"keys": keys}).encode()


class Case(SynchronousTestCase):
    """With a file of keys."""

    algorithm = "HS256"
    content = SECRET + b"\n"
    load = staticmethod(secret)

    def setUp(self) -> None:
        self.path = Path(make_folder(self)) / "keys"
        self.write(self.content)
        self.log = LogRecorder(self)

    def write(self, content: bytes) -> None:
        """Put another file in its place."""
        new = self.path.with_suffix(".new")
        new.write_bytes(content)
        os.replace(new, self.path)

    def checker(self, **options: Any) -> JWTChecker:
        checker = JWTChecker(Keys(str(self.path), self.load), self.algorithm, **options)
        checker.bind(make_core(Clock()))
        return checker

    def token(self, key: Any = SECRET, headers: Any = None, algorithm: str | None = None, **claims: Any) -> str:
        """Ann's, for an hour. Claims that are C{None} are left out."""
        claims = {"sub": "Ann", "exp": time.time() + 3600, **claims}
        claims = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(claims, key, algorithm or self.algorithm, headers)

    def vouched(self, token: str, **options: Any) -> Any:
        return self.successResultOf(self.checker(**options).requestAvatarId(Token(token)))

    def refused(self, token: str, **options: Any) -> None:
        """The client learns nothing of why; the log does, but not which token it was."""
        self.failureResultOf(self.checker(**options).requestAvatarId(Token(token)), UnauthorizedLogin)
        said = self.log.texts()[-1]
        self.assertIn("jwt: tokens refused: 1 x ", said)
        if len(token) > 20:
            self.assertNotIn(token[-20:], said)


class SecretTests(Case):
    """HS256: a secret that both sides know."""

    def test_it_is_one(self) -> None:
        verifyObject(IBoundChecker, self.checker())

    def test_whom_it_is_about(self) -> None:
        self.assertEqual(self.vouched(self.token()), Vouched("Ann", []))

    def test_another_secret(self) -> None:
        self.refused(self.token(SECRET[::-1]))

    def test_changed_on_the_way(self) -> None:
        header, body, signature = self.token().split(".")
        other = self.token(sub="Bob").split(".")[1]
        self.refused(f"{header}.{other}.{signature}")
        self.refused(f"{header}.{body}.")
        self.refused(f"{header}.{body}")

    def test_one_without_a_signature(self) -> None:
        for none in ("none", "None", "NONE"):
            header = base64.urlsafe_b64encode(json.dumps({"alg": none, "typ": "JWT"}).encode()).rstrip(b"=").decode()
            self.refused(f"{header}.{self.token().split('.')[1]}.")
        self.refused(self.token("", algorithm="none"))

    def test_another_algorithm_with_the_same_secret(self) -> None:
        self.refused(self.token(SECRET * 2, algorithm="HS512"))
        self.write(SECRET * 2)
        self.refused(self.token(SECRET * 2, algorithm="HS512"))

    def test_a_key_that_the_token_brings_itself(self) -> None:
        key = base64.urlsafe_b64encode(SECRET[::-1]).decode().rstrip("=")
        self.refused(self.token(SECRET[::-1], headers={"jwk": {"kty": "oct", "k": key}}))

    def test_extensions_that_nobody_knows(self) -> None:
        self.refused(self.token(headers={"crit": ["new"], "new": True}))

    def test_ended(self) -> None:
        self.refused(self.token(exp=time.time() - LEEWAY - 60))

    def test_ended_by_a_clock_that_is_a_little_ahead(self) -> None:
        self.assertEqual(self.vouched(self.token(exp=time.time() - LEEWAY / 2)).name, "Ann")

    def test_one_without_an_end(self) -> None:
        self.refused(self.token(exp=None))

    def test_one_whose_end_is_no_time(self) -> None:
        for end in ("soon", [1], {}, float("inf"), float("nan")):
            self.refused(self.token(exp=end))

    def test_not_yet(self) -> None:
        self.refused(self.token(nbf=time.time() + LEEWAY + 60))
        self.refused(self.token(iat=time.time() + LEEWAY + 60))
        self.assertEqual(self.vouched(self.token(nbf=time.time() + LEEWAY / 2)).name, "Ann")

    def test_the_issuer(self) -> None:
        url = "https://id.example.org/"
        self.assertEqual(self.vouched(self.token(iss=url), issuer=url).name, "Ann")
        for iss in ("https://id.example.org", "https://evil.example.org/", None):
            self.refused(self.token(iss=iss), issuer=url)

    def test_the_audience(self) -> None:
        for aud in ("netplay", ["shop", "netplay"]):
            self.assertEqual(self.vouched(self.token(aud=aud), audience="netplay").name, "Ann")
        for aud in ("shop", ["shop"], None, 7):
            self.refused(self.token(aud=aud), audience="netplay")

    def test_one_for_others_is_refused_where_no_audience_is_set(self) -> None:
        self.refused(self.token(aud="shop"))

    def test_the_name_may_be_in_another_claim(self) -> None:
        self.assertEqual(self.vouched(self.token(nick="Annie"), name="nick").name, "Annie")
        self.assertEqual(self.vouched(self.token(user={"nick": "Annie"}), name="user.nick").name, "Annie")
        url = "https://example.org/nick"
        self.assertEqual(self.vouched(self.token(**{url: "Annie"}), name=url).name, "Annie")

    def test_without_a_name(self) -> None:
        for name in (None, "", 7, ["Ann"], {"a": 1}):
            self.refused(self.token(nick=name), name="nick")
        self.refused(self.token(sub=None))
        self.refused(self.token(user="Ann"), name="user.nick")

    def test_roles_where_there_is_a_claim_for_them(self) -> None:
        token = self.token(realm={"roles": ["operator", "moderator:tech", "admin", "moderator:", "moderator:A b", 7]})
        self.assertEqual(list(self.vouched(token, roles="realm.roles").roles), ["operator", "moderator:tech"])
        self.assertEqual(list(self.vouched(token, roles="roles").roles), [])
        self.assertEqual(list(self.vouched(token).roles), [])

    def test_roles_that_are_no_list(self) -> None:
        for roles in ("operator", {"operator": 1}, 7, True):
            self.assertEqual(list(self.vouched(self.token(roles=roles), roles="roles").roles), [])

    def test_a_huge_one_is_not_even_looked_at(self) -> None:
        self.assertEqual(self.vouched(self.token(more="x" * (MAX_TOKEN // 2))).name, "Ann")
        self.refused(self.token(more="x" * MAX_TOKEN))

    def test_nested_deeply(self) -> None:
        header = base64.urlsafe_b64encode(b"[" * 6000).decode().rstrip("=")
        self.refused(header + ".e30.AA")

    @settings(max_examples=150, deadline=None)
    @given(
        st.text(max_size=60)
        | st.lists(st.binary(max_size=40), max_size=4).map(
            lambda parts: b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts).decode()
        )
    )
    def test_anything(self, token: str) -> None:
        checker = JWTChecker(Keys(str(self.path), secret), "HS256")
        checker.bind(make_core(Clock()))
        self.failureResultOf(checker.requestAvatarId(Token(token)), UnauthorizedLogin)

    @settings(max_examples=100, deadline=None)
    @given(
        st.dictionaries(
            st.sampled_from(["alg", "kid", "typ", "crit", "b64", "jwk", "jku", "x5c"]),
            st.none()
            | st.booleans()
            | st.integers()
            | st.floats()
            | st.text(max_size=9)
            | st.lists(st.text(max_size=9)),
        )
    )
    def test_any_header(self, header: dict[str, Any]) -> None:
        checker = JWTChecker(Keys(str(self.path), secret), "HS256")
        checker.bind(make_core(Clock()))
        text = base64.urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode()
        self.failureResultOf(
            checker.requestAvatarId(Token(f"{text}.{self.token().split('.')[1]}.AAAA")), UnauthorizedLogin
        )

    def test_the_secret_can_be_changed(self) -> None:
        checker, other = self.checker(), SECRET[::-1]
        self.successResultOf(checker.requestAvatarId(Token(self.token())))
        self.write(other)
        self.failureResultOf(checker.requestAvatarId(Token(self.token())), UnauthorizedLogin)
        self.successResultOf(checker.requestAvatarId(Token(self.token(other))))
        self.assertNotIn(other.decode(), "".join(self.log.texts()))

    def test_a_short_secret(self) -> None:
        self.write(b"secret\n")
        error = self.assertRaises(KeysUnusable, self.checker)
        self.assertIn("openssl rand -hex 32", str(error))

    def test_no_file(self) -> None:
        self.path.unlink()
        self.assertIn("cannot be read (No such file or directory)", str(self.assertRaises(KeysUnusable, self.checker)))


class KeySetTests(Case):
    """RS256: the public keys of whoever signs."""

    algorithm = "RS256"
    load = staticmethod(jwks)

    def setUp(self) -> None:
        self.content = key_set(jwk("a"), jwk("b"))
        super().setUp()

    def signed(self, name: str, kid: Any = "", **claims: Any) -> str:
        return self.token(rsa_key(name), {"kid": kid} if kid else {"kid": name} if kid == "" else {}, **claims)

    def test_with_each_of_them(self) -> None:
        for name in ("a", "b"):
            self.assertEqual(self.vouched(self.signed(name)).name, "Ann")

    def test_a_key_that_is_not_there(self) -> None:
        self.refused(self.signed("c"))

    def test_a_key_by_the_name_of_another(self) -> None:
        self.refused(self.signed("b", kid="a"))
        self.refused(self.signed("c", kid="a"))

    def test_without_a_name_it_must_be_the_only_one(self) -> None:
        self.refused(self.signed("a", kid=None))
        self.write(key_set(jwk("a")))
        self.assertEqual(self.vouched(self.signed("a", kid=None)).name, "Ann")

    def test_a_public_key_is_no_secret(self) -> None:
        """The classic: signed by HMAC with what everybody knows."""
        public = rsa_key("a").public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        text = [
            base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=")
            for part in ({"alg": "HS256", "kid": "a"}, {"sub": "Ann", "exp": time.time() + 3600})
        ]
        for key in (public, public.strip(), json.dumps(jwk("a")).encode()):
            signature = hmac.new(key, b".".join(text), hashlib.sha256).digest()
            token = b".".join([*text, base64.urlsafe_b64encode(signature).rstrip(b"=")]).decode()
            self.refused(token)

    def test_another_algorithm_with_the_same_key(self) -> None:
        for algorithm in ("RS512", "PS256"):
            self.refused(self.token(rsa_key("a"), {"kid": "a"}, algorithm))

    def test_keys_are_changed_while_it_runs(self) -> None:
        """The new one beside the old, then the old one is gone."""
        checker = self.checker()
        outcome = []
        for keys in (("a",), ("a", "c"), ("c",)):
            self.write(key_set(*map(jwk, keys)))
            for name in ("a", "c"):
                asked = checker.requestAvatarId(Token(self.signed(name)))
                asked.addCallbacks(lambda _: True, lambda failure: not failure.check(UnauthorizedLogin))
                outcome.append(self.successResultOf(asked))
        self.assertEqual(outcome, [True, False, True, True, False, True])

    def test_what_cannot_be_used_changes_nothing_and_is_said_once(self) -> None:
        checker = self.checker()
        for content in (b'{"keys": [', b"", b"[]", key_set(), b"[" * 100000, b" " * (MAX_FILE + 1)):
            self.write(content)
            before = len(self.log.texts())
            for _ in range(3):
                self.successResultOf(checker.requestAvatarId(Token(self.signed("a"))))
            self.assertLessEqual(len(self.log.texts()) - before, 1)
        self.path.unlink()
        self.successResultOf(checker.requestAvatarId(Token(self.signed("a"))))
        self.assertIn("cannot be read", self.log.texts()[-1])
        self.write(key_set(jwk("c")))
        self.successResultOf(checker.requestAvatarId(Token(self.signed("c"))))

    def test_what_else_is_in_the_set_is_left_alone(self) -> None:
        others = [
            {"kty": "oct", "k": base64.urlsafe_b64encode(SECRET).decode(), "kid": "s"},
            {"kty": "EC", "crv": "P-256", "kid": "e", "x": "", "y": ""},
            jwk("b", use="enc"),
        ]
        self.write(key_set(*others, jwk("a", use="sig")))
        self.assertEqual(self.vouched(self.signed("a")).name, "Ann")
        self.refused(self.signed("b"))
        self.refused(self.token(SECRET, {"kid": "s"}, "HS256"))

    def test_keys_that_are_no_good(self) -> None:
        for content, why in (
            (key_set(jwk("a", private=True)), "a private key"),
            (key_set(jwk("small")), "2048 bits"),
            (key_set(), "no JSON Web Key Set with RSA keys"),
            (b"nonsense", "no JSON Web Key Set with RSA keys"),
            (b'{"keys": 7}', "no JSON Web Key Set with RSA keys"),
            (b'{"keys": [{"kty": "RSA", "n": "!"}]}', "no JSON Web Key Set with RSA keys"),
        ):
            self.write(content)
            self.assertIn(why, str(self.assertRaises(KeysUnusable, self.checker)))
