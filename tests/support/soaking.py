"""A long conversation at many events a second over a connection that is lost again and again."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.killing import QUICK, lost_and_doubled
from tests.support.servers import CREATED, Peer, websocket_server
from tests.support.sessions import session
from tui.conversation import Link
from tui.session import SendText
from tui.wire import Direction

_ANSWER = 100
"""Deltas in an answer."""

_STEP_S = 0.02


@dataclass(frozen=True, slots=True)
class Report:
    """What came of it."""

    events: int
    """Received."""
    messages: int
    """Sent by the person."""
    reconnects: int
    lost: int
    doubled: int
    strange: int
    """Connections that were given something else than the newest part of the conversation."""
    grown_mb: float
    """Memory of the process, over the second half."""


@dataclass(slots=True)
class _Far:
    """The server: confirms what it is given, and answers at ``rate`` events a second."""

    rate: float
    conversations: list[list[str]] = field(default_factory=list)

    async def __call__(self, peer: Peer) -> None:
        said: list[str] = []
        self.conversations.append(said)
        await peer.send(CREATED)
        number = 0
        while True:
            event = json.loads(await peer.connection.recv())
            if event["type"] == "conversation.item.create":
                item = {"id": f"item_{number}", **event["item"]}
                number += 1
                if item.get("role") == "user":
                    said.append(item["content"][0]["text"])
                await peer.connection.send(
                    json.dumps({"type": "conversation.item.added", "event_id": "e", "item": item})
                )
            elif event["type"] == "response.create":
                number += 1
                await self._answer(peer, number)

    async def _answer(self, peer: Peer, number: int) -> None:
        ids = {"response_id": f"r{number}", "item_id": f"a{number}", "output_index": 0, "content_index": 0}
        response = {"id": f"r{number}", "status": "in_progress", "output": []}
        delta: dict[str, Any] = {"type": "response.output_text.delta", "event_id": "e", **ids, "delta": "x "}
        await peer.connection.send(json.dumps({"type": "response.created", "event_id": "e", "response": response}))
        begin, sent = time.monotonic(), 0
        while sent < _ANSWER:
            due = min(_ANSWER, int((time.monotonic() - begin) * self.rate))
            for _ in range(due - sent):
                await peer.connection.send(json.dumps(delta))
            sent = due
            await asyncio.sleep(_STEP_S)
        response = {**response, "status": "completed"}
        await peer.connection.send(json.dumps({"type": "response.done", "event_id": "e", "response": response}))


async def soak(*, seconds: float, rate: float, every_s: float) -> Report:
    """Talk for so long at so many events a second, and lose the connection so often."""
    far = _Far(rate)
    typed: list[str] = []
    async with (
        websocket_server(far) as server,
        session(server.url, attended=True, timeouts=QUICK, while_answering="queue") as running,
    ):
        await running.connected()  # the first time it takes seconds, in which nobody would be answered
        begin = time.monotonic()
        lose_at, half_mb = begin + every_s, 0.0
        while (now := time.monotonic()) < begin + seconds:
            if now >= lose_at and server.peers:
                lose_at = now + every_s
                server.peers[-1].connection.transport.abort()
            if running.status.queued == 0:
                typed.append(f"message {len(typed)}")
                running.worker.submit(SendText(typed[-1]))
            if not half_mb and now >= begin + seconds / 2:
                half_mb = _memory_mb()
            await asyncio.sleep(_STEP_S)
            del running.batches[:-1]
        await running.until(lambda: running.status.link is Link.CONNECTED and not running.status.queued, "all is sent")
        await running.until(lambda: far.conversations[-1][-1:] == typed[-1:], "the far end has all")
        newest = far.conversations[-1]
        lost, doubled = lost_and_doubled(typed[len(typed) - len(newest) :], newest)
        return Report(
            running.log.count(Direction.RECEIVED),
            len(typed),
            len(far.conversations) - 1,
            lost,
            doubled,
            sum(not _is_run(said, typed) for said in far.conversations),
            _memory_mb() - half_mb,
        )


def _is_run(said: list[str], typed: list[str]) -> bool:
    """Whether these are some of the messages, one after the other."""
    return not said or (said[0] in typed and said == typed[typed.index(said[0]) :][: len(said)])


def _memory_mb() -> float:
    """What the process holds; 0 where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return 0.0
    return pages * 4096 / 1e6
