"""Far ends on 127.0.0.1: a WebSocket server that does what a test says, and one that answers with fixed bytes."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

DEADLINE_S = 8
"""How long a test waits for what must come. Only a broken program lets it pass."""

SESSION = {
    "type": "realtime",
    "object": "realtime.session",
    "id": "sess_1",
    "model": "gpt-realtime",
    "output_modalities": ["text"],
    "audio": {
        "input": {"format": {"type": "audio/pcm", "rate": 24000}, "turn_detection": None},
        "output": {"format": {"type": "audio/pcm", "rate": 24000}, "voice": "ash"},
    },
}

CREATED = {"type": "session.created", "event_id": "event_0", "session": SESSION}


class Peer:
    """The server's side of one connection. ``sent`` and ``received`` hold its frames as they were on the wire."""

    def __init__(self, connection: ServerConnection) -> None:
        self.connection = connection
        self.sent: list[bytes] = []
        self.received: list[bytes] = []

    async def send(self, *events: object, text: bool = True) -> None:
        """Send events as JSON, str and bytes as they are."""
        for event in events:
            data = (
                event if isinstance(event, bytes) else (event if isinstance(event, str) else json.dumps(event)).encode()
            )
            self.sent.append(data)
            await self.connection.send(data, text=text)

    async def receive(self) -> dict[str, Any]:
        """The next event of the client."""
        async with asyncio.timeout(DEADLINE_S):
            data = await self.connection.recv(decode=False)
        self.received.append(data)
        event: dict[str, Any] = json.loads(data)
        return event

    async def until(self, event_type: str) -> dict[str, Any]:
        """The next event of this type."""
        while (event := await self.receive())["type"] != event_type:
            pass
        return event

    async def drain(self) -> None:
        """Read until the connection ends."""
        try:
            while True:
                self.received.append(await self.connection.recv(decode=False))
        except ConnectionClosed:
            pass

    async def lose(self) -> None:
        """Break the connection without a goodbye."""
        self.connection.transport.abort()
        await self.connection.wait_closed()


class WebSocketServer:
    """Runs a script for each connection. ``peers`` and ``headers`` grow by one with each."""

    def __init__(self, script: Callable[[Peer], Awaitable[None]]) -> None:
        self.url = ""
        self.peers: list[Peer] = []
        self.headers: list[dict[str, str]] = []
        self.failures: list[BaseException] = []
        self._script = script

    async def handle(self, connection: ServerConnection) -> None:
        """One connection."""
        peer = Peer(connection)
        self.peers.append(peer)
        assert connection.request is not None
        self.headers.append({name.lower(): value for name, value in connection.request.headers.raw_items()})
        try:
            await self._script(peer)
        except ConnectionClosed:
            pass
        except Exception as failure:
            self.failures.append(failure)
            raise


@asynccontextmanager
async def websocket_server(
    script: Callable[[Peer], Awaitable[None]],
    *,
    tls: ssl.SSLContext | None = None,
    subprotocols: Sequence[Subprotocol] | None = None,
    optional_subprotocols: bool = False,
) -> AsyncIterator[WebSocketServer]:
    """A server whose connections run ``script``; a failure in it is a failure of the test.

    ``optional_subprotocols``: clients that offer none of them are served too.
    """
    server = WebSocketServer(script)
    async with serve(
        server.handle,
        "127.0.0.1",
        0,
        ssl=tls,
        subprotocols=subprotocols,
        select_subprotocol=_first_known if optional_subprotocols else None,
        compression=None,
        max_size=None,
        close_timeout=0.2,
        ping_interval=None,
    ) as listening:
        port = next(iter(listening.sockets)).getsockname()[1]
        server.url = f"{'wss' if tls else 'ws'}://127.0.0.1:{port}/v1/realtime?model=gpt-realtime"
        yield server
    assert not server.failures


def _first_known(connection: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    known = connection.protocol.available_subprotocols or ()
    return next((name for name in offered if name in known), None)


class HttpServer:
    """Answers every request with the same bytes. ``requests`` holds the requests' heads."""

    def __init__(self) -> None:
        self.url = ""
        self.requests: list[str] = []


def http(status: str, body: bytes = b"", *headers: str) -> bytes:
    """A whole HTTP answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


@asynccontextmanager
async def http_server(
    answer: Callable[[str], bytes] | bytes | None, *, wait_for: bytes = b"\r\n\r\n", ends: bool = True
) -> AsyncIterator[HttpServer]:
    """A server that answers a request (its head is the argument) with bytes and ``ends``; None: never answers.

    The request is over with ``wait_for``; b"" takes whatever comes first for one.
    """
    server = HttpServer()
    silent = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await (reader.readuntil(wait_for) if wait_for else reader.read(4096))).decode("latin-1")
            server.requests.append(head)
            if answer is None:
                await silent.wait()
            else:
                writer.write(answer if isinstance(answer, bytes) else answer(head))
                await writer.drain()
                if not ends:
                    await silent.wait()
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
            pass  # no HTTP, or the client went away
        finally:
            writer.close()

    listening = await asyncio.start_server(handle, "127.0.0.1", 0)
    server.url = f"ws://127.0.0.1:{listening.sockets[0].getsockname()[1]}/v1/realtime?model=gpt-realtime"
    try:
        yield server
    finally:
        silent.set()
        listening.close()
        await listening.wait_closed()
