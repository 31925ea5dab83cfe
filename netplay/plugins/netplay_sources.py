"""The price sources that come with netplay."""

from netplay.ticker.push import PushSource
from netplay.ticker.sources import CSVSource, WalkSource

walk = WalkSource()
csv = CSVSource()
push = PushSource()
