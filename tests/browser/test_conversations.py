"""What the console remembers of conversations, by itself."""

from __future__ import annotations

from typing import Any

from pytest_twisted import ensureDeferred

from tests.browser.windows import Windows
from tests.e2e.daemon import Daemons


async def run(windows: Windows, daemons: Daemons, steps: str) -> Any:
    """Run steps with new C{conversations}, and C{said}, which makes an entry."""
    window = await windows.open(await daemons.start(), "messages")
    return await window.evaluate(
        f"""async () => {{
            const {{ Conversations }} = await import("/console/conversations.js");
            const conversations = new Conversations();
            const said = (seq, at = seq) => ({{ key: `${{seq}}`, seq, at, user: "Ann", emoji: "", text: "" }});
            {steps}
        }}"""
    )


@ensureDeferred
async def test_they_are_in_order_whatever_comes_first_and_none_is_there_twice(
    daemons: Daemons, windows: Windows
) -> None:
    order = await run(
        windows,
        daemons,
        """
        const room = conversations.get("room", "general");
        const come = [said(5, 9), said(7, 9), said(2, 3), said(6, 9), said(5, 9), said(1, 3)];
        const fresh = come.map((one) => room.add(one));
        return [fresh, room.entries.map(({ seq }) => seq), room.first];
        """,
    )
    assert order == [[True, True, True, True, False, True], [1, 2, 5, 6, 7], 1]


@ensureDeferred
async def test_they_are_bounded(daemons: Daemons, windows: Windows) -> None:
    sizes = await run(
        windows,
        daemons,
        """
        const room = conversations.get("room", "general");
        for (let seq = 1; seq <= 1500; seq += 1) room.add(said(seq));
        for (let n = 0; n < 300; n += 1) conversations.get("direct", `Guest ${n}`);
        const names = conversations.mine.map(({ name }) => name);
        return [room.entries.length, room.first, room.more, names.length, names[0], names.at(-1)];
        """,
    )
    assert sizes == [1000, 501, True, 200, "general", "Guest 299"]


@ensureDeferred
async def test_presence(daemons: Daemons, windows: Windows) -> None:
    people = await run(
        windows,
        daemons,
        """
        const room = conversations.get("room", "general");
        const named = (id, name) => ({ id, name });
        room.presence({ count: 2, joined: [named("User_1", "Ann"), named("User_2", "Ben")] });
        room.presence({ count: 2, joined: [named("User_3", "Cleo")], left: ["User_1"] });
        room.presence({ count: 2, renamed: [named("User_2", "Bea")] });
        const few = [...room.people.values()];
        room.people.set("User_4", "Dan"); // from `who`: presence does not count it yet
        room.presence({ count: 2, renamed: [named("User_2", "Bo")] });
        const meanwhile = [...room.people.values()];
        room.presence({ count: 101 });
        return [few, meanwhile, room.people.size, room.count];
        """,
    )
    assert people == [["Bea", "Cleo"], ["Bo", "Cleo", "Dan"], 0, 101]
