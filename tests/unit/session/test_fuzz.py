"""Frames that nobody would send: whatever comes, the session goes on, the SDK with it, and every frame is on record."""

from __future__ import annotations

import asyncio
import json

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.properties import PROPERTY
from tests.support.servers import CREATED, Peer, websocket_server
from tests.support.sessions import session
from tests.unit.session.test_worker import sent
from tui.conversation import Link
from tui.conversation.transcript import _RECEIVED
from tui.session import SendText
from tui.wire import Direction

TYPES = (
    *_RECEIVED,
    "session.created",
    "session.updated",
    "error",
    "input_audio_buffer.speech_started",
    "input_audio_buffer.speech_stopped",
    "input_audio_buffer.committed",
    "conversation.item.truncated",
    "conversation.item.retrieved",
    "galaxy.exploded",
)

FIELDS = (
    "item",
    "item_id",
    "previous_item_id",
    "response",
    "response_id",
    "content_index",
    "delta",
    "text",
    "transcript",
    "arguments",
    "error",
    "session",
    "rate_limits",
    "id",
    "type",
    "role",
    "content",
    "status",
    "status_details",
    "reason",
    "code",
    "message",
    "audio",
    "usage",
    "expires_at",
    "reset_seconds",
    "call_id",
    "output",
)

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(
        ["", "i", "r", "user", "assistant", "message", "function_call", "failed", "AAAA", "\x1b[2J", "\ud800"]
    )
    | st.text(max_size=8)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=4),
    max_leaves=8,
)
EVENTS = st.builds(
    lambda kind, fields: json.dumps({**fields, "type": kind}).encode(),
    st.sampled_from(TYPES),
    st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=5),
)
FRAMES = (
    EVENTS | EVENTS.map(lambda data: data[:-3]) | st.binary(max_size=40) | VALUES.map(lambda v: json.dumps(v).encode())
)


async def survive(frames: list[bytes]) -> None:
    """Send these frames to a session; it must be there afterwards."""

    async def script(peer: Peer) -> None:
        await peer.send(CREATED)
        await peer.receive()
        await peer.send(*frames)
        await peer.drain()

    async with websocket_server(script) as server, session(server.url) as running:
        await running.connected()
        count = len(frames) + 1
        await running.until(lambda: running.log.count(Direction.RECEIVED) == count, "every frame is on record")
        # A response that is said to be running holds the next request back: end it first.
        (peer,) = server.peers
        await peer.send({"type": "response.done", "response": {"id": running.status.response_id or "r"}})
        running.worker.submit(SendText("Still there?"))
        await running.until(lambda: sent(running, "conversation.item.create"), "a message goes out")
        assert running.status.link is Link.CONNECTED
        await running.assert_same_as(peer)
        assert not [entry for entry in running.entries(Direction.RECEIVED) if "azrt-tui failed on it" in entry.note]


@settings(PROPERTY, max_examples=40)
@given(st.lists(FRAMES, min_size=1, max_size=25))
def test_the_worker_never_dies(frames: list[bytes]) -> None:
    asyncio.run(survive(frames))
