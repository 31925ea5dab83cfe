"""
Clients of a netplay daemon, for programs written in Python.

L{netplay.client.connect} is for programs on Twisted; L{netplay.client.blocking} for those with a loop of their own.
Both are the same below: a L{wire<netplay.client.wires>} turns bytes into messages, a
L{session<netplay.client.session>} knows what was asked and where each room stood, a L{link<netplay.client.link>} is
the two on one connection. None of these knows a socket. In games a L{Mirror} is what there is to see in a room.
"""

from netplay.client.client import Client, connect
from netplay.client.errors import ClientError, Closed, Disconnected, ServerError, TooMuch, WireError
from netplay.client.mirror import Mirror

__all__ = [
    "Client",
    "ClientError",
    "Closed",
    "Disconnected",
    "Mirror",
    "ServerError",
    "TooMuch",
    "WireError",
    "connect",
]
