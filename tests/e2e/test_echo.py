"""A spoken conversation on loudspeakers, with the simulator: it listens to the room, and may not answer itself.

Only the devices and the room are not real: the session goes through the SDK and PortAudio and WebRTC's canceller, and
the agent and the person are recordings of a person reading aloud.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing

import pytest

from tests.support.room import Room, need_echo_cancellation, pcm, voice
from tests.support.sessions import Running, session
from tests.support.virtual_audio import PATIENCE_S, VirtualAudio, heard_by_portaudio, need_virtual_audio, virtual_audio
from tests.unit.simulator.support import simulator
from tui.audio.microphone import Microphone
from tui.audio.speaker import Speaker
from tui.conversation import AgentState, MicrophoneState
from tui.session import SendText, ToggleMicrophone
from tui.simulator import speech
from tui.simulator.script import Answer
from tui.wire import Direction

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("sound")]

STARTED = "input_audio_buffer.speech_started"

ATTEMPTS = 3
"""A machine that is busy elsewhere may stop the room, as no room does, and the canceller then loses its way."""

ANSWER_S = 5
"""How long the agent speaks."""


@pytest.fixture(scope="module")
def audio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VirtualAudio]:
    need_virtual_audio()
    need_echo_cancellation()

    def agent(answer: Answer) -> bytes:
        return pcm(voice("agent")[: ANSWER_S * 24_000])

    with (
        pytest.MonkeyPatch.context() as patch,
        virtual_audio(tmp_path_factory.mktemp("echo") / "audio") as server,
        heard_by_portaudio(server, patch),
    ):
        patch.setattr(speech, "from_recordings", agent)
        run_in()
        yield server


def run_in() -> None:
    """Use the devices once. The first streams on a virtual one stall for up to two seconds, as no real ones do."""
    speaker, microphone, captured = Speaker(), Microphone(), bytearray()
    assert speaker.open(), speaker.problem
    microphone.open(captured.extend)
    speaker.feed("silence", 0, bytes(48_000))
    deadline = time.monotonic() + PATIENCE_S
    while len(captured) < 2 * 48_000 or speaker.remaining_s():
        assert time.monotonic() < deadline, "the devices stand still"
        time.sleep(0.02)
    microphone.close()
    speaker.close()


@asynccontextmanager
async def conversation(echo: str) -> AsyncIterator[Running]:
    """A session with the microphone open."""
    speaker, microphone = Speaker(), Microphone()
    options = {"turn_detection": "server_vad", "modality": "audio", "echo": echo}
    async with (
        simulator(speed=1.0) as far_end,
        session(far_end.url(), playback=speaker, microphone=microphone, **options) as running,
    ):
        await running.connected()
        await running.until(lambda: "session.updated" in running.types(Direction.RECEIVED))
        running.worker.submit(ToggleMicrophone())
        await running.until(lambda: running.status.microphone is MicrophoneState.ON)
        yield running
    microphone.close()
    speaker.close()


async def answered(running: Running) -> int:
    """Ask for an answer, wait until it is over, and return how often speech was heard in it."""
    before = running.types(Direction.RECEIVED).count(STARTED)
    done = running.types(Direction.RECEIVED).count("response.done")
    running.worker.submit(SendText("Tell me a story."))
    await running.until(lambda: running.status.agent is AgentState.SPEAKING, "the agent speaks")
    await running.until(lambda: running.types(Direction.RECEIVED).count("response.done") > done)
    await running.until(lambda: running.status.agent is not AgentState.SPEAKING, "the answer ends")
    return running.types(Direction.RECEIVED).count(STARTED) - before


async def test_the_agent_does_not_hear_itself_and_hears_the_person(audio: VirtualAudio) -> None:
    itself, person, cut = 0, 0, [""]
    for _ in range(ATTEMPTS):
        with closing(Room(audio)) as room:
            async with conversation("cancel") as running:
                itself = await answered(running)
                running.worker.submit(SendText("Tell me a story."))
                await running.until(lambda: running.status.agent is AgentState.SPEAKING, "the agent speaks")
                await room.speak(voice("person")[: 3 * 24_000])
                await running.until(lambda: running.status.agent is not AgentState.SPEAKING, "it stops")
                person = running.types(Direction.RECEIVED).count(STARTED) - itself
                cut = [turn.note for turn in running.transcript if turn.note.startswith("interrupted at")]
        if not itself and person:
            break
    assert itself == 0, "nothing of the answer starts a turn"
    assert person, "what is said into it does"
    assert len(cut) == 1, "and interrupts it"


async def test_with_a_headset_the_person_interrupts_the_very_first_answer(audio: VirtualAudio) -> None:
    """No echo comes, and nothing was learned before."""
    cut: list[str] = []
    for _ in range(ATTEMPTS):
        with closing(Room(audio, 0.0)) as room:
            async with conversation("cancel") as running:
                running.worker.submit(SendText("Tell me a story."))
                await running.until(lambda: running.status.agent is AgentState.SPEAKING, "the agent speaks")
                await room.speak(voice("person")[: 3 * 24_000])
                await running.until(lambda: running.status.agent is not AgentState.SPEAKING, "it stops")
                cut = [turn.note for turn in running.transcript if turn.note.startswith("interrupted at")]
        if cut:
            break
    assert len(cut) == 1


async def test_without_it_the_same_room_starts_turns_and_it_is_said(audio: VirtualAudio) -> None:
    with closing(Room(audio)):
        async with conversation("headset") as running:
            running.worker.submit(SendText("Tell me a story."))
            await running.until(lambda: STARTED in running.types(Direction.RECEIVED), "the agent interrupts itself")
            for _ in range(ATTEMPTS):  # it may have stopped before it could be known
                if any("hears the agent" in notice.text for notice in running.notices):
                    return
                await answered(running)
            raise AssertionError("nobody said why")
