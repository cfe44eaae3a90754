"""Where a replay of a log stands, and what can be asked of it: what the screen and the replay's thread share."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

SPEEDS: Final = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
"""How many times as fast as it was. Sound is heard at 1 only."""


@dataclass(frozen=True, slots=True)
class TogglePlay:
    """Pause, or play on; at the end, play again from the beginning."""


@dataclass(frozen=True, slots=True)
class Seek:
    """Go to this time of the recording."""

    seconds: float


@dataclass(frozen=True, slots=True)
class SeekBy:
    """Go so many seconds on, or back."""

    seconds: float


@dataclass(frozen=True, slots=True)
class StepBy:
    """Pause, so many events further, or back."""

    events: int


@dataclass(frozen=True, slots=True)
class SetSpeed:
    """Play so many times as fast as it was."""

    speed: float


ReplayMove = TogglePlay | Seek | SeekBy | StepBy | SetSpeed


@dataclass(frozen=True, slots=True)
class ReplayState:
    """Where a replay stands. Immutable: another thread reads it."""

    at_ns: int
    """The position at ``since``, in nanoseconds of the recording."""
    since: float
    """Monotonic seconds."""
    playing: bool
    speed: float
    events: int
    """Entries up to the position."""
    total: int
    length_ns: int

    def position_s(self, now: float | None = None) -> float:
        """The position at a time of the monotonic clock, in seconds of the recording."""
        at = self.at_ns / 1e9
        if self.playing:
            at += ((time.monotonic() if now is None else now) - self.since) * self.speed
        return min(at, self.length_ns / 1e9)

    @property
    def length_s(self) -> float:
        """The length of the recording in seconds."""
        return self.length_ns / 1e9

    @property
    def ended(self) -> bool:
        """Whether everything was shown."""
        return self.events == self.total
