"""Playing the agent's voice: what the session needs of whatever plays it, and playing nothing at all."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from tui.audio.devices import AudioUnavailable
from tui.audio.reference import Reference
from tui.wire import PCM16_BYTES_PER_SECOND, PCM16_RATE


@dataclass(frozen=True, slots=True)
class Position:
    """The item that is playing."""

    item_id: str
    content_index: int
    ms: float
    """Milliseconds of it that were heard."""


@dataclass(frozen=True, slots=True)
class Rest:
    """What was not heard of an item: another playback goes on with it."""

    item_id: str
    content_index: int
    heard_s: float
    """Seconds of the item that were heard before."""
    pcm: bytes
    """The rest, PCM16 mono 24 kHz."""


class Playback(Protocol):
    """What plays the agent's audio. Called from the session thread, but for ``level``, ``open`` and ``close``."""

    on_lost: Callable[[AudioUnavailable], None]
    """Called, from any thread, when the device goes away; playback goes on in silence."""
    on_other: Callable[[str], None]
    """Called, from any thread, with what to say when another device is used than the one that was chosen."""

    reference: Reference
    """What the device plays, for whoever has to know it from a person; nothing where there is none."""

    def open(self) -> bool:
        """Make ready to play, anew after a device was lost; True when it can be heard. Any thread; may take seconds.

        What waited, or went on in silence, is heard from here on.
        """

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


@dataclass(slots=True)
class _Item:
    item_id: str
    content_index: int
    start: float
    """When it began, in seconds of the clock."""
    length: float
    """Seconds."""
    pcm: bytearray
    """The last of it, and at least what has not played."""

    @property
    def end(self) -> float:
        return self.start + self.length

    def forget_before(self, now: float) -> None:
        """Keep only what has not played."""
        left = 2 * round(max(0.0, self.end - now) * PCM16_RATE)
        del self.pcm[: max(0, len(self.pcm) - left)]


class NoPlayback:
    """Plays nothing: answers are read where there is no loudspeaker, and nothing of them counts as unheard."""

    on_lost: Callable[[AudioUnavailable], None]
    on_other: Callable[[str], None]

    def __init__(self) -> None:
        self.reference = Reference()

    def open(self) -> bool:
        """Return False: there is nothing to hear."""
        return False

    def close(self) -> None:
        """Do nothing."""

    def feed(self, item_id: str, content_index: int, pcm: bytes) -> None:
        """Let the audio go."""

    def position(self) -> Position | None:
        """Return None: nothing plays."""
        return None

    def flush(self) -> dict[str, int]:
        """Return nothing: all that has come was read."""
        return {}

    def remaining_s(self) -> float:
        """Return 0: nothing is left to hear."""
        return 0.0

    def quiet_s(self) -> float:
        """Return infinity: nothing has been played."""
        return math.inf

    def level(self) -> float:
        """Return 0."""
        return 0.0


class SilentPlayback:
    """Plays nothing, at the speed of speech: what bridges the moment between two loudspeakers.

    What was not heard waits here, and the next device goes on with it.
    """

    on_lost: Callable[[AudioUnavailable], None]
    on_other: Callable[[str], None]

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """``clock`` gives seconds."""
        self.reference = Reference()
        self._clock = clock
        self._held_at: float | None = None
        self._held_s = 0.0
        self._items: list[_Item] = []  # in the order in which they play

    def open(self) -> bool:
        """There is nothing to open, and nothing to hear."""
        return False

    def close(self) -> None:
        """There is nothing to close."""

    def feed(self, item_id: str, content_index: int, pcm: bytes) -> None:
        """Queue audio behind what is queued already."""
        seconds = len(pcm) / PCM16_BYTES_PER_SECOND
        now = self._now()
        self._drop_played(now)
        if self._items:
            last = self._items[-1]
            if (last.item_id, last.content_index) == (item_id, content_index):
                if last.end < now:
                    # The queue ran dry and the item goes on: what was heard stays heard, the rest starts now.
                    last.start = now - last.length
                last.length += seconds
                last.pcm += pcm
                return
            now = max(now, last.end)
        self._items.append(_Item(item_id, content_index, now, seconds, bytearray(pcm)))

    def carry_on(self, rests: Iterable[Rest]) -> None:
        """Go on, behind what is queued, with what another playback has left."""
        for rest in rests:
            start = max(self._now(), self._items[-1].end if self._items else -math.inf) - rest.heard_s
            length = rest.heard_s + len(rest.pcm) / PCM16_BYTES_PER_SECOND
            self._items.append(_Item(rest.item_id, rest.content_index, start, length, bytearray(rest.pcm)))

    def take_rest(self) -> list[Rest]:
        """Forget everything; return what has not played, for another playback to go on with."""
        now, rests = self._now(), []
        for item in self._items:
            if now < item.end:
                item.forget_before(now)
                heard_s = max(0.0, now - item.start)
                rests.append(Rest(item.item_id, item.content_index, heard_s, bytes(item.pcm)))
        self._items.clear()
        return rests

    @property
    def held(self) -> bool:
        """Whether it stands still."""
        return self._held_at is not None

    def holds(self, item_id: str) -> bool:
        """Return whether audio of this item is queued, or has just played."""
        return any(item.item_id == item_id for item in self._items)

    def hold(self) -> None:
        """Stand still: a device will go on in a moment, and no word may be lost until then."""
        if self._held_at is None:
            self._held_at = self._now()

    def go_on(self) -> None:
        """Do not stand still any more."""
        if self._held_at is not None:
            self._held_s = self._clock() - self._held_at
            self._held_at = None

    def position(self) -> Position | None:
        """The item whose time it is."""
        now = self._now()
        for item in self._items:
            if now < item.end:
                return Position(item.item_id, item.content_index, max(0.0, now - item.start) * 1000)
        return None

    def flush(self) -> dict[str, int]:
        """Forget everything that was not heard to its end."""
        now = self._now()
        heard = {item.item_id: int(max(0.0, now - item.start) * 1000) for item in self._items if now < item.end}
        self._items.clear()
        return heard

    def remaining_s(self) -> float:
        """Seconds until the last queued item ends."""
        return max(0.0, self._items[-1].end - self._now()) if self._items else 0.0

    def quiet_s(self) -> float:
        """It has never made a sound."""
        return math.inf

    def level(self) -> float:
        """Nothing is to be heard."""
        return 0.0

    def _now(self) -> float:
        """The clock, less the time for which it was held."""
        return self._clock() - self._held_s if self._held_at is None else self._held_at

    def _drop_played(self, now: float) -> None:
        # The last item stays: more of it may come.
        while len(self._items) > 1 and self._items[0].end <= now:
            del self._items[0]
        if self._items:
            self._items[0].forget_before(now)
