"""
A ticker written straightforwardly with asyncio streams: a dict for each client, json.dumps for each message, write
and drain. ticker_asyncio.py PORT SYMBOLS SEED INTERVAL
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from datetime import datetime
from typing import Any


class StockTickerServer:
    """Prices by random walk, to those who subscribed to them."""

    def __init__(self, symbols: int, seed: int, interval: float) -> None:
        self.random = random.Random(seed)
        self.interval = interval
        self.stocks: dict[str, dict[str, Any]] = {
            "AAPL": {"price": 150.0, "emoji": "🍎"},
            "GOOGL": {"price": 2800.0, "emoji": "🔍"},
            "TSLA": {"price": 800.0, "emoji": "🚗"},
            "AMZN": {"price": 3400.0, "emoji": "📦"},
            "MSFT": {"price": 300.0, "emoji": "💻"},
        }
        for number in range(6, symbols + 1):
            price = round(self.random.uniform(10, 1000), 2)
            self.stocks[f"SYM{number:04}"] = {"price": price, "emoji": "📈"}
        self.clients: dict[str, dict[str, Any]] = {}
        self.client_counter = 0

    async def handle_client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.client_counter += 1
        client_id = f"Trader_{self.client_counter}"
        self.clients[client_id] = {"writer": writer, "subscriptions": set()}
        welcome = {
            "type": "welcome",
            "client_id": client_id,
            "available_stocks": list(self.stocks),
            "message": f"Welcome {client_id}! 📈",
        }
        await self.send_to_client(client_id, welcome)
        try:
            while data := await reader.readline():
                await self.handle_message(client_id, json.loads(data))
        except (ConnectionError, ValueError):
            pass
        finally:
            del self.clients[client_id]
            writer.close()

    async def handle_message(self, client_id: str, message: dict[str, Any]) -> None:
        client = self.clients[client_id]
        symbols = [symbol for symbol in message.get("symbols", []) if symbol in self.stocks]
        if message["type"] == "subscribe":
            client["subscriptions"].update(symbols)
            prices = {symbol: self.stocks[symbol] for symbol in client["subscriptions"]}
            await self.send_to_client(client_id, {"type": "snapshot", "prices": prices})
        elif message["type"] == "unsubscribe":
            client["subscriptions"].difference_update(symbols)

    async def send_to_client(self, client_id: str, data: dict[str, Any]) -> None:
        try:
            writer = self.clients[client_id]["writer"]
            writer.write(json.dumps(data).encode() + b"\n")
            await writer.drain()
        except (ConnectionError, KeyError):
            pass  # it is gone

    async def price_updater(self) -> None:
        while True:
            await asyncio.sleep(self.interval)
            updates = {}
            for symbol, stock in self.stocks.items():
                if self.random.random() > 0.5:
                    change = self.random.uniform(-2, 2)
                    stock["price"] = max(1, stock["price"] + change)
                    updates[symbol] = {
                        "price": round(stock["price"], 2),
                        "emoji": stock["emoji"],
                        "change": round(change, 2),
                        "timestamp": datetime.now().isoformat(),
                    }
            tasks = []
            for client_id, client in self.clients.items():
                relevant = {symbol: update for symbol, update in updates.items() if symbol in client["subscriptions"]}
                if relevant:
                    tasks.append(self.send_to_client(client_id, {"type": "price_update", "updates": relevant}))
            await asyncio.gather(*tasks, return_exceptions=True)

    async def start(self, port: int) -> None:
        server = await asyncio.start_server(self.handle_client, "127.0.0.1", port, backlog=4096)
        updater = asyncio.create_task(self.price_updater())
        async with server:
            await asyncio.gather(server.serve_forever(), updater)


if __name__ == "__main__":
    ticker = StockTickerServer(int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))
    asyncio.run(ticker.start(int(sys.argv[1])))
