"""What backends and those who run the daemon ask of it, end to end."""

from __future__ import annotations

import json
import signal
from contextlib import suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families
from pytest_twisted import ensureDeferred
from twisted.internet.threads import deferToThread

from tests.e2e.clients import PATIENCE, Client, plain_socket
from tests.e2e.daemon import LOCAL, Address, Daemon, Daemons, Ended

TOKEN = "a-token-that-nobody-guesses"


async def start(daemons: Daemons, *options: str) -> Daemon:
    """A daemon whose keepers have an endpoint of their own and a token."""
    token = daemons.directory / "token"
    token.write_text(f"{TOKEN}\n")
    return await daemons.start("--admin", LOCAL, "--api-token-file", str(token), *options)


async def ask(
    daemon: Daemon, method: str, path: str, body: Any = None, *, token: str = TOKEN, port: str = "admin"
) -> tuple[int, Any]:
    """A request; status and what was said: JSON if it is that."""
    return await deferToThread(_ask, daemon.addresses[port][0], method, path, body, token)


def _ask(address: Address, method: str, path: str, body: Any, token: str) -> tuple[int, Any]:
    connection = HTTPConnection(address.host or "", address.port, timeout=PATIENCE)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    connection.request(method, path, None if body is None else json.dumps(body), headers)
    response = connection.getresponse()
    said = response.read()
    connection.close()
    return response.status, json.loads(said) if "json" in (response.getheader("content-type") or "") else said.decode()


async def metrics(daemon: Daemon) -> dict[tuple[Any, ...], float]:
    """All samples, by name and labels."""
    status, text = await ask(daemon, "GET", "/metrics", token="none")
    assert status == 200
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@ensureDeferred
async def test_what_a_backend_says_is_heard_in_the_room(daemons: Daemons) -> None:
    daemon = await start(daemons)
    ann = await daemon.client("chat")
    await ann.get("welcome")
    ann.send(type="chat", text="hi")
    said = {"user": "Weather", "text": "Storm ahead", "emoji": "⛈️"}
    first = (await ann.get("chat"))["seq"]
    status, published = await ask(daemon, "POST", "/api/chat/rooms/general/messages", said)
    assert (status, published["seq"]) == (200, first + 1)
    heard = await ann.get("chat")
    assert (heard["user"], heard["message"], heard["emoji"]) == ("Weather", "Storm ahead", "⛈️")
    assert (heard["seq"], heard["id"]) == (published["seq"], published["id"])


@ensureDeferred
async def test_prices_that_a_backend_sets_reach_those_who_watch(daemons: Daemons) -> None:
    daemon = await start(daemons, "--prices", "push:", "--ticker-interval", "0.05")
    watcher = await daemon.client("ticker")
    assert (await watcher.get("welcome"))["available_stocks"] == []
    watcher.send(type="subscribe", symbols=["*"], ref=1)
    await watcher.get("snapshot")
    assert await ask(daemon, "POST", "/api/ticker/prices", {"prices": {"ACME": 12.5}}) == (200, {"new": ["ACME"]})
    assert (await watcher.get("price_update"))["updates"]["ACME"]["price"] == 12.5
    assert await ask(daemon, "POST", "/api/ticker/prices", {"prices": {"ACME": 13}}) == (200, {"new": []})
    assert (await watcher.get("price_update"))["updates"]["ACME"]["change"] == 0.5


@ensureDeferred
async def test_one_is_removed(daemons: Daemons) -> None:
    daemon = await start(daemons)
    ann = await daemon.client("chat")
    you = (await ann.get("welcome"))["you"]["id"]
    _, listed = await ask(daemon, "GET", "/api/clients")
    assert [client["id"] for client in listed["clients"]] == [you]
    assert (await ask(daemon, "DELETE", f"/api/clients/{you}?reason=spam"))[0] == 204
    error = await ann.get("error")
    assert (error["code"], error["message"], error["fatal"]) == ("kicked", "spam", True)
    await ann.rest()
    assert (await ask(daemon, "GET", "/api/clients"))[1]["clients"] == []


@ensureDeferred
async def test_an_address_is_kept_out(daemons: Daemons) -> None:
    daemon = await start(daemons, "--chat", LOCAL, "--chat", "unix:chat.sock")
    inside = await daemon.client("chat")
    await inside.get("welcome")
    status, added = await ask(daemon, "POST", "/api/bans", {"network": "127.0.0.1", "seconds": 600})
    assert (status, added["ended"]) == (200, 1)
    assert (await inside.get("error"))["code"] == "banned"
    refused = await daemon.client("chat")
    error = await refused.get()
    assert (error["type"], error["code"], error["fatal"]) == ("error", "banned", True)
    await refused.rest()
    assert (await (await daemon.client("chat", 1)).get())["type"] == "welcome"
    assert (await ask(daemon, "DELETE", f"/api/bans/{added['ban']['ban']}"))[0] == 204
    assert (await (await daemon.client("chat")).get())["type"] == "welcome"


@ensureDeferred
async def test_metrics_are_what_prometheus_reads(daemons: Daemons) -> None:
    daemon = await start(daemons)
    ann = await daemon.client("chat")
    ann.send(type="chat", text="hi", ref=1)
    await ann.get("ok")
    samples = await metrics(daemon)
    assert samples["netplay_connections", ("framing", "lines"), ("port", "chat")] == 1
    assert samples["netplay_received_messages_total", ("port", "chat")] == 1
    assert samples[("netplay_published_messages_total",)] >= 1
    assert samples[("process_open_fds",)] > 0


@ensureDeferred
async def test_without_an_endpoint_of_their_own_all_is_on_the_web_port(daemons: Daemons) -> None:
    daemon = await daemons.start("--api-token", TOKEN)
    for path in ("/api/clients", "/api/openapi.json", "/asyncapi.json", "/metrics", "/healthz", "/readyz"):
        assert (await ask(daemon, "GET", path, port="web"))[0] == 200, path
    assert (await ask(daemon, "GET", "/api/clients", port="web", token="another-token-entirely"))[0] == 401
    daemon = await start(daemons, "--store=memory:")
    for path in ("/api/clients", "/asyncapi.json", "/metrics", "/healthz", "/readyz"):
        assert (await ask(daemon, "GET", path, port="web"))[0] == 404, path


@ensureDeferred
async def test_it_is_ready_until_it_goes_down(daemons: Daemons) -> None:
    daemon = await start(daemons)
    probe = await daemon.connect(Client(), "admin")

    async def ready() -> str:
        probe.received.clear()
        probe.write(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await probe.until(lambda: b"\r\n\r\n" in probe.received or None, "an answer")
        return probe.received.decode().splitlines()[0]

    assert await ready() == "HTTP/1.1 200 OK"
    # One that does not take what it was sent holds up the end, for a while.
    address = daemon.addresses["echo"][0]
    slow = plain_socket(address.host, address.port, receive_buffer=4096)
    daemon.keep(slow)
    slow.setblocking(False)
    while not (await metrics(daemon))[("netplay_backlog_bytes",)]:
        with suppress(BlockingIOError):
            while True:
                slow.send(b"x" * 65536)
    daemon.signal(signal.SIGTERM)
    await daemon.line("SIGTERM")
    assert await ready() == "HTTP/1.1 503 Service Unavailable"
    slow.close()
    assert await daemon.ended() == Ended(None, signal.SIGTERM)


@ensureDeferred
async def test_it_does_what_its_description_says(daemons: Daemons) -> None:
    """Whatever schemathesis makes of the OpenAPI document, requests that it forbids included."""
    daemon = await start(daemons, "--prices", "push:")
    await (await daemon.client("chat")).get("welcome")  # somebody to be listed, and removed
    admin = daemon.addresses["admin"][0]
    config = Path(daemons.directory, "schemathesis.toml")
    # 422: rules that no schema can say, such as that an emoji is one grapheme.
    config.write_text("[checks.positive_data_acceptance]\nexpected-statuses = ['2xx', 403, 404, 409, 422]\n")
    status, output = await daemons.run(
        *("schemathesis", "--config-file", config, "run", f"http://{admin.host}:{admin.port}/api/openapi.json"),
        *("--header", f"Authorization: Bearer {TOKEN}", "--max-examples", "10", "--no-color", "--warnings", "off"),
    )
    assert status == 0, output
    assert "Traceback" not in daemon.output


@ensureDeferred
async def test_a_token_that_is_no_good(daemons: Daemons) -> None:
    status, output = await daemons.run("twistd", "-n", "--pidfile=", "netplay", "--api-token", "hunter2")
    assert status == 1
    assert "netplay: --api-token: a token has 16 or more of the characters" in output
    assert "Traceback" not in output
    assert "hunter2" not in output
