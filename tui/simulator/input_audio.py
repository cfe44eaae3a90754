"""The input audio buffer: what the client appended, where it lies in the stream, and who is heard in it."""

from __future__ import annotations

from typing import Any

from tui.simulator.audio import AudioFormat
from tui.simulator.conversation import Sound
from tui.simulator.events import ClientError
from tui.simulator.vad import Boundary, VoiceActivity

MIN_COMMIT_MS = 100

_KEPT_SILENCE_MS = 60_000
"""With turn detection on, silence is dropped from the front of the buffer beyond this."""


class InputAudio:
    """The buffer of one session. Positions are milliseconds of all audio ever appended.

    `turn_detection` is the session's object with all fields, or None where the client commits by itself.
    """

    def __init__(self, audio_format: AudioFormat, turn_detection: dict[str, Any] | None) -> None:
        self._format = audio_format
        self._data = bytearray()
        self._start_ms = 0.0
        self._turn_detection = turn_detection
        self._activity = self._new_activity()

    @property
    def end_ms(self) -> float:
        """Position of the end of the buffer."""
        return self._start_ms + self._format.duration_ms(len(self._data))

    @property
    def speaking(self) -> bool:
        """Whether somebody speaks at the end of the buffer."""
        return self._activity is not None and self._activity.speaking

    def configure(self, audio_format: AudioFormat, turn_detection: dict[str, Any] | None) -> None:
        """Take over new settings of the session. A new format empties the buffer: its bytes mean nothing in it."""
        if audio_format != self._format:
            self.clear()
            self._format = audio_format
        elif turn_detection == self._turn_detection:
            return
        self._turn_detection = turn_detection
        self._activity = self._new_activity()

    def append(self, data: bytes) -> list[Boundary]:
        """Add `data` and return where speech starts and stops in it."""
        self._data += data
        boundaries = self._activity.feed(data) if self._activity is not None else []
        if self._activity is not None and not self.speaking and not boundaries:
            self._drop(self.end_ms - _KEPT_SILENCE_MS)
        return boundaries

    def clear(self) -> None:
        """Drop everything, speech that has started included."""
        self._drop(self.end_ms)
        if self._activity is not None:
            self._activity.reset(self.end_ms)

    def commit(self) -> Sound:
        """Take everything out. Raises ClientError for less than 100 ms."""
        held = self._format.duration_ms(len(self._data))
        if held < MIN_COMMIT_MS:
            raise ClientError(
                f"Error committing input audio buffer: buffer too small. Expected at least {MIN_COMMIT_MS}ms of "
                f"audio, but buffer only has {held:.2f}ms of audio.",
                code="input_audio_buffer_commit_empty",
            )
        sound = Sound(self._format, bytearray(self._data))
        self.clear()
        return sound

    def take(self, start_ms: float, end_ms: float) -> Sound:
        """Take out what lies between two positions; what came before is dropped, what follows stays."""
        self._drop(start_ms)
        size = min(len(self._data), self._format.size(end_ms - self._start_ms))
        sound = Sound(self._format, self._data[:size])
        self._drop(end_ms)
        return sound

    def _drop(self, before_ms: float) -> None:
        size = min(len(self._data), self._format.size(max(0.0, before_ms - self._start_ms)))
        del self._data[:size]
        self._start_ms += self._format.duration_ms(size)

    def _new_activity(self) -> VoiceActivity | None:
        if self._turn_detection is None:
            return None
        return VoiceActivity(self._turn_detection, self._format, self.end_ms)
