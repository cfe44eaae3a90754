"""Echo cancellation: human voices in a room, the agent's taken out and the person's left in."""

from __future__ import annotations

import sys
import threading
import time
from array import array
from typing import Any

import numpy as np
import pytest

from tests.support.room import echo_of, need_echo_cancellation, noise, pcm, voice
from tests.support.virtual_device import TimedInput, VirtualInput
from tui.audio import AudioUnavailable, echo
from tui.audio.echo import EchoCancellation
from tui.audio.microphone import Microphone
from tui.audio.reference import Reference
from tui.simulator.audio import FORMATS
from tui.simulator.vad import Boundary, VoiceActivity

RATE = 24_000
BLOCK = 480
BEGIN_S = 100.0
AHEAD = 5
"""Blocks that the loudspeaker's device holds."""

Samples = np.ndarray[Any, np.dtype[np.float64]]


class Subtraction:
    """A canceller for a room without walls: what it gives shows which samples stood beside which."""

    def process(self, near: Any, far: Any, /) -> Any:
        """The difference."""
        return near - far


def heard(
    captured: Samples, played: Samples, *, channels: int = 1, cancellation: EchoCancellation | None = None
) -> bytes:
    """Send what was captured through the canceller in real blocks, with what was played at the same time."""
    reference, device, out = Reference(), TimedInput(channels=channels), bytearray()
    cancellation = cancellation or EchoCancellation(reference)
    cancellation._reference = reference
    opened = cancellation.open(out.extend, lambda: None, device.open)
    opened.start()
    said, came = pcm(played), np.repeat(np.frombuffer(pcm(captured), "<i2"), channels)
    for at in range(-AHEAD, len(captured) // BLOCK):
        ahead = said[2 * BLOCK * (at + AHEAD) :][: 2 * BLOCK]
        reference.played(ahead.ljust(2 * BLOCK, b"\0"), BEGIN_S + (at + AHEAD) * 0.02, RATE, 1)
        if at >= 0:
            device.timed(came[at * BLOCK * channels :][: BLOCK * channels].tobytes(), BEGIN_S + at * 0.02)
            while opened._beside._queue.qsize() > 2:  # type: ignore[attr-defined]  # as slow as the devices are
                time.sleep(0)
    opened.close()
    return bytes(out)


def turns(audio: bytes) -> list[Boundary]:
    """What the simulator's turn detection finds in it, with the settings that are usual."""
    settings = {"type": "server_vad", "threshold": 0.5, "silence_duration_ms": 500, "prefix_padding_ms": 300}
    return VoiceActivity(settings, FORMATS["audio/pcm"]).feed(audio)


def loud(audio: bytes, above_db: float = -40.0) -> float:
    """The part of 20 ms frames that are as loud as speech."""
    samples = np.frombuffer(audio, "<i2")[: len(audio) // 960 * 480].reshape(-1, 480) / 32768
    return float((10 * np.log10((samples**2).mean(axis=1) + 1e-12) >= above_db).mean())


@pytest.fixture
def _webrtc() -> None:
    need_echo_cancellation()


with_webrtc = pytest.mark.usefixtures("_webrtc")


@with_webrtc
@pytest.mark.parametrize("gain", [0.1, 0.5])
def test_the_agents_own_voice_starts_no_turn(gain: float) -> None:
    agent = voice("agent")
    captured = echo_of(agent, gain)
    assert loud(pcm(captured)) > 0.5 and turns(pcm(captured)), "it would"
    clean = heard(captured, agent)
    assert not turns(clean)
    assert loud(clean) < 0.01


@with_webrtc
@pytest.mark.parametrize("delay_s", [0.0, 0.1, 0.3])
def test_an_echo_later_than_the_devices_say(delay_s: float) -> None:
    """Bluetooth, and what converters do not tell."""
    agent = voice("agent")[: 8 * RATE]
    captured = echo_of(agent, delay_s=delay_s)
    assert not turns(heard(captured, agent))


@with_webrtc
@pytest.mark.parametrize("gain", [0.1, 0.3])
def test_a_person_who_speaks_into_the_answer_is_heard(gain: float) -> None:
    agent = voice("agent")
    person = np.zeros(len(agent))
    begin, said = 8 * RATE, voice("person")[: 5 * RATE]
    person[begin : begin + len(said)] = said
    captured = echo_of(agent, gain) + person
    found = turns(heard(captured, agent))
    assert found and found[0].kind == "started"
    # Padded by 300 ms, as the API does, and a breath for the first syllable.
    assert 7_600 < found[0].at_ms < 8_600


@with_webrtc
def test_a_person_alone_is_left_as_she_is() -> None:
    person = voice("person") + noise(len(voice("person")))
    clean = np.frombuffer(heard(person, np.zeros(len(person))), "<i2") / 32768
    ratio = 10 * np.log10((clean**2).mean() / (person**2).mean())
    assert -3 < ratio < 1
    assert turns(pcm(clean))[0] == turns(pcm(person))[0]
    assert loud(pcm(clean)) > 0.8 * loud(pcm(person))


@with_webrtc
def test_the_same_microphone_in_stereo() -> None:
    agent = voice("agent")[: 4 * RATE]
    captured = echo_of(agent)
    assert heard(captured, agent, channels=2) == heard(captured, agent)


@with_webrtc
def test_silence_stays_silence() -> None:
    """A canceller fills up with noise what it took out; a microphone that is off must be known by its zeros."""
    agent = voice("agent")[: 2 * RATE]
    assert set(heard(np.zeros(len(agent)), agent)) == {0}


def test_streams_stand_beside_each_other_to_the_sample() -> None:
    agent = voice("agent")[: 3 * RATE]
    reference = Reference()
    early = np.concatenate((agent[960:], np.zeros(960)))  # the lead of the reference
    clean = heard(early, agent, cancellation=EchoCancellation(reference, Subtraction))
    assert len(clean) == 2 * len(agent) // 960 * 960
    assert not any(clean[: -2 * 960])


def test_nothing_waits_for_the_next_block() -> None:
    """Two frames of 10 ms in, two out: what a block brought is handed on before the next one is there."""
    device, came = TimedInput(), threading.Semaphore(0)
    out = bytearray()

    def take(block: bytes) -> None:
        out.extend(block)
        came.release()

    opened = EchoCancellation(Reference(), Subtraction).open(take, lambda: None, device.open)
    opened.start()
    for at in range(5):
        block = array("h", [at + 1] * BLOCK).tobytes()
        device.timed(block, 1 + at * 0.02)
        assert came.acquire(timeout=30)
        assert out[-len(block) :] == block
    opened.close()


def test_odd_blocks_are_cut_into_frames() -> None:
    device, out = TimedInput(rate=44_100), []
    opened = EchoCancellation(Reference(), Subtraction).open(out.append, lambda: None, device.open)
    opened.start()
    for at in range(40):
        device.timed(array("h", [1_000] * 300).tobytes(), 1 + at * 300 / 44_100)
    opened.close()
    assert all(len(block) % 480 == 0 for block in out)
    assert sum(map(len, out)) == pytest.approx(40 * 300 / 44_100 * 48_000, abs=3 * 480)
    assert not [thread for thread in threading.enumerate() if thread.name == "azrt-echo"]


def test_a_canceller_that_fails_ends_the_microphone() -> None:
    class Broken:
        def process(self, near: Any, far: Any, /) -> Any:
            raise RuntimeError("no")

    device, ended = TimedInput(), threading.Event()
    opened = EchoCancellation(Reference(), Broken).open(lambda _: None, ended.set, device.open)
    opened.start()
    device.timed(bytes(960), 1.0)
    assert ended.wait(30), "rather that than an agent that answers itself"
    opened.close()


def test_the_canceller_is_kept() -> None:
    made: list[Subtraction] = []

    def make() -> Subtraction:
        made.append(Subtraction())
        return made[-1]

    cancellation = EchoCancellation(Reference(), make)
    for _ in range(2):
        opened = cancellation.open(lambda _: None, lambda: None, TimedInput().open)
        opened.start()
        opened.close()
    assert len(made) == 1, "it knows the room"


def test_a_device_that_refuses() -> None:
    device = TimedInput()
    device.refuses = AudioUnavailable("No microphone was found.", "Connect one.")
    opened = EchoCancellation(Reference(), Subtraction).open(lambda _: None, lambda: None, device.open)
    with pytest.raises(AudioUnavailable):
        opened.start()
    opened.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "azrt-echo"]


@pytest.mark.parametrize(
    ("prefix", "command"),
    [
        ("/home/me/.local/share/uv/tools/azrt-tui", "uv tool install 'azrt-tui[aec]'"),
        (r"C:\Users\me\AppData\Roaming\uv\tools\azrt-tui", "uv tool install 'azrt-tui[aec]'"),
        ("/home/me/.local/share/pipx/venvs/azrt-tui", "pipx install --force 'azrt-tui[aec]'"),
        ("/home/me/project/.venv", "pip install 'azrt-tui[aec]'"),
    ],
)
def test_the_extra_is_missing(prefix: str, command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert echo.missing(prefix).fix == command
    monkeypatch.setitem(sys.modules, "pywebrtc_audio", None)
    with pytest.raises(AudioUnavailable, match="Echo cancellation is not installed"):
        echo.webrtc()
    monkeypatch.setattr(echo, "_PACKAGE", "no_such_package")
    assert not echo.installed()


def test_the_microphone_goes_through_it() -> None:
    passed: list[str] = []

    class Through:
        def open(self, take: Any, finished: Any, open_input: Any) -> Any:
            passed.append("opened")
            device = VirtualInput()
            return device.connect(take, finished)

    microphone = Microphone()
    microphone.through = Through()
    microphone.open(lambda _: None)
    assert passed == ["opened"] and microphone.is_open
    microphone.close()
