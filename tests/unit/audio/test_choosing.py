"""What there is to choose from, on the real PortAudio with virtual devices."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.virtual_audio import (
    VirtualAudio,
    heard_by_portaudio,
    jack,
    need_jack,
    need_virtual_audio,
    virtual_audio,
)
from tui.audio import AudioUnavailable, devices
from tui.audio.choosing import choices, look
from tui.audio.devices import Kind
from tui.audio.microphone import Microphone
from tui.audio.speaker import Speaker

pytestmark = pytest.mark.xdist_group("sound")

AT_ITS_OWN_RATE = """
import json, time
from tui.audio import devices
from tui.audio.choosing import choices
from tui.audio.devices import Kind
from tui.audio.microphone import Microphone
from tui.audio.speaker import Speaker

sounddevice = devices.library()
try:
    sounddevice.check_output_settings(device="system", samplerate=24_000, channels=1, dtype="int16")
    refused = None
except sounddevice.PortAudioError as error:
    refused = error.args[1]
offered = [choice.refused is None for kind in Kind for choice in choices(devices.list_devices(), kind, "")]
speaker, microphone, captured = Speaker("system"), Microphone("system"), bytearray()
assert speaker.open(), speaker.problem
microphone.open(captured.extend)
speaker.feed("a", 0, bytes(48_000))
deadline = time.monotonic() + 20
while (speaker.remaining_s() or len(captured) < 24_000) and time.monotonic() < deadline:
    time.sleep(0.01)
left, rate = speaker.remaining_s(), speaker._player._output.rate
microphone.close()
speaker.close()
print(json.dumps({"refused": refused, "offered": offered, "rate": rate, "left": left, "captured": len(captured)}))
"""


@pytest.fixture
def audio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[VirtualAudio]:
    need_virtual_audio()
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".asoundrc").write_text('pcm.headset { type pulse device "nowhere" }\n')
    with virtual_audio(tmp_path / "audio") as server, heard_by_portaudio(server, monkeypatch):
        yield server


def test_a_look_around(audio: VirtualAudio) -> None:
    microphone, speaker = Microphone("nothing like it"), Speaker()
    assert speaker.open()
    speaker.feed("a", 0, b"\1\0" * 24_000)
    heard, said = look(microphone, speaker, anew=True)
    assert speaker.device == "default" and speaker.remaining_s() > 0, "the answer goes on"
    speaker.close()
    assert said.kind is Kind.LOUDSPEAKER and (said.chosen, said.device, said.problem) == ("", "default", None)
    assert {choice.name: choice.default for choice in said.choices}["default"]
    assert heard.problem is not None and 'no microphone called "nothing like it"' in heard.problem.problem
    refused = {choice.name: choice.refused for choice in heard.choices}
    assert refused["pulse"] is None and refused["headset"] is not None and refused["headset"].fix


def test_what_had_failed_is_tried_again(audio: VirtualAudio) -> None:
    audio.stop()
    microphone, speaker = Microphone(), Speaker()
    Path(os.environ["HOME"], ".asoundrc").unlink()
    assert devices.refresh()
    assert not speaker.open()
    with pytest.raises(AudioUnavailable):
        microphone.open(lambda pcm: None)
    audio.start()
    heard, said = look(microphone, speaker, anew=False)
    assert (heard.problem, said.problem, said.device) == (None, None, "default")
    assert not microphone.is_open, "nobody asked to be heard"
    speaker.close()


def test_a_device_that_was_chosen_on_another_day(audio: VirtualAudio) -> None:
    told: list[str] = []
    speaker, microphone = Speaker("bassoon", or_default=True), Microphone("oboe", or_default=True)
    speaker.on_other = microphone.on_other = told.append
    assert speaker.open()
    microphone.open(lambda pcm: None)
    assert told == [
        'There is no loudspeaker called "bassoon". "default" is used.',
        'There is no microphone called "oboe". "default" is used.',
    ]
    with pytest.raises(AudioUnavailable, match="no loudspeaker called"):
        speaker.use("flute")
    assert speaker.device == "default", "what is asked for now is not taken for something else"
    speaker.close()
    microphone.close()


def test_devices_of_one_name_are_told_apart_by_their_system(audio: VirtualAudio) -> None:
    from dataclasses import replace

    found = devices.list_devices()
    twins = [*found, *(replace(device, system="JACK") for device in found if device.name == "pulse")]
    names = [choice.name for choice in choices(twins, Kind.LOUDSPEAKER)]
    assert [name for name in names if name.startswith("pulse")] == ["pulse, ALSA", "pulse, JACK"]
    assert devices.choose(twins, Kind.LOUDSPEAKER, "pulse, JACK").system == "JACK"


def test_a_device_that_refuses_24_khz_is_used_at_its_own_rate(tmp_path: Path) -> None:
    need_jack()
    with jack(rate=48_000) as environment:
        command = [sys.executable, "-c", AT_ITS_OWN_RATE]
        done = subprocess.run(
            command,
            env={**os.environ, **environment, "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["refused"], found["rate"], found["left"]) == (-9997, 48_000, 0)
    assert all(found["offered"]) and found["captured"] >= 24_000
