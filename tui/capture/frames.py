"""Frames by index, in bounded memory: the latest ones as they came, the older ones in an unnamed file."""

from __future__ import annotations

import os
import tempfile
from array import array
from typing import Final

_IOV_MAX: Final = 1024
"""Buffers that one writev takes; POSIX promises 16, Linux, macOS and the BSDs give 1024."""


WINDOW_BYTES: Final = 32 * 1024 * 1024
"""Bytes of frames that stay in memory."""


class FrameStore:
    """An append-only sequence of byte strings. One thread appends; any thread reads what was appended before.

    Frames stay in memory as the objects they are, until they weigh more than ``window_bytes``; then the older half
    is written to a file without a name and with mode 0600, which is gone with the process however that ends. When
    the disk refuses, everything stays in memory and :attr:`trouble` says why.
    """

    def __init__(self, window_bytes: int = WINDOW_BYTES) -> None:
        self.trouble = ""
        """Why the file is not used, in the system's words; "" while it can be."""
        self._window_bytes = window_bytes
        self._fd = -1
        self._ends = array("Q")
        self._weight = 0
        # Index of the first frame in memory, and the frames from there on. Both change together, as one tuple, so
        # that a reader in another thread never sees a mixture.
        self._window: tuple[int, list[bytes]] = (0, [])

    def __len__(self) -> int:
        """Frames appended so far."""
        return len(self._ends)

    def append(self, data: bytes) -> None:
        """Add one frame."""
        ends = self._ends
        weight = len(data)
        self._window[1].append(data)
        ends.append(ends[-1] + weight if ends else weight)
        self._weight += weight
        if self._weight > self._window_bytes and not self.trouble:
            self._spill()

    def size(self, index: int) -> int:
        """Bytes of one frame."""
        return self._ends[index] - (self._ends[index - 1] if index else 0)

    def __getitem__(self, index: int) -> bytes:
        """One frame. Raises IndexError beyond the end."""
        base, window = self._window
        if index >= base:
            return window[index - base]
        if index < 0:
            raise IndexError(index)
        start = self._ends[index - 1] if index else 0
        return os.pread(self._fd, self._ends[index] - start, start)

    def close(self) -> None:
        """Give the file back to the system; reads of what was written out fail from now on."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _spill(self) -> None:
        base, window = self._window
        keep = self._window_bytes // 2
        count = 0
        weight = self._weight
        while count < len(window) and weight > keep:
            weight -= len(window[count])
            count += 1
        try:
            if self._fd < 0:
                with tempfile.TemporaryFile(buffering=0) as file:
                    self._fd = os.dup(file.fileno())
            for at in range(0, count, _IOV_MAX):
                self._write(window[at : min(at + _IOV_MAX, count)], self._ends[base + at - 1] if base + at else 0)
        except OSError as error:
            self.trouble = error.strerror or str(error)
            return
        self._weight = weight
        self._window = (base + count, window[count:])

    def _write(self, frames: list[bytes], offset: int) -> None:
        total = sum(map(len, frames))
        written = os.pwritev(self._fd, frames, offset) if hasattr(os, "pwritev") else 0
        if written < total:
            # A short write (a disk that is filling up) or a system without pwritev: finish it plainly.
            rest = memoryview(b"".join(frames))[written:]
            os.lseek(self._fd, offset + written, os.SEEK_SET)
            while rest:
                rest = rest[os.write(self._fd, rest) :]
