"""What the loudspeaker plays, held against what the microphone hears at the same time.

PortAudio says of each block when its first frame leaves the converter or entered it. Those times are rough: they jitter
by milliseconds, they are wrong while a device starts, they step when one runs dry, and two devices do not run at quite
the same speed. An echo canceller wants streams without a gap or a repeat, and the echo at one distance. So the blocks
of each stream are laid end to end, and the median of the last times says how far that is from the clock. The distance
of the two is changed where it is not noticed, in silence; else only where the canceller would not find the echo.
"""

from __future__ import annotations

import statistics
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tui.audio.resampling import Resampler
from tui.wire import PCM16_RATE

if TYPE_CHECKING:
    from numpy import int16
    from numpy.typing import NDArray

_HELD: Final = 4 * PCM16_RATE
"""Samples that are kept: a device may hold a second of what is still to be played."""

_WAITING: Final = 128
"""Blocks that wait for a reader. While the microphone is closed there is none, and the oldest are dropped."""

_TIMES: Final = 25
"""Blocks of which the median time counts: half a second, so one that is late does not matter, and a step soon does."""

_BREAK: Final = PCM16_RATE // 5
"""Samples: a block that is as far as this from where the ones before lead begins a new stream."""

_LEAD_S: Final = 0.04
"""How much earlier than by the clock the canceller gets to see what is played.

It finds an echo that is up to half a second behind the reference, and none that is before it, and what devices say of
their times may be wrong. Nothing waits for this: what will be played in 40 ms is in the device already.
"""

_LATE: Final = PCM16_RATE // 50
"""Samples by which the reference may come too late, as half of the lead does not matter."""

_EARLY: Final = PCM16_RATE // 5
"""Samples by which it may come too early."""

_SLACK: Final = PCM16_RATE // 100
"""Samples that it may be off in silence: a canceller that knows the distance is not made to learn it for less."""

_SILENCE: Final = PCM16_RATE // 2
"""Samples of silence after which no echo is under way."""

_PATIENCE: Final = 25
"""Reads in a row for which the device had not yet asked for the sound: so often is no accident, but a small buffer."""


@dataclass(slots=True)
class _Track:
    """A stream, laid end to end in samples of a clock."""

    end: int = 0
    """Where the next block is put."""
    running: bool = False
    error: float = 0.0
    """How far behind the clock it is put, in samples."""
    errors: deque[float] = field(default_factory=lambda: deque(maxlen=_TIMES))
    """The same for each of the last blocks."""

    def place(self, seconds: float, count: int) -> int:
        """Return where ``count`` samples go of which the first belongs to a time."""
        error = seconds * PCM16_RATE - self.end
        if not self.running or abs(error - self.error) > _BREAK:
            self.end, self.running = round(seconds * PCM16_RATE), True
            self.errors.clear()
            error = 0.0
        self.errors.append(error)
        self.error = statistics.median(self.errors)
        start = self.end
        self.end += count
        return start


class Reference:
    """Written by the loudspeaker, in its device's thread; read by one other thread, beside the microphone's blocks.

    The times of both must be of one clock. PortAudio has one for all streams of a sound system.
    """

    def __init__(self) -> None:
        self._incoming: deque[tuple[bytes, float, int, int]] = deque(maxlen=_WAITING)
        self._played = _Track()
        self._captured = _Track()
        self._samples: NDArray[int16] | None = None
        self._format = (PCM16_RATE, 1)
        self._resampler: Resampler | None = None
        self._shift: int | None = None
        self._lead_s = _LEAD_S
        self._silent = 0  # samples
        self._alive = False  # whether a block was played since the last read
        self._misses = self._missed = 0  # reads, samples

    # The loudspeaker's side

    def played(self, frames: bytes, starts: float, rate: int, channels: int) -> None:
        """Note a block of 16-bit frames, of which the first leaves the converter at ``starts`` seconds."""
        self._incoming.append((frames, starts, rate, channels))

    def stopped(self, at: float) -> None:
        """Note that nothing is heard after this time: what the device still held was dropped."""
        self._incoming.append((b"", at, 0, 0))

    # The microphone's side

    def restart(self) -> None:
        """A new stream of the microphone begins."""
        self._captured.running = False

    def beside(self, captured_at: float, count: int) -> NDArray[int16]:
        """Return what was played while ``count`` samples were captured, the first at this time: zeros for nothing.

        PCM16 mono 24 kHz, like the samples. Each call goes on where the one before ended, in both streams.
        """
        import numpy as np

        self._take_in()
        at = self._captured.place(captured_at, count)
        result: NDArray[int16] = np.zeros(count, np.int16)
        if self._samples is None:
            return result
        self._follow()
        assert self._shift is not None
        start = at + self._shift
        self._notice_miss(start + count - self._played.end)
        first, last = max(start, self._played.end - _HELD), min(start + count, self._played.end)
        if first < last:
            result[first - start : last - start] = self._samples[np.arange(first, last) % _HELD]
        self._silent = 0 if result.any() else self._silent + count
        return result

    def _follow(self) -> None:
        """Let the distance between the streams follow the clock, where it must or may."""
        wanted = self._captured.error - self._played.error + self._lead_s * PCM16_RATE
        if self._shift is not None:
            late = wanted - self._shift
            if -_EARLY <= late <= _LATE and (abs(late) <= _SLACK or self._silent < _SILENCE):
                return
        self._shift = round(wanted)

    def _notice_miss(self, samples: int) -> None:
        """Make the lead shorter for a device that asks for its sound later than the microphone brings its own."""
        if samples <= 0:
            self._misses, self._missed = 0, 0
        elif self._alive and samples < _LEAD_S * PCM16_RATE:  # more is missing, or all, where a device stands still
            self._misses, self._missed = self._misses + 1, max(self._missed, samples)
            if self._misses >= _PATIENCE:
                self._lead_s = max(0.0, self._lead_s - self._missed / PCM16_RATE)
                self._misses, self._missed, self._shift = 0, 0, None

    def _take_in(self) -> None:
        self._alive = bool(self._incoming) and self._played.running
        while self._incoming:
            frames, at, rate, channels = self._incoming.popleft()
            if frames:
                self._append(frames, at, rate, channels)
            else:
                self._cut(at)

    def _append(self, frames: bytes, starts: float, rate: int, channels: int) -> None:
        import numpy as np

        if self._samples is None:
            self._samples = np.zeros(_HELD, np.int16)
        if not self._played.running or self._format != (rate, channels):
            self._format = (rate, channels)
            self._resampler = Resampler(rate, PCM16_RATE) if rate != PCM16_RATE else None
        block: Any = np.frombuffer(frames, np.int16)[::channels]  # the player gives every channel the same
        if self._resampler is not None:
            block = np.frombuffer(self._resampler.feed(block.tobytes()), np.int16)
        before = self._played.end
        start = self._played.place(starts, len(block))
        if start > before:  # silence between two streams
            self._samples[np.arange(max(before, start - _HELD), start) % _HELD] = 0
        self._samples[np.arange(start, start + len(block)) % _HELD] = block

    def _cut(self, at: float) -> None:
        """Forget what was to be played after a time."""
        if not self._played.running:
            return
        end = max(round(at * PCM16_RATE - self._played.error), self._played.end - _HELD)
        self._played.end, self._played.running = min(end, self._played.end), False
