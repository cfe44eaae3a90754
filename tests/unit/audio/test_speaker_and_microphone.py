"""The loudspeaker and the microphone as the session knows them, on devices that a test turns."""

from __future__ import annotations

import math
import threading
from array import array

import pytest

from tests.support.virtual_device import VirtualInput, VirtualOutput
from tui.audio import AudioUnavailable, Position
from tui.audio.microphone import Microphone
from tui.audio.player import Fill, Output
from tui.audio.speaker import Speaker

SECOND = bytes(48_000)
LOUD = array("h", [20_000] * 480).tobytes()


def nothing(fill: Fill, finished: object) -> Output:
    """A machine without a loudspeaker."""
    raise AudioUnavailable("No loudspeaker was found.", "Connect one.")


def test_without_a_device_it_is_silent_at_the_speed_of_speech() -> None:
    speaker = Speaker(open_output=nothing)
    assert not speaker.open()
    assert speaker.problem is not None and speaker.problem.fix == "Connect one."
    speaker.feed("a", 0, SECOND)
    assert speaker.position() is not None
    assert 0 < speaker.remaining_s() <= 1
    assert (speaker.quiet_s(), speaker.level()) == (math.inf, 0.0), "nothing was heard that could echo"
    assert "a" in speaker.flush()
    speaker.close()


def test_before_it_is_opened_it_is_silent_too() -> None:
    speaker = Speaker(open_output=VirtualOutput().connect)
    speaker.feed("a", 0, SECOND)
    assert 0 < speaker.remaining_s() <= 1


def test_a_device_that_is_lost_hands_on_what_was_not_heard() -> None:
    device = VirtualOutput()
    speaker = Speaker(open_output=device.connect)
    told: list[AudioUnavailable] = []
    heard = threading.Event()
    speaker.on_lost = lambda problem: (told.append(problem), heard.set())  # type: ignore[assignment, func-returns-value]
    assert speaker.open() and speaker.open(), "twice is once"
    assert speaker.problem is None
    speaker.feed("a", 0, SECOND * 2)
    speaker.feed("b", 0, SECOND)
    device.advance(12_240)
    assert speaker.position() == Position("a", 0, pytest.approx(500, abs=1))
    device.lose()
    assert heard.wait(8)
    assert device.closed and speaker.problem is told[0]
    position = speaker.position()
    assert position is not None and position.item_id == "a" and position.ms >= 500
    assert 2 < speaker.remaining_s() <= 2.51
    assert list(speaker.flush()) == ["a", "b"]
    again = VirtualOutput()
    speaker._open_output = again.connect
    speaker.close()
    assert not speaker.open(), "closed for good"


def test_the_microphone_is_closed_until_it_is_asked_for() -> None:
    device = VirtualInput()
    microphone = Microphone(open_input=device.connect)
    captured: list[bytes] = []
    assert not microphone.is_open and microphone.level() == 0 and device.opened == 0
    microphone.open(captured.append)
    microphone.open(captured.append)
    device.say(LOUD)
    assert (microphone.is_open, captured, device.opened) == (True, [LOUD], 1)
    assert microphone.level() > 0.9
    microphone.close()
    device.say(LOUD)
    device._take(LOUD)  # a block that was on its way
    assert (microphone.is_open, captured, microphone.level()) == (False, [LOUD], 0.0)


def test_a_stereo_microphone_at_its_own_rate() -> None:
    device = VirtualInput(rate=48_000, channels=2)
    microphone = Microphone(open_input=device.connect)
    captured = bytearray()
    microphone.open(captured.extend)
    for _ in range(50):
        device.say(array("h", [3000, 1000] * 960).tobytes())
    assert len(captured) == pytest.approx(48_000, abs=4)
    assert set(array("h", bytes(captured))[100:]) == {2000}
    microphone.close()


def test_a_microphone_that_is_lost_can_be_opened_again() -> None:
    device = VirtualInput()
    microphone = Microphone(open_input=device.connect)
    told: list[AudioUnavailable] = []
    microphone.on_lost = told.append
    microphone.open(lambda _: None)
    device.lose()
    assert [problem.problem for problem in told] == ['The microphone "a virtual microphone" is gone.']
    for thread in threading.enumerate():
        if thread.name == "azrt-microphone":
            thread.join()
    assert not microphone.is_open


def test_a_microphone_that_brings_nothing_for_a_second_is_lost() -> None:
    now = [0.0]
    device = VirtualInput()
    microphone = Microphone(open_input=device.connect, clock=lambda: now[0])
    told: list[AudioUnavailable] = []
    microphone.on_lost = told.append
    microphone.check()
    microphone.open(lambda _: None)
    now[0] = 0.9
    microphone.check()
    device.say(LOUD)
    now[0] = 1.8
    microphone.check()
    assert told == []
    now[0] = 2.0
    microphone.check()
    assert len(told) == 1


def test_a_microphone_that_does_not_start_is_given_back() -> None:
    device = VirtualInput()
    device.refuses = AudioUnavailable("It is in use by another program.", "Close that.")
    microphone = Microphone(open_input=device.connect)
    with pytest.raises(AudioUnavailable, match="in use"):
        microphone.open(lambda _: None)
    assert not microphone.is_open
