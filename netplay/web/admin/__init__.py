"""What those who run the daemon look at and turn: API, its descriptions, health, metrics."""
