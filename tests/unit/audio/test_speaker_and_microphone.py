"""The loudspeaker and the microphone as the session knows them, on devices that a test turns."""

from __future__ import annotations

import math
import threading
from array import array
from typing import Any

import pytest

from tests.support.virtual_device import VirtualInput, VirtualOutput
from tui.audio import AudioUnavailable, Position, devices
from tui.audio.microphone import Microphone
from tui.audio.player import LEAD_S, Fill, Output
from tui.audio.rehearsal import Rehearsal, tone
from tui.audio.speaker import Speaker

SECOND = bytes(48_000)
LEAD = round(LEAD_S * 24_000)
LOUD = array("h", [20_000] * 480).tobytes()


def nothing(fill: Fill, finished: object) -> Output:
    """A machine without a loudspeaker."""
    raise AudioUnavailable("No loudspeaker was found.", "Connect one.")


def test_without_a_device_nothing_is_paced_and_nothing_is_unheard() -> None:
    speaker = Speaker(open_output=nothing)
    assert not speaker.open()
    assert speaker.problem is not None and speaker.problem.fix == "Connect one."
    speaker.feed("a", 0, SECOND)
    assert (speaker.position(), speaker.remaining_s()) == (None, 0.0)
    assert (speaker.quiet_s(), speaker.level()) == (math.inf, 0.0), "nothing was heard that could echo"
    assert speaker.flush() == {}
    speaker.close()


def test_before_it_is_opened_nothing_is_unheard_either() -> None:
    speaker = Speaker(open_output=VirtualOutput().connect)
    speaker.feed("a", 0, SECOND)
    assert (speaker.remaining_s(), speaker.flush()) == (0.0, {})


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
    device.advance(round(LEAD_S * 24_000) + 12_000)
    assert speaker.position() == Position("a", 0, pytest.approx(500, abs=1))
    device.lose()
    assert heard.wait(8)
    assert device.closed and speaker.problem is told[0]
    assert (speaker.position(), speaker.remaining_s()) == (None, 0.0), "the rest is read"
    assert speaker.flush() == {}
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


# Another device, in mid-sentence


def sounding(device: VirtualOutput) -> list[int]:
    """What left it, without the silence before and after."""
    samples = array("h", bytes(device.heard))[:: device.channels]
    loud = [at for at, sample in enumerate(samples) if sample]
    return samples[loud[0] : loud[-1] + 1].tolist() if loud else []


def ramp(ms: int) -> list[int]:
    """Samples that say which they are."""
    return [at % 30_000 + 1 for at in range(ms * 24)]


def on(*devices: VirtualOutput, **options: Any) -> Speaker:
    """A loudspeaker that opens one of these after the other."""
    left = iter(devices)
    return Speaker(open_output=lambda *arguments: next(left).connect(*arguments), **options)


def test_another_loudspeaker_goes_on_with_the_very_next_sample() -> None:
    before, after = VirtualOutput(), VirtualOutput()
    speaker = on(before, after)
    assert speaker.open()
    sound = ramp(1000)
    speaker.feed("a", 0, array("h", sound[:12_000]).tobytes())
    before.advance(7_000)
    speaker.use("headset")
    assert before.closed and speaker.name == "headset"
    heard = sounding(before)
    assert speaker.position() == Position("a", 0, pytest.approx(len(heard) / 24))
    speaker.feed("a", 0, array("h", sound[12_000:]).tobytes())
    after.advance(12_000)
    assert speaker.position() == Position("a", 0, pytest.approx((len(heard) + 12_000 - LEAD) / 24, abs=0.1))
    after.advance(12_000)
    assert heard + sounding(after) == sound, "nothing lost, nothing twice"
    speaker.close()


def test_another_loudspeaker_may_have_another_rate_and_two_channels() -> None:
    before, after = VirtualOutput(rate=48_000, channels=2), VirtualOutput()
    speaker = on(before, after)
    assert speaker.open()
    speaker.feed("a", 0, array("h", ramp(1000)).tobytes())
    before.advance(24_000)
    position = speaker.position()
    assert position is not None
    speaker.use("headset")
    after.advance(24_000)
    first = sounding(after)[0]
    assert first / 24 == pytest.approx(position.ms, abs=2), "it goes on where the other was"
    assert sounding(after)[-1] == 24_000
    speaker.close()


def test_a_loudspeaker_that_cannot_be_had_leaves_the_old_one_at_work() -> None:
    first, again, refused = VirtualOutput(), VirtualOutput(), []
    devices = iter([first, None, again])

    def opens(*arguments: Any) -> Output:
        device = next(devices)
        if device is None:
            refused.append(True)
            raise AudioUnavailable("It is in use by another program.", "Close that.")
        return device.connect(*arguments)

    speaker = Speaker("old", open_output=opens)
    assert speaker.open()
    sound = ramp(500)
    speaker.feed("a", 0, array("h", sound).tobytes())
    first.advance(5_000)
    with pytest.raises(AudioUnavailable, match="in use"):
        speaker.use("new")
    assert refused and speaker.name == "old" and speaker.problem is None
    again.advance(12_000)
    assert sounding(first) + sounding(again) == sound
    speaker.close()


def test_what_is_interrupted_while_no_device_is_open_is_not_heard_later() -> None:
    before, after = VirtualOutput(), VirtualOutput()
    speaker = on(before, after)
    assert speaker.open()
    speaker.feed("a", 0, array("h", ramp(1000)).tobytes())
    before.advance(5_000)
    speaker.release()
    assert speaker.flush() == {"a": int((5_000 - LEAD) / 24)}, "the time between two devices does not count"
    speaker.resume()
    after.advance(24_000)
    assert sounding(after) == []
    speaker.close()


def test_a_loudspeaker_that_comes_back_goes_on_where_the_silence_is() -> None:
    before, after = VirtualOutput(), VirtualOutput()
    speaker = on(before, after)
    heard = threading.Event()
    speaker.on_lost = lambda _: heard.set()
    assert speaker.open()
    speaker.feed("a", 0, array("h", ramp(1000)).tobytes())
    before.advance(5_000)
    before.lose()
    assert heard.wait(8)
    assert speaker.position() is None, "meanwhile it is read"
    speaker.problem = None  # PortAudio of this machine is not asked
    assert speaker.open()
    position = speaker.position()
    assert position is not None and 5_000 / 24 - LEAD_S * 1000 <= position.ms < 1000
    after.advance(24_000)
    assert sounding(after)[0] / 24 == pytest.approx(position.ms, abs=1)
    speaker.close()


def test_another_microphone_takes_over_while_it_listens() -> None:
    first, second = VirtualInput(), VirtualInput()
    left = iter([first, second])
    captured: list[bytes] = []
    microphone = Microphone(open_input=lambda *arguments: next(left).connect(*arguments))
    microphone.use("old")
    assert first.opened == 0, "closed is closed"
    microphone.open(captured.append)
    first.say(LOUD)
    microphone.use("new")
    assert not first.started and microphone.name == "new"
    second.say(LOUD)
    assert captured == [LOUD, LOUD]
    microphone.close()


def test_a_microphone_that_cannot_be_had_leaves_the_old_one_open() -> None:
    device, captured = VirtualInput(), []
    microphone = Microphone("old", open_input=device.connect)
    microphone.open(captured.append)
    opened = [AudioUnavailable("It is in use by another program.", "Close that.")]

    def start() -> None:
        if opened:
            raise opened.pop()
        VirtualInput.start(device)

    device.start = start  # type: ignore[method-assign]
    with pytest.raises(AudioUnavailable, match="in use"):
        microphone.use("new")
    assert microphone.is_open and microphone.name == "old" and microphone.problem is None
    device.say(LOUD)
    assert captured == [LOUD]
    microphone.close()


def test_a_device_that_is_not_there_after_a_look_around_is_lost() -> None:
    device, told = VirtualInput(), []
    microphone = Microphone(open_input=device.connect)
    microphone.on_lost = told.append
    microphone.open(lambda _: None)
    microphone.release()
    assert not microphone.is_open
    device.refuses = AudioUnavailable("No microphone was found.", "Connect one.")
    microphone.resume()
    assert told == [device.refuses] and microphone.problem is device.refuses
    microphone.resume()
    assert len(told) == 1, "nothing was given back for a moment this time"


def test_a_room_is_never_all_zeros() -> None:
    device = VirtualInput()
    microphone = Microphone(open_input=device.connect)
    microphone.open(lambda _: None)
    device.say(bytes(48_000))
    assert microphone.silent_s == 1.0
    device.say(bytes(958) + b"\1\0")
    assert microphone.silent_s == 0.0
    device.say(bytes(48_000))
    assert microphone.silent_s == 0.0, "it was heard once: a gate may close"
    microphone.close()
    assert microphone not in devices.users, "it has no device any more"


# Trying a device


def test_a_tone_on_another_loudspeaker_leaves_the_one_in_use_alone() -> None:
    used, tried = VirtualOutput(), VirtualOutput()
    speaker = on(used, tried)
    assert speaker.open()
    rehearsal = Rehearsal()
    rehearsal.sound(speaker, "headset")
    assert rehearsal.running
    tried.advance(24_000)
    samples = array("h", tone()).tolist()
    assert sounding(tried) == samples[samples.index(next(filter(None, samples))) :][: len(sounding(tried))]
    assert len(sounding(tried)) > 11_900
    rehearsal.stop()
    assert tried.closed and not used.closed and not rehearsal.running
    speaker.close()


def test_a_microphone_is_tried_and_nothing_reaches_the_session() -> None:
    device = VirtualInput()
    captured: list[bytes] = []
    microphone = Microphone(open_input=device.connect)
    rehearsal = Rehearsal()
    rehearsal.listen(microphone, "webcam")
    assert rehearsal.listening and not microphone.is_open
    device.say(LOUD)
    assert rehearsal.level() > 0.9
    rehearsal.stop()
    assert not rehearsal.listening and not device.started and rehearsal.level() == 0.0
    microphone.open(captured.append)
    rehearsal.listen(microphone, "")
    assert not rehearsal.listening and device.opened == 2, "its level is the one in use"
    microphone.close()
