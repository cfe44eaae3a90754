"""The real PortAudio on virtual devices: what goes in comes out, and what is said to be heard was heard.

Samples are counted, not seconds: the machine may be as slow as it likes.
"""

from __future__ import annotations

import random
import statistics
import threading
import time
from array import array
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.virtual_audio import (
    PATIENCE_S,
    Recorder,
    VirtualAudio,
    heard_by_portaudio,
    need_virtual_audio,
    virtual_audio,
)
from tui.audio import AudioUnavailable, devices
from tui.audio.devices import Kind
from tui.audio.microphone import Microphone
from tui.audio.portaudio import PortAudioOutput
from tui.audio.speaker import Speaker

pytestmark = pytest.mark.xdist_group("sound")

ATTEMPTS = 5
"""A machine that is busy elsewhere may starve the device once; a fault of ours comes back each time."""


@pytest.fixture
def audio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[VirtualAudio]:
    need_virtual_audio()
    with virtual_audio(tmp_path / "audio") as server, heard_by_portaudio(server, monkeypatch):
        yield server


@pytest.fixture
def speaker(audio: VirtualAudio) -> Iterator[Speaker]:
    speaker = Speaker()
    assert speaker.open(), speaker.problem
    yield speaker
    speaker.close()


@pytest.fixture
def recorder(audio: VirtualAudio) -> Iterator[Recorder]:
    recorder = audio.record()
    yield recorder
    recorder.close()


def ramp(ms: int) -> bytes:
    """Samples that say which they are."""
    return array("h", [at % 30_000 + 1 for at in range(ms * 24)]).tobytes()


def until(condition: object, what: str) -> None:
    """Wait for a condition, given as a function."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, what
        time.sleep(0.005)


def sounding(data: bytes) -> bytes:
    """From the first to the last sample that is not silence."""
    samples = array("h", data)
    loud = [at for at, sample in enumerate(samples) if sample]
    return samples[loud[0] : loud[-1] + 1].tobytes() if loud else b""


def test_what_is_fed_comes_out_without_gap_or_repeat(speaker: Speaker, recorder: Recorder) -> None:
    sound = ramp(1500)
    heard = b""
    for _ in range(ATTEMPTS):
        begin = len(recorder.data)
        for at in range(0, len(sound), 9_602):  # deltas come in any size
            speaker.feed("item", 0, sound[at : at + 9_602])
        until(lambda: speaker.remaining_s() == 0, "it is played to its end")
        recorder.wait_for_ms(150)
        heard = sounding(recorder.data[begin:])
        if heard == sound:
            return
    assert heard == sound


def test_an_interruption_silences_and_knows_what_was_heard(speaker: Speaker, recorder: Recorder) -> None:
    choose = random.Random(7)
    errors = []
    for turn in range(6):
        begin = len(recorder.data)
        speaker.feed(f"item {turn}", 0, ramp(1200))
        recorder.wait_for_ms(choose.randrange(150, 700))
        position = speaker.position()
        heard = speaker.flush()
        recorder.wait_for_ms(300)
        played = array("h", sounding(recorder.data[begin:]))
        assert position is not None and list(heard) == [f"item {turn}"]
        errors.append(heard[f"item {turn}"] - max(played) / 24)
        silence = array("h", recorder.data[-200 * 48 :])
        assert not any(silence), "nothing comes after a flush"
    # The device holds 120 ms: were they not dropped, or counted as heard, this would be seen.
    assert abs(statistics.median(errors)) < 15, errors
    assert sorted(map(abs, errors))[-2] < 60, errors


def test_what_an_interruption_drops_is_not_in_the_reference(speaker: Speaker, recorder: Recorder) -> None:
    speaker.feed("item", 0, ramp(2000))
    recorder.wait_for_ms(600)
    assert speaker._player is not None
    now = speaker._player._output.time()
    heard = speaker.flush()["item"]
    # As if the microphone had listened from 0.3 s before to 0.3 s after; the reference is 40 ms early.
    blocks = [speaker.reference.beside(now - 0.34 + 0.02 * at, 480) for at in range(30)]
    played = array("h", b"".join(block.tobytes() for block in blocks))
    last = max(at for at, sample in enumerate(played) if sample)
    assert abs(last - 0.3 * 24_000) < 480, "nothing after it, though the device held 100 ms more"
    assert abs(played[last] / 24 - heard) < 20


def test_it_plays_again_after_an_interruption_from_the_first_sample(speaker: Speaker, recorder: Recorder) -> None:
    sound = ramp(300)
    for _ in range(ATTEMPTS):
        speaker.feed("first", 0, ramp(1000))
        recorder.wait_for_ms(200)
        speaker.flush()
        recorder.wait_for_ms(200)
        begin = len(recorder.data)
        speaker.feed("second", 0, sound)
        until(lambda: speaker.remaining_s() == 0, "it is played to its end")
        recorder.wait_for_ms(150)
        if sounding(recorder.data[begin:]) == sound:
            return
    raise AssertionError("the second answer never came out whole")


def test_the_microphone_hears_what_is_said(audio: VirtualAudio) -> None:
    sound = ramp(1000)
    captured = bytearray()
    microphone = Microphone()
    for _ in range(ATTEMPTS):
        captured.clear()
        microphone.open(captured.extend)
        try:
            until(lambda: len(captured) > 4800, "it brings blocks")
            audio.speak(sound)
            until(lambda: array("h", sound)[-1] in array("h", bytes(captured)), "all of it arrives")
            assert microphone.is_open
        finally:
            microphone.close()
        after = len(captured)
        if sound in captured:
            break
    assert sound in captured
    assert len(captured) == after and not microphone.is_open, "closed is closed"
    assert microphone.level() == 0.0


def test_a_device_that_goes_away_and_comes_back(audio: VirtualAudio, speaker: Speaker) -> None:
    lost: list[AudioUnavailable] = []
    told = threading.Event()

    def tell(problem: AudioUnavailable) -> None:
        lost.append(problem)
        told.set()

    speaker.on_lost = tell
    speaker.feed("item", 0, ramp(60_000))
    until(lambda: (speaker.position() or 0) and speaker.position().ms > 100, "it plays")  # type: ignore[union-attr]
    audio.stop()
    assert told.wait(PATIENCE_S), "the loss is told"
    assert "is gone" in lost[0].problem and "Connect it again" in lost[0].fix
    assert (speaker.position(), speaker.remaining_s()) == (None, 0.0), "the rest is read"
    assert speaker.flush() == {}, "nothing of it is unheard"
    assert not speaker.open(), "there is nothing to open yet"
    audio.start()
    assert speaker.open(), speaker.problem
    recorder = audio.record()
    try:
        speaker.feed("next", 0, ramp(300))
        until(lambda: speaker.remaining_s() == 0, "it plays again")
        recorder.wait_for_ms(150)
        assert sounding(recorder.data)
    finally:
        recorder.close()


def test_a_microphone_that_goes_away(audio: VirtualAudio) -> None:
    told = threading.Event()
    microphone = Microphone()
    microphone.on_lost = lambda _: told.set()
    captured = bytearray()
    microphone.open(captured.extend)
    until(lambda: len(captured) > 4800, "it brings blocks")
    audio.stop()
    deadline = time.monotonic() + PATIENCE_S
    while not told.wait(0.2):
        assert time.monotonic() < deadline, "the loss is told"
        microphone.check()
    until(lambda: not microphone.is_open, "it is given back")


def test_the_devices_by_name(audio: VirtualAudio) -> None:
    found = devices.list_devices()
    assert {device.name for device in found} >= {"pulse", "default"}
    assert devices.choose(found, Kind.LOUDSPEAKER).name == "default"
    output = PortAudioOutput(lambda out, starts: None, lambda: None, name="PULSE")
    assert (output.name, output.rate, output.channels) == ("pulse", 24_000, 1)
    assert not devices.refresh(), "not while a stream is open"
    output.close()
    with pytest.raises(AudioUnavailable, match='no loudspeaker called "bassoon"'):
        PortAudioOutput(lambda out, starts: None, lambda: None, name="bassoon")


def test_a_server_without_devices_has_a_reason(audio: VirtualAudio) -> None:
    for module in ("module-null-sink", "module-remap-source"):
        assert audio._run("pactl", "unload-module", module).returncode == 0
    speaker, microphone = Speaker(), Microphone()
    assert not speaker.open()
    assert speaker.problem is not None
    assert "loudspeaker" in speaker.problem.problem and speaker.problem.fix
    with pytest.raises(AudioUnavailable, match="microphone") as refused:
        microphone.open(lambda pcm: None)
    assert refused.value.fix
