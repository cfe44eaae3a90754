"""Playing nothing, at the speed of speech."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.properties import PROPERTY
from tui.audio import Position, SilentPlayback
from tui.wire import PCM16_BYTES_PER_SECOND

SECOND = bytes(PCM16_BYTES_PER_SECOND)


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_items_play_one_after_the_other() -> None:
    clock = Clock()
    playback = SilentPlayback(clock)
    assert (playback.position(), playback.remaining_s(), playback.flush()) == (None, 0.0, {})
    playback.feed("a", 0, SECOND * 2)
    playback.feed("a", 0, SECOND)
    playback.feed("b", 1, SECOND)
    assert playback.remaining_s() == pytest.approx(4)
    clock.now += 2.5
    assert playback.position() == Position("a", 0, pytest.approx(2500))
    clock.now += 1
    assert playback.position() == Position("b", 1, pytest.approx(500))
    assert playback.flush() == {"b": 500}
    assert (playback.position(), playback.remaining_s()) == (None, 0.0)


def test_what_waits_was_not_heard() -> None:
    clock = Clock()
    playback = SilentPlayback(clock)
    playback.feed("a", 0, SECOND)
    playback.feed("b", 0, SECOND)
    clock.now += 0.25
    assert playback.flush() == {"a": 250, "b": 0}


def test_what_was_heard_to_its_end_is_not_flushed() -> None:
    clock = Clock()
    playback = SilentPlayback(clock)
    playback.feed("a", 0, SECOND)
    clock.now += 5
    assert (playback.position(), playback.remaining_s(), playback.flush()) == (None, 0.0, {})


def test_an_item_that_goes_on_after_a_pause_in_the_stream() -> None:
    clock = Clock()
    playback = SilentPlayback(clock)
    playback.feed("a", 0, SECOND)
    clock.now += 3
    playback.feed("a", 0, SECOND)
    assert playback.remaining_s() == pytest.approx(1)
    assert playback.position() == Position("a", 0, pytest.approx(1000)), "the pause was not heard"
    clock.now += 0.5
    assert playback.flush() == {"a": 1500}


@PROPERTY
@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 3000), st.floats(0, 2)), max_size=20))
def test_nobody_hears_more_than_was_fed(steps: list[tuple[str, int, float]]) -> None:
    clock = Clock()
    playback = SilentPlayback(clock)
    fed: dict[str, float] = {}
    for item, ms, pause in steps:
        playback.feed(item, 0, bytes(ms * 48))
        fed[item] = fed.get(item, 0) + ms
        clock.now += pause
        position = playback.position()
        assert position is None or 0 <= position.ms <= fed[position.item_id] + 1e-6
        assert 0 <= playback.remaining_s() <= sum(fed.values()) / 1000 + 1e-6
    for item, ms in playback.flush().items():
        assert 0 <= ms <= fed[item]


def test_memory_does_not_grow_with_what_was_played() -> None:
    clock = Clock()
    playback = SilentPlayback(clock)
    for at in range(1_000):
        playback.feed(f"item_{at}", 0, SECOND)
        clock.now += 2
    assert len(playback._items) <= 2


def test_what_one_leaves_another_carries_on() -> None:
    clock = Clock()
    first, second = SilentPlayback(clock), SilentPlayback(clock)
    sound = bytes(range(256)) * 375  # two seconds
    first.feed("a", 0, sound[:48_000])
    first.feed("b", 1, sound[48_000:])
    clock.now += 0.25
    rests = first.take_rest()
    assert [(rest.item_id, rest.content_index, rest.heard_s) for rest in rests] == [("a", 0, 0.25), ("b", 1, 0.0)]
    assert b"".join(rest.pcm for rest in rests) == sound[12_000:]
    assert (first.position(), first.remaining_s(), first.take_rest()) == (None, 0.0, [])
    second.carry_on(rests)
    assert second.position() == Position("a", 0, pytest.approx(250))
    second.feed("b", 1, SECOND)
    clock.now += 1
    assert second.position() == Position("b", 1, pytest.approx(250))
    assert second.remaining_s() == pytest.approx(1.75)
    assert second.flush() == {"b": 250}


def test_nothing_is_lost_while_it_is_held() -> None:
    clock = Clock()
    playback = SilentPlayback(clock)
    playback.feed("a", 0, SECOND)
    clock.now += 0.25
    playback.hold()
    clock.now += 5
    playback.hold()
    assert playback.remaining_s() == pytest.approx(0.75)
    assert playback.position() == Position("a", 0, pytest.approx(250))
    playback.feed("a", 0, SECOND)
    playback.go_on()
    playback.go_on()
    clock.now += 0.25
    assert playback.position() == Position("a", 0, pytest.approx(500))
    playback.hold()
    clock.now += 1
    playback.go_on()
    assert playback.position() == Position("a", 0, pytest.approx(500)), "twice adds up"
    assert len(playback.take_rest()[0].pcm) == 3 * 24_000
