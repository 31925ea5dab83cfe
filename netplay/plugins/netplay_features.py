"""The features that come with netplay."""

from netplay.chat.feature import ChatFeature

chat = ChatFeature()
