"""The stores that come with netplay."""

from netplay.store.memory import MemoryStorePlugin
from netplay.store.sqlite import SQLiteStorePlugin

memory = MemoryStorePlugin()
sqlite = SQLiteStorePlugin()
