"""A server that insists on another format of audio than it was asked for."""

from __future__ import annotations

import base64
import itertools
import math
from array import array
from typing import Any

import pytest

from tests.support.servers import CREATED, Peer, websocket_server
from tests.support.sessions import session
from tui.audio import SilentPlayback
from tui.audio_format import CODINGS
from tui.session import SendText
from tui.wire import Direction


class Heard(SilentPlayback):
    """A loudspeaker that writes down what it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.pcm = bytearray()

    def feed(self, item_id: str, content_index: int, pcm: bytes) -> None:
        """Keep it."""
        self.pcm += pcm


def server(format_: dict[str, Any], sound: bytes) -> Any:
    """A server that echoes its own format for both directions, and answers with this sound, in ten pieces."""

    async def insist(peer: Peer) -> None:
        await peer.send(CREATED)
        audio = {"input": {"format": format_}, "output": {"format": format_}}
        echo = {
            "type": "session.updated",
            "session": {"type": "realtime", "object": "realtime.session", "audio": audio},
        }
        await peer.until("session.update")
        await peer.send(echo, echo)
        await peer.until("response.create")
        await peer.send(
            {"type": "response.created", "event_id": "e", "response": {"id": "r", "object": "realtime.response"}}
        )
        size = len(sound) // 10
        for at in range(0, len(sound), size):
            ids = {"event_id": f"e{at}", "response_id": "r", "item_id": "i", "output_index": 0, "content_index": 0}
            delta = base64.b64encode(sound[at : at + size]).decode()
            await peer.send({"type": "response.output_audio.delta", **ids, "delta": delta})
        await peer.send({"type": "response.done", "event_id": "d", "response": {"id": "r", "status": "completed"}})
        await peer.drain()

    return insist


async def test_g711_is_played_right_and_the_other_way_is_told_once() -> None:
    audio = CODINGS["pcmu"]
    values = array("h", audio.decode(bytes(range(256))))
    wanted = [8_000 * math.sin(2 * math.pi * 440 * at / 8_000) for at in range(8_000)]
    coded = bytes(min(range(256), key=lambda code: abs(values[code] - value)) for value in wanted)
    heard = Heard()
    script = server({"type": "audio/pcmu"}, coded)
    async with websocket_server(script) as far_end, session(far_end.url, playback=heard) as running:
        await running.connected()
        running.worker.submit(SendText("hello"))
        await running.until(lambda: len(heard.pcm) >= 48_000)
        told = [notice.text for notice in running.notices]
    samples = array("h", heard.pcm)
    assert len(samples) == 24_000
    crossings = sum((a < 0) != (b < 0) for a, b in itertools.pairwise(samples[100:]))
    assert crossings / 2 == pytest.approx(440, abs=4)
    assert max(samples) == pytest.approx(8_000, rel=0.04)
    assert told == ["The server wants your voice as audio/pcmu at 8 kHz, and azrt-tui sends PCM16 at 24 kHz."]


async def test_what_cannot_be_played_is_told_and_not_played() -> None:
    heard = Heard()
    script = server({"type": "audio/opus"}, bytes(100))
    async with websocket_server(script) as far_end, session(far_end.url, playback=heard) as running:
        await running.connected()
        running.worker.submit(SendText("hello"))
        await running.until(lambda: "response.done" in running.types(Direction.RECEIVED))
        told = [notice.text for notice in running.notices]
    assert not heard.pcm
    assert "The agent's voice comes as audio/opus, which azrt-tui cannot play." in told
