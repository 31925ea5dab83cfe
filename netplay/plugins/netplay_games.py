"""The games that come with netplay."""

from netplay.game.games.arena.game import Arena, Crowd
from netplay.game.games.sandbox import Sandbox

__all__ = ["Arena", "Crowd", "Sandbox"]
