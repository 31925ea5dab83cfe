"""The arena: two teams collect stars among walls, and throw each other about."""
