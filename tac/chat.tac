"""
Chat alone, open to the network, and patient with people who say nothing for an hour.

    twistd --nodaemon --python tac/chat.tac
"""

from twisted.application.service import Application

from netplay.tap import Options, makeService

options = Options()
options.parseOptions(
    [
        *("--chat", "tcp:8888"),
        *("--without", "echo"),
        *("--without", "binary"),
        *("--without", "game"),
        *("--without", "ticker"),
        *("--without", "web"),
        *("--without", "admin"),
        *("--rate", "10"),
        *("--idle-timeout", "3600"),
    ]
)

application = Application("netplay")
makeService(options).setServiceParent(application)
