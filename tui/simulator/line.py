"""One connection's way out: every frame leaves through here, in order, and so does every way of breaking off."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from websockets.exceptions import ConnectionClosed

from tui.simulator.connection import Connection
from tui.simulator.events import Event
from tui.simulator.session_log import SessionLog

SLOW_READ_S = 1.0
"""Seconds between two messages taken from a client by a server that is slow to read."""

_SLOW_BUFFER = 4096
"""Bytes that the kernel then keeps of what has not been read."""

Step = Callable[[], Awaitable[None]]


class Line:
    """What is waiting to be sent over one connection. Nothing here waits; `run` sends.

    `pause_s` is how long to wait before the next message is taken from the client.
    """

    def __init__(self, connection: Connection, log: SessionLog) -> None:
        self.pause_s = 0.0
        self._connection = connection
        self._log = log
        self._steps: asyncio.Queue[Step] = asyncio.Queue()

    @property
    def waiting(self) -> int:
        """How much has not been sent yet."""
        return self._steps.qsize()

    @property
    def dead(self) -> bool:
        """Whether the connection is up but this side of it has died."""
        return self._connection.deaf

    async def run(self) -> None:
        """Send what is put here, until cancelled. Once the connection is gone, what is left is dropped."""
        while True:
            step = await self._steps.get()
            try:
                await step()
            except ConnectionClosed:
                pass  # the reader sees the same and ends the session
            finally:
                self._steps.task_done()

    async def drained(self) -> None:
        """Wait until everything has been sent."""
        await self._steps.join()

    def send(self, event: Event) -> None:
        """Send an event."""
        self._steps.put_nowait(partial(self._send, _encode(event), True))

    def send_raw(self, data: bytes, *, text: bool = True) -> None:
        """Send one message of these bytes, whatever they are. As text, they need not be UTF-8."""
        self._steps.put_nowait(partial(self._send, data, text))

    def send_fragments(self, text: str, size: int) -> None:
        """Send one text message in fragments of `size` characters, as the protocol allows."""
        parts = [text[at : at + size] for at in range(0, len(text), size)]
        self._steps.put_nowait(partial(self._send_fragments, parts))

    def write(self, data: bytes) -> None:
        """Put bytes on the socket that are no WebSocket frame."""
        self._steps.put_nowait(partial(self._write, data))

    def close(self, code: int, reason: str = "") -> None:
        """Say goodbye with a close frame."""
        self._steps.put_nowait(partial(self._connection.close, code, reason))

    def lose(self) -> None:
        """End the connection without a close frame."""
        self._steps.put_nowait(self._lose)

    def die(self) -> None:
        """Neither read nor answer any more, with the connection up: what a hung server or a lost network looks like."""
        self._steps.put_nowait(self._die)

    def abort(self) -> None:
        """End the connection now, past everything that waits."""
        self._connection.transport.abort()

    def slow_down(self) -> None:
        """Take the client's messages one at a time, `SLOW_READ_S` apart, so that its sending backs up."""
        self.pause_s = SLOW_READ_S
        connected: socket.socket = self._connection.transport.get_extra_info("socket")
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SLOW_BUFFER)

    async def _send(self, data: str | bytes, text: bool) -> None:
        await self._connection.send(data, text=text)
        self._log.add("sent", data)

    async def _send_fragments(self, parts: list[str]) -> None:
        await self._connection.send(parts)
        self._log.add("sent", "".join(parts))

    async def _write(self, data: bytes) -> None:
        self._connection.transport.write(data)

    async def _lose(self) -> None:
        self.abort()

    async def _die(self) -> None:
        self._connection.deaf = True
        await asyncio.Event().wait()  # nothing that waits behind this is ever sent


def _encode(event: dict[str, Any]) -> str:
    text = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:
        # A lone surrogate, echoed from the client, exists in JSON only as an escape.
        text = json.dumps(event, separators=(",", ":"))
    return text
