"""Tests of L{netplay.accounts.auth}."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

from twisted.cred.credentials import UsernamePassword
from twisted.cred.strcred import ICheckerFactory
from twisted.plugin import IPlugin
from twisted.python.usage import UsageError
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from netplay.accounts.auth import AuthOptions, JWTCheckerFactory, StoreCheckerFactory
from netplay.accounts.checkers import StoreChecker
from netplay.accounts.jwt import JWTChecker
from tests.support import make_folder


class AuthTests(SynchronousTestCase):
    """C{--auth}"""

    def setUp(self) -> None:
        self.folder = Path(make_folder(self))
        (self.folder / "secret").write_bytes(b"x" * 32)
        self.secret = f"jwt:secret-file={self.folder / 'secret'}"

    def parsed(self, *auth: str) -> AuthOptions:
        options = AuthOptions()
        options.parseOptions([word for one in auth for word in ("--auth", one)])
        return options

    def kinds(self, *auth: str) -> list[str]:
        return [type(checker).__name__ for checker in self.parsed(*auth).checkers()]

    def refuses(self, auth: str, *why: str) -> None:
        said = str(self.assertRaises(UsageError, self.parsed, auth))
        for words in why:
            self.assertIn(words, said)

    def test_they_are_plugins(self) -> None:
        for factory in (StoreCheckerFactory(), JWTCheckerFactory()):
            verifyObject(ICheckerFactory, factory)
            self.assertTrue(IPlugin.providedBy(factory))

    def test_the_store_where_nothing_is_said(self) -> None:
        self.assertEqual(self.kinds(), ["StoreChecker"])

    def test_several_in_their_order(self) -> None:
        users = self.folder / "users"
        users.write_text("bob:secret\n")
        self.assertEqual(
            self.kinds(self.secret, f"file:{users}", "store"), ["JWTChecker", "FilePasswordDB", "StoreChecker"]
        )

    def test_memory_and_file_are_asked_in_bytes(self) -> None:
        users = self.folder / "users"
        users.write_text("ännchen:geheim\n", encoding="utf-8")
        for auth in ("memory:ännchen:geheim", f"file:{users}"):
            (checker,) = self.parsed(auth).checkers()
            asked = checker.requestAvatarId(UsernamePassword("ännchen".encode(), b"geheim"))
            self.assertEqual(self.successResultOf(asked), "ännchen".encode())

    def test_one_that_there_is_not(self) -> None:
        self.refuses("cloud:ann:secret", "--auth cloud: there is no such kind", "file, jwt, memory, store")

    def test_one_of_another_kind(self) -> None:
        self.refuses("anonymous", "--auth anonymous: it checks neither passwords nor tokens")

    def test_passwords_are_not_repeated(self) -> None:
        for auth in ("memory:ann:geheim:bob", "cloud:ann:geheim", "store:geheim"):
            self.assertNotIn("geheim", str(self.assertRaises(UsageError, self.parsed, auth)))

    def test_what_jwt_takes(self) -> None:
        (checker,) = self.parsed(
            rf"{self.secret}:iss=https\://id.example.org/:aud=netplay:name=nick:roles=a.b"
        ).checkers()
        assert isinstance(checker, JWTChecker)
        self.assertEqual(
            (checker._issuer, checker._audience, checker._name, checker._roles),
            ("https://id.example.org/", "netplay", "nick", "a.b"),
        )

    def test_what_jwt_does_not_take(self) -> None:
        self.refuses("jwt", "--auth jwt: ", "secret-file=", "--help-auth-type jwt says more")
        self.refuses("jwt:iss=me", "either secret-file=PATH or jwks=PATH")
        self.refuses(f"{self.secret}:jwks=x", "either secret-file=PATH or jwks=PATH")
        self.refuses(
            f"{self.secret}:issuer=me", "'issuer=me' is none of secret-file=, jwks=, iss=, aud=, name=, roles="
        )
        self.refuses(f"{self.secret}:iss=", "'iss=' is none of")
        self.refuses(f"{self.secret}:iss=a:iss=b", "iss= is there twice")
        self.refuses(f"{self.secret}x", "cannot be read (No such file or directory)")
        self.refuses(f"jwt:jwks={self.folder / 'secret'}", "no JSON Web Key Set with RSA keys")

    def test_the_store_takes_nothing(self) -> None:
        self.refuses("store:x", "it takes no argument; type --auth store")
        self.assertIsInstance(self.parsed("store").checkers()[0], StoreChecker)

    def test_help(self) -> None:
        out = StringIO()
        self.patch(AuthOptions, "authOutput", out)
        self.assertRaises(SystemExit, AuthOptions().parseOptions, ["--help-auth"])
        for kind in ("store", "jwt", "file", "memory"):
            self.assertRegex(out.getvalue(), rf"(?m)^  {kind}\s")
        self.assertRaises(SystemExit, AuthOptions().parseOptions, ["--help-auth-type", "jwt"])
        self.assertIn("roles=CLAIM", out.getvalue())
        self.assertNotIn("WARNING", out.getvalue())
