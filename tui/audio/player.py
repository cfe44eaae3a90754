"""From a queue of items to a device, and how much of each item was heard.

The device's callback takes from one end of the queue while the session feeds the other: ``deque`` makes that safe
without a lock, and the callback takes none, logs nothing and allocates no more than a slice. Whoever is not the
callback holds the player's lock.

What was heard follows from the clock of the device: each piece that the callback hands over is noted with the time at
which its first frame will leave the converter. That is within 10 ms of the truth, where counting what was handed over
is wrong by the whole buffer of the device; where an answer is truncated depends on it.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final, Protocol

from tui.audio.devices import AudioUnavailable
from tui.audio.levels import loudness
from tui.audio.playback import Position, Rest
from tui.audio.resampling import Resampler, spread
from tui.wire import PCM16_RATE

PREBUFFER_S: Final = 0.06
"""What must be queued, beside what the device takes, before it plays: the network's jitter within it is not heard."""

LEAD_S: Final = 0.006
"""Silence ahead of the first sample when the device starts: PulseAudio swallows the first 1 to 4 ms of a stream."""

_LONGEST_WAIT_S: Final = 0.15
"""An answer shorter than the pre-buffer begins after this."""

_WAITING_BLOCKS: Final = 5
"""The same, counted in blocks of the device, where the stream runs already."""

_LINGER_S: Final = 2.0
"""How long the stream runs on in silence: a device that fell asleep would take longer for what comes soon after."""

_DEAD_S: Final = 1.0
"""A device that has not asked for audio for so long is lost: PortAudio may not say so."""

_WAKE_S: Final = 5.0
"""But not so soon after it was started: a headset may take a buffer full, and then seconds to wake."""

Key = tuple[str, int]
"""Item id and content index."""

Fill = Callable[[memoryview, float], None]
"""Fills a buffer of frames, of which the first leaves the converter at a time of the device's clock, in seconds."""


class Output(Protocol):
    """A device that plays 16-bit frames, and asks a :data:`Fill` for them in a thread of its own."""

    rate: int
    """Frames a second."""
    channels: int
    buffer_s: float
    """What it asks for at once when it starts, in seconds."""

    def start(self) -> None:
        """Begin to ask; the first block is wanted at once. Raises AudioUnavailable."""

    def abort(self) -> None:
        """Silence, now, whatever the device still holds; nothing is asked for any more when it returns."""

    def close(self) -> None:
        """Give the device back."""

    def time(self) -> float:
        """The device's clock, in seconds."""


@dataclass(slots=True)
class _Piece:
    key: Key
    data: memoryview
    at: int = 0
    """Bytes of it that were handed over."""


@dataclass(slots=True)
class _Progress:
    """How far an item has come, in frames of the device."""

    fed: int = 0
    heard: int = 0
    source: bytearray = field(default_factory=bytearray)
    """As it was fed, PCM16 mono 24 kHz: the last of it, and at least what was not heard."""


@dataclass(frozen=True, slots=True)
class _Unheard:
    """An item of which something was not heard yet, in seconds."""

    item_id: str
    content_index: int
    heard_s: float
    length_s: float


class Player:
    """Plays items in the order in which they come. One that is not open yet holds no device."""

    def __init__(
        self,
        open_output: Callable[[Fill, Callable[[], None]], Output],
        on_lost: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Open the device. Raises AudioUnavailable.

        Args:
            open_output: opens a device that asks the first argument for audio, and calls the second when it stops.
            on_lost: called by :meth:`tend` when the device has stopped by itself.
            clock: seconds, for what does not concern samples.
        """
        self._lock = threading.Lock()
        self._clock = clock
        self._on_lost = on_lost
        self._queue: deque[_Piece] = deque()
        self._played: deque[tuple[float, Key, int]] = deque()  # (time of the first frame, item, frames)
        self._items: dict[Key, _Progress] = {}
        self._fed = self._taken = 0  # bytes; each is written by one thread only
        self._buffering = False
        self._waited = 0
        self._lead = 0  # bytes
        self._blocks = 0
        self._meter: memoryview | None = None
        self._running = False
        self._stopped = False  # the device says that it has
        self._seen = (0, 0.0)  # blocks, and when there were so many
        self._started_at = 0.0
        self._start_by: float | None = None
        self._quiet_since: float | None = None  # on the clock of the device
        self._drained_at: float | None = None
        self.wake = threading.Event()
        """Set when there is something to tend to earlier than was said."""
        self._output = open_output(self.fill, self._finished)
        self._frame = 2 * self._output.channels
        self._per_second = self._output.rate * self._frame
        self._resampler: Resampler | None = None
        self._resampled: Key | None = None

    # The device's thread

    def fill(self, out: memoryview, starts: float) -> None:
        """Hand over what is queued, then silence. ``starts``: when its first frame is heard."""
        self._blocks += 1
        queue, need = self._queue, len(out)
        at = min(self._lead, need)
        if at:
            out[:at] = bytes(at)
            self._lead -= at
        if self._buffering:
            self._waited += 1 if queue else 0
            if self._waited < _WAITING_BLOCKS and self._fed - self._taken < PREBUFFER_S * self._per_second:
                need = at
            else:
                self._buffering = False
        while at < need and queue:
            piece = queue[0]
            count = min(need - at, len(piece.data) - piece.at)
            chunk = piece.data[piece.at : piece.at + count]
            out[at : at + count] = chunk
            self._played.append((starts + at / self._per_second, piece.key, count // self._frame))
            self._taken += count
            piece.at += count
            at += count
            if piece.at == len(piece.data):
                queue.popleft()
            self._meter = chunk
        if at < len(out):
            out[at:] = bytes(len(out) - at)
            if not self._buffering:
                self._buffering, self._waited = True, 0
            if at == 0:
                self._meter = None

    def _finished(self) -> None:
        # PortAudio's thread; abort() waits for it, so it may not wait for the lock.
        if self._running:
            self._stopped = True
            self.wake.set()

    # Playback

    def feed(self, item_id: str, content_index: int, pcm: bytes) -> None:
        """Queue PCM16 mono 24 kHz audio of an item, and start the device when there is enough of it."""
        key = (item_id, content_index)
        with self._lock:
            pcm = pcm[: len(pcm) // 2 * 2]
            data = self._converted(key, pcm)
            progress = self._items.setdefault(key, _Progress())
            progress.fed += len(data) // self._frame
            progress.source += pcm
            if not data:
                return
            if self._running and self._dry():
                self._stop()  # and start anew: behind the silence that the device holds, this would wait for 100 ms
            self._fed += len(data)
            self._queue.append(_Piece(key, memoryview(data)))
            if self._running:
                return
            # The device takes its buffer full at once. Silence in it would be a gap, right behind the first words.
            wanted_s = self._output.buffer_s - LEAD_S + PREBUFFER_S
            if self._fed - self._taken >= wanted_s * self._per_second:
                self._start()
            elif self._start_by is None:
                self._start_by = self._clock() + _LONGEST_WAIT_S
                self.wake.set()

    def position(self) -> Position | None:
        """The first item that was not heard to the end of what there is of it."""
        with self._lock:
            for one in self._unheard(self._output.time()):
                return Position(one.item_id, one.content_index, one.heard_s * 1000)
        return None

    def flush(self) -> dict[str, int]:
        """Silence first; then forget what is queued, and say what was heard of it."""
        with self._lock:
            now = self._output.time()
            self._stop()
            # Of an item with several parts, the one that was playing counts.
            heard = {one.item_id: int(one.heard_s * 1000 + 1e-6) for one in reversed(self._unheard(now))}
            self._forget()
            self._quiet_since = None
        return heard

    def take_rest(self) -> list[Rest]:
        """Silence; forget what is queued, and return what was not heard: another playback goes on with it."""
        with self._lock:
            now = self._output.time()
            self._stop()
            left = []
            for one in self._unheard(now):
                self._trim(one)
                source = self._items[one.item_id, one.content_index].source
                left.append(Rest(one.item_id, one.content_index, one.heard_s, bytes(source)))
            self._forget()
        return left

    def carry_on(self, rests: Iterable[Rest]) -> None:
        """Go on, behind what is queued, with what another playback has left."""
        for rest in rests:
            with self._lock:
                frames = round(rest.heard_s * self._output.rate)
                self._items[rest.item_id, rest.content_index] = _Progress(frames, frames)
            self.feed(rest.item_id, rest.content_index, rest.pcm)

    def remaining_s(self) -> float:
        """Seconds of what was fed that were not heard."""
        with self._lock:
            return self._remaining_s()

    def quiet_s(self) -> float:
        """Seconds since the last frame was heard; infinity before the first one and after a flush."""
        with self._lock:
            if self._remaining_s() > 0:
                return 0.0
            return math.inf if self._quiet_since is None else max(0.0, self._output.time() - self._quiet_since)

    def level(self) -> float:
        """The loudness of what was handed over last, 0 to 1."""
        meter = self._meter if self._running else None
        return 0.0 if meter is None else loudness(meter.cast("h"))

    def close(self) -> None:
        """Silence, and give the device back."""
        with self._lock:
            self._stop()
            self._forget()
        self._output.close()

    def tend(self) -> float | None:
        """Do what is due: start a short answer, stop a stream that plays silence, notice that the device is lost.

        Returns:
            Seconds until it should be called again, None when only :attr:`wake` can say.
        """
        self.wake.clear()
        with self._lock:
            now = self._clock()
            if self._start_by is not None and not self._running:
                if now < self._start_by:
                    return self._start_by - now
                self._start()
            if not self._running:
                return None
            if self._blocks != self._seen[0]:
                self._seen = (self._blocks, now)
            dead = now - self._seen[1] > _DEAD_S and now - self._started_at > _WAKE_S
            lost = self._stopped or dead
            if lost:
                self._running = False
            elif self._remaining_s() > 0:
                self._drained_at = None
            elif self._drained_at is None:
                self._drained_at = now
            elif now - self._drained_at >= _LINGER_S:
                self._stop()
                return None
        if lost:
            self._on_lost()
            return None
        return _DEAD_S / 4

    # With the lock

    def _start(self) -> None:
        self._start_by = self._drained_at = None
        self._buffering = False
        self._lead = round(LEAD_S * self._output.rate) * self._frame
        self._started_at = self._clock()
        self._stopped, self._seen = False, (self._blocks, self._started_at)
        self._running = True
        try:
            self._output.start()
        except AudioUnavailable:
            self._stopped = True  # lost, which tend() will notice
        self.wake.set()

    def _dry(self) -> bool:
        """Whether the device has nothing but silence."""
        self._heard(self._output.time())
        return self._buffering and not self._queue and not self._played

    def _stop(self) -> None:
        self._start_by = self._drained_at = None
        if self._running:
            self._running = False
            self._output.abort()

    def _heard(self, now: float) -> dict[Key, int]:
        """Frames heard of each item at a time of the device's clock."""
        rate, played = self._output.rate, self._played
        while played:
            starts, key, frames = played[0]
            ends = starts + frames / rate
            if ends > now:
                break
            self._items[key].heard += frames
            self._quiet_since = ends
            played.popleft()
        heard = {key: progress.heard for key, progress in self._items.items()}
        for starts, key, frames in played.copy():  # the callback may append to it
            heard[key] += max(0, min(frames, round((now - starts) * rate)))
        return heard

    def _unheard(self, now: float) -> list[_Unheard]:
        heard, rate = self._heard(now), self._output.rate
        return [
            _Unheard(*key, heard[key] / rate, progress.fed / rate)
            for key, progress in self._items.items()
            if heard[key] < progress.fed
        ]

    def _remaining_s(self) -> float:
        left = self._unheard(self._output.time())
        # The last item stays: more of it may come.
        for key in list(self._items)[:-1]:
            if self._items[key].heard >= self._items[key].fed:
                del self._items[key]
        for one in left[:1]:
            self._trim(one)
        return sum(one.length_s - one.heard_s for one in left)

    def _trim(self, one: _Unheard) -> None:
        """Keep of an item, as it was fed, only what was not heard."""
        source = self._items[one.item_id, one.content_index].source
        del source[: max(0, len(source) - 2 * round((one.length_s - one.heard_s) * PCM16_RATE))]

    def _forget(self) -> None:
        self._queue.clear()
        self._played.clear()
        self._items.clear()
        self._fed = self._taken = 0
        self._meter = None
        self._resampled = None

    def _converted(self, key: Key, pcm: bytes) -> bytes:
        """What the device takes: its rate, its channels, whole frames."""
        if self._output.rate != PCM16_RATE:
            if self._resampled != key:
                self._resampled, self._resampler = key, Resampler(PCM16_RATE, self._output.rate)
            assert self._resampler is not None
            pcm = self._resampler.feed(pcm)
        return spread(pcm, self._output.channels) if self._output.channels > 1 else pcm
