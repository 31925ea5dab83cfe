"""
Everything, open to the network: what C{twistd netplay} serves on the loopback interface alone.

    twistd --nodaemon --python tac/everything.tac

Programs on the same machine reach chat on a unix socket, too, where no limit per address holds them back.
"""

from twisted.application.service import Application

from netplay.tap import Options, makeService

options = Options()
options.parseOptions(
    [
        *("--echo", "tcp:5000"),
        *("--binary", "tcp:6000"),
        *("--game", "tcp:5555"),
        *("--chat", "tcp:8888"),
        *("--chat", "unix:chat.sock:mode=660"),
        *("--ticker", "tcp:9999"),
        *("--web", "tcp:8080"),
        *("--prices", "walk:"),
        *("--max-connections", "5000"),
    ]
)

application = Application("netplay")
makeService(options).setServiceParent(application)
