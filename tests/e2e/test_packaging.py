"""What is installed works by itself: from a wheel, and from an editable copy."""

from __future__ import annotations

import importlib.util
import shutil
import signal
import sys
import sysconfig
import venv
from pathlib import Path

from pytest_twisted import ensureDeferred

from tests.e2e.daemon import CHECKOUT, Daemons, Ended, anywhere

SOURCES = ("netplay", "twisted", "pyproject.toml", "README.md", "LICENSE")
GIVEN = ["--no-build-isolation"] if all(map(importlib.util.find_spec, ("hatchling", "editables"))) else []
"""Where the build backend is at hand, it need not be downloaded again."""


def copied(directory: Path) -> Path:
    """The sources, without what earlier builds and runs left among them."""
    copy = directory / "checkout"
    leave_out = shutil.ignore_patterns("__pycache__", "dropin.cache")
    for name in SOURCES:
        source = CHECKOUT / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=leave_out)
        else:
            shutil.copy(source, copy / name)
    return copy


class Environment:
    """
    A fresh virtual environment: empty, but that it finds the libraries which are installed where the tests run.

    Those come last on its path, so that netplay is not taken from there if it is installed here.
    """

    def __init__(self, daemons: Daemons, directory: Path) -> None:
        self._daemons = daemons
        venv.create(directory, with_pip=False, symlinks=True)
        self.bin = directory / "bin"
        self.python = self.bin / "python"
        self.site = Path(sysconfig.get_path("purelib", "venv", {"base": str(directory), "platbase": str(directory)}))
        libraries = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
        (self.site / "zz-libraries.pth").write_text("\n".join(sorted(libraries)) + "\n")
        twistd = self.bin / "twistd"
        twistd.write_text(f"#!{self.python}\nfrom twisted.scripts.twistd import run\nrun()\n")
        twistd.chmod(0o755)
        self.empty = directory / "empty"
        self.empty.mkdir()

    async def install(self, *what: str | Path) -> None:
        """With the pip of the tests."""
        status, output = await self._daemons.run(
            *(sys.executable, "-m", "pip", "--python", self.python, "--disable-pip-version-check"),
            *("install", "--no-deps", "--quiet", *GIVEN, *what),
        )
        assert status == 0, output

    async def finds_the_plugin_in(self, where: Path) -> None:
        """twistd offers netplay, and the plugin is the one that was installed, not one from somewhere else."""
        status, output = await self._daemons.run("twistd", "--help", directory=self.empty, bin=self.bin)
        assert status == 0, output
        assert [line for line in output.splitlines() if line.split()[:1] == ["netplay"]]
        names = "import netplay, twisted.plugins.netplay_plugin as p; print(netplay.__file__); print(p.__file__)"
        status, output = await self._daemons.run(self.python, "-c", names, directory=self.empty)
        assert status == 0, output
        assert output.split() == [
            str(where / "netplay" / "__init__.py"),
            str(where / "twisted" / "plugins" / "netplay_plugin.py"),
        ]


@ensureDeferred
async def test_from_a_wheel(daemons: Daemons) -> None:
    copy = copied(daemons.directory)
    status, output = await daemons.run(
        *(sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--no-deps", "--quiet"),
        *(*GIVEN, "--wheel-dir", daemons.directory, copy),
    )
    assert status == 0, output
    (wheel,) = daemons.directory.glob("netplay-*.whl")
    shutil.rmtree(copy)

    environment = Environment(daemons, daemons.directory / "venv")
    await environment.install(wheel)
    await environment.finds_the_plugin_in(environment.site)
    assert not (environment.site / "twisted" / "__init__.py").exists()
    assert not (environment.site / "tests").exists()
    assert (environment.site / "netplay" / "py.typed").exists()

    for command in (("twistd", "-n", "--pidfile=", "netplay"), ("netplay", "run")):
        daemon = await daemons.spawn(*command, *anywhere(), directory=environment.empty, bin=environment.bin).ready()
        chat = await daemon.client("chat")
        assert (await chat.get("welcome"))["rooms"] == ["general", "gaming", "tech"]
        daemon.signal(signal.SIGTERM)
        assert await daemon.ended() == Ended(None, signal.SIGTERM)


@ensureDeferred
async def test_from_an_editable_copy(daemons: Daemons) -> None:
    copy = copied(daemons.directory)
    environment = Environment(daemons, daemons.directory / "venv")
    await environment.install("--editable", copy)
    await environment.finds_the_plugin_in(copy)
    # It is the copy that runs: what is changed there has its effect.
    package = copy / "netplay" / "__init__.py"
    package.write_text(package.read_text() + '\n__version__ = "0.0.0.changed"\n')
    status, output = await daemons.run("netplay", "--version", directory=environment.empty, bin=environment.bin)
    assert (status, output) == (0, "netplay 0.0.0.changed\n")
