"""The games that come with netplay."""

from netplay.game.games.sandbox import Sandbox

