"""Makes ``twistd netplay`` and ``twist netplay`` known to Twisted."""

from twisted.application.service import ServiceMaker

netplay = ServiceMaker(
    "netplay",
    "netplay.tap",
    "Game rooms, JSON chat, a live ticker, binary messages and echo in one daemon.",
    "netplay",
)
