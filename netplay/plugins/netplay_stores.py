"""The stores that come with netplay."""

from netplay.store.memory import MemoryStorePlugin

memory = MemoryStorePlugin()
