"""The session's event loop: asyncio's, with name resolution that nobody has to wait for."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from typing import Any


class SessionLoop(asyncio.SelectorEventLoop):
    """Resolves names in daemon threads.

    asyncio's own threads are joined when the program ends: with a DNS server that does not answer (a VPN that is
    down), quitting would hang for as long as the resolver tries.
    """

    async def getaddrinfo(self, host: Any, port: Any, **hints: Any) -> list[Any]:
        """As :func:`socket.getaddrinfo`; raises what that raises."""
        done: asyncio.Future[list[Any]] = self.create_future()

        def settle(found: list[Any], error: Exception | None) -> None:
            if done.done():
                return
            if error is not None:
                done.set_exception(error)
            else:
                done.set_result(found)

        def resolve() -> None:
            found: list[Any] = []
            failure: Exception | None = None
            try:
                found = socket.getaddrinfo(host, port, **hints)
            except Exception as error:
                failure = error
            with contextlib.suppress(RuntimeError):  # the loop is closed
                self.call_soon_threadsafe(settle, found, failure)

        threading.Thread(target=resolve, name="azrt-dns", daemon=True).start()
        return await done
