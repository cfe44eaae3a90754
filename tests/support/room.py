"""A room, in which the loudspeaker is heard by the microphone, with a person beside it; and human voices for both."""

from __future__ import annotations

import asyncio
import functools
import math
import os
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.virtual_audio import PATIENCE_S, VirtualAudio
from tui.audio import echo
from tui.simulator.audio import decode_au
from tui.wire import PCM16_RATE

VOICES = Path(__file__).parents[1] / "data" / "speech"
"""A person reading aloud, not a program: see the README beside it."""

_BLOCK = PCM16_RATE // 100
_LATE_S = 0.05
_FORMAT = ("--raw", "--format=s16le", f"--rate={PCM16_RATE}", "--channels=1")


@functools.cache
def voice(name: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The recording ``agent`` (15.4 s, peak -3 dB) or ``person`` (9.3 s, -9 dB) at 24 kHz, of full scale 1."""
    return np.frombuffer(decode_au((VOICES / f"{name}.au").read_bytes()), "<i2") / 32768


def pcm(samples: np.ndarray[Any, np.dtype[np.float64]]) -> bytes:
    """PCM16 of samples of full scale 1."""
    return np.clip(np.rint(samples * 32768), -32768, 32767).astype("<i2").tobytes()


def response(
    gain: float = 0.5, *, reverberation_s: float = 0.3, delay_s: float = 0.004
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The way from the loudspeaker to the microphone: the direct sound, then noise that dies away by 60 dB in a time.

    ``gain`` is that of the direct sound, ``delay_s`` what it takes: 4 ms are 1.4 m.
    """
    time = np.arange(round(reverberation_s * 1.2 * PCM16_RATE)) / PCM16_RATE
    tail = np.random.default_rng(1).standard_normal(len(time)) * 10 ** (-3 * time / reverberation_s) * 0.08
    tail[0] = 1.0
    return gain * np.concatenate((np.zeros(round(delay_s * PCM16_RATE)), tail))


def echo_of(
    samples: np.ndarray[Any, np.dtype[np.float64]], gain: float = 0.5, *, delay_s: float = 0.004
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """What the microphone hears of it, in a room with a quiet noise of its own; as long as what is played."""
    way = response(gain, delay_s=delay_s)
    size = len(samples) + len(way)
    heard = np.fft.irfft(np.fft.rfft(samples, size) * np.fft.rfft(way, size), size)
    return heard[: len(samples)] + noise(len(samples))


def barge_in(
    captured: np.ndarray[Any, np.dtype[np.float64]], said: np.ndarray[Any, np.dtype[np.float64]], begin_s: float
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """What the microphone hears with a person who says something from then on, as much of it as there is time for."""
    begin = round(begin_s * PCM16_RATE)
    both = captured.copy()
    both[begin : begin + len(said)] += said[: len(captured) - begin]
    return both


def speech_db(samples: np.ndarray[Any, np.dtype[np.float64]], above_db: float = -45.0) -> float:
    """The level of what is spoken, without the pauses, in dB of full scale."""
    power = (samples[: len(samples) // 480 * 480].reshape(-1, 480) ** 2).mean(axis=1)
    return float(10 * np.log10(power[power > 10 ** (above_db / 10)].mean()))


def first_word_s(samples: np.ndarray[Any, np.dtype[np.float64]], above_db: float = -40.0) -> float:
    """When the first word begins, in seconds."""
    power = (samples[: len(samples) // 480 * 480].reshape(-1, 480) ** 2).mean(axis=1)
    return float((power > 10 ** (above_db / 10)).argmax()) * 480 / PCM16_RATE


def noise(count: int, db: float = -65.0) -> np.ndarray[Any, np.dtype[np.float64]]:
    """A quiet room's."""
    return np.random.default_rng(2).standard_normal(count) * 10 ** (db / 20)


def need_echo_cancellation() -> None:
    """Skip the test, or fail it where that was asked for, without the extra."""
    if echo.installed():
        return
    reason = f"left out for want of the extra aec. To have it: {echo.missing().fix}"
    if os.environ.get("AZRT_REQUIRE_AUDIO"):
        pytest.fail(reason)
    pytest.skip(reason)


class Room:
    """Runs in real time between the virtual loudspeaker and the virtual microphone."""

    def __init__(self, audio: VirtualAudio, gain: float = 0.5) -> None:
        """``gain`` is that of the direct sound."""
        environment = {**os.environ, **audio.environment}
        listen = ("parec", "-d", "spk.monitor", "--latency-msec=10", "--process-time-msec=5", *_FORMAT)
        speak = ("pacat", "-d", "micfeed", "--latency-msec=80", *_FORMAT)
        self._ear = subprocess.Popen(listen, env=environment, stdout=subprocess.PIPE)
        self._mouth = subprocess.Popen(speak, env=environment, stdin=subprocess.PIPE)
        self.stalls: list[float] = []
        """When it stood still, in monotonic seconds, as the machine was busy elsewhere and as no room does."""
        self._response = response(gain)
        self._lock = threading.Lock()
        self._person = np.zeros(0)
        self._silent = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def say(self, samples: np.ndarray[Any, np.dtype[np.float64]]) -> None:
        """Let the person speak, and wait until that is said."""
        self._silent.clear()
        with self._lock:
            self._person = np.concatenate((self._person, samples))
        assert self._silent.wait(PATIENCE_S + len(samples) / PCM16_RATE), "the room stands still"

    async def speak(self, samples: np.ndarray[Any, np.dtype[np.float64]]) -> None:
        """The same, for a test that has a session running."""
        await asyncio.to_thread(self.say, samples)

    def close(self) -> None:
        """End it."""
        self._ear.terminate()
        self._thread.join()
        assert self._ear.stdout is not None and self._mouth.stdin is not None
        self._ear.stdout.close()
        self._mouth.stdin.close()
        self._ear.wait()
        self._mouth.terminate()
        self._mouth.wait()

    def _run(self) -> None:
        assert self._ear.stdout is not None and self._mouth.stdin is not None
        size = 1 << (len(self._response) + _BLOCK).bit_length()
        spectrum = np.fft.rfft(self._response, size)
        coming = np.zeros(size)
        hiss = noise(PCM16_RATE)
        at = 0
        due = math.inf
        while len(block := self._ear.stdout.read(2 * _BLOCK)) == 2 * _BLOCK:
            # A room has no backlog: what a machine that is busy elsewhere kept waiting is lost, and not heard later.
            now = time.monotonic()
            due = min(now, due + _BLOCK / PCM16_RATE)
            if now - due > _LATE_S:
                self.stalls.append(now)
                continue
            coming += np.fft.irfft(np.fft.rfft(np.frombuffer(block, "<i2") / 32768, size) * spectrum, size)
            with self._lock:
                said, self._person = self._person[:_BLOCK], self._person[_BLOCK:]
            if not len(said):
                self._silent.set()
            sound = coming[:_BLOCK] + hiss[at : at + _BLOCK]
            sound[: len(said)] += said
            at = (at + _BLOCK) % PCM16_RATE
            coming = np.concatenate((coming[_BLOCK:], np.zeros(_BLOCK)))
            try:
                self._mouth.stdin.write(pcm(sound))
                self._mouth.stdin.flush()
            except BrokenPipeError:
                return
