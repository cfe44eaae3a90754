"""Echo cancellation in a room: what of the agent's voice is taken for a person's, and whether a person is still heard.

The agent and the person are recordings of a person reading aloud. The room has 0.3 s of reverberation, and brings the
agent to the microphone as loud as the person. A process of its own plays the agent and hears the room through the real
PortAudio; the simulator's turn detection judges what would be sent.
"""

from __future__ import annotations

import math
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

from tests.bench.figures import Figure, NotMeasuredError, number, percentile, spread
from tests.bench.monitor import devices
from tests.bench.terminal import REPOSITORY
from tests.bench.voice import duplex_cpu
from tests.support import double_talk, room
from tests.support.room import Room, voice
from tests.support.terminal import PATIENCE_S
from tui.audio import echo
from tui.wire import PCM16_RATE

_ANSWER_S = 60.0
_PERSONS = 20
_ALONE = 6
_SAID_S = 1.2
_LEADING_S = 0.3
"""Of silence in the recording."""
_PAUSE_S = (1.2, 2.2)
_LEARN_S = 3.0
_LONGEST_S = 1.5
"""What is heard later than this after the person began is not heard."""


def duplex() -> list[Figure]:
    """The processor time of :func:`tests.bench.voice.duplex`, with echo cancellation."""
    _need()
    return [duplex_cpu("duplex.cpu-aec", "duplex audio with echo cancellation: processor", 7, "cancel")]


def own_voice() -> list[Figure]:
    """An answer of 60 s on loudspeakers: the part of the time in which it is taken for a person, with and without.

    The seconds after the machine made the room stand still do not count: no room does that.
    """
    shares, details = {}, {}
    for mode, seconds in (("cancel", _ANSWER_S), ("none", _ANSWER_S / 4)):
        with _agent(mode) as agent:
            begin = agent.speak(seconds)
            agent.process.wait(seconds + PATIENCE_S)
            shares[mode], details[mode] = agent.taken_for_speech(begin, begin + seconds)
    detail = f"{details['cancel']}; without cancellation {number(shares['none'], '%')}"
    return [Figure("echo.false", "false triggers on own echo: of the time", shares["cancel"], "%", 1, detail)]


def person() -> list[Figure]:
    """A person says 1.2 s into the answer, 20 times: how much later that is heard than in silence, and how often not.

    The person is as loud as the agent.
    """
    chance = random.Random(20)
    start = round(_LEADING_S * PCM16_RATE)
    said = voice("person")[start : start + round(_SAID_S * PCM16_RATE)]

    def say(agent: _Agent, times: int) -> list[float | None]:
        delays = []
        while len(delays) < times:
            time.sleep(chance.uniform(*_PAUSE_S))
            begin = time.monotonic()
            agent.room.say(said)
            time.sleep(_LONGEST_S - _SAID_S)
            if not agent.disturbed(begin, begin + _LONGEST_S):
                delays.append(agent.heard_after(begin))
        return delays

    with _agent("cancel") as agent:
        alone = [delay for delay in say(agent, _ALONE) if delay is not None]
        agent.speak(2 * _PERSONS * (_SAID_S + _PAUSE_S[1]))
        time.sleep(_LEARN_S)
        over = say(agent, _PERSONS)
        agent.process.kill()
    later = [(delay - percentile(alone, 50)) * 1000 for delay in over if delay is not None]
    return [
        Figure("echo.missed", f"a person speaks into the answer: not heard, of {_PERSONS}", over.count(None), "", 0),
        Figure(
            "echo.later", "heard later than in silence: median", percentile(later, 50), "ms", None, spread(later, "ms")
        ),
    ]


def barge_in() -> list[Figure]:
    """A person begins to speak into the answer, 20 times a level of the echo: when that is heard, in audio time.

    Without devices, so that no machine can be too busy for it. From the first word to the turn detection; and how often
    the agent alone started a turn before, in all.
    """
    _need()
    chance = random.Random(20)
    places = [(chance.uniform(1.5, 7.0), chance.uniform(0.0, 15.0)) for _ in range(_PERSONS)]
    said = voice("person")[: 3 * PCM16_RATE]
    figures, itself = [], 0
    for db in double_talk.LEVELS:
        delays, missed = [], 0
        for begin_s, turned_s in places:
            captured, played = double_talk.agent_in(db, begin_s + 3.0, turned_s)
            found = double_talk.starts(double_talk.through(room.barge_in(captured, said, begin_s), played))
            after = [at - begin_s - room.first_word_s(said) for at in found if at > begin_s]
            itself += len(found) - len(after)
            missed += not after
            delays += [after[0] * 1000] if after else []
        name, title = ("headset", "no echo") if db is None else (f"{abs(db):.0f}", f"echo at {db:.0f} dB of the person")
        detail = f"{spread(delays, 'ms')}; {missed} not heard"
        figures += [
            Figure(
                f"barge-in.{name}.p50", f"heard after the first word, {title}: median", percentile(delays, 50), "ms"
            ),
            Figure(
                f"barge-in.{name}.p95",
                f"heard after the first word, {title}: p95",
                percentile(delays, 95),
                "ms",
                1000,
                detail,
            ),
        ]
    return [*figures, Figure("barge-in.false", "turns that the agent started meanwhile", itself, "", 0)]


def _need() -> None:
    if not echo.installed():
        raise NotMeasuredError(f"for want of the extra aec. To have it: {echo.missing().fix}")


class _Agent:
    """A process that speaks in a room and listens to it, and what it reports."""

    def __init__(self, process: subprocess.Popen[str], room: Room) -> None:
        self.process = process
        self.room = room
        self._boundaries: list[tuple[float, bool]] = []
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._read, name="agent", daemon=True)
        self._thread.start()
        if not self._ready.wait(PATIENCE_S):
            raise NotMeasuredError("the process that speaks did not start")

    def speak(self, seconds: float) -> float:
        """Let it speak for so long; return when that began, in monotonic seconds."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{seconds}\n")
        self.process.stdin.flush()
        return time.monotonic()

    def heard_after(self, begin: float) -> float | None:
        """Seconds from then until speech was heard, None for not soon enough."""
        starts = (at - begin for at, speaking in self._boundaries if speaking)
        return next((delay for delay in starts if 0 <= delay < _LONGEST_S), None)

    def taken_for_speech(self, begin: float, end: float) -> tuple[float, str]:
        """The part of this time in percent, and what it is made of."""
        counted = taken = turns = 0
        speaking, boundaries = False, iter([*self._boundaries, (math.inf, False)])
        at, becomes = next(boundaries)
        for step in range(round((end - begin) / _STEP_S)):
            now = begin + step * _STEP_S
            before = speaking
            while at <= now:
                speaking = becomes
                at, becomes = next(boundaries)
            if not self.disturbed(now, now):
                counted += 1
                taken += speaking
                turns += speaking and not before
        if not counted:
            raise NotMeasuredError("the machine was too busy for a room")
        return taken / counted * 100, f"{turns} turns in {counted * _STEP_S:.0f} s"

    def disturbed(self, begin: float, end: float) -> bool:
        """Whether the room stood still in this time or shortly before."""
        return any(begin - _RECOVERY_S <= stall <= end for stall in self.room.stalls)

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            kind, _, at = line.strip().partition(" ")
            if kind == "ready":
                self._ready.set()
            else:
                self._boundaries.append((float(at), kind == "started"))


_STEP_S = 0.01
_RECOVERY_S = 5.0


@contextmanager
def _agent(mode: str) -> Iterator[_Agent]:
    """Start it; ``mode``: ``cancel`` or ``none``."""
    _need()
    with devices() as audio, closing(Room(audio)) as room:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.inside.own_echo", mode],
            cwd=REPOSITORY,
            env={**os.environ, **audio.environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            yield _Agent(process, room)
        finally:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                assert pipe is not None
                pipe.close()
