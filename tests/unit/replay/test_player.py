"""Replay: a recorded session comes out as it was, at any speed, from any position, and nothing is sent."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from array import array
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.support.servers import DEADLINE_S
from tests.support.sessions import session
from tests.unit.simulator.support import simulator
from tui.capture import EventLog
from tui.conversation import AgentState, Link, Status, Turn, TurnState
from tui.replay.player import Replay
from tui.replay.speeds import Seek, SeekBy, SetSpeed, StepBy, TogglePlay
from tui.session import Batch, Interrupt, SendText
from tui.wire import Direction

SECOND = 1_000_000_000


class Heard:
    """A loudspeaker that writes down what it is given."""

    def __init__(self) -> None:
        self.pcm = bytearray()
        self.flushes = 0

    def open(self) -> bool:
        """There is one."""
        return True

    def feed(self, item_id: str, content_index: int, pcm: bytes) -> None:
        """Keep it."""
        self.pcm += pcm

    def flush(self) -> dict[str, int]:
        """Count it."""
        self.flushes += 1
        return {}


class Shown:
    """A replay, and what a screen would show of it."""

    def __init__(self, log: EventLog, **options: Any) -> None:
        self.status = Status()
        self.rows = self.events = 0
        self.turns: dict[str, Turn] = {}
        self.order: tuple[str, ...] = ()
        self.replay = Replay(log, self._take, fps=200, **options)

    def _take(self, batch: Batch) -> None:
        for turn in batch.turns:
            self.turns[turn.key] = turn
        if batch.order is not None:
            self.order = batch.order
        self.status, self.rows, self.events = batch.status, batch.rows, batch.events

    @property
    def said(self) -> list[tuple[str, str, TurnState, int]]:
        """The conversation."""
        turns = (self.turns[key] for key in self.order)
        return [(turn.speaker.value, turn.text, turn.state, turn.heard) for turn in turns]

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until a condition about what is shown holds."""
        deadline = time.monotonic() + DEADLINE_S
        while not condition():
            assert time.monotonic() < deadline, (self.replay.state, self.status, self.said)
            await asyncio.sleep(0.002)


@asynccontextmanager
async def shown(log: EventLog, **options: Any) -> AsyncIterator[Shown]:
    """A replay that runs."""
    one = Shown(log, **options)
    one.replay.start()
    try:
        yield one
    finally:
        assert await asyncio.to_thread(one.replay.stop, DEADLINE_S)


def put(log: EventLog, seconds: float, event: dict[str, Any], direction: Direction = Direction.RECEIVED) -> None:
    """Add an event that came so long after the beginning."""
    log.append(direction, json.dumps(event).encode(), int(seconds * SECOND))


def audio(samples: array[int], item: str = "item_1") -> dict[str, Any]:
    """A piece of the agent's voice."""
    delta = base64.b64encode(samples.tobytes()).decode()
    return {
        "type": "response.output_audio.delta",
        "item_id": item,
        "response_id": "resp_1",
        "content_index": 0,
        "delta": delta,
    }


@pytest.fixture
def hour() -> EventLog:
    """An event a minute."""
    log = EventLog()
    put(log, 0, {"type": "websocket.connect", "text": "wss://example"}, Direction.LOCAL)
    for minute in range(1, 61):
        item = {"id": f"item_{minute}", "type": "message", "role": "assistant", "content": []}
        item["content"] = [{"type": "output_text", "text": f"minute {minute}"}]
        put(log, minute * 60, {"type": "conversation.item.done", "item": item})
    return log


async def test_a_session_comes_out_as_it_was() -> None:
    async with simulator(speed=1, word_s=0.03, thinking_s=0.0) as sim, session(sim.url()) as running:
        await running.connected()
        running.worker.submit(SendText("Which keys are there?"))
        await running.until(lambda: "response.done" in running.types(Direction.RECEIVED))
        await running.idle()
        running.worker.submit(SendText("tell me a story"))
        await running.until(lambda: len(running.said) == 4 and len(running.said[-1]) > 100)
        running.worker.submit(Interrupt())
        await running.until(lambda: running.transcript[-1].state is TurnState.INTERRUPTED)
        live = [(turn.speaker.value, turn.text, turn.state, turn.heard) for turn in running.transcript]
        async with shown(running.log, speed=16) as replay:
            await replay.until(lambda: replay.replay.state.ended)
            assert replay.said == live
            assert replay.status.link is Link.CONNECTED
            assert replay.status.replay
            assert (replay.status.tokens_out, replay.status.received) == (
                running.status.tokens_out,
                running.status.received,
            )
            assert replay.rows == running.log.rows
        assert len(sim.sessions) == 1, "a replay connects to nothing"


async def test_it_seeks_forth_and_back(hour: EventLog) -> None:
    async with shown(hour) as replay:
        await replay.until(lambda: replay.events == 1)
        assert replay.replay.state.length_s == 3600
        for seconds, last in ((1800.5, "minute 30"), (60, "minute 1"), (99_999, "minute 60"), (3599, "minute 59")):
            replay.replay.submit(Seek(seconds))
            await replay.until(lambda last=last: [text for _, text, *_ in replay.said][-1:] == [last])
        replay.replay.submit(SeekBy(-600))
        await replay.until(lambda: len(replay.said) == 49)
        replay.replay.submit(SeekBy(-99_999))
        await replay.until(lambda: replay.events == 1 and not replay.said)


async def test_it_begins_where_it_is_told(hour: EventLog) -> None:
    async with shown(hour, start_s=90) as replay:
        await replay.until(lambda: replay.events == 2)
        assert replay.replay.state.position_s() >= 90


async def test_it_pauses_and_steps(hour: EventLog) -> None:
    async with shown(hour, start_s=60) as replay:
        replay.replay.submit(TogglePlay())
        await replay.until(lambda: not replay.replay.state.playing)
        at = replay.replay.state.position_s()
        for step, events in ((1, 3), (1, 4), (-1, 3), (-3, 0), (-1, 0), (99, 61), (1, 61)):
            replay.replay.submit(StepBy(step))
            await replay.until(lambda events=events: replay.events == events)
        assert at < 70
        assert replay.replay.state.position_s() == 3600


async def test_steps_tell_events_of_the_same_moment_apart() -> None:
    log = EventLog()
    for number in range(4):
        put(log, 1, {"type": f"event.{number}"})
    async with shown(log) as replay:
        replay.replay.submit(StepBy(-3))
        await replay.until(lambda: replay.events == 0 and not replay.replay.state.playing)
        for events in (1, 2, 3, 4, 3, 2):
            replay.replay.submit(StepBy(1 if events >= replay.events else -1))
            await replay.until(lambda events=events: replay.events == events)


async def test_speed_is_a_factor_of_time(hour: EventLog) -> None:
    async with shown(hour) as replay:
        replay.replay.submit(SetSpeed(16))
        await replay.until(lambda: replay.replay.state.speed == 16)
        state = replay.replay.state
        later = state.since + 10
        assert state.position_s(later) == pytest.approx(state.at_ns / 1e9 + 160)


async def test_played_to_the_end_it_begins_again(hour: EventLog) -> None:
    async with shown(hour, start_s=3599.9) as replay:
        await replay.until(lambda: replay.replay.state.ended and not replay.replay.state.playing)
        replay.replay.submit(TogglePlay())
        await replay.until(lambda: replay.replay.state.playing and replay.events == 1)


async def test_the_agent_is_heard_from_the_position_on() -> None:
    log = EventLog()
    voice = array("h", range(24_000))
    put(log, 1, audio(voice[:12_000]))
    put(log, 1.1, audio(voice[12_000:]))
    put(log, 60, {"type": "session.updated", "session": {}})
    device = Heard()
    async with shown(log, start_s=1.25, playback=device) as replay:
        await replay.until(lambda: device.pcm)
        heard = array("h", bytes(device.pcm))
        # The position is 0.25 s into the words, and a moment later by the time the loudspeaker is open.
        assert 6_000 <= heard[0] < 24_000
        assert heard == voice[heard[0] :]
        assert replay.status.agent is AgentState.SPEAKING
        replay.replay.submit(SetSpeed(2))
        await replay.until(lambda: replay.replay.state.speed == 2)
        flushes = device.flushes
        assert flushes
        device.pcm.clear()
        replay.replay.submit(Seek(1))
        await replay.until(lambda: device.flushes > flushes and replay.replay.state.position_s() < 50)
        assert not device.pcm, "at another speed it is silent"


async def test_g711_is_heard_at_the_rate_of_the_loudspeaker() -> None:
    log, heard = EventLog(), Heard()
    session_event = {"type": "session.updated", "session": {"output_audio_format": "g711_ulaw"}}
    log.append(Direction.RECEIVED, json.dumps(session_event).encode(), 0)
    delta = base64.b64encode(bytes([0x80]) * 800).decode()
    audio = {"type": "response.output_audio.delta", "item_id": "i", "content_index": 0, "delta": delta}
    for at in range(1, 3):
        log.append(Direction.RECEIVED, json.dumps(audio).encode(), at * SECOND // 1000)
    async with shown(log, playback=heard) as replay:
        await replay.until(lambda: len(heard.pcm) >= 9_600)
    assert len(heard.pcm) == 9_600
    assert set(array("h", heard.pcm)[1_000:]) == {32124}


async def test_words_that_were_cut_off_are_not_heard() -> None:
    log = EventLog()
    put(log, 0, audio(array("h", [1]) * 48_000))
    put(log, 0.1, {"type": "response.done", "response": {"id": "resp_1", "status": "completed"}})
    put(log, 0.3, {"type": "conversation.item.truncate", "item_id": "item_1", "audio_end_ms": 300}, Direction.SENT)
    put(log, 60, {"type": "session.updated", "session": {}})
    device = Heard()
    async with shown(log, playback=device) as replay:
        await replay.until(lambda: replay.events == 2 and replay.status.agent is AgentState.SPEAKING)
        await replay.until(lambda: replay.events == 3 and device.flushes)
        assert replay.status.agent is not AgentState.SPEAKING
        (turn,) = (replay.turns[key] for key in replay.order)
        assert turn.state is TurnState.INTERRUPTED
        assert turn.note == "interrupted at 0.3 s"


async def test_an_empty_recording_is_at_its_end() -> None:
    async with shown(EventLog()) as replay:
        await replay.until(lambda: not replay.replay.state.playing)
        replay.replay.submit(StepBy(1))
        replay.replay.submit(Seek(5))
        replay.replay.submit(TogglePlay())
        await asyncio.sleep(0.05)
        assert replay.replay.state.ended
        assert (replay.events, replay.rows, replay.said) == (0, 0, [])


async def test_frames_that_are_no_events_do_no_harm() -> None:
    log = EventLog()
    for data in (
        b"",
        b"\xff",
        b"[]",
        b"{" * 5000,
        b'{"type":7}',
        b'{"type":"response.output_audio.delta","delta":"?"}',
    ):
        for direction in Direction:
            log.append(direction, data, 0)
    log.append(Direction.RECEIVED, b"\0" * 100, 0, binary=True)
    put(log, 0, {"type": "websocket.failed", "text": ["?"]}, Direction.LOCAL)
    async with shown(log) as replay:
        await replay.until(lambda: replay.replay.state.ended and replay.status.link is Link.FAILED)
        assert replay.rows == log.rows


async def test_a_fault_of_the_program_is_said() -> None:
    log = EventLog()
    put(log, 0, {"type": "session.updated"})
    batches: list[Batch] = []
    replay = Replay(log, batches.append)
    # Stands for a fault that is not known yet.
    log.entry = lambda index: 1 / 0  # type: ignore[assignment, method-assign, return-value]
    replay.start()
    await asyncio.to_thread(replay._thread.join, DEADLINE_S)
    (notice,) = batches[-1].notices
    assert "a fault of azrt-tui" in notice.text
