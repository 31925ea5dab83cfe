"""HTTP pages, the API, and the WebSocket wire for every feature."""
