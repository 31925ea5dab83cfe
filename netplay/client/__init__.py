"""
Clients of a netplay daemon, for programs written in Python.

L{netplay.client.connect} is for programs on Twisted; L{netplay.client.blocking} for those with a loop of their own.
Both are the same below: a L{wire<netplay.client.wires>} turns bytes into messages, a
L{session<netplay.client.session>} knows what was asked and where each room stood, a L{link<netplay.client.link>} is
the two on one connection. None of these knows a socket.
"""

from netplay.client.client import Client, connect
from netplay.client.errors import ClientError, Closed, Disconnected, ServerError, TooMuch, WireError

__all__ = ["Client", "ClientError", "Closed", "Disconnected", "ServerError", "TooMuch", "WireError", "connect"]
