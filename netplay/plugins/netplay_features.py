"""The features that come with netplay."""

from netplay.binary import BinaryFeature
from netplay.chat.feature import ChatFeature
from netplay.echo import EchoFeature
from netplay.game.feature import GameFeature
from netplay.ticker.feature import TickerFeature
from netplay.web.admin.feature import AdminFeature
from netplay.web.feature import WebFeature

echo = EchoFeature()
binary = BinaryFeature()
game = GameFeature()
chat = ChatFeature()
ticker = TickerFeature()
web = WebFeature()
admin = AdminFeature()
