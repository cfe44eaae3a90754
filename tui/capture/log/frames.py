"""Frames by index, in bounded memory: the latest ones as they came, the older ones in a file."""

from __future__ import annotations

import os
import tempfile
from array import array
from itertools import accumulate
from typing import Final, Protocol

from tui.capture.log.blocks import COUNTED, Block, begin_of, count_of, end_of, of_frames
from tui.capture.log.captured import CapturedFrames

_IOV_MAX: Final = 1024
"""Buffers that one writev takes; POSIX promises 16, Linux, macOS and the BSDs give 1024."""

WINDOW_BYTES: Final = 32 * 1024 * 1024
"""Bytes of frames that stay in memory."""

_STEP: Final = 32
"""A part of the window: so much more may come before what could not leave memory yet is tried again."""


class Frames(Protocol):
    """A sequence of frames that grows. Any thread reads what was added before."""

    trouble: str
    """Why the disk is not used, in the system's words; "" while it can be."""

    def size(self, index: int) -> int:
        """Bytes of one frame."""

    def sizes(self, start: int, stop: int) -> array[int]:
        """Bytes of each of these frames, 32 bits each."""

    def before(self, stop: int, limit: int) -> Block:
        """The frames before ``stop``, which is not 0, in about ``limit`` bytes; one at least."""

    def after(self, start: int, stop: int, limit: int) -> Block:
        """The frames from ``start`` on and before ``stop``, which is more, in about ``limit`` bytes; one at least."""

    def __getitem__(self, index: int) -> bytes:
        """One frame. Raises IndexError beyond the end."""

    def close(self) -> None:
        """Give the files back to the system; reads of what is in them fail from now on."""


class FrameStore:
    """An append-only sequence of byte strings. One thread appends; any thread reads what was appended before.

    Frames stay in memory as the objects they are, until they weigh more than ``window_bytes``. Then the older half
    leaves it: what the capture file has by then is read from there, anything else is written to a file without a name
    and with mode 0600, which is gone with the process however that ends. When the disk refuses, everything stays in
    memory and :attr:`trouble` says why.
    """

    def __init__(self, window_bytes: int = WINDOW_BYTES, captured: CapturedFrames | None = None) -> None:
        """``captured`` gets the same frames, a little later; one that has stopped for good is ``complete``."""
        self.trouble = ""
        self._window_bytes = window_bytes
        self._limit = window_bytes
        self._captured = captured
        self._spilled: _SpillFile | None = None
        self._sizes = array("I")
        self._weight = 0
        # Index of the first frame in memory, and the frames from there on. Both change together, as one tuple, so
        # that a reader in another thread never sees a mixture.
        self._window: tuple[int, list[bytes]] = (0, [])

    def __len__(self) -> int:
        """Frames appended so far."""
        return len(self._sizes)

    def append(self, data: bytes) -> None:
        """Add one frame."""
        weight = len(data)
        self._window[1].append(data)
        self._sizes.append(weight)
        self._weight += weight
        if self._weight > self._limit and not self.trouble:
            self._shrink()

    def size(self, index: int) -> int:
        """Bytes of one frame."""
        return self._sizes[index]

    def sizes(self, start: int, stop: int) -> array[int]:
        """See :class:`Frames`."""
        return self._sizes[start:stop]

    def __getitem__(self, index: int) -> bytes:
        """One frame. Raises IndexError beyond the end."""
        base, window = self._window
        if index >= base:
            return window[index - base]
        if index < 0:
            raise IndexError(index)
        spilled = self._spilled
        if spilled is not None and index >= spilled.first:
            return spilled.read(index, index + 1)
        assert self._captured is not None
        return self._captured[index]

    def before(self, stop: int, limit: int) -> Block:
        """See :class:`Frames`."""
        base, window = self._window
        spilled = self._spilled
        if stop > base:
            sizes = self._sizes[max(base, stop - COUNTED) : stop]
            start = stop - count_of(reversed(sizes), limit)
            return of_frames(start, window[start - base : stop - base], sizes[start - stop :])
        if spilled is not None and stop > spilled.first:
            return spilled.before(stop, limit, self._sizes)
        assert self._captured is not None
        return self._captured.before(stop, limit, self._sizes)

    def after(self, start: int, stop: int, limit: int) -> Block:
        """See :class:`Frames`."""
        base, window = self._window
        spilled = self._spilled
        if start >= base:
            sizes = self._sizes[start : min(stop, start + COUNTED)]
            stop = start + count_of(sizes, limit)
            return of_frames(start, window[start - base : stop - base], sizes[: stop - start])
        if spilled is not None and start >= spilled.first:
            return spilled.after(start, min(stop, base), limit, self._sizes)
        assert self._captured is not None
        return self._captured.after(start, min(stop, base if spilled is None else spilled.first), limit, self._sizes)

    def close(self) -> None:
        """Give the file back to the system; reads of what was written out fail from now on."""
        if self._spilled is not None:
            self._spilled.close()

    def _shrink(self) -> None:
        base, window = self._window
        keep = self._window_bytes // 2
        count = 0
        weight = self._weight
        while count < len(window) and weight > keep:
            weight -= len(window[count])
            count += 1
        if self._captured is not None:
            written = len(self._captured) - base
            if written < count and not self._captured.complete:
                # The disk is behind. Asking again at every frame would cost more than the frames do.
                self._limit = self._weight + self._window_bytes // _STEP
                return
        else:
            written = 0
        left = max(0, written)
        if left < count:
            try:
                if self._spilled is None:
                    self._spilled = _SpillFile(base + left)
                self._spilled.append(window[left:count])
            except OSError as error:
                self.trouble = error.strerror or str(error)
                return
        self._limit = self._window_bytes
        self._weight = weight
        self._window = (base + count, window[count:])


class _SpillFile:
    """Frames in a file without a name."""

    def __init__(self, first: int) -> None:
        """``first`` is the index of the first frame that it gets. Raises OSError."""
        self.first = first
        self._ends = array("Q", [0])
        with tempfile.TemporaryFile(buffering=0) as file:
            self._fd = os.dup(file.fileno())

    def append(self, frames: list[bytes]) -> None:
        """Add frames. Raises OSError, and then has none of them."""
        ends = array("Q", accumulate(map(len, frames), initial=self._ends[-1]))
        for at in range(0, len(frames), _IOV_MAX):
            self._write(frames[at : at + _IOV_MAX], ends[at])
        self._ends.extend(ends[1:])

    def read(self, start: int, stop: int) -> bytes:
        """These frames, one behind the other; b"" when the file does not have them any more."""
        at, end = self._ends[start - self.first], self._ends[stop - self.first]
        try:
            return os.pread(self._fd, end - at, at)
        except OSError:
            return b""

    def before(self, stop: int, limit: int, sizes: array[int]) -> Block:
        """As :meth:`Frames.before`; ``sizes`` are those of all frames."""
        return self._block(self.first + begin_of(self._ends, 0, stop - self.first, limit), stop, sizes)

    def after(self, start: int, stop: int, limit: int, sizes: array[int]) -> Block:
        """As :meth:`Frames.after`."""
        end = self.first + end_of(self._ends, start - self.first, stop - self.first, limit)
        return self._block(start, end, sizes)

    def _block(self, start: int, stop: int, sizes: array[int]) -> Block:
        offsets = self._ends[start - self.first : stop - self.first]
        data = self.read(start, stop)
        return Block(start, data, offsets[0], offsets, bytes(len(offsets)), sizes[start:stop], 0)

    def close(self) -> None:
        """Give the file back to the system."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _write(self, frames: list[bytes], offset: int) -> None:
        total = sum(map(len, frames))
        written = os.pwritev(self._fd, frames, offset) if hasattr(os, "pwritev") else 0
        if written < total:
            # A short write (a disk that is filling up) or a system without pwritev: finish it plainly.
            rest = memoryview(b"".join(frames))[written:]
            os.lseek(self._fd, offset + written, os.SEEK_SET)
            while rest:
                rest = rest[os.write(self._fd, rest) :]
