"""A user who speaks while the agent does is heard within a second, however loud the agent is in the microphone."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.double_talk import LEVELS, agent_in, starts, through
from tests.support.room import barge_in, echo_of, first_word_s, need_echo_cancellation, noise, speech_db, voice
from tests.support.virtual_device import TimedInput
from tui.audio.double_talk import DoubleTalk
from tui.audio.echo import EchoCancellation, webrtc
from tui.audio.echo_path import FRAME, EchoPath
from tui.audio.reference import Reference

RATE = 24_000


@pytest.fixture(autouse=True)
def _webrtc() -> None:
    need_echo_cancellation()


@pytest.mark.parametrize("begin_s", [2.0, 3.1, 4.3, 6.0])
@pytest.mark.parametrize("db", LEVELS)
def test_a_user_is_heard_within_a_second(db: float | None, begin_s: float) -> None:
    captured, played = agent_in(db, begin_s + 3)
    captured = barge_in(captured, voice("person")[: 3 * RATE], begin_s)
    found = starts(through(captured, played))
    assert found, "heard"
    assert 0 < found[0] - begin_s - first_word_s(voice("person")) < 1


@pytest.mark.parametrize("turned_s", [0.0, 5.0])
@pytest.mark.parametrize("db", LEVELS)
def test_the_agent_alone_starts_no_turn(db: float | None, turned_s: float) -> None:
    captured, played = agent_in(db, 12, turned_s)
    if db is not None and db >= -9:
        assert starts(captured), "it would"
    assert starts(through(captured, played)) == []


def test_a_headset_leaves_the_user_as_they_are() -> None:
    """Every word arrives, from the first sound on, not only the beginning of a turn."""
    captured, played = agent_in(None, 12)
    begin_s = 3.0
    said = voice("person")
    found = through(barge_in(captured, said, begin_s), played)
    late = 12 * FRAME  # the residual waits for the decision, from an onset before it
    ratio = speech_db(found[round(begin_s * RATE) :]) - speech_db(said)
    assert -2 < ratio < 2
    word = slice(round((begin_s + first_word_s(said)) * RATE), round((begin_s + 1.5) * RATE))
    spoken = said[word.start - round(begin_s * RATE) : word.stop - round(begin_s * RATE)]
    near_by = found[word.start : word.stop + late + FRAME]
    likeness = np.correlate(near_by, spoken, "valid").max() / (spoken**2).sum()
    assert likeness > 0.8


def test_headphones_are_pulled_out_and_put_in_again() -> None:
    """In the middle of an answer. Neither starts a turn, and the user is heard before, between and after."""
    played = np.resize(voice("agent"), 46 * RATE)
    played[: RATE // 2] = 0
    out, back = 16 * RATE, 31 * RATE
    captured = echo_of(played, 0.3)
    captured[:out] = captured[back:] = 0
    captured += noise(len(captured))
    begins = [9.0, 24.0, 40.0]
    assert starts(through(captured, played)) == []
    for begin_s in begins:
        captured = barge_in(captured, voice("person")[: 3 * RATE], begin_s)
    found = starts(through(captured, played))
    for begin_s in begins:
        assert any(0 < at - begin_s - first_word_s(voice("person")) < 1 for at in found), begin_s
    assert all(any(begin_s < at < begin_s + 3.5 for begin_s in begins) for at in found), "and nothing else"


@pytest.mark.parametrize("later_s", [0.08, 0.2])
def test_an_echo_that_comes_later_all_at_once(later_s: float) -> None:
    """As no device does: it starts no more turns than with the canceller alone, and the user is heard again."""
    played = np.resize(voice("agent"), 22 * RATE)
    captured, change = echo_of(played, 0.3), 10 * RATE
    captured[change:] = np.roll(captured, round(later_s * RATE))[change:]
    assert len(starts(through(captured, played))) <= len(starts(through(captured, played, webrtc())))
    begin_s = 18.0
    found = starts(through(barge_in(captured, voice("person")[: 3 * RATE], begin_s), played))
    assert any(0 < at - begin_s - first_word_s(voice("person")) < 1 for at in found)


@pytest.mark.parametrize("delay_s", [0.1, 0.3])
def test_loudspeakers_far_away_or_by_radio(delay_s: float) -> None:
    played = np.resize(voice("agent"), 8 * RATE)
    captured = echo_of(played, 0.2, delay_s=delay_s)
    assert starts(through(captured, played)) == []
    found = starts(through(barge_in(captured, voice("person")[: 3 * RATE], 5.0), played))
    assert 0 < found[0] - 5.0 - first_word_s(voice("person")) < 1


def test_a_loudspeaker_that_distorts_starts_no_turn() -> None:
    played = np.resize(voice("agent"), 12 * RATE)
    captured = echo_of(np.tanh(3 * played) / 3, 0.5)
    assert starts(captured)
    assert starts(through(captured, played)) == []


def test_clocks_that_drift_apart_start_no_turn() -> None:
    """By 100 ppm, as cheap converters do."""
    played = np.resize(voice("agent"), 20 * RATE)
    at = np.arange(len(played))
    captured = echo_of(np.interp(at * 1.0001, at, played), 0.3)
    assert starts(through(captured, played)) == []


def test_a_user_alone_goes_through_the_canceller_only() -> None:
    person = voice("person") + noise(len(voice("person")))
    far = np.zeros(len(person))
    assert (through(person, far) == through(person, far, webrtc())).all()


def test_frames_in_frames_out() -> None:
    canceller = DoubleTalk(webrtc())
    frames = np.zeros(3 * FRAME, np.int16)
    assert canceller.process(frames, frames).shape == frames.shape
    assert canceller.process(frames, frames).dtype == np.int16


def test_the_program_uses_it() -> None:
    cancellation = EchoCancellation(Reference())
    cancellation.open(lambda _: None, lambda: None, TimedInput().open)
    assert isinstance(cancellation._canceller, DoubleTalk)


def test_the_bound_follows_what_leaves_the_microphone_quiet() -> None:
    """A second of the agent that the microphone does not hear: the echo is 20 dB below what was played, or less."""
    path, played = EchoPath(), voice("agent")[RATE : 2 * RATE]
    quiet = noise(len(played))
    for at in range(0, len(played), FRAME):
        left = path.follow(quiet[at : at + FRAME], played[at : at + FRAME])
    assert 10 * np.log10(left.bound) < speech_db(played) - 20


def test_the_residual_is_without_the_echo() -> None:
    path, played = EchoPath(), voice("agent")[: 8 * RATE]
    captured = echo_of(played, 0.5)
    left = [
        path.follow(captured[at : at + FRAME], played[at : at + FRAME]).samples for at in range(0, len(played), FRAME)
    ]
    last = slice(6 * RATE, 8 * RATE)
    ratio = 10 * np.log10((captured[last] ** 2).mean() / (np.concatenate(left)[last] ** 2).mean())
    assert ratio > 10, "dB"
