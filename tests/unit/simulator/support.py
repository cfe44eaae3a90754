"""A bare WebSocket client, synthetic speech, and other tools of the simulator's tests."""

from __future__ import annotations

import array
import asyncio
import base64
import json
import math
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from tui.simulator import Simulator
from tui.simulator.script import Answer

DEADLINE_S = 30
"""How long a test waits for an event that must come. Only a broken server lets it pass."""

WEATHER_TOOL = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather in a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


def simulator(**options: Any) -> Simulator:
    """Return a simulator without delays that needs no speech program."""
    return Simulator(**{"speed": math.inf, "engine": "recordings", **options})


class Client:
    """A client that sends dicts and remembers every event that came."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.events: list[dict[str, Any]] = []

    async def send(self, kind: str, **fields: Any) -> None:
        """Send one client event."""
        await self.connection.send(json.dumps({"type": kind, **fields}))

    async def receive(self) -> dict[str, Any]:
        """Return the next event."""
        async with asyncio.timeout(DEADLINE_S):
            message = await self.connection.recv()
        assert isinstance(message, str)
        event: dict[str, Any] = json.loads(message)
        self.events.append(event)
        return event

    async def until(self, kind: str) -> dict[str, Any]:
        """Return the next event of this type; what comes before it is remembered."""
        while True:
            event = await self.receive()
            if event["type"] == kind:
                return event

    async def nth(self, kind: str, count: int) -> dict[str, Any]:
        """Return the event of this type that is the `count`-th of all, whether it has come already or not."""
        while len(self.of(kind)) < count:
            await self.receive()
        return self.of(kind)[count - 1]

    async def error(self) -> dict[str, Any]:
        """Return the error object of the next `error` event."""
        found: dict[str, Any] = (await self.until("error"))["error"]
        return found

    async def say(self, text: str, **item: Any) -> None:
        """Put a user message into the conversation."""
        content = [{"type": "input_text", "text": text}]
        await self.send(
            "conversation.item.create", item={"type": "message", "role": "user", "content": content, **item}
        )

    async def ask(self, text: str, **response: Any) -> dict[str, Any]:
        """Say `text`, ask for a response, and return its finished state."""
        await self.say(text)
        await self.send("response.create", response=response)
        return dict((await self.until("response.done"))["response"])

    async def append(self, pcm: bytes, ms: int = 100) -> None:
        """Append 24 kHz PCM16 in pieces of `ms`."""
        size = ms * 48
        for at in range(0, len(pcm), size):
            await self.send("input_audio_buffer.append", audio=base64.b64encode(pcm[at : at + size]).decode())

    async def update(self, **session: Any) -> dict[str, Any]:
        """Update the (GA) session and return it."""
        await self.send("session.update", session={"type": "realtime", **session})
        return dict((await self.until("session.updated"))["session"])

    def of(self, kind: str) -> list[dict[str, Any]]:
        """Return the remembered events of this type."""
        return [event for event in self.events if event["type"] == kind]

    @property
    def types(self) -> list[str]:
        """The types of all remembered events."""
        return [event["type"] for event in self.events]


@asynccontextmanager
async def client(sim: Simulator, **options: Any) -> AsyncIterator[Client]:
    """Connect to `sim` and take session.created."""
    async with connect(sim.url(), compression=None, max_size=None, **options) as connection:
        found = Client(connection)
        assert (await found.receive())["type"] == "session.created"
        yield found


@asynccontextmanager
async def session(**options: Any) -> AsyncIterator[Client]:
    """Start a simulator and connect to it."""
    async with simulator(**options) as sim, client(sim) as found:
        yield found


def speech(ms: int, db: float = -20.0) -> bytes:
    """Return `ms` of something speech-like at an RMS level of `db`: a voice's harmonics, four syllables a second."""
    count = ms * 24
    tone = []
    for n in range(count):
        t = n / 24_000
        syllable = 0.55 + 0.45 * math.sin(2 * math.pi * 4 * t)
        tone.append(syllable * sum(math.sin(2 * math.pi * 140 * k * t) / k for k in (1, 2, 3, 5)))
    rms = math.sqrt(sum(value * value for value in tone) / count)
    gain = 32768 * 10 ** (db / 20) / rms
    return array.array("h", (round(max(-32768, min(32767, value * gain))) for value in tone)).tobytes()


def silence(ms: int) -> bytes:
    """Return `ms` of a very quiet room: not zero, about -80 dB."""
    return array.array("h", ((n * 7919 % 9) - 4 for n in range(ms * 24))).tobytes()


def opening(answer: Answer) -> str:
    """Return the first sentence that an answer says, the part that its recording holds."""
    found = re.match(r".+?[.!?:](?=\s|$)", answer.spoken)
    return found[0] if found and "{" not in found[0] else answer.spoken.split("{")[0].rstrip(" :,")
