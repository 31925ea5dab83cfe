"""What others can add to moderation."""

from __future__ import annotations

from zope.interface import Attribute, Interface


class IWordFilter(Interface):
    """Looks at what is said. A plain object: it is asked for each message, and must be quick."""

    def clean(text: str) -> str:
        """
        What is said instead, which may be the text as it is.

        @raise netplay.errors.Refused: C{not_allowed}: nothing is said.
        """


class IWordFilterPlugin(Interface):
    """Makes filters, found as a plugin: C{--word-filter NAME:ARGUMENT}."""

    name: str = Attribute("What stands before the colon.")
    usage: str = Attribute("What to type, such as C{words:PATH}.")

    def build(argument: str) -> IWordFilter:
        """
        Make a filter from what stands after the colon.

        @raise twisted.python.usage.UsageError: that makes no sense; says what would.
        """
