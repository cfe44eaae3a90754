"""The server's side of one connection: TLS or not, and how it can go deaf."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import Any

from tui.odd_requests import Answering, OddRequest

Meeting = ssl.SSLContext | bytes | None
"""How a new connection is met: with TLS, with these bytes and nothing more, or by ending it."""


class Connection(Answering):
    """A server connection that can go deaf: what arrives from then on is dropped, pings and close frames included.

    `meet` says how it is met, once it is there; without it, it speaks no TLS. `told` is called with the reason when
    the client does not get through TLS, and `refused` with a request that is for no WebSocket. The library is told of
    the connection after TLS only.
    """

    program = "azrt-tui simulator"
    deaf = False

    def __init__(
        self,
        meet: Callable[[Connection], Meeting] | None,
        told: Callable[[str], None],
        refused: Callable[[OddRequest], None],
        *args: Any,
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self._meet = meet
        self._told = told
        self._refused = refused
        self._securing: asyncio.Task[None] | None = None
        self._early: list[bytes] | None = None
        """What came before the library was told of the connection; None when it knows."""

    @property
    def arriving(self) -> bool:
        """Whether the library has not been told of it yet, and so would not end it."""
        return self._early is not None

    def refuse(self, odd: OddRequest) -> None:
        """A request was answered that is for no WebSocket."""
        self._refused(odd)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The client has connected."""
        if self._meet is None:
            super().connection_made(transport)
            return
        assert isinstance(transport, asyncio.Transport)
        self.transport, self._early = transport, []
        met = self._meet(self)
        if isinstance(met, ssl.SSLContext):
            transport.pause_reading()  # what comes now is TLS
            self._securing = self.loop.create_task(self._secure(transport, met))
            return
        self.deaf = True
        if met is None:
            transport.abort()
        elif met:
            transport.write(met)
            transport.write_eof()

    async def _secure(self, transport: asyncio.Transport, context: ssl.SSLContext) -> None:
        try:
            secured = await self.loop.start_tls(transport, self, context, server_side=True)
        except (OSError, TimeoutError) as problem:
            self._told(getattr(problem, "reason", None) or str(problem) or "the client went away")
            return
        if secured is None or self._early is None:  # gone again
            return
        early, self._early = self._early, None
        super().connection_made(secured)
        for data in early:
            super().data_received(data)

    def data_received(self, data: bytes) -> None:
        """Take bytes from the socket, or drop them."""
        if self.deaf:
            return
        if self._early is None:
            super().data_received(data)
        else:
            self._early.append(data)

    def eof_received(self) -> None:
        """The client sends nothing more."""
        if self._early is None:
            super().eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection has ended."""
        if self._early is None:
            super().connection_lost(exc)
        self._early = None
