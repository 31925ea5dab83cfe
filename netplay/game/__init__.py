"""Game rooms: rules are plain worlds, rooms seat players in them and tell everyone the state."""
