"""C{netplay.js} as a web page uses it, against a daemon; where a server must misbehave, the browser plays one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.async_api import WebSocketRoute
from pytest_twisted import ensureDeferred

from tests.browser.windows import Window, Windows
from tests.e2e.clients import MessageClient
from tests.e2e.daemon import Daemons


async def page(windows: Windows, daemons: Daemons) -> Window:
    """A page where the module can be imported. The console is there too, but turns to no feature in this view."""
    return await windows.open(await daemons.start(), "messages")


async def run(window: Window, steps: str, argument: Any = None) -> Any:
    """Run steps in the page, with what the module exports in C{netplay}."""
    return await window.evaluate(
        f"""async (argument) => {{
            const netplay = await import("/netplay.js");
            const next = (from, type) => new Promise((resolve) => {{
                const stop = from.on(type, (event) => {{ stop(); resolve(event); }});
            }});
            {steps}
        }}""",
        argument,
    )


@ensureDeferred
async def test_requests_are_answered(daemons: Daemons, windows: Windows) -> None:
    window = await page(windows, daemons)
    answer = await run(
        window,
        """
        const chat = netplay.connect().feature("chat");
        const heard = next(chat, "chat");
        const ok = await chat.request({ type: "chat", text: "hi all" });
        return { ok, said: await heard, you: chat.you, rooms: chat.rooms, rate: chat.limits.rate };
        """,
    )
    assert (answer["ok"]["type"], answer["said"]["message"], answer["said"]["seq"]) == ("ok", "hi all", 1)
    assert (answer["you"]["name"], answer["rooms"], answer["rate"]) == ("User_1", ["general"], 50)


@ensureDeferred
async def test_a_wrong_one_is_rejected_with_code_and_field(daemons: Daemons, windows: Windows) -> None:
    window = await page(windows, daemons)
    error = await run(
        window,
        """
        const ticker = netplay.connect({ feature: "ticker" }).feature();
        try {
            await ticker.request({ type: "alert", symbol: "AAPL", above: -1 });
        } catch (error) {
            return { code: error.code, field: error.field, is: error instanceof netplay.NetplayError };
        }
        """,
    )
    assert error == {"code": "bad_message", "field": "$.above", "is": True}


@ensureDeferred
async def test_raw_messages_and_the_round_trip(daemons: Daemons, windows: Windows) -> None:
    window = await page(windows, daemons)
    seen = await run(
        window,
        """
        const net = netplay.connect();
        const seen = [];
        net.on("sent", ({ message, bytes }) => seen.push(["sent", message.type ?? "", message.feature, bytes]));
        net.on("received", ({ message }) => seen.push(["received", message.type, message.feature]));
        const game = net.feature("game");
        const { seconds } = await next(net, "round_trip");
        return { seen, seconds };
        """,
    )
    assert seen["seen"][0] == ["sent", "", "game", len('{"feature":"game"}')]
    assert ["received", "state", "game"] in seen["seen"]
    assert ["received", "pong", "game"] in seen["seen"]
    assert 0 < seen["seconds"] < 5


@ensureDeferred
async def test_of_everyone_each_hears_only_its_own_feature(daemons: Daemons, windows: Windows) -> None:
    window = await page(windows, daemons)
    heard = await run(
        window,
        """
        const net = netplay.connect();
        const heard = {};
        for (const name of ["chat", "game", "ticker"]) {
            heard[name] = [];
            net.feature(name).on("*", ({ type }) => heard[name].push(type ?? ""));
        }
        await net.feature("chat").request({ type: "rooms" });
        await net.feature("ticker").request({ type: "subscribe", symbols: ["AAPL"] });
        await net.feature("game").request({ type: "move", dx: 1 });
        return heard;
        """,
    )
    assert (heard["chat"][:2], heard["game"][:2], heard["ticker"][:2]) == (
        ["welcome", ""],
        ["state", ""],
        ["welcome", ""],
    )


@ensureDeferred
async def test_delays_double_up_to_half_a_minute_and_are_any_time_until_then(
    daemons: Daemons, windows: Windows
) -> None:
    window = await page(windows, daemons)
    delays = await run(
        window,
        "return [0, 1, 2, 20, 2000].map((attempt) => Array.from({ length: 200 }, () => netplay.fullJitter(attempt)));",
    )
    for most, some in zip((0.5, 1, 2, 30, 30), delays, strict=True):
        assert 0 <= min(some) < most * 0.2
        assert most * 0.8 < max(some) <= most


@pytest.mark.parametrize(
    ("code", "event"),
    [(1001, "away"), (4001, "away"), (4002, "away"), (4003, "away"), (1000, "end"), (1008, "end"), (1009, "end"),
     (1011, "end"), (4004, "end")],
)  # fmt: skip
@ensureDeferred
async def test_whether_it_comes_back_depends_on_the_close_code(
    daemons: Daemons, windows: Windows, code: int, event: str
) -> None:
    window = await page(windows, daemons)
    opened: list[WebSocketRoute] = []

    async def serve(socket: WebSocketRoute) -> None:
        opened.append(socket)
        if len(opened) == 1:
            await socket.close(code=code)

    await window.do(window.page.route_web_socket("**/ws", serve))
    await window.do(window.page.reload())  # from then on it is routed
    told = await run(
        window,
        """
        const net = netplay.connect();
        const { code } = await Promise.race([next(net, "away"), next(net, "end")]);
        const state = net.state;
        if (state === "away") await next(net, "open");
        return { code, state };
        """,
    )
    assert told == {"code": code, "state": "ended" if event == "end" else event}
    assert len(opened) == (2 if event == "away" else 1)


@ensureDeferred
async def test_a_gap_is_told_and_what_came_twice_is_not(daemons: Daemons, windows: Windows) -> None:
    window = await page(windows, daemons)

    def chat(seq: int) -> str:
        return f'{{"type":"chat","room":"general","seq":{seq},"id":"{seq}","message":"{seq}"}}'

    async def serve(socket: WebSocketRoute) -> None:
        socket.send('{"type":"welcome","session":"s","room":"general","epoch":"e","seq":1}')
        for seq in (2, 3, 2, 3, 4, 7, 6, 8):
            socket.send(chat(seq))

    await window.do(window.page.route_web_socket("**/ws/chat", serve))
    await window.do(window.page.reload())
    heard = await run(
        window,
        """
        const chat = netplay.connect({ feature: "chat" }).feature();
        const heard = [];
        chat.on("gap", ({ room }) => heard.push(`gap in ${room}`));
        return new Promise((resolve) => chat.on("chat", ({ seq }) => {
            heard.push(seq);
            if (seq === 8) resolve(heard);
        }));
        """,
    )
    assert heard == [2, 3, 4, "gap in general", 7, 8]


@ensureDeferred
async def test_rooms_that_it_was_put_out_of_or_kept_out_of_are_not_asked_for_again(
    daemons: Daemons, windows: Windows
) -> None:
    window = await page(windows, daemons)
    kept: list[list[str]] = []

    async def serve(socket: WebSocketRoute) -> None:
        def answer(text: str | bytes) -> None:
            message = json.loads(text)
            ref = message["ref"]
            if message["type"] == "resume":
                kept.append(list(message["since"]))
                socket.send(json.dumps({"type": "error", "code": "bad_session", "ref": ref}))
            elif message["type"] == "join_room" and kept:
                socket.send(json.dumps({"type": "error", "code": "banned", "room": message["room"], "ref": ref}))
            elif message["type"] == "join_room":
                socket.send(json.dumps({"type": "room_changed", "room": "tech", "epoch": "t", "seq": 7, "ref": ref}))
                socket.send('{"type":"removed","room":"general","code":"kicked"}')
            else:
                socket.send(json.dumps({"type": "ok", "ref": ref}))

        socket.on_message(answer)
        socket.send('{"type":"welcome","session":"s","room":"general","epoch":"e","seq":1}')

    await window.do(window.page.route_web_socket("**/ws/chat", serve))
    await window.do(window.page.reload())
    heard = await run(
        window,
        """
        const net = netplay.connect({ feature: "chat" });
        const chat = net.feature();
        const removed = next(chat, "removed");
        await chat.request({ type: "join_room", room: "tech", also: true });
        const heard = [(await removed).room];
        const again = () => { net.close(); net.reconnect(); };
        const refused = next(chat, "error");
        again();
        heard.push((await refused).room);
        const ready = next(chat, "ready");
        again();
        await ready;
        return heard;
        """,
    )
    assert (heard, kept) == (["general", "tech"], [["tech"], []])


@ensureDeferred
async def test_a_request_without_a_connection_waits_for_one_and_is_given_up_at_the_end(
    daemons: Daemons, windows: Windows
) -> None:
    window = await page(windows, daemons)
    codes = await run(
        window,
        """
        const net = netplay.connect();
        const waiting = net.feature("chat").request({ type: "rooms" });
        const sent = net.feature("chat").send({ type: "ping" });
        net.close();
        return [sent, net.state, await waiting.catch(({ code }) => code)];
        """,
    )
    assert codes == [False, "ended", "disconnected"]


@ensureDeferred
async def test_a_listener_that_fails_stops_no_other(daemons: Daemons, windows: Windows) -> None:
    window = await page(windows, daemons)
    assert await run(
        window,
        """
        const chat = netplay.connect().feature("chat");
        addEventListener("error", (event) => event.preventDefault());
        chat.on("welcome", () => { throw new Error("a mistake of the page"); });
        chat.on("welcome", () => { chat.heard = true; });
        await chat.request({ type: "ping" });
        return chat.heard;
        """,
    )


@ensureDeferred
async def test_a_room_is_kept_up_to_date_by_what_changes(daemons: Daemons, windows: Windows) -> None:
    daemon = await daemons.start()
    window = await windows.open(daemon, "messages")
    code = await run(
        window,
        """
        const game = netplay.connect().feature("game");
        const room = new netplay.Room(game);
        Object.assign(globalThis, { room, entered: [], deltas: 0 });
        room.on("entered", () => entered.push(room.name));
        game.on("delta", () => deltas += 1);
        await room.join({ game: "sandbox", create: true });
        return room.code;
        """,
    )
    assert await window.evaluate("[room.game, room.isLobby, room.watching, entered.at(-1)]") == [
        "sandbox",
        False,
        False,
        "sandbox-1",
    ]
    client: MessageClient = await daemon.connect(MessageClient(), "game")
    you = (await client.ask(type="join", code=code))["player"]
    assert (await client.ask(type="move", dx=3, dy=-1))["type"] == "ok"

    async def until(condition: str, argument: object = None) -> None:
        await window.do(window.page.wait_for_function(condition, arg=argument))

    await until("(id) => room.entities.get(id)?.x === 3 && room.entities.get(id).y === -1", you)
    await until("(id) => room.roster?.players[id]?.name === id && room.entities.size === 2", you)
    assert await window.evaluate("deltas > 0")
    assert (await client.ask(type="leave"))["type"] == "ok"
    await until("(id) => !room.entities.has(id) && !(id in room.roster.players)", you)
    await window.evaluate("room.leave()")
    await until("room.isLobby && room.code === null && room.entities.get(room.you)?.x === 0")


@ensureDeferred
async def test_a_page_and_a_terminal(daemons: Daemons, windows: Windows) -> None:
    daemon = await daemons.start()
    window = await windows.open(daemon)
    client: MessageClient = await daemon.client("chat")
    await client.settled()
    said = await run(
        window,
        """
        const chat = netplay.connect({ url: `ws://${location.host}/ws/chat`, feature: "chat" }).feature();
        return chat.request({ type: "direct", to: argument, text: "hello" });
        """,
        client.messages[0]["you"]["id"],
    )
    assert (said["type"], (await client.get("direct"))["message"]) == ("direct", "hello")


@ensureDeferred
async def test_a_login_holds_for_all_features_and_when_the_connection_comes_back(
    daemons: Daemons, windows: Windows
) -> None:
    window = await windows.open(await daemons.start("--auth", "memory:ann:secret"), "messages")
    seen = await run(
        window,
        """
        const net = netplay.connect();
        const chat = net.feature("chat");
        await next(chat, "ready");
        const code = await chat.login({ user: "ann", password: "wrong" }).catch((error) => error.code);
        const { you } = await chat.login({ user: "ann", password: "secret" });
        const game = net.feature("game");
        await next(game, "ready");
        net.close();
        const { resumed } = await new Promise((resolve) => { chat.on("ready", resolve); net.reconnect(); });
        return { code, you, game: game.you, resumed, again: chat.you };
        """,
    )
    assert (seen["code"], seen["resumed"]) == ("bad_login", True)
    for you in (seen["you"], seen["game"], seen["again"]):
        assert (you["name"], you["guest"]) == ("ann", False)


@ensureDeferred
async def test_where_there_are_no_guests_a_page_is_asked_who_it_is(daemons: Daemons, windows: Windows) -> None:
    window = await windows.open(await daemons.start("--auth", "memory:ann:secret", "--guests", "off"), "messages")
    seen = await run(
        window,
        """
        const chat = netplay.connect({ feature: "chat" }).feature();
        const asked = chat.request({ type: "who" });
        await next(chat, "login_required");
        const before = [chat.ready, await chat.login({ user: "ann", password: "no" }).catch((error) => error.code)];
        const ready = next(chat, "ready");
        const { you } = await chat.login({ user: "ann", password: "secret" });
        await ready;
        return { before, you, who: (await asked).members.map(({ name }) => name) };
        """,
    )
    assert seen["before"] == [False, "bad_login"]
    assert (seen["you"]["guest"], seen["who"]) == (False, ["ann"])
