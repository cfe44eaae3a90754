"""A spoken conversation: what of the microphone goes out, when answers are heard, and speaking into them."""

from __future__ import annotations

import asyncio
import base64
from array import array
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.support.servers import CREATED, SESSION, Peer, websocket_server
from tests.support.sessions import Running, session
from tests.support.virtual_device import VirtualInput, VirtualOutput
from tests.unit.session.test_worker import created, delta, done, sent
from tests.unit.simulator.support import simulator
from tui.audio import AudioUnavailable, SilentPlayback
from tui.audio.microphone import Microphone
from tui.audio.player import LEAD_S
from tui.audio.speaker import Speaker
from tui.conversation import AgentState, MicrophoneState, TurnState
from tui.session import DetectTurns, DevicesChanged, Interrupt, Reconnect, ToggleMicrophone, UpdateSession
from tui.session import voice as voices
from tui.session.plan import Timeouts
from tui.session.voice import SILENT_S
from tui.wire import Direction

BLOCK = array("h", [1000] * 480).tobytes()
"""20 ms of sound."""

VAD = {"type": "server_vad", "interrupt_response": True, "create_response": True}
LEAD = round(LEAD_S * 24_000)


def event(kind: str, **fields: Any) -> dict[str, Any]:
    """An event about the input buffer."""
    return {"type": f"input_audio_buffer.{kind}", "event_id": "e", **fields}


STARTED = event("speech_started", audio_start_ms=100, item_id="item_user")
STOPPED = event("speech_stopped", audio_end_ms=900, item_id="item_user")


def audio(ms: int, item: str = "item_1", response: str = "resp_1") -> dict[str, Any]:
    """So much of an answer."""
    return delta("output_audio", base64.b64encode(BLOCK * (ms // 20)).decode(), response, item)


def with_vad(detection: object = VAD) -> dict[str, Any]:
    """session.created of a server that interrupts by itself."""
    heard = {**SESSION["audio"], "input": {**SESSION["audio"]["input"], "turn_detection": detection}}  # type: ignore[dict-item, index]
    return {**CREATED, "session": {**SESSION, "audio": heard}}


def updated(detection: object) -> dict[str, Any]:
    """session.updated of a server that has this turn detection now."""
    return {**with_vad(detection), "type": "session.updated"}


def appended(running: Running) -> bytes:
    """All the audio that went out."""
    return b"".join(base64.b64decode(each["audio"]) for each in sent(running, "input_audio_buffer.append"))


def says(*steps: object) -> Callable[[Peer], Awaitable[None]]:
    """A server that sends these after session.created, then listens."""

    async def script(peer: Peer) -> None:
        await peer.send(with_vad())
        await peer.until("session.update")
        await peer.send(*steps)
        await peer.drain()

    return script


class Script:
    """A server that does what a test says, when it says so."""

    def __init__(self) -> None:
        self._peer: asyncio.Future[Peer] = asyncio.get_running_loop().create_future()

    async def __call__(self, peer: Peer) -> None:
        await peer.send(with_vad())
        await peer.until("session.update")
        self._peer.set_result(peer)
        await peer.drain()

    async def send(self, *events: object) -> None:
        """Send these."""
        await (await self._peer).send(*events)


# What answers are made of


@pytest.mark.parametrize(
    ("modality", "loudspeaker", "asked"),
    [("auto", True, "audio"), ("auto", False, "text"), ("text", True, "text"), ("audio", False, "audio")],
)
async def test_answers_are_audio_where_they_can_be_heard(modality: str, loudspeaker: bool, asked: str) -> None:
    device = VirtualOutput()

    def refuse(*_: object) -> VirtualOutput:
        raise AudioUnavailable("No loudspeaker was found.", "Connect one.")

    speaker = Speaker(open_output=device.connect if loudspeaker else refuse)
    async with websocket_server(says()) as server, session(server.url, playback=speaker, modality=modality) as running:
        await running.connected()
        update = sent(running, "session.update")[0]
        assert update["session"]["output_modalities"] == [asked]
        assert not running.notices, "nobody asked for sound"
    assert (device._fill is not None) == (loudspeaker and modality != "text"), "opened only where it is of use"
    speaker.close()


async def test_asking_for_audio_opens_the_loudspeaker() -> None:
    device = VirtualOutput()
    speaker = Speaker(open_output=device.connect)
    async with websocket_server(says()) as server, session(server.url, playback=speaker) as running:
        await running.connected()
        running.worker.submit(UpdateSession({"output_modalities": ["audio"]}))
        await running.until(lambda: len(sent(running, "session.update")) == 2)
        assert device._fill is not None
    speaker.close()


async def test_a_loudspeaker_that_hangs_does_not_hold_the_session_up(monkeypatch: pytest.MonkeyPatch) -> None:
    from tui.session import speaking

    monkeypatch.setattr(speaking, "_OPENING_S", 0.0)
    opened = asyncio.Event()
    loop = asyncio.get_running_loop()

    class Hanging(SilentPlayback):
        def open(self) -> bool:
            asyncio.run_coroutine_threadsafe(opened.wait(), loop).result()
            return True

    async with websocket_server(says()) as server, session(server.url, playback=Hanging(), modality="auto") as running:
        await running.connected()
        assert sent(running, "session.update")[0]["session"]["output_modalities"] == ["text"]
        opened.set()


# Speaking into an answer


@pytest.mark.parametrize("complete", [False, True])
async def test_speaking_into_an_answer_silences_it_and_truncates_what_was_not_heard(complete: bool) -> None:
    device = VirtualOutput()
    speaker = Speaker(open_output=device.connect)
    script = Script()
    async with websocket_server(script) as server, session(server.url, playback=speaker, modality="auto") as running:
        await running.connected()
        text = delta("output_audio_transcript", "This is a long answer that nobody hears to its end.")
        await script.send(created(), text, audio(2000), audio(1000, "item_2"))
        if complete:
            await script.send(done())
        await running.until(lambda: running.types(Direction.RECEIVED).count("response.output_audio.delta") == 2)
        if complete:
            await running.until(lambda: "response.done" in running.types(Direction.RECEIVED))
        await running.until(lambda: device.running, "it plays")
        await running.until(lambda: running.status.agent is AgentState.SPEAKING)
        device.advance(LEAD + 700 * 24)
        await script.send(STARTED)
        await running.until(lambda: len(sent(running, "conversation.item.truncate")) == 2)
        assert not device.running, "silence at once"
        cut = {each["item_id"]: each["audio_end_ms"] for each in sent(running, "conversation.item.truncate")}
        assert cut == {"item_1": 700, "item_2": 0}
        await running.until(lambda: running.status.agent is AgentState.IDLE)
        first = running.transcript[0]
        assert (first.state, first.note) == (TurnState.INTERRUPTED, "interrupted at 0.7 s")
        assert 0 < first.heard < len(first.text)
        if not complete:
            # The audio was on its way when the person spoke.
            await script.send(audio(1000), done(status="cancelled"))
            await running.until(lambda: "response.done" in running.types(Direction.RECEIVED))
            assert not device.running and speaker.remaining_s() == 0
        await script.send(STOPPED, STARTED)
        await running.until(lambda: running.types(Direction.RECEIVED).count(STARTED["type"]) == 2)
        assert len(sent(running, "conversation.item.truncate")) == 2, "not a second time"
        assert not sent(running, "response.cancel"), "the server does that by itself"
    speaker.close()


async def test_speaking_when_the_agent_is_silent_interrupts_nothing() -> None:
    script = Script()
    async with websocket_server(script) as server, session(server.url) as running:
        await running.connected()
        await script.send(STARTED, STOPPED)
        await running.until(lambda: STOPPED["type"] in running.types(Direction.RECEIVED))
        assert running.transcript == []


async def test_interrupting_by_key_stops_the_device_before_anything_is_sent() -> None:
    device = VirtualOutput()
    speaker = Speaker(open_output=device.connect)
    script = Script()
    async with websocket_server(script) as server, session(server.url, playback=speaker, modality="audio") as running:
        await running.connected()
        await script.send(created(), audio(2000))
        await running.until(lambda: device.running)
        device.advance(LEAD + 300 * 24)
        running.worker.submit(Interrupt())
        await running.until(lambda: sent(running, "response.cancel"))
        (cut,) = sent(running, "conversation.item.truncate")
        assert (cut["item_id"], cut["audio_end_ms"], device.running) == ("item_1", 300, False)
    speaker.close()


async def test_a_lost_loudspeaker_is_told_and_the_text_goes_on() -> None:
    device = VirtualOutput()
    speaker = Speaker(open_output=device.connect)
    script = Script()
    async with websocket_server(script) as server, session(server.url, playback=speaker, modality="audio") as running:
        await running.connected()
        await script.send(created(), audio(2000))
        await running.until(lambda: device.running)
        device.lose()
        await running.until(lambda: running.notices)
        assert "Answers go on as text." in running.notices[0].text
        await script.send(delta("output_audio_transcript", "still here"), done())
        await running.until(lambda: "still here" in running.said)
    speaker.close()


# The microphone


class Listening:
    """A session with a microphone that a test speaks into."""

    def __init__(self) -> None:
        self.device = VirtualInput()
        self.microphone = Microphone(open_input=self.device.connect)

    async def toggle(self, running: Running, state: MicrophoneState) -> None:
        """Press the key, and wait for what the strip then shows."""
        running.worker.submit(ToggleMicrophone())
        await running.until(lambda: running.status.microphone is state, state)

    async def say(self, running: Running, pcm: bytes) -> None:
        """Speak, as fast as it is sent."""
        before = len(appended(running))
        for at in range(0, len(pcm), 48_000):
            self.device.say(pcm[at : at + 48_000])
            await running.until(lambda: len(appended(running)) == before + min(len(pcm), at + 48_000))  # noqa: B023


async def test_what_is_said_goes_out_as_it_is() -> None:
    person = Listening()
    async with websocket_server(says()) as server, session(server.url, microphone=person.microphone) as running:
        await running.connected()
        person.device.say(BLOCK)
        assert person.device.opened == 0 and running.status.microphone is MicrophoneState.OFF, "closed until asked for"
        await person.toggle(running, MicrophoneState.ON)
        spoken = [array("h", [at] * 480).tobytes() for at in range(1, 40)]
        for block in spoken:
            person.device.say(block)
        await running.until(lambda: len(appended(running)) == len(spoken) * 960)
        assert appended(running) == b"".join(spoken)
        await person.toggle(running, MicrophoneState.OFF)
        assert not person.device.started
        person.device.say(BLOCK)
        assert not sent(running, "input_audio_buffer.commit"), "the server decides when a turn is over"


async def test_closing_it_in_mid_speech_lets_the_server_hear_silence() -> None:
    person = Listening()
    script = Script()
    async with (
        websocket_server(script) as server,
        session(server.url, microphone=person.microphone) as running,
    ):
        await running.connected()
        await person.toggle(running, MicrophoneState.ON)
        person.device.say(BLOCK)
        await script.send(STARTED)
        await running.until(lambda: STARTED["type"] in running.types(Direction.RECEIVED))
        await person.toggle(running, MicrophoneState.OFF)
        await running.until(lambda: len(appended(running)) >= 960 + 4800, "silence follows")
        assert set(appended(running)[960:]) == {0}
        await script.send(STOPPED)
        await running.until(lambda: not running.worker._shared.voice._speaking)
        await asyncio.sleep(0.25)
        size = len(appended(running))
        await asyncio.sleep(0.25)
        assert len(appended(running)) == size, "and ends with the speech"


async def test_without_turn_detection_the_key_ends_the_turn() -> None:
    person = Listening()
    async with (
        websocket_server(says(updated(None))) as server,
        session(server.url, microphone=person.microphone, turn_detection="none") as running,
    ):
        await running.until(lambda: running.status.turn_detection == "none")
        await person.toggle(running, MicrophoneState.ON)
        for _ in range(5):
            person.device.say(BLOCK)
        await person.toggle(running, MicrophoneState.OFF)
        await running.until(lambda: sent(running, "response.create"))
        mine = [kind for kind in running.types(Direction.SENT) if kind != "session.update"]
        assert mine == ["input_audio_buffer.append"] * 5 + ["input_audio_buffer.commit", "response.create"]
        assert running.status.agent is AgentState.THINKING


@pytest.mark.parametrize("blocks", [0, 4])
async def test_too_little_is_not_committed(blocks: int) -> None:
    person = Listening()
    async with (
        websocket_server(says(updated(None))) as server,
        session(server.url, microphone=person.microphone, turn_detection="none") as running,
    ):
        await running.until(lambda: running.status.turn_detection == "none")
        await person.toggle(running, MicrophoneState.ON)
        for _ in range(blocks):
            person.device.say(BLOCK)
        await person.toggle(running, MicrophoneState.OFF)
        await running.until(lambda: running.notices)
        assert running.notices[0].text.startswith(f"Not sent: {blocks * 20} ms of audio")
        assert bool(sent(running, "input_audio_buffer.clear")) == bool(blocks)
        assert not sent(running, "input_audio_buffer.commit") and not sent(running, "response.create")


async def test_without_turn_detection_beginning_to_speak_interrupts() -> None:
    person = Listening()
    script = Script()
    device = VirtualOutput()
    speaker = Speaker(open_output=device.connect)
    async with (
        websocket_server(script) as server,
        session(
            server.url, playback=speaker, microphone=person.microphone, turn_detection="none", modality="audio"
        ) as running,
    ):
        await running.connected()
        await script.send(updated(None), created(), audio(2000))
        await running.until(lambda: device.running)
        await person.toggle(running, MicrophoneState.ON)
        assert not device.running and sent(running, "response.cancel")
        person.device.say(BLOCK)
        await running.until(lambda: appended(running) == BLOCK, "not held: nothing of the answer can be heard any more")
    speaker.close()


# Who decides that the person has finished


async def test_the_key_follows_what_the_session_has_and_not_what_was_set() -> None:
    person = Listening()
    script = Script()
    async with (
        websocket_server(script) as server,
        session(server.url, microphone=person.microphone, turn_detection="none") as running,
    ):
        await running.connected()
        await script.send(updated(VAD))  # it does not do without
        await running.until(lambda: running.types(Direction.RECEIVED).count("session.updated") == 1)
        await person.toggle(running, MicrophoneState.ON)
        for _ in range(10):
            person.device.say(BLOCK)
        await person.toggle(running, MicrophoneState.OFF)
        await running.until(lambda: len(appended(running)) == 10 * len(BLOCK))
        assert not sent(running, "input_audio_buffer.commit") and not sent(running, "response.create")


async def test_switching_to_push_to_talk_while_listening_begins_a_turn_anew() -> None:
    person = Listening()
    script = Script()
    async with websocket_server(script) as server, session(server.url, microphone=person.microphone) as running:
        await running.connected()
        await person.toggle(running, MicrophoneState.ON)
        person.device.say(BLOCK * 50)
        running.worker.submit(DetectTurns("none"))
        await running.until(lambda: len(sent(running, "session.update")) == 2)
        asked = sent(running, "session.update")[1]["session"]
        assert asked == {"type": "realtime", "audio": {"input": {"turn_detection": None}}}
        assert running.status.turn_detection == "server_vad" and not running.notices, "only when it is true"
        await script.send(updated(None))
        await running.until(lambda: sent(running, "input_audio_buffer.clear"))
        await running.until(lambda: running.notices)
        assert running.notices[0].text.startswith("Push-to-talk")
        person.device.say(BLOCK * 10)
        await person.toggle(running, MicrophoneState.OFF)
        await running.until(lambda: sent(running, "response.create"))
        kinds = running.types(Direction.SENT)
        assert kinds[kinds.index("input_audio_buffer.clear") :] == [
            "input_audio_buffer.clear",
            "input_audio_buffer.append",
            "input_audio_buffer.commit",
            "response.create",
        ]


async def test_switching_to_push_to_talk_in_mid_speech_keeps_what_was_said() -> None:
    person = Listening()
    script = Script()
    async with websocket_server(script) as server, session(server.url, microphone=person.microphone) as running:
        await running.connected()
        await person.toggle(running, MicrophoneState.ON)
        person.device.say(BLOCK * 10)
        running.worker.submit(DetectTurns("none"))
        await running.until(lambda: len(sent(running, "session.update")) == 2)
        await script.send(STARTED, updated(None))
        await running.until(lambda: running.notices)
        await person.toggle(running, MicrophoneState.OFF)
        await running.until(lambda: sent(running, "response.create"))
        assert not sent(running, "input_audio_buffer.clear")


async def test_the_next_session_keeps_the_turn_detection_and_what_else_was_changed() -> None:
    async with websocket_server(says()) as server, session(server.url) as running:
        await running.connected()
        running.worker.submit(UpdateSession({"audio": {"output": {"speed": 1.2}}}))
        running.worker.submit(DetectTurns("semantic_vad"))
        await running.until(lambda: len(sent(running, "session.update")) == 3)
        running.worker.submit(Reconnect())
        await running.until(lambda: len(sent(running, "session.update")) == 5)
        again = sent(running, "session.update")[-1]["session"]
        assert again["audio"]["output"] == {"speed": 1.2}
        assert again["audio"]["input"]["turn_detection"]["type"] == "semantic_vad"


# Devices that are changed


async def test_a_loudspeaker_that_comes_later_makes_answers_audible() -> None:
    device = VirtualOutput()
    missing = [AudioUnavailable("No loudspeaker was found.", "Connect one.")]

    def opens(*arguments: Any) -> VirtualOutput:
        if missing:
            raise missing[0]
        return device.connect(*arguments)

    speaker, script = Speaker(open_output=opens), Script()
    async with websocket_server(script) as server, session(server.url, playback=speaker, modality="auto") as running:
        await running.connected()
        text = updated(VAD)
        text["session"]["output_modalities"] = ["text"]
        await script.send(text)
        await running.until(lambda: running.status.modality == "text")
        missing.clear()
        speaker.problem = None  # PortAudio of this machine is not asked
        running.worker.submit(DevicesChanged())
        await running.until(lambda: len(sent(running, "session.update")) == 2)
        assert sent(running, "session.update")[1]["session"]["output_modalities"] == ["audio"]
    speaker.close()


async def test_a_microphone_that_brings_only_zeros_is_said_once() -> None:
    person = Listening()
    async with websocket_server(says()) as server, session(server.url, microphone=person.microphone) as running:
        await running.connected()
        await person.toggle(running, MicrophoneState.ON)
        await person.say(running, bytes(round(SILENT_S * 48_000)))
        running.worker._loop.call_soon_threadsafe(running.worker._shared.voice._look)
        await person.toggle(running, MicrophoneState.OFF)
        assert not running.notices, "not yet"
        await person.toggle(running, MicrophoneState.ON)
        await person.say(running, bytes(round(SILENT_S * 48_000) + 960))
        for _ in range(2):
            running.worker._loop.call_soon_threadsafe(running.worker._shared.voice._look)
        await running.until(lambda: running.notices)
        await person.toggle(running, MicrophoneState.OFF)
        assert [notice.text.split("\n")[0] for notice in running.notices] == [
            'The microphone "a virtual microphone" brings nothing but silence.'
        ]
        await person.toggle(running, MicrophoneState.ON)
        await person.say(running, BLOCK + bytes(200_000))
        running.worker._loop.call_soon_threadsafe(running.worker._shared.voice._look)
        await person.toggle(running, MicrophoneState.OFF)
        assert len(running.notices) == 1, "it was heard: silence is silence"


@pytest.mark.parametrize("echo", ["half-duplex", "headset", "cancel"])
async def test_the_microphone_is_held_while_the_agent_is_heard(echo: str) -> None:
    half_duplex = echo == "half-duplex"
    person = Listening()
    script = Script()
    device = VirtualOutput()
    speaker = Speaker(open_output=device.connect)
    async with (
        websocket_server(script) as server,
        session(server.url, playback=speaker, microphone=person.microphone, echo=echo, modality="audio") as running,
    ):
        await running.connected()
        await script.send(created(), audio(1000), done())
        await running.until(lambda: device.running)
        await person.toggle(running, MicrophoneState.ON)
        loud = array("h", [1] * 480).tobytes()
        person.device.say(loud)
        if half_duplex:
            await running.until(lambda: running.status.microphone is MicrophoneState.HELD)
        else:
            await running.until(lambda: appended(running) == loud)
        device.advance(LEAD + 1000 * 24 + 190 * 24)
        assert running.worker._shared.playback.quiet_s() == pytest.approx(0.19, abs=0.001)
        device.advance(20 * 24)
        person.device.say(array("h", [3] * 480).tobytes())
        await running.until(lambda: appended(running)[-2:] == b"\x03\x00")
        assert set(array("h", appended(running))) == ({3} if half_duplex else {1, 3})
        await running.until(lambda: running.status.microphone is MicrophoneState.ON)
    speaker.close()


async def test_no_microphone_is_said_with_what_to_do() -> None:
    person = Listening()
    person.device.refuses = AudioUnavailable("No microphone was found.", "Connect one.")
    async with websocket_server(says()) as server, session(server.url, microphone=person.microphone) as running:
        await running.connected()
        await person.toggle(running, MicrophoneState.UNAVAILABLE)
        assert running.notices[0].text == "No microphone was found.\nConnect one.\nText works as before."
        person.device.refuses = None
        person.microphone._failed = False  # there is no list of devices to look at again here
        await person.toggle(running, MicrophoneState.ON)


async def test_a_lost_microphone_is_told() -> None:
    person = Listening()
    async with websocket_server(says()) as server, session(server.url, microphone=person.microphone) as running:
        await running.connected()
        await person.toggle(running, MicrophoneState.ON)
        person.device.lose()
        await running.until(lambda: running.status.microphone is MicrophoneState.UNAVAILABLE)
        notice = running.notices[0]
        assert "is gone" in notice.text and notice.command == "session.microphone"


async def test_an_open_microphone_stays_open_across_the_seam() -> None:
    person = Listening()
    async with websocket_server(says()) as server, session(server.url, microphone=person.microphone) as running:
        await running.connected()
        await person.toggle(running, MicrophoneState.ON)
        running.worker.submit(Reconnect())
        await running.until(lambda: len(server.peers) == 2)
        await running.connected()
        assert person.device.started
        person.device.say(BLOCK)
        await running.until(lambda: running.status.microphone is MicrophoneState.ON)


async def test_without_a_connection_the_microphone_is_not_heard_and_closes_after_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(voices, "GAP_S", 0.2)
    gone = Timeouts(open_s=600)
    person = Listening()

    async def once(peer: Peer) -> None:
        if len(server.peers) == 1:
            await peer.send(CREATED)
        await peer.drain()

    async with (
        websocket_server(once) as server,
        session(server.url, microphone=person.microphone, timeouts=gone) as running,
    ):
        await running.connected()
        await person.toggle(running, MicrophoneState.ON)
        running.worker.submit(Reconnect())
        await running.until(lambda: running.status.microphone is MicrophoneState.HELD)
        appended = running.types(Direction.SENT).count("input_audio_buffer.append")
        person.device.say(BLOCK)
        await running.until(lambda: running.status.microphone is MicrophoneState.OFF)
        await running.until(lambda: not person.device.started)
        assert running.types(Direction.SENT).count("input_audio_buffer.append") == appended
        assert "no connection for 0.2 s" in running.notices[-1].text


async def test_the_microphone_can_be_closed_without_a_connection() -> None:
    person = Listening()

    async def once(peer: Peer) -> None:
        if len(server.peers) == 1:
            await peer.send(CREATED)
        await peer.drain()

    async with (
        websocket_server(once) as server,
        session(server.url, microphone=person.microphone, timeouts=Timeouts(open_s=600)) as running,
    ):
        await running.connected()
        await person.toggle(running, MicrophoneState.ON)
        running.worker.submit(Reconnect())
        await running.until(lambda: running.status.microphone is MicrophoneState.HELD)
        running.worker.submit(ToggleMicrophone())
        await running.until(lambda: running.status.microphone is MicrophoneState.OFF)


async def test_without_a_connection_nobody_is_listening() -> None:
    person = Listening()
    async with session("ws://127.0.0.1:1/", microphone=person.microphone) as running:
        await running.cause()
        running.worker.submit(ToggleMicrophone())
        await running.until(lambda: running.notices)
        assert "Not connected" in running.notices[0].text and person.device.opened == 0


async def test_a_network_that_does_not_take_it_loses_the_oldest_and_says_so() -> None:
    person = Listening()
    async with websocket_server(says()) as server, session(server.url, microphone=person.microphone) as running:
        await running.connected()
        await person.toggle(running, MicrophoneState.ON)
        voice = running.worker._shared.voice

        def flood() -> None:  # in one go, as when the loop could not send in between
            for at in range(150):
                voice._captured(array("h", [at] * 480).tobytes())

        running.worker._loop.call_soon_threadsafe(flood)
        await running.until(lambda: len(appended(running)) == 96_000)
        assert array("h", appended(running))[0] == 50
        await running.until(lambda: running.notices)
        assert [notice.text for notice in running.notices] == [
            "The connection is too slow for your voice: some of it is lost."
        ]


async def test_a_spoken_turn_with_the_simulator() -> None:
    person = Listening()
    async with simulator() as sim, session(sim.url(), microphone=person.microphone, turn_detection="server_vad") as run:
        await run.connected()
        await run.until(lambda: "session.updated" in run.types(Direction.RECEIVED))
        await person.toggle(run, MicrophoneState.ON)
        loud = array("h", [12_000, -12_000] * 240).tobytes()
        for block in [loud] * 40 + [bytes(960)] * 60:
            person.device.say(block)
            await asyncio.sleep(0)
        await run.until(lambda: "response.done" in run.types(Direction.RECEIVED))
        types = run.types(Direction.RECEIVED)
        assert types.index(STARTED["type"]) < types.index(STOPPED["type"]) < types.index("response.created")
        assert types.count("response.done") == 1
