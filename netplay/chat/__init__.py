"""Chat rooms with names, history and presence; each room is a log that its members follow."""
