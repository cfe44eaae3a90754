"""A session worker under test: everything it delivers, and whether it leaves anything behind."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from tests.support.servers import DEADLINE_S, Peer
from tui.audio import Playback
from tui.audio.microphone import Microphone
from tui.capture import Entry, EventLog
from tui.conversation import AgentState, Cause, Link, Status, Turn
from tui.endpoint import explicit_target
from tui.session import Batch, Notice, SessionPlan, SessionWorker
from tui.session.plan import Timeouts
from tui.settings import Secret
from tui.wire import Direction

KEY = "canary-7f3a9c"
"""Must not turn up anywhere but in the header."""


def plan(url: str, **changes: Any) -> SessionPlan:
    """A plan for a URL on loopback, with short timeouts."""
    values: dict[str, Any] = {
        "target": explicit_target(url, None, insecure=True),
        "key": Secret(KEY),
        "instructions": "Be brief.",
        "voice": "ash",
        "modality": "text",
        "turn_detection": "semantic_vad",
        "transcription_model": "",
        "timeouts": Timeouts(open_s=5, created_s=5, close_s=0.3),
    }
    return SessionPlan(**{**values, **changes})


class Running:
    """A worker and what it has said so far."""

    def __init__(
        self, the_plan: SessionPlan, playback: Playback | None = None, microphone: Microphone | None = None
    ) -> None:
        self.batches: list[Batch] = []
        self.notices: list[Notice] = []
        self.turns: dict[str, Turn] = {}
        self.order: tuple[str, ...] = ()
        self.leftovers: list[asyncio.Task[Any]] = []
        self.worker = SessionWorker(the_plan, self._take, fps=100, playback=playback, microphone=microphone)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._began = False
        self.worker._loop.set_task_factory(self._task)

    def _task(self, loop: asyncio.AbstractEventLoop, coroutine: Any, **options: Any) -> asyncio.Task[Any]:
        task = asyncio.Task(coroutine, loop=loop, **options)
        if not self._began:  # the worker's main task: whatever is not done when it ends was left behind
            self._began = True
            task.add_done_callback(lambda _: self.leftovers.extend(one for one in self._tasks if not one.done()))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _take(self, batch: Batch) -> None:
        for turn in batch.turns:
            self.turns[turn.key] = turn
        if batch.order is not None:
            self.order = batch.order
        self.notices.extend(batch.notices)
        self.batches.append(batch)

    @property
    def log(self) -> EventLog:
        """The worker's log."""
        return self.worker.log

    @property
    def status(self) -> Status:
        """The latest status."""
        return self.batches[-1].status if self.batches else Status()

    @property
    def transcript(self) -> list[Turn]:
        """The turns in order."""
        return [self.turns[key] for key in self.order]

    @property
    def said(self) -> list[str]:
        """The turns' texts in order."""
        return [turn.text for turn in self.transcript]

    def entries(self, direction: Direction) -> list[Entry]:
        """The log's entries of one direction."""
        entries = (self.log.entry(index) for index in range(len(self.log)))
        return [entry for entry in entries if entry.direction is direction]

    def types(self, direction: Direction) -> list[str]:
        """The event types of one direction."""
        return [entry.type for entry in self.entries(direction)]

    async def until(self, condition: Callable[[], object], what: str = "") -> None:
        """Wait until a condition about what was delivered holds."""
        deadline = time.monotonic() + DEADLINE_S
        while not condition():
            assert time.monotonic() < deadline, (what, self.status, self.said)
            await asyncio.sleep(0.005)

    async def connected(self) -> None:
        """Wait until the session is there."""
        await self.until(lambda: self.status.link is Link.CONNECTED, "connected")

    async def idle(self) -> None:
        """Wait until the agent is silent and nothing is queued."""
        await self.until(
            lambda: self.status.agent is AgentState.IDLE and not self.status.response_id and not self.status.queued
        )

    async def cause(self) -> Cause:
        """Wait for the end of the connection and return why it ended."""
        await self.until(lambda: self.status.link in (Link.FAILED, Link.CLOSED), "the end of the connection")
        assert self.status.cause is not None
        return self.status.cause

    async def assert_same_as(self, *peers: Peer) -> None:
        """The log holds exactly the frames that the far end saw, in the same order; it may still be reading."""

        def ours() -> list[bytes]:
            return [entry.data for entry in self.entries(Direction.SENT) if not entry.note.startswith("not sent")]

        await self.until(lambda: len(ours()) == sum(len(peer.received) for peer in peers), "the far end has read all")
        assert ours() == [data for peer in peers for data in peer.received]
        received = [entry.data for entry in self.entries(Direction.RECEIVED)]
        assert received == [data for peer in peers for data in peer.sent]

    async def stop(self) -> None:
        """End the worker; it must leave nothing behind, and deliver nothing more."""
        assert await asyncio.to_thread(self.worker.stop, DEADLINE_S), "the worker did not end"
        assert not self.leftovers
        assert self.worker._loop.is_closed()
        if self.batches:
            assert self.status.link is Link.CLOSED
            assert self.batches[-1].events == len(self.log)
        self.assert_no_key()

    def assert_no_key(self) -> None:
        """The key is nowhere."""
        assert KEY not in repr(self.batches) + repr(self.worker._shared.plan)
        assert not [entry for entry in map(self.log.entry, range(len(self.log))) if KEY.encode() in entry.data]


@asynccontextmanager
async def session(
    url: str, *, playback: Playback | None = None, microphone: Microphone | None = None, **changes: Any
) -> AsyncIterator[Running]:
    """A worker that connects to a URL; stopped and checked at the end."""
    running = Running(plan(url, **changes), playback, microphone)
    running.worker.start()
    try:
        yield running
    finally:
        await running.stop()
        running.log.close()
