"""The games that come with netplay."""

from netplay.game.games.arena.game import Arena, Crowd
from netplay.game.games.cards import Eights
from netplay.game.games.lockstep import Lockstep
from netplay.game.games.sandbox import Sandbox

__all__ = ["Arena", "Crowd", "Eights", "Lockstep", "Sandbox"]
