"""Voice activity by energy: when speech starts and stops in a stream of audio, in that stream's own time."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any, Literal

from tui.simulator.audio import AudioFormat, level_db

FRAME_MS = 20

QUIETEST_DB = -60.0
LOUDEST_DB = -20.0
"""The API's threshold 0..1 maps onto this range of RMS levels. Its default of 0.5 is -40 dB: a microphone
picks speech up at -35 to -15 dB and a quiet room at -70 to -50."""

HYSTERESIS_DB = 6.0
"""Speech goes on until it falls this far below the level that started it: word endings are soft."""

ONSET_FRAMES = 3
"""Loud frames among the last five that make speech; fewer is a click."""

SEMANTIC_SILENCE_MS = {"high": 300, "auto": 600, "medium": 600, "low": 1200}
"""Energy cannot tell the end of a thought, so each eagerness of semantic_vad stands for a pause."""


@dataclass(frozen=True)
class Boundary:
    """Speech started (with its prefix padding) or stopped (after its closing silence) at `at_ms` of the stream."""

    kind: Literal["started", "stopped"]
    at_ms: int


class VoiceActivity:
    """Splits a stream into frames of 20 ms and reports where speech starts and stops.

    `settings` is a `turn_detection` object of the API with every field filled; `start_ms` is the stream's
    position of the first byte.
    """

    def __init__(self, settings: dict[str, Any], audio_format: AudioFormat, start_ms: float = 0.0) -> None:
        threshold = settings.get("threshold", 0.5)
        self._start_db = QUIETEST_DB + (LOUDEST_DB - QUIETEST_DB) * threshold
        if settings["type"] == "semantic_vad":
            self._silence_ms: int = SEMANTIC_SILENCE_MS[settings["eagerness"]]
        else:
            self._silence_ms = settings["silence_duration_ms"]
        self._padding_ms = settings.get("prefix_padding_ms", 300)
        self._format = audio_format
        self._frame_size = audio_format.size(FRAME_MS)
        self._pending = bytearray()
        self._position_ms = start_ms
        self._floor_ms = start_ms
        self._recent: deque[bool] = deque(maxlen=5)
        self._quiet_ms = 0
        self.speaking = False

    def feed(self, data: bytes) -> list[Boundary]:
        """Take the next bytes of the stream and return the boundaries found in them, in order."""
        self._pending += data
        boundaries = []
        whole = len(self._pending) // self._frame_size * self._frame_size
        for at in range(0, whole, self._frame_size):
            boundary = self._frame(bytes(self._pending[at : at + self._frame_size]))
            if boundary is not None:
                boundaries.append(boundary)
        del self._pending[:whole]
        return boundaries

    def reset(self, position_ms: float) -> None:
        """Forget what was heard, as when the buffer is cleared or committed at `position_ms` of the stream."""
        self._pending.clear()
        self._position_ms = self._floor_ms = position_ms
        self._recent.clear()
        self.speaking = False

    def _frame(self, data: bytes) -> Boundary | None:
        level = level_db(self._format.samples(data))
        self._position_ms += FRAME_MS
        if self.speaking:
            return self._while_speaking(level)
        self._recent.append(level >= self._start_db)
        if sum(self._recent) < ONSET_FRAMES:
            return None
        self.speaking = True
        self._quiet_ms = 0
        onset = self._position_ms - FRAME_MS * len(self._recent)
        self._recent.clear()
        return Boundary("started", round(max(self._floor_ms, onset - self._padding_ms)))

    def _while_speaking(self, level: float) -> Boundary | None:
        if level >= self._start_db - HYSTERESIS_DB:
            self._quiet_ms = 0
            return None
        self._quiet_ms += FRAME_MS
        if self._quiet_ms < self._silence_ms:
            return None
        self.speaking = False
        self._floor_ms = self._position_ms
        return Boundary("stopped", round(self._position_ms))
