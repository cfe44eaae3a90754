"""Levels and rates."""

from __future__ import annotations

import math
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.properties import PROPERTY
from tui.audio.levels import QUIETEST_DB, loudness
from tui.audio.microphone import mixed
from tui.audio.resampling import Resampler

RATES = [(24_000, 48_000), (48_000, 24_000), (44_100, 24_000), (24_000, 44_100), (16_000, 24_000), (96_000, 24_000)]


def tone(rate: int, hertz: float, ms: int = 500, amplitude: int = 10_000) -> array[int]:
    """A sine."""
    return array("h", [round(amplitude * math.sin(2 * math.pi * hertz * at / rate)) for at in range(rate * ms // 1000)])


def of_level(decibel: float) -> memoryview:
    """Two samples with this peak, relative to full scale."""
    return memoryview(array("h", [0, -int(32768 * 10 ** (decibel / 20))]))


def test_loudness_is_linear_in_decibels() -> None:
    assert loudness(memoryview(array("h"))) == loudness(memoryview(array("h", [0, 0]))) == 0.0
    assert loudness(memoryview(array("h", [-32768]))) == 1.0
    assert loudness(of_level(QUIETEST_DB / 2)) == pytest.approx(0.5, abs=0.01)
    assert loudness(of_level(QUIETEST_DB - 1)) == 0.0


@pytest.mark.parametrize(("rate", "target"), RATES)
def test_speech_comes_out_as_it_went_in(rate: int, target: int) -> None:
    for hertz in (300.0, 3400.0):
        resampler = Resampler(rate, target)
        made = array("h", resampler.feed(tone(rate, hertz).tobytes()))
        assert len(made) == pytest.approx(target / 2, abs=2)
        wanted = [10_000 * math.sin(2 * math.pi * hertz * (at / target - resampler.delay_s)) for at in range(len(made))]
        errors = [a - b for a, b in zip(made, wanted, strict=True)][500:-500]
        assert max(map(abs, errors)) < 10, "60 dB below the tone"
        assert resampler.delay_s < 0.001


@pytest.mark.parametrize(("rate", "target"), [(48_000, 24_000), (44_100, 24_000)])
def test_what_the_wire_cannot_carry_does_not_fold_down(rate: int, target: int) -> None:
    made = array("h", Resampler(rate, target).feed(tone(rate, 15_000).tobytes()))
    assert max(map(abs, made[500:-500])) < 30


def test_the_loudest_sound_does_not_wrap_around() -> None:
    square = array("h", [32767] * 50 + [-32768] * 50) * 40
    made = array("h", Resampler(24_000, 48_000).feed(square.tobytes()))
    assert all(one > 0 for one in made[250:310]), "clipped, not turned over"


@PROPERTY
@given(st.sampled_from(RATES), st.lists(st.integers(0, 700), max_size=12))
def test_cutting_the_stream_differently_changes_nothing(rates: tuple[int, int], sizes: list[int]) -> None:
    sound = tone(8_000, 440, ms=600).tobytes()[: 2 * sum(sizes)]
    pieces, whole = Resampler(*rates), Resampler(*rates)
    made, at = b"", 0
    for size in sizes:
        made += pieces.feed(sound[at : at + 2 * size])
        at += 2 * size
    assert made == whole.feed(sound)


def test_channels_are_mixed() -> None:
    assert mixed(array("h", [100, 200, -32768, -32768, 32767, 32767]).tobytes(), 2) == (
        array("h", [150, -32768, 32767]).tobytes()
    )
