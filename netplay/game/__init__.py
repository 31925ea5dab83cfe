"""
Games. Whoever writes one needs nothing but the names in this module.

L{Game} is what to subclass: its hooks are called as players come, act and go, and its L{Entity} objects are what
clients see. C{docs/writing-a-game.md} goes from an empty folder to a game with its test.
"""

from netplay.game.entities import Data, Entity, Hidden, Owner, Team, clamp, distance
from netplay.game.game import API, Game, Near, Score
from netplay.game.messages import Message
from netplay.game.players import Player
from netplay.game.timers import Timer
from netplay.game.turns import Turns

__all__ = [
    "API",
    "Data",
    "Entity",
    "Game",
    "Hidden",
    "Message",
    "Near",
    "Owner",
    "Player",
    "Score",
    "Team",
    "Timer",
    "Turns",
    "clamp",
    "distance",
]
