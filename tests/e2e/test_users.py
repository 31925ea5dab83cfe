"""Accounts from the shell beside a running daemon, and people who bring a token of another server."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from pytest_twisted import ensureDeferred

from tests.e2e.daemon import NETPLAY_RUN, Daemon, Daemons, only

PASSWORD = "correct horse battery"


async def netplay_user(daemons: Daemons, *words: str) -> str:
    """Run the command, which must be able to do it; what it says."""
    status, output = await daemons.run("netplay", "user", *words)
    assert status == 0, output
    return output


async def login(daemon: Daemon, **credentials: str) -> tuple[Any, dict[str, Any]]:
    """A new client in chat, and what it is told."""
    chat = await daemon.client("chat")
    await chat.get("welcome")
    return chat, await chat.ask(type="login", **credentials)


@ensureDeferred
async def test_beside_a_running_daemon(daemons: Daemons) -> None:
    (daemons.directory / "password").write_text(f"{PASSWORD}\n")
    daemon = await daemons.spawn(*NETPLAY_RUN, *only("chat")).ready()

    said = await netplay_user(daemons, "add", "Ann", "--role", "operator", "--password-file", "password")
    assert said == "Ann has an account now; roles: operator\n"
    ann, answer = await login(daemon, user="ann", password=PASSWORD)
    assert (answer["type"], answer["you"]["name"], answer["roles"]) == ("logged_in", "Ann", ["operator"])

    assert re.search(r"(?m)^Ann +\S+ +enabled +here +operator$", await netplay_user(daemons, "list"))
    (daemons.directory / "password").write_text("another one altogether\n")
    await netplay_user(daemons, "password", "Ann", "--password-file", "password")
    assert (await login(daemon, user="Ann", password=PASSWORD))[1]["code"] == "bad_login"
    assert (await login(daemon, user="Ann", password="another one altogether"))[1]["type"] == "logged_in"

    await netplay_user(daemons, "disable", "Ann")
    assert (await ann.get("error"))["code"] == "kicked"
    assert (await login(daemon, user="Ann", password="another one altogether"))[1]["code"] == "banned"

    daemon.signal(signal.SIGTERM)
    await daemon.ended()
    assert "disabled" in await netplay_user(daemons, "show", "Ann")
    assert PASSWORD not in daemon.output
    assert "altogether" not in daemon.output


@ensureDeferred
async def test_what_cannot_be_done_is_said_in_a_line(daemons: Daemons) -> None:
    for words, line in (
        (("list",), "netplay: --store sqlite:netplay.sqlite: there is no such store; "),
        (("add", "Ann", "--no-password", "--store", "memory:"), "netplay: --store memory: nobody can use it but the "),
        (("add", "Ann"), "netplay: there is no terminal to ask for the password; "),
    ):
        status, output = await daemons.run("netplay", "user", *words)
        assert status == 1
        assert output.startswith(line)
        assert output.count("\n") == 1, output
    assert list(daemons.directory.iterdir()) == []


@ensureDeferred
async def test_checkers_of_others(daemons: Daemons) -> None:
    (daemons.directory / "users").write_text("bob:another horse\n")
    auth = ("--auth", "memory:Ann:secret", "--auth", "file:users")
    daemon = await daemons.spawn(*NETPLAY_RUN, *only("chat"), *auth).ready()
    for user, password in (("Ann", "secret"), ("bob", "another horse")):
        assert (await login(daemon, user=user, password=password))[1]["you"]["name"] == user
        assert (await login(daemon, user=user, password="nonsense"))[1]["code"] == "bad_login"
    assert re.search(r"(?m)^bob +\S+ +enabled +elsewhere$", await netplay_user(daemons, "list"))


def write_keys(path: Path, **keys: rsa.RSAPrivateKey) -> None:
    """A JSON Web Key Set of these, in the place of what is there."""
    members = [
        {**jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": kid} for kid, key in keys.items()
    ]
    new = path.with_suffix(".new")
    new.write_text(json.dumps({"keys": members}))
    os.replace(new, path)


@ensureDeferred
async def test_tokens_whose_keys_are_changed(daemons: Daemons) -> None:
    keys = daemons.directory / "keys.json"
    old, new = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))
    write_keys(keys, old=old)
    auth = r"jwt:jwks=keys.json:iss=https\://id.example.org/:aud=netplay:name=nick:roles=roles"
    daemon = await daemons.spawn(*NETPLAY_RUN, *only("chat"), "--auth", auth).ready()

    def token(kid: str, key: rsa.RSAPrivateKey, name: str, **more: Any) -> str:
        claims = {"iss": "https://id.example.org/", "aud": "netplay", "exp": int(time.time()) + 600, "nick": name}
        return jwt.encode({**claims, **more}, key, "RS256", {"kid": kid})

    _, answer = await login(daemon, token=token("old", old, "Ann", roles=["moderator:tech", "wizard"]))
    assert (answer["type"], answer["you"]["name"], answer["roles"]) == ("logged_in", "Ann", ["moderator:tech"])
    assert (await login(daemon, token=token("new", new, "Bob")))[1]["code"] == "bad_login"
    assert (await login(daemon, token=token("old", old, "Bob", aud="shop")))[1]["code"] == "bad_login"
    write_keys(keys, new=new)
    assert (await login(daemon, token=token("new", new, "Bob")))[1]["type"] == "logged_in"
    assert (await login(daemon, token=token("old", old, "Ann")))[1]["code"] == "bad_login"
    assert (await login(daemon, user="Ann", password=PASSWORD))[1]["code"] == "not_allowed"

    # Whoever has logged in once has an account, for roles and to be disabled.
    await netplay_user(daemons, "disable", "Bob")
    assert (await login(daemon, token=token("new", new, "Bob")))[1]["code"] == "banned"
    assert "eyJ" not in daemon.output
