"""Name resolution that nobody has to wait for."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import Any

import pytest

from tests.support.sessions import session
from tui.session.loop import SessionLoop


def test_it_resolves_as_the_system_does() -> None:
    with asyncio.Runner(loop_factory=SessionLoop) as runner:
        loop = runner.get_loop()
        found = runner.run(loop.getaddrinfo("localhost", 80, type=socket.SOCK_STREAM))
        assert set(found) == set(socket.getaddrinfo("localhost", 80, type=socket.SOCK_STREAM))
        with pytest.raises(socket.gaierror):
            runner.run(loop.getaddrinfo("no-such-host.invalid", 80))


async def test_closing_does_not_wait_for_a_resolver_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    # The resolver of this machine cannot be made to hang: this stands in for it.
    answers = threading.Event()
    asked = threading.Event()

    def hang(*_: Any, **__: Any) -> list[Any]:
        asked.set()
        answers.wait()
        raise socket.gaierror(socket.EAI_AGAIN, "too late")

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    try:
        async with session("wss://example.com/v1/realtime"):
            assert await asyncio.to_thread(asked.wait, 8)
        waiting = [thread for thread in threading.enumerate() if thread.name == "azrt-dns"]
        assert all(thread.daemon for thread in waiting), "the program's end does not wait for them"
    finally:
        answers.set()
        for thread in threading.enumerate():
            if thread.name == "azrt-dns":
                await asyncio.to_thread(thread.join)
