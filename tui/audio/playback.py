"""Where playback stands: what the session asks before it tells the model what was heard."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from tui.wire import PCM16_BYTES_PER_SECOND


@dataclass(frozen=True, slots=True)
class Position:
    """The item that is playing."""

    item_id: str
    content_index: int
    ms: float
    """Milliseconds of it that were heard."""


class Playback(Protocol):
    """What plays the agent's audio. Called from the session thread only."""

    def feed(self, item_id: str, content_index: int, pcm: bytes) -> None:
        """Queue PCM16 mono 24 kHz audio of an item."""

    def position(self) -> Position | None:
        """What is playing now; None when nothing is."""

    def flush(self) -> dict[str, int]:
        """Fall silent at once, drop what is queued; return item id -> whole milliseconds heard of each item dropped."""

    def remaining_s(self) -> float:
        """Seconds of queued audio that were not heard yet."""


class SilentPlayback:
    """Plays nothing, at the speed of speech: the stand-in where there is no loudspeaker.

    It keeps the model's idea of what was heard sensible: an answer that is interrupted after four seconds is
    truncated at four seconds, as it would be with a loudspeaker.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """``clock`` gives seconds."""
        self._clock = clock
        # (item id, content index, start in seconds, seconds) in the order in which they play
        self._items: list[tuple[str, int, float, float]] = []

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

    def _drop_played(self, now: float) -> None:
        # The last item stays: more of it may come.
        while len(self._items) > 1 and self._items[0][2] + self._items[0][3] <= now:
            del self._items[0]
