"""Games in files of their own: written by C{netplay new}, played, changed meanwhile, recorded and replayed."""

from __future__ import annotations

from pathlib import Path

from pytest_twisted import ensureDeferred

from tests.e2e.daemon import NETPLAY_RUN, Daemons, only

STEER = {"type": "act", "do": "steer", "dx": 1, "dy": 0}


@ensureDeferred
async def test_a_new_game_has_a_test_that_passes(daemons: Daemons) -> None:
    status, output = await daemons.run("netplay", "new", "treasure")
    assert status == 0, output
    assert "netplay run --dev --load treasure.py" in output, output
    status, output = await daemons.run("pytest", "-q", "-p", "no:cacheprovider")
    assert status == 0, output
    assert "4 passed" in output, output
    status, output = await daemons.run("netplay", "new", "treasure")
    assert status == 1, output
    assert "there is a treasure.py already" in output, output


@ensureDeferred
async def test_it_is_played_changed_meanwhile_recorded_and_replayed(daemons: Daemons, tmp_path: Path) -> None:
    await daemons.run("netplay", "new", "treasure")
    path, records = daemons.directory / "treasure.py", tmp_path / "records"
    records.mkdir()
    daemon = daemons.spawn(*NETPLAY_RUN, *only("game"), "--dev", "--load", "treasure.py", "--record", records)
    await daemon.ready()
    ann = await daemon.client("game")
    ann.send(type="join", game="treasure", name="Ann")
    room = (await ann.get("seated"))["room"]
    ann.send(**STEER)

    async def at(x: float) -> None:
        while (await ann.get("state", room=room))["entities"]["Player_1"]["x"] != x:
            pass

    await at(10)
    source = path.read_text()
    path.write_text("class Treasure(Game:")
    await daemon.line("SyntaxError")
    path.write_text(source.replace("WIDTH = 10", "WIDTH = 12"))
    await at(12)
    daemon.signal(15)
    await daemon.ended()

    (recording,) = records.glob("treasure-1-*.jsonl")
    path.write_text(source)
    status, output = await daemons.run("netplay", "replay", recording, "--load", "treasure.py")
    assert status == 1, output
    assert "different from tick" in output, output


@ensureDeferred
async def test_an_error_in_the_file_ends_the_start(daemons: Daemons, tmp_path: Path) -> None:
    path = tmp_path / "wrong.py"
    path.write_text("import nowhere_to_be_found\n")
    for command in (NETPLAY_RUN, ("twistd", "-n", "--pidfile=", "netplay")):
        status, output = await daemons.run(*command, *only("game"), "--load", path)
        assert status == 1, output
        assert f'File "{path}", line 1' in output
        assert "ModuleNotFoundError" in output
        assert output.count("File ") == 1, "of the file alone"


@ensureDeferred
async def test_an_arena_with_bots_is_the_same_again(daemons: Daemons, tmp_path: Path) -> None:
    daemon = await daemons.spawn(*NETPLAY_RUN, *only("game"), "--arena-bots", "4", "--record", tmp_path).ready()
    ann = await daemon.client("game")
    ann.send(type="join", game="arena")
    room = (await ann.get("seated"))["room"]
    while (await ann.get("state", room=room))["tick"] < 30:
        pass
    daemon.signal(15)
    await daemon.ended()
    (recording,) = tmp_path.glob("arena-1-*.jsonl")
    status, output = await daemons.run("netplay", "replay", recording)
    assert status == 0, output
    assert "the same in all" in output
