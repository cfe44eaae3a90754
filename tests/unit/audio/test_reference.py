"""What was played beside what was captured: by clocks that jitter, step, stop and run apart."""

from __future__ import annotations

import random
from array import array
from collections.abc import Iterator

import numpy as np
import pytest

from tui.audio.reference import Reference

RATE = 24_000
BLOCK = 480
LEAD = 960
"""Samples: what is played in 40 ms is seen already."""

AHEAD_S = 0.1
"""What the loudspeaker's device holds: its blocks are told of as long before they are heard."""


def sound(first: int, count: int = BLOCK) -> bytes:
    """Samples that say which they are, modulo 30,000."""
    return array("h", [at % 30_000 + 1 for at in range(first, first + count)]).tobytes()


class Devices:
    """A loudspeaker and a microphone in step, 20 ms at a time, and what each says of the time."""

    def __init__(self, ahead_s: float = AHEAD_S) -> None:
        self.reference = Reference()
        self.played = self.captured = 1_000 * RATE
        """Samples of the clock."""
        self.playing = True
        self.output_error_s = self.input_error_s = 0.0
        self.drift = 0.0
        """Samples a block that the loudspeaker is too slow."""
        self._slow = 0.0
        self._ahead = round(ahead_s * RATE)
        self._first = self.played

    def step(self) -> np.ndarray:  # type: ignore[type-arg]
        """20 ms pass: return what the reference has beside what was captured in them."""
        if self.playing:
            while self.played < self.captured + self._ahead:
                starts = (self.played + self._slow) / RATE + self.output_error_s
                self.reference.played(sound(self.played - self._first), starts, RATE, 1)
                self.played += BLOCK
                self._slow += self.drift
        beside = self.reference.beside(self.captured / RATE + self.input_error_s, BLOCK)
        self.captured += BLOCK
        return beside

    def steps(self, count: int) -> Iterator[np.ndarray]:  # type: ignore[type-arg]
        """So many of them."""
        return (self.step() for _ in range(count))

    def lead(self, beside: np.ndarray) -> int:  # type: ignore[type-arg]
        """How many samples early the reference came, by its own first sample."""
        early = int(beside[0]) - 1 - (self.captured - BLOCK - self._first)
        return (early + 15_000) % 30_000 - 15_000


def unbroken(blocks: list[np.ndarray]) -> bool:  # type: ignore[type-arg]
    """Whether the blocks are one stream without a gap or a repeat."""
    samples = np.concatenate(blocks).astype(int)
    return bool((np.diff(samples) % 30_000 == 1).all())


def test_it_is_what_is_heard_forty_milliseconds_later() -> None:
    devices = Devices()
    blocks = list(devices.steps(20))
    assert devices.lead(blocks[-1]) == LEAD
    assert unbroken(blocks)


def test_nothing_was_played() -> None:
    reference = Reference()
    assert not reference.beside(1.0, BLOCK).any()


def test_times_that_jitter_do_not_move_it() -> None:
    choose = random.Random(3)
    devices = Devices()
    blocks = []
    for _ in range(300):
        devices.output_error_s = choose.gauss(0, 0.003)
        devices.input_error_s = choose.gauss(0, 0.003)
        if choose.random() < 0.05:
            devices.input_error_s += 0.03  # one callback that came late
        blocks.append(devices.step())
    assert unbroken(blocks)
    assert abs(devices.lead(blocks[-1]) - LEAD) < 300, "within the lead, and it stays where it is"


@pytest.mark.parametrize("step_s", [0.03, -0.25])
def test_it_follows_a_step_of_the_clock(step_s: float) -> None:
    """The loudspeaker ran dry: what it plays is heard later, and no sample says so, only the times."""
    devices = Devices()
    list(devices.steps(50))
    devices.input_error_s = step_s  # the same as the output's, the other way round
    blocks = list(devices.steps(60))
    assert unbroken(blocks[30:])
    assert devices.lead(blocks[-1]) == pytest.approx(LEAD + step_s * RATE, abs=2)


def test_in_speech_it_moves_only_where_the_echo_would_not_be_found() -> None:
    devices = Devices()
    list(devices.steps(50))
    devices.input_error_s = -0.03
    assert unbroken(list(devices.steps(60))), "30 ms more of delay are no reason"


def test_in_silence_it_moves() -> None:
    devices = Devices()
    list(devices.steps(50))
    devices.input_error_s = -0.03
    devices.playing = False
    devices.reference.stopped(devices.captured / RATE)
    assert not np.concatenate(list(devices.steps(50))).any()
    devices.playing, devices.played = True, devices.captured
    blocks = list(devices.steps(20))
    assert devices.lead(blocks[-1]) == pytest.approx(LEAD - 0.03 * RATE, abs=2)


def test_what_was_dropped_was_not_heard() -> None:
    devices = Devices()
    last = list(devices.steps(20))[-1]
    heard_until = devices.captured
    devices.playing = False
    devices.reference.stopped(heard_until / RATE)
    after = np.concatenate(list(devices.steps(20)))
    assert last.all()
    assert not after.any(), "the device held 100 ms more, and none of it came"
    devices.playing, devices.played = True, devices.captured + 2_000
    again = np.concatenate(list(devices.steps(5)))
    assert np.flatnonzero(again)[0] == 2_000 - LEAD, "the next answer, from its first sample"


@pytest.mark.parametrize("drift", [0.24, -0.24])
def test_two_devices_that_run_apart(drift: float) -> None:
    devices = Devices()
    devices.drift = drift  # 500 parts in a million, many times what sound cards have
    blocks = list(devices.steps(3_000))  # a minute without a pause
    by_the_clock = devices.lead(blocks[-1]) + drift * len(blocks)
    assert LEAD - 500 < by_the_clock < LEAD + 4_800, "where the echo is looked for"
    breaks = np.flatnonzero(np.diff(np.concatenate(blocks).astype(int)) % 30_000 != 1)
    assert len(breaks) <= 2


def test_a_device_of_another_rate_in_stereo() -> None:
    reference = Reference()
    for at in range(0, 4_800, 960):
        frames = np.repeat(np.arange(at, at + 960, dtype=np.int16), 2).tobytes()
        reference.played(frames, 5.0 + at / 48_000, 48_000, 2)
    beside = np.concatenate([reference.beside(4.96 + at * 0.02, BLOCK) for at in range(4)])
    off = beside.astype(int) - 2 * np.arange(4 * BLOCK)
    assert np.abs(off[100:]).max() < 60, "but for the half millisecond that resampling takes"


def test_a_small_buffer_makes_the_lead_shorter_in_the_end() -> None:
    devices = Devices(ahead_s=0.04)  # of which the microphone's block takes 20 ms
    blocks = list(devices.steps(100))
    assert not blocks[10].all(), "what was not asked for yet cannot be seen"
    assert unbroken(blocks[40:])
    assert 0 < devices.lead(blocks[-1]) <= 480


def test_a_device_that_stands_still_costs_nothing() -> None:
    devices = Devices()
    list(devices.steps(50))
    devices.playing = False  # gone, without a word
    list(devices.steps(100))
    devices.playing, devices.played = True, devices.captured
    devices._first = devices.captured
    assert devices.lead(list(devices.steps(30))[-1]) == LEAD


def test_while_nobody_listens_the_oldest_is_dropped() -> None:
    reference = Reference()
    for at in range(1_000):
        reference.played(sound(at * BLOCK), 1 + at * 0.02, RATE, 1)
    assert len(reference._incoming) < 200
    assert reference.beside(1 + 999 * 0.02 - 0.04, BLOCK)[0] == 999 * BLOCK % 30_000 + 1


def test_the_microphone_is_opened_again() -> None:
    devices = Devices()
    list(devices.steps(30))
    devices.captured += RATE // 10  # 100 ms that nobody captured
    devices.reference.restart()
    assert devices.lead(devices.step()) == LEAD
