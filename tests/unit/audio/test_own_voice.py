"""The loudspeaker is noticed in the microphone, and a person who speaks over the agent is not taken for it."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np
import pytest

from tests.support.room import echo_of, noise, pcm, voice
from tests.support.virtual_device import TimedInput
from tui.audio.own_voice import OwnVoice, OwnVoiceWatch
from tui.audio.reference import Reference

RATE = 24_000
BLOCK = 480
AGENT = voice("agent")
PERSON = np.resize(voice("person"), len(AGENT))

Samples = np.ndarray[Any, np.dtype[np.float64]]


def noticed_after(captured: Samples, played: Samples, watch: OwnVoice | None = None) -> float:
    """Seconds until it is noticed; infinity when it is not."""
    watch = watch or OwnVoice()
    near, far = (np.frombuffer(pcm(samples), "<i2").astype(np.int16) for samples in (captured, played))
    for at in range(0, len(near) - BLOCK, BLOCK):
        if watch.look(near[at : at + BLOCK], far[at : at + BLOCK]):
            return (at + BLOCK) / RATE
    return math.inf


@pytest.mark.parametrize("gain", [1.0, 0.3, 0.1])
@pytest.mark.parametrize("delay_s", [0.004, 0.3])
def test_a_loudspeaker_is_noticed(gain: float, delay_s: float) -> None:
    assert noticed_after(echo_of(AGENT, gain, delay_s=delay_s), AGENT) <= 4


def test_also_while_a_person_speaks() -> None:
    assert noticed_after(echo_of(AGENT, 0.3) + PERSON, AGENT) <= 6


@pytest.mark.parametrize("turned", range(0, 9, 2))
def test_a_person_who_speaks_over_the_agent_is_not_taken_for_it(turned: int) -> None:
    """With a headset, for a minute, and louder: the same reader even, with other words."""
    agent = np.resize(AGENT, 60 * RATE)
    person = np.resize(np.roll(voice("person"), turned * RATE), len(agent))
    assert noticed_after(2.8 * person + noise(len(agent)), agent) == math.inf


@pytest.mark.parametrize("second", range(1, 9))
def test_what_looks_alike_by_chance_is_not_taken_for_it_however_often(second: int) -> None:
    """Each says the same second again and again, so what chance there is comes at the same delay each time."""
    person, agent = (np.resize(said[second * RATE :][:RATE], 10 * RATE) for said in (voice("person"), AGENT))
    assert noticed_after(2.8 * person, agent) == math.inf


def test_a_second_alone_is_no_proof() -> None:
    seconds = [echo_of(AGENT, delay_s=0.02 + 0.03 * at)[at * RATE : (at + 1) * RATE] for at in range(12)]
    assert noticed_after(np.concatenate(seconds), AGENT[: 12 * RATE]) == math.inf


def test_a_person_who_repeats_the_agent_is_not_taken_for_it() -> None:
    """The same words with the rhythm of another mouth: a twentieth slower."""
    slower = np.interp(np.arange(len(AGENT)) / 1.05, np.arange(len(AGENT)), AGENT)
    assert noticed_after(slower + noise(len(AGENT)), AGENT) == math.inf


@pytest.mark.parametrize("captured", [np.zeros(len(AGENT)), noise(len(AGENT), -50)], ids=["muted", "noise"])
def test_without_an_echo(captured: Samples) -> None:
    assert noticed_after(captured, AGENT) == math.inf


def test_what_a_headset_lets_through_is_left_alone() -> None:
    assert noticed_after(0.005 * AGENT + noise(len(AGENT)), AGENT) == math.inf
    assert noticed_after(0.005 * AGENT + PERSON, AGENT) == math.inf


def test_while_the_agent_is_silent_there_is_nothing_to_notice() -> None:
    assert noticed_after(PERSON, np.zeros(len(AGENT))) == math.inf


def test_it_is_said_once() -> None:
    watch = OwnVoice()
    assert noticed_after(echo_of(AGENT), AGENT, watch) < math.inf
    assert watch.heard
    assert noticed_after(echo_of(AGENT), AGENT, watch) == math.inf


def test_the_blocks_go_their_way_untouched_and_at_once() -> None:
    """Through a microphone of another format; opened twice, and the second time there is nothing more to say."""
    reference, out, said = Reference(), list[bytes](), list[bool]()
    watch = OwnVoiceWatch(reference, lambda: said.append(True))
    device = TimedInput(rate=48_000, channels=2)
    captured, played = pcm(np.repeat(echo_of(AGENT[: 4 * RATE]), 4)), pcm(AGENT[: 4 * RATE])
    for _ in range(2):
        opened = watch.open(out.append, lambda: None, device.open)
        opened.start()
        for at in range(-5, 4 * 50):
            ahead = played[2 * BLOCK * (at + 5) :][: 2 * BLOCK]
            reference.played(ahead.ljust(2 * BLOCK, b"\0"), 10 + (at + 5) * 0.02, RATE, 1)
            if at >= 0:
                block = captured[8 * BLOCK * at :][: 8 * BLOCK]
                device.timed(block, 10 + at * 0.02)
                assert out[-1] is block, "nothing waits for the search"
                time.sleep(0.002)
        opened.close()
        assert said == [True], "once"
