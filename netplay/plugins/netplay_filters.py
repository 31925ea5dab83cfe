"""The word filters that come with netplay."""

from netplay.moderation.words import WordFilterPlugin

words = WordFilterPlugin()
