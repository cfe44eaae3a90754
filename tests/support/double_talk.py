"""A person who speaks while the agent does, in audio time: through the real canceller, without devices."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.support.room import echo_of, noise, pcm, speech_db, voice
from tui.audio.double_talk import DoubleTalk
from tui.audio.echo import Canceller, webrtc
from tui.audio.echo_path import FRAME
from tui.simulator.audio import FORMATS
from tui.simulator.vad import VoiceActivity
from tui.wire import PCM16_RATE

LEVELS = [None, -18.0, -9.0, 0.0]
"""Of the echo, in dB of the person; None is a headset."""

Samples = np.ndarray[Any, np.dtype[np.float64]]


def through(captured: Samples, played: Samples, canceller: Canceller | None = None) -> Samples:
    """What is sent of it."""
    canceller = canceller or DoubleTalk(webrtc())
    near, far = (np.frombuffer(pcm(samples), "<i2").astype(np.int16) for samples in (captured, played))
    whole = range(0, len(near) - FRAME + 1, FRAME)
    return np.concatenate([canceller.process(near[at : at + FRAME], far[at : at + FRAME]) for at in whole]) / 32768


def starts(samples: Samples) -> list[float]:
    """When the simulator's turn detection hears speech begin, in seconds of the audio: when it says so, not padded."""
    settings = {"type": "server_vad", "threshold": 0.5, "silence_duration_ms": 500, "prefix_padding_ms": 0}
    activity, sound = VoiceActivity(settings, FORMATS["audio/pcm"]), pcm(samples)
    return [
        (at // 2 + FRAME) / PCM16_RATE
        for at in range(0, len(sound), 2 * FRAME)
        if any(boundary.kind == "started" for boundary in activity.feed(sound[at : at + 2 * FRAME]))
    ]


def agent_in(db: float | None, seconds: float, turned_s: float = 0.0) -> tuple[Samples, Samples]:
    """The agent as the microphone hears it in a room, so much louder than the person, and what is played."""
    played = np.resize(np.roll(voice("agent"), -round(turned_s * PCM16_RATE)), round(seconds * PCM16_RATE))
    played[: PCM16_RATE // 2] = 0
    if db is None:
        return noise(len(played)), played
    echo = echo_of(played, 1.0)
    return echo * 10 ** ((speech_db(voice("person")) + db - speech_db(echo)) / 20) + noise(len(played)), played
