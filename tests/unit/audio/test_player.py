"""The player on a device whose clock the test turns: what was heard is known to the sample."""

from __future__ import annotations

import math
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.properties import PROPERTY
from tests.support.virtual_device import VirtualOutput
from tui.audio import AudioUnavailable, Position
from tui.audio.player import LEAD_S, Player
from tui.audio.resampling import spread

MS = 24
"""Frames in a millisecond."""

LEAD = round(LEAD_S * 24_000)
"""Frames of silence ahead of the first sample."""


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Stage:
    """A player, its device and its clock."""

    def __init__(self, device: VirtualOutput | None = None) -> None:
        self.device = device or VirtualOutput()
        self.clock = Clock()
        self.lost = 0
        self.player = Player(self.device.connect, self._lose, self.clock)

    def _lose(self) -> None:
        self.lost += 1

    def pass_ms(self, ms: int) -> None:
        """Both clocks go on, and the player is tended to as its thread would."""
        for _ in range(0, ms, 10):
            self.device.advance(10 * self.device.rate // 1000)
            self.clock.now += 0.01
            self.player.tend()

    def heard(self) -> list[int]:
        """The samples that left the device, without silence."""
        return [sample for sample in array("h", bytes(self.device.heard)) if sample]


def ramp(ms: int, start: int = 1) -> bytes:
    """Samples that say which they are."""
    return array("h", [(start + at) % 30_000 or 1 for at in range(ms * MS)]).tobytes()


def test_it_begins_with_the_prebuffer_and_plays_without_gap_or_repeat() -> None:
    stage = Stage()
    sound = ramp(1000)
    stage.player.feed("a", 0, sound[: 40 * MS * 2])
    assert not stage.device.running, "40 ms are not enough to begin with"
    stage.player.feed("a", 0, sound[40 * MS * 2 :])
    assert stage.device.running
    stage.pass_ms(1000)
    stage.device.advance(LEAD)
    assert bytes(stage.device.heard) == bytes(2 * LEAD) + sound, "nothing but the sound"
    stage.pass_ms(200)
    assert stage.heard() == array("h", sound).tolist()


@pytest.mark.parametrize("blocks", [2, 5, 8])
def test_a_device_that_takes_much_at_once_gets_no_silence_behind_the_first_words(blocks: int) -> None:
    stage = Stage(VirtualOutput(blocks=blocks))
    for step in range(10):
        stage.player.feed("a", 0, ramp(100, 1 + step * 100 * MS))
        stage.pass_ms(50)  # twice as fast as it plays
    stage.pass_ms(1000)
    samples = array("h", bytes(stage.device.heard)).tolist()
    start = samples.index(1)
    assert samples[start : start + 1000 * MS] == array("h", ramp(1000)).tolist()


def test_a_short_answer_does_not_wait_for_ever() -> None:
    stage = Stage()
    stage.player.feed("a", 0, ramp(30))
    wait = stage.player.tend()
    assert wait == pytest.approx(0.15)
    stage.pass_ms(400)
    assert stage.heard() == array("h", ramp(30)).tolist()


def test_the_position_is_exact_to_the_sample() -> None:
    stage = Stage()
    stage.player.feed("a", 0, ramp(500))
    stage.player.feed("b", 1, ramp(500))
    assert stage.player.position() == Position("a", 0, 0.0), "first in the queue, and not heard: truncated at 0"
    stage.device.advance(LEAD + 6007)
    assert stage.player.position() == Position("a", 0, pytest.approx(6007 / MS, abs=0.05))
    stage.device.advance(12_000)
    assert stage.player.position() == Position("b", 1, pytest.approx(6007 / MS, abs=0.05))
    assert stage.player.remaining_s() == pytest.approx(1 - 18_007 / 24_000, abs=1e-4)
    stage.device.advance(12_000)
    assert (stage.player.position(), stage.player.remaining_s()) == (None, 0.0)


def test_a_flush_silences_at_once_and_says_what_was_heard() -> None:
    stage = Stage()
    stage.player.feed("a", 0, ramp(500))
    stage.player.feed("b", 0, ramp(500))
    stage.player.feed("c", 0, ramp(500))
    stage.device.advance(LEAD + 700 * MS)
    before = len(stage.device.heard)
    assert stage.player.flush() == {"b": 200, "c": 0}
    assert (stage.player.position(), stage.player.remaining_s(), stage.player.flush()) == (None, 0.0, {})
    stage.pass_ms(500)
    assert len(stage.device.heard) == before, "the device's own buffer is dropped too"
    stage.player.feed("d", 0, ramp(200))
    assert stage.player.position() == Position("d", 0, 0.0)
    stage.device.advance(LEAD + 200 * MS)
    assert bytes(stage.device.heard[before:]) == bytes(2 * LEAD) + ramp(200), "it starts again from the first sample"


def test_after_a_dry_spell_it_waits_for_the_prebuffer_again() -> None:
    stage = Stage()
    stage.player.feed("a", 0, ramp(100))
    stage.pass_ms(300)
    stage.player.feed("a", 0, ramp(40, 5000))
    stage.device.advance(60 * MS)
    stage.player.feed("a", 0, ramp(400, 6000))
    stage.pass_ms(800)
    assert stage.heard() == array("h", ramp(100) + ramp(40, 5000) + ramp(400, 6000)).tolist()
    tail = array("h", bytes(stage.device.heard)).tolist()
    first = tail.index(5000)
    assert 0 not in tail[first : first + 440 * MS], "once it goes on, there is no second gap"


def test_what_comes_after_silence_does_not_wait_for_the_silence_that_the_device_holds() -> None:
    stage = Stage()
    stage.player.feed("a", 0, ramp(100))
    stage.pass_ms(500)
    before = len(stage.device.heard) // 2
    stage.player.feed("b", 0, ramp(200, 5000))
    assert stage.player.position() == Position("b", 0, 0)
    stage.pass_ms(300)
    samples = array("h", bytes(stage.device.heard)).tolist()
    assert samples.index(5000) == before + LEAD, "the device holds 100 ms"
    assert stage.heard() == array("h", ramp(100) + ramp(200, 5000)).tolist()
    assert stage.lost == 0


def test_what_the_device_still_holds_is_played_before_what_comes_late() -> None:
    stage = Stage()
    stage.player.feed("a", 0, ramp(100))
    stage.pass_ms(60)
    assert stage.player.remaining_s() > 0
    stage.player.feed("a", 0, ramp(200, 5000))
    assert stage.device.starts == 1
    stage.pass_ms(500)
    assert stage.heard() == array("h", ramp(100) + ramp(200, 5000)).tolist()


def test_little_after_a_dry_spell_is_played_all_the_same() -> None:
    stage = Stage()
    stage.player.feed("a", 0, ramp(100))
    stage.pass_ms(300)
    stage.player.feed("a", 0, ramp(20, 5000))
    stage.pass_ms(400)
    assert stage.heard() == array("h", ramp(100) + ramp(20, 5000)).tolist()


def test_the_stream_stops_after_two_seconds_of_silence() -> None:
    stage = Stage()
    stage.player.feed("a", 0, ramp(200))
    stage.pass_ms(1900)
    assert stage.device.running
    stage.pass_ms(500)
    assert not stage.device.running
    assert stage.player.tend() is None, "nothing ticks while nothing plays"
    stage.player.feed("b", 0, ramp(200))
    assert stage.device.running and stage.lost == 0


def test_how_long_it_has_been_quiet() -> None:
    stage = Stage()
    assert stage.player.quiet_s() == math.inf
    stage.player.feed("a", 0, ramp(200))
    assert stage.player.quiet_s() == 0.0
    stage.device.advance(LEAD + 450 * MS)
    assert stage.player.quiet_s() == pytest.approx(0.25, abs=1e-3)
    stage.player.feed("a", 0, ramp(1000))
    stage.device.advance(300 * MS)
    assert stage.player.quiet_s() == 0.0
    stage.player.flush()
    assert stage.player.quiet_s() == math.inf, "aborted: nothing of it can echo"


def test_the_meter_moves_with_the_sound_only() -> None:
    stage = Stage()
    assert stage.player.level() == 0.0
    stage.player.feed("a", 0, array("h", [32767, -32768] * 2400).tobytes())
    assert stage.player.level() == 1.0
    stage.pass_ms(500)
    assert stage.player.level() == 0.0


def test_a_device_that_stops_by_itself_is_lost() -> None:
    stage = Stage()
    stage.player.feed("a", 0, ramp(100))
    stage.player.feed("b", 0, ramp(1000))
    stage.pass_ms(400)
    assert stage.lost == 0
    stage.device.lose()
    assert stage.player.wake.is_set()
    stage.player.tend()
    assert stage.lost == 1
    (left,) = stage.player.take_rest()
    assert left.item_id == "b"
    assert left.pcm == ramp(1000)[round(left.heard_s * 24_000) * 2 :], "exactly what was not heard"
    assert left.heard_s == pytest.approx(0.3, abs=0.11), "of what it still held, nothing can be known"


def test_a_device_that_falls_silent_without_a_word_is_lost_after_a_second() -> None:
    stage = Stage()
    stage.player.feed("a", 0, ramp(9000))
    stage.pass_ms(6000)
    stage.clock.now += 0.9
    stage.player.tend()
    assert stage.lost == 0
    stage.clock.now += 0.2
    stage.player.tend()
    assert stage.lost == 1


def test_a_device_may_take_longer_to_wake() -> None:
    stage = Stage()
    stage.player.feed("a", 0, ramp(5000))
    stage.clock.now += 0.2
    stage.player.tend()
    assert stage.device.asked, "it takes a buffer full"
    stage.clock.now += 4.7
    stage.player.tend()
    assert stage.lost == 0
    stage.clock.now += 0.2
    stage.player.tend()
    assert stage.lost == 1


def test_a_device_that_cannot_be_started_is_lost() -> None:
    stage = Stage()
    stage.device.refuses = AudioUnavailable("gone", "")
    stage.player.feed("a", 0, ramp(200))
    stage.player.tend()
    assert stage.lost == 1


def test_a_stop_of_our_own_is_no_loss() -> None:
    stage = Stage()
    stage.player.feed("a", 0, ramp(500))
    stage.player.flush()
    stage.player.tend()
    stage.player.close()
    assert stage.lost == 0 and stage.device.closed


def test_a_stereo_device_at_its_own_rate_keeps_the_time() -> None:
    stage = Stage(VirtualOutput(rate=48_000, channels=2))
    tone = array("h", [int(8000 * math.sin(at * 0.2)) for at in range(24_000)]).tobytes()
    stage.player.feed("a", 0, tone[:30_001])
    stage.player.feed("a", 0, tone[30_000:])
    assert stage.player.remaining_s() == pytest.approx(1.0, abs=1e-3)
    stage.device.advance(2 * LEAD + 24_000)
    assert stage.player.position() == Position("a", 0, pytest.approx(500, abs=0.1))
    samples = array("h", bytes(stage.device.heard))
    assert samples[0::2] == samples[1::2]
    assert max(samples) > 7500


def test_an_odd_byte_does_not_shift_what_follows() -> None:
    stage = Stage()
    stage.player.feed("a", 0, ramp(100) + b"\x7f")
    stage.player.feed("a", 0, b"\x7f")
    stage.player.feed("a", 0, ramp(100, 5000))
    stage.pass_ms(300)
    assert stage.heard() == array("h", ramp(100) + ramp(100, 5000)).tolist()


def test_every_channel_gets_the_same() -> None:
    assert spread(array("h", [1, 2]).tobytes(), 3) == array("h", [1, 1, 1, 2, 2, 2]).tobytes()


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("feed"), st.sampled_from("ab"), st.integers(0, 200)),
        st.tuples(st.just("pass"), st.just(""), st.integers(0, 300)),
        st.tuples(st.just("flush"), st.just(""), st.just(0)),
    ),
    max_size=15,
)


@PROPERTY
@given(STEPS)
def test_what_it_says_was_heard_is_what_left_the_device(steps: list[tuple[str, str, int]]) -> None:
    stage = Stage(VirtualOutput(blocks=3))
    names: dict[int, str] = {}
    fed: dict[str, int] = {}
    serial = item = 0
    last = ""
    for step, name, ms in steps:
        if step == "feed" and ms:
            if name != last:  # an item never comes back once another has followed
                item += 1
            last = name
            key = f"{name}{item}"
            serial += 1
            names[serial] = key
            stage.player.feed(key, 0, array("h", [serial] * (ms * MS)).tobytes())
            fed[key] = fed.get(key, 0) + ms * MS
        elif step == "pass":
            stage.pass_ms(ms // 10 * 10)
        else:
            left: dict[str, int] = {}
            for sample in stage.heard():
                left[names[sample]] = left.get(names[sample], 0) + 1
            position = stage.player.position()
            expected = {key: frames - left.get(key, 0) for key, frames in fed.items() if left.get(key, 0) < frames}
            assert (position.item_id if position else None) == next(iter(expected), None)
            assert stage.player.remaining_s() == pytest.approx(sum(expected.values()) / 24_000, abs=0.001)
            heard = stage.player.flush()
            assert heard.keys() == expected.keys()
            for key, said in heard.items():
                assert said == pytest.approx(left.get(key, 0) / MS, abs=1.01)
            fed.clear()
            last = ""
            stage.device.heard.clear()
