"""The session's event loop: asyncio's, with threads that nobody has to wait for at the end."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import socket
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class SessionLoop(asyncio.SelectorEventLoop):
    """Resolves names, and waits for sound devices, in daemon threads.

    asyncio's own threads are joined when the program ends: with a DNS server that does not answer (a VPN that is
    down) or a sound server that hangs, quitting would hang for as long.
    """

    async def getaddrinfo(self, host: Any, port: Any, **hints: Any) -> list[Any]:
        """As :func:`socket.getaddrinfo`; raises what that raises."""
        return await self.in_thread("azrt-dns", lambda: socket.getaddrinfo(host, port, **hints))

    def in_thread(self, name: str, function: Callable[[], T]) -> asyncio.Future[T]:
        """As :func:`in_daemon_thread`."""
        return _call(self, name, function)

    def call(self, function: Callable[..., object], *arguments: object) -> None:
        """Call a function in this loop, from any thread. Ignored once the loop is closed."""
        with contextlib.suppress(RuntimeError):
            self.call_soon_threadsafe(function, *arguments)


class LoopThread(threading.Thread):
    """A daemon thread that runs one coroutine, in a :class:`SessionLoop` of its own."""

    def __init__(self, name: str, main: Callable[[], Coroutine[Any, Any, None]]) -> None:
        super().__init__(name=name, daemon=True)
        self.loop = SessionLoop()
        self._main = main

    def run(self) -> None:
        """Run the coroutine. What it raises ends the thread."""
        with asyncio.Runner(loop_factory=lambda: self.loop) as runner:
            runner.run(self._main())

    def call(self, function: Callable[..., object], *arguments: object) -> None:
        """As :meth:`SessionLoop.call`."""
        self.loop.call(function, *arguments)

    def end(self, ask: Callable[[], object], timeout: float) -> bool:
        """Let ``ask`` tell the coroutine to end, and wait for so many seconds at most; True when the thread ended."""
        if self.ident is None:
            self.loop.close()
            return True
        ask()
        self.join(timeout)
        return not self.is_alive()


def in_daemon_thread(name: str, function: Callable[[], T]) -> asyncio.Future[T]:
    """Call a function in a daemon thread of this name; a future of the running loop gets what it returns or raises."""
    return _call(asyncio.get_running_loop(), name, function)


def _call(loop: asyncio.AbstractEventLoop, name: str, function: Callable[[], T]) -> asyncio.Future[T]:
    done: asyncio.Future[T] = loop.create_future()

    def settle(set_it: Callable[[], None]) -> None:
        if not done.done():
            set_it()

    def run() -> None:
        set_it: Callable[[], None]
        try:
            set_it = functools.partial(done.set_result, function())
        except Exception as error:
            set_it = functools.partial(done.set_exception, error)
        with contextlib.suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(settle, set_it)

    threading.Thread(target=run, name=name, daemon=True).start()
    return done
