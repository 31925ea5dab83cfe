"""Game rooms, chat, a live ticker, binary messages and echo on non-blocking sockets, in one Twisted daemon."""

__version__ = "0.1.0"
