"""Playing the agent's voice: what the session needs of whatever plays it, and playing nothing at all."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from tui.audio.devices import AudioUnavailable
from tui.wire import PCM16_BYTES_PER_SECOND


@dataclass(frozen=True, slots=True)
class Position:
    """The item that is playing."""

    item_id: str
    content_index: int
    ms: float
    """Milliseconds of it that were heard."""


class Playback(Protocol):
    """What plays the agent's audio. Called from the session thread, but for ``level``, ``open`` and ``close``."""

    on_lost: Callable[[AudioUnavailable], None]
    """Called, from any thread, when the device goes away; playback goes on in silence."""

    def open(self) -> bool:
        """Make ready to play, anew after a device was lost; True when it can be heard. Any thread; may take seconds."""

    def close(self) -> None:
        """Fall silent and give the device back. Any thread."""

    def feed(self, item_id: str, content_index: int, pcm: bytes) -> None:
        """Queue PCM16 mono 24 kHz audio of an item."""

    def position(self) -> Position | None:
        """What is playing now; None when nothing is."""

    def flush(self) -> dict[str, int]:
        """Fall silent at once, drop what is queued; return item id -> whole milliseconds heard of each item dropped."""

    def remaining_s(self) -> float:
        """Seconds of queued audio that were not heard yet."""

    def quiet_s(self) -> float:
        """Seconds since the last sample left the loudspeaker; 0 while it speaks, infinity when it never did."""

    def level(self) -> float:
        """The loudness of what is played, 0 to 1. Any thread."""


class SilentPlayback:
    """Plays nothing, at the speed of speech: the stand-in where there is no loudspeaker.

    It keeps the model's idea of what was heard sensible: an answer that is interrupted after four seconds is
    truncated at four seconds, as it would be with a loudspeaker.
    """

    on_lost: Callable[[AudioUnavailable], None]

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """``clock`` gives seconds."""
        self._clock = clock
        # (item id, content index, start in seconds, seconds) in the order in which they play
        self._items: list[tuple[str, int, float, float]] = []

    def open(self) -> bool:
        """There is nothing to open, and nothing to hear."""
        return False

    def close(self) -> None:
        """There is nothing to close."""

    def feed(self, item_id: str, content_index: int, pcm: bytes) -> None:
        """Queue audio behind what is queued already."""
        seconds = len(pcm) / PCM16_BYTES_PER_SECOND
        now = self._clock()
        self._drop_played(now)
        if self._items:
            last_id, last_index, start, length = self._items[-1]
            if (last_id, last_index) == (item_id, content_index):
                if start + length >= now:
                    self._items[-1] = (last_id, last_index, start, length + seconds)
                else:
                    # The queue ran dry and the item goes on: what was heard stays heard, the rest starts now.
                    self._items[-1] = (last_id, last_index, now - length, length + seconds)
                return
            now = max(now, start + length)
        self._items.append((item_id, content_index, now, seconds))

    def take_over(self, item_id: str, content_index: int, heard_s: float, seconds: float) -> None:
        """Go on, behind what is queued, with an item of which another playback has played ``heard_s`` seconds."""
        start = max(self._clock(), *(begun + length for _, _, begun, length in self._items), 0.0)
        self._items.append((item_id, content_index, start - heard_s, seconds))

    def position(self) -> Position | None:
        """The item whose time it is."""
        now = self._clock()
        for item_id, content_index, start, seconds in self._items:
            if now < start + seconds:
                return Position(item_id, content_index, max(0.0, now - start) * 1000)
        return None

    def flush(self) -> dict[str, int]:
        """Forget everything that was not heard to its end."""
        now = self._clock()
        heard = {
            item_id: int(max(0.0, now - start) * 1000)
            for item_id, _, start, seconds in self._items
            if now < start + seconds
        }
        self._items.clear()
        return heard

    def remaining_s(self) -> float:
        """Seconds until the last queued item ends."""
        if not self._items:
            return 0.0
        _, _, start, seconds = self._items[-1]
        return max(0.0, start + seconds - self._clock())

    def quiet_s(self) -> float:
        """It has never made a sound."""
        return math.inf

    def level(self) -> float:
        """Nothing is to be heard."""
        return 0.0

    def _drop_played(self, now: float) -> None:
        # The last item stays: more of it may come.
        while len(self._items) > 1 and self._items[0][2] + self._items[0][3] <= now:
            del self._items[0]
