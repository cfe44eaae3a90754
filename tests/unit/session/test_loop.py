"""Name resolution that nobody has to wait for."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import Any

import pytest

from tests.support.sessions import session
from tui.session.loop import LoopThread, SessionLoop


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


def test_a_thread_runs_its_coroutine_and_ends_when_asked() -> None:
    ending, began = asyncio.Event(), threading.Event()

    async def main() -> None:
        began.set()
        await ending.wait()

    thread = LoopThread("a-thread", main)
    thread.start()
    assert began.wait(10)
    assert not thread.end(lambda: None, timeout=0.01), "nobody has told it"
    assert thread.end(lambda: thread.call(ending.set), timeout=10)
    assert thread.loop.is_closed()
    thread.call(began.clear)
    assert began.is_set(), "a loop that is closed calls nothing"


def test_a_thread_that_never_began_has_ended() -> None:
    async def main() -> None:
        raise AssertionError("it was never started")

    thread = LoopThread("a-thread", main)
    assert thread.end(lambda: None, timeout=0)
    assert thread.loop.is_closed()
