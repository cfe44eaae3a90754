"""Every sample between the socket and the devices: the real session and SDK, the real PortAudio, a server that counts.

Samples are counted, not seconds: a ramp in them says which they are. A machine that is busy elsewhere may starve a
device once, so that a few attempts are made; a fault of ours comes back in each.
"""

from __future__ import annotations

import asyncio
import base64
import json
import random
import statistics
from array import array
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.support.servers import CREATED, SESSION, Peer, websocket_server
from tests.support.sessions import session
from tests.support.terminal import Terminal
from tests.support.virtual_audio import Recorder, VirtualAudio, heard_by_portaudio, need_virtual_audio, virtual_audio
from tests.unit.session.test_worker import created, delta, done, sent
from tui.audio.microphone import Microphone
from tui.audio.speaker import Speaker
from tui.conversation import MicrophoneState
from tui.session import Interrupt, SendText, ToggleMicrophone

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("sound")]

ATTEMPTS = 4

VAD = {"type": "server_vad", "interrupt_response": True, "create_response": True}

EVENTS_PER_SECOND = 1_000


@pytest.fixture
def audio(tmp_path: Path) -> Iterator[VirtualAudio]:
    need_virtual_audio()
    with virtual_audio(tmp_path / "audio") as server:
        yield server


@pytest.fixture
def here(audio: VirtualAudio, monkeypatch: pytest.MonkeyPatch) -> Iterator[VirtualAudio]:
    """The devices, for the PortAudio of this process."""
    with heard_by_portaudio(audio, monkeypatch):
        yield audio


def ramp(ms: int, first: int = 1) -> bytes:
    """Samples that say which they are, none of them zero."""
    return array("h", [(first + at - 1) % 30_000 + 1 for at in range(ms * 24)]).tobytes()


def sounding(data: bytes) -> bytes:
    """From the first to the last sample that is not silence."""
    samples = array("h", data)
    loud = [at for at, sample in enumerate(samples) if sample]
    return samples[loud[0] : loud[-1] + 1].tobytes() if loud else b""


def spoken(pcm: bytes, number: int, piece: int = 9_600) -> list[dict[str, Any]]:
    """An answer of this sound, in deltas of 200 ms."""
    pieces = (base64.b64encode(pcm[at : at + piece]).decode() for at in range(0, len(pcm), piece))
    return [delta("output_audio", text, f"resp_{number}", f"item_{number}") for text in pieces]


class FarEnd:
    """Answers each request with a ramp, as fast as the network takes it, and keeps what it hears."""

    def __init__(self, ms: int, *, ends: bool, flood_s: float = 0) -> None:
        self.heard = bytearray()
        self.answers = 0
        self._ms = ms
        self._ends = ends
        self._flood = round(flood_s * EVENTS_PER_SECOND)
        self._talking: set[asyncio.Task[None]] = set()

    async def __call__(self, peer: Peer) -> None:
        audio = {**SESSION["audio"], "input": {**SESSION["audio"]["input"], "turn_detection": VAD}}  # type: ignore[dict-item, index]
        settings = {**SESSION, "audio": audio, "output_modalities": ["audio"]}
        await peer.send({**CREATED, "session": settings})
        async for data in peer.connection:
            event = json.loads(data)
            if event["type"] == "session.update":
                await peer.send({**CREATED, "type": "session.updated", "session": settings})
            elif event["type"] == "input_audio_buffer.append":
                self.heard += base64.b64decode(event["audio"])
            elif event["type"] == "response.create":
                self.answers += 1
                task = asyncio.create_task(self._answer(peer, self.answers))
                self._talking.add(task)
                task.add_done_callback(self._talking.discard)
            elif event["type"] == "response.cancel":
                await peer.send(done(f"resp_{self.answers}", "cancelled"))

    async def _answer(self, peer: Peer, number: int) -> None:
        sound = ramp(self._ms)
        await peer.send(created(f"resp_{number}"), *spoken(sound, number))
        for at in range(self._flood):
            ids = {"response": f"resp_{number}", "item": f"item_{number}"}
            await peer.send(delta("output_audio_transcript", f"word {at} ", **ids))
            if at % 50 == 49:
                await asyncio.sleep(50 / EVENTS_PER_SECOND)
        if self._ends:
            await peer.send(done(f"resp_{number}"))


async def recorded(recorder: Recorder, ms: int) -> None:
    """Wait for so much more of the recording."""
    await asyncio.to_thread(recorder.wait_for_ms, ms)


async def test_a_ramp_each_way_arrives_to_the_sample(here: VirtualAudio) -> None:
    far_end, question = FarEnd(1500, ends=True), ramp(1000, first=7)
    speaker, microphone = Speaker(), Microphone()
    whole = {"said": False, "heard": False}
    options = {"turn_detection": "server_vad", "modality": "audio", "echo": "headset"}
    with closing(here.record()) as recorder:
        async with (
            websocket_server(far_end) as server,
            session(server.url, playback=speaker, microphone=microphone, **options) as running,
        ):
            await running.connected()
            running.worker.submit(ToggleMicrophone())
            await running.until(lambda: running.status.microphone is MicrophoneState.ON)
            for _ in range(ATTEMPTS):
                begin = len(recorder.data)
                running.worker.submit(SendText("go on"))
                await asyncio.to_thread(here.speak, question)
                await running.until(lambda: question[-200:] in far_end.heard, "the question is sent")
                await running.until(lambda: running.worker._shared.playback.remaining_s() == 0, "the answer is played")
                await recorded(recorder, 150)
                whole["said"] |= question in far_end.heard
                whole["heard"] |= sounding(recorder.data[begin:]) == ramp(1500)
                if all(whole.values()):
                    break
        speaker.close()
        microphone.close()
    assert whole == {"said": True, "heard": True}


async def test_interrupting_at_any_moment_tells_the_server_what_was_heard(here: VirtualAudio) -> None:
    choose = random.Random(20)
    speaker = Speaker()
    errors = []
    with closing(here.record()) as recorder:
        async with (
            websocket_server(FarEnd(1200, ends=False)) as server,
            session(server.url, playback=speaker, modality="audio") as running,
        ):
            await running.connected()
            for turn in range(1, 13):
                begin = len(recorder.data)
                running.worker.submit(SendText("go on"))
                await running.until(lambda: any(recorder.data[begin:]), "it is heard")  # noqa: B023
                await recorded(recorder, choose.randrange(0, 500))
                running.worker.submit(Interrupt())
                await running.until(lambda: len(sent(running, "conversation.item.truncate")) == turn)  # noqa: B023
                await recorded(recorder, 60)
                silence = len(recorder.data)
                await recorded(recorder, 100)
                assert not any(recorder.data[silence:]), "nothing comes any more"
                truncate = sent(running, "conversation.item.truncate")[-1]
                assert (truncate["item_id"], truncate["content_index"]) == (f"item_{turn}", 0)
                errors.append(truncate["audio_end_ms"] - max(array("h", recorder.data[begin:])) / 24)
            assert len(sent(running, "response.cancel")) == 12, "each answer was still running"
        speaker.close()
    # The device holds 120 ms: were they not dropped, or were they counted as heard, this would be seen.
    assert abs(statistics.median(errors)) < 15, errors
    assert sorted(map(abs, errors))[-2] < 60, errors


async def test_a_screen_that_draws_a_thousand_events_a_second_costs_no_sample(
    audio: VirtualAudio, tmp_path: Path
) -> None:
    far_end, question = FarEnd(2000, ends=True, flood_s=2), ramp(1000, first=7)
    environment = {**audio.environment, "AZRT_MODALITY": "audio", "AZRT_ECHO": "headset"}

    def talk(url: str, recorder: Recorder) -> dict[str, bool]:
        whole = {"said": False, "heard": False}
        with Terminal.azrt("--url", url, home=tmp_path, environment=environment) as terminal:
            terminal.wait_for("answers in audio")
            terminal.press("f2")
            terminal.wait_for("mic on")
            for attempt in range(1, ATTEMPTS + 1):
                begin = len(recorder.data)
                terminal.type("go on\r")
                terminal.wait_for("agent speaking")
                audio.speak(question)
                terminal.wait_for("agent idle")
                recorder.wait_for_ms(150)
                assert far_end.answers == attempt
                whole["said"] |= question in far_end.heard
                whole["heard"] |= sounding(recorder.data[begin:]) == ramp(2000)
                if all(whole.values()):
                    break
            terminal.wait_for("word 1999")
            terminal.press("ctrl+q")
            assert terminal.wait_until_ended() == 0
        return whole

    async with websocket_server(far_end) as server:
        with closing(audio.record()) as recorder:
            assert await asyncio.to_thread(talk, server.url, recorder) == {"said": True, "heard": True}
