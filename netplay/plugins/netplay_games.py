"""The games that come with netplay."""

from netplay.game.sandbox import Sandbox

sandbox = Sandbox()
