"""The games that come with netplay."""
