"""A relay under test: what it saw of each session, and whether it leaves anything behind."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.support.servers import DEADLINE_S
from tui.capture import CaptureWriter, EventLog
from tui.capture.file.folder import NewCapture
from tui.capture.file.records import Header
from tui.conversation import Cause, Link, Status, Turn
from tui.endpoint import explicit_target
from tui.session import Batch
from tui.session.plan import Timeouts
from tui.session.sign_in import FixedKey
from tui.settings import Secret
from tui.watch import Address, Relay, RelayPlan, WatchedSession
from tui.wire import Direction

OUR_KEY = "canary-settings-5d1e"
"""The key of the settings: only the service may see it."""


class Seen:
    """One session as the relay reports it."""

    def __init__(self, session: WatchedSession) -> None:
        self.session = session
        self.batches: list[Batch] = []
        self.turns: dict[str, Turn] = {}
        session.watch(self._take)

    def _take(self, batch: Batch) -> None:
        self.turns.update({turn.key: turn for turn in batch.turns})
        self.batches.append(batch)

    @property
    def status(self) -> Status:
        """The latest status."""
        return self.batches[-1].status if self.batches else Status()

    @property
    def said(self) -> list[str]:
        """What stands in the transcript, in no particular order."""
        return [turn.text for turn in self.turns.values()]

    def frames(self, direction: Direction) -> list[bytes]:
        """What is on record of one direction."""
        entries = map(self.session.log.entry, range(len(self.session.log)))
        return [entry.data for entry in entries if entry.direction is direction]

    async def cause(self) -> Cause:
        """Wait for the end and return why."""
        await until(lambda: self.status.link in (Link.CLOSED, Link.FAILED))
        assert self.status.cause is not None
        return self.status.cause


class Running:
    """A relay and the sessions that it has opened."""

    def __init__(self, plan: RelayPlan, captures: Path | None = None) -> None:
        self.sessions: list[Seen] = []
        self.refusals: list[str] = []

        def log(_: object) -> EventLog:
            capture = CaptureWriter(NewCapture(captures), Header()) if captures is not None else None
            return EventLog(time.monotonic_ns(), capture=capture)

        self.relay = Relay(
            plan,
            lambda session: self.sessions.append(Seen(session)),
            log,
            fps=100,
            refused=self.refusals.append,
        )

    def url(self, path: str = "/v1/realtime?model=gpt-realtime") -> str:
        """What a client connects to."""
        return self.relay.url + path

    async def session(self, number: int = 1) -> Seen:
        """The session of this number, once it is there."""
        await until(lambda: len(self.sessions) >= number)
        return self.sessions[number - 1]


async def until(condition: Callable[[], object]) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.005)


@asynccontextmanager
async def relay(target: str, *, key: str = "", captures: Path | None = None, **options: Any) -> AsyncIterator[Running]:
    """A relay to a URL; stopped at the end, and nothing is left of it.

    ``key`` is that of the settings, ``captures`` a folder for them, ``options`` the other fields of the plan.
    """
    options.setdefault("timeouts", Timeouts(open_s=5, close_s=0.3))
    plan = RelayPlan(
        Address("127.0.0.1", 0),
        explicit_target(target, None, insecure=True, watched=True),
        **{"sign_in": FixedKey(Secret(key)), **options},
    )
    running = Running(plan, captures)
    await asyncio.to_thread(running.relay.start)
    try:
        yield running
    finally:
        assert await asyncio.to_thread(running.relay.stop, DEADLINE_S), "the relay did not end"
        assert "azrt-relay" not in {thread.name for thread in threading.enumerate()}
        for seen in running.sessions:
            assert seen.status.link in (Link.CLOSED, Link.FAILED), seen.status
            assert key == "" or key not in repr(seen.batches)
            frames = [*seen.frames(Direction.SENT), *seen.frames(Direction.RECEIVED), *seen.frames(Direction.LOCAL)]
            assert key == "" or not any(key.encode() in frame for frame in frames)
            seen.session.log.close()
