"""
The lobby, in a window: move with the arrow keys, score with the space bar, see who else is there.

    python examples/pygame_lobby.py                       # tcp:localhost:5555
    python examples/pygame_lobby.py ws://localhost:8080/  # the same lobby through the web port

Needs pygame-ce, and a daemon: twistd -n netplay.
"""

from __future__ import annotations

import sys
from zlib import crc32

import pygame

from netplay.client import ClientError, Disconnected, blocking

SIZE = WIDTH, HEIGHT = 800, 600
FRAMES = 60  # a second
MOVES = 15  # messages a second, of the 50 that the server takes
SPEED = 240  # units a second; one unit is one pixel
EASE = 12  # how fast what is shown follows what the server says, per second
GRID = 80
RADIUS = 18

NIGHT, LINES, INK, FAINT = "#14172b", "#232846", "#f4f1e8", "#8d93b5"
STEPS = {
    pygame.K_LEFT: pygame.Vector2(-1, 0),
    pygame.K_RIGHT: pygame.Vector2(1, 0),
    pygame.K_UP: pygame.Vector2(0, -1),
    pygame.K_DOWN: pygame.Vector2(0, 1),
}


class Lobby:
    """Who is where, as the server says; and where each is shown, which follows smoothly."""

    def __init__(self) -> None:
        self.there: dict[str, pygame.Vector2] = {}
        self.shown: dict[str, pygame.Vector2] = {}
        self.scores: dict[str, float] = {}
        self.names: dict[str, str] = {}

    def hear(self, message: dict) -> None:
        """A message from the server."""
        if message["type"] == "state":
            self.there = {player: pygame.Vector2(at["x"], at["y"]) for player, at in message["positions"].items()}
            self.shown = {player: self.shown.get(player, at).copy() for player, at in self.there.items()}
            self.scores = message["scores"]
        elif message["type"] == "roster":
            self.names = {player: one["name"] for player, one in message["players"].items()}

    def follow(self, seconds: float) -> None:
        """Some time has passed."""
        for player, at in self.shown.items():
            at += (self.there[player] - at) * min(1.0, EASE * seconds)


class Keys:
    """What the player does: the keys that are held, and how far that has led since it was last sent."""

    def __init__(self) -> None:
        self.held: set[int] = set()
        self.way = pygame.Vector2()
        self.points = 0
        self.since_sent = 0.0

    def take(self, event: pygame.event.Event) -> None:
        """A key."""
        if event.type == pygame.KEYDOWN:
            self.held.add(event.key)
            self.points += event.key == pygame.K_SPACE
        elif event.type == pygame.KEYUP:
            self.held.discard(event.key)

    def send(self, client: blocking.Client, seconds: float) -> None:
        """Tell the server, a few times a second. While the connection is away, keys do nothing."""
        step = sum((STEPS[key] for key in self.held & STEPS.keys()), pygame.Vector2())
        if step:
            self.way += step.normalize() * SPEED * seconds
        self.since_sent += seconds
        if self.since_sent < 1 / MOVES:
            return
        self.since_sent = 0.0
        way, points = self.way, self.points
        self.way, self.points = pygame.Vector2(), 0
        try:
            if way:
                client.send("move", dx=round(way.x), dy=round(way.y))
            if points:
                client.send("score", points=points)
        except Disconnected:
            pass


def color_of(player: str) -> pygame.Color:
    """Everyone's own, and the same in every window."""
    color = pygame.Color(0)
    color.hsva = (crc32(player.encode()) % 360, 60, 95, 100)
    return color


def draw(screen: pygame.Surface, font: pygame.font.Font, lobby: Lobby, me: str, status: str) -> None:
    """One frame; our own player is in the middle."""
    screen.fill(NIGHT)
    middle = pygame.Vector2(SIZE) / 2
    offset = middle - lobby.shown.get(me, pygame.Vector2())
    for x in range(int(offset.x) % GRID, WIDTH, GRID):
        pygame.draw.line(screen, LINES, (x, 0), (x, HEIGHT))
    for y in range(int(offset.y) % GRID, HEIGHT, GRID):
        pygame.draw.line(screen, LINES, (0, y), (WIDTH, y))
    for player, at in sorted(lobby.shown.items(), key=lambda shown: shown[0] == me):
        place = at + offset
        pygame.draw.circle(screen, color_of(player), place, RADIUS)
        if player == me:
            pygame.draw.circle(screen, INK, place, RADIUS + 3, 2)
        name = font.render(f"{lobby.names.get(player, player)}  {lobby.scores.get(player, 0):g}", True, INK)
        screen.blit(name, name.get_rect(midbottom=place - (0, RADIUS + 6)))
    screen.blit(font.render(status, True, FAINT), (16, HEIGHT - 32))
    pygame.display.flip()


def play(client: blocking.Client) -> None:
    """Until the window is closed, or Escape is pressed."""
    screen = pygame.display.set_mode(SIZE)
    pygame.display.set_caption("netplay lobby")
    font = pygame.font.Font(None, 24)
    clock = pygame.time.Clock()
    lobby, keys = Lobby(), Keys()
    while True:
        seconds = clock.tick(FRAMES) / 1000
        for event in pygame.event.get():
            if event.type == pygame.QUIT or (event.type == pygame.KEYDOWN and event.key == pygame.K_ESCAPE):
                return
            keys.take(event)
        for message in client.poll():
            lobby.hear(message)
        keys.send(client, seconds)
        lobby.follow(seconds)
        here = f"{len(lobby.there)} here · arrows move, space scores, Esc leaves"
        draw(screen, font, lobby, client.you["id"], here if client.connected else "connection lost, coming back ...")


def main(where: str = "tcp:localhost:5555") -> None:
    """Come in, play, leave."""
    pygame.init()
    try:
        with blocking.connect(where, "game") as client:
            play(client)
    except (OSError, ValueError, ClientError) as error:
        sys.exit(f"{where}: {error}")
    finally:
        pygame.quit()


if __name__ == "__main__":
    main(*sys.argv[1:2])
