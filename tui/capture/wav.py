"""Audio of one direction as a WAV file that grows: PCM16 mono 24 kHz, with a header that is right at any time."""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import Final

from tui.wire import PCM16_BYTES_PER_SECOND, PCM16_RATE

_HEADER: Final = struct.Struct("<4sI4s4sIHHIIHH4sI")
_DATA_AT: Final = _HEADER.size
_CHUNK: Final = struct.Struct("<4sI")
_MOST_CHUNKS: Final = 100

MAX_BYTES: Final = 2**32 - _DATA_AT - 2
"""What a WAV file can hold, a little over 24 hours."""


def header(size: int, channels: int = 1) -> bytes:
    """The header of a file with so many bytes of samples."""
    return _HEADER.pack(
        b"RIFF",
        _DATA_AT - 8 + size,
        b"WAVE",
        b"fmt ",
        16,
        1,
        channels,
        PCM16_RATE,
        PCM16_BYTES_PER_SECOND * channels,
        2 * channels,
        16,
        b"data",
        size,
    )


class WavWriter:
    """Appends samples. The file comes into being with the first of them, with mode 0600."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.fd = -1
        """The file, also for reading; -1 while there is none."""
        self._size = 0
        self._waiting: list[bytes] = []

    def add(self, pcm: bytes) -> int | None:
        """Keep samples for the next :meth:`flush`; return the index of the first, None when the file is full."""
        start = self._size
        if start + len(pcm) > MAX_BYTES:
            return None
        self._waiting.append(pcm)
        self._size += len(pcm)
        if len(pcm) % 2:
            self._waiting.append(b"\0")
            self._size += 1
        return start // 2

    def flush(self) -> None:
        """Write what waits, then the header that counts it. Raises OSError."""
        if not self._waiting:
            return
        waiting, self._waiting = b"".join(self._waiting), []
        if self.fd < 0:
            self.fd = os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
            waiting = header(0) + waiting
            os.lseek(self.fd, 0, os.SEEK_SET)
        write_all(self.fd, waiting)
        os.pwrite(self.fd, header(self._size), 0)

    def read(self, start: int, size: int) -> bytes | None:
        """``size`` bytes from sample ``start``; None when the file does not have them."""
        return _read(self.fd, _DATA_AT, start, size)

    def close(self) -> None:
        """Give the file back."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


class WavFile:
    """Samples of a WAV file that somebody else may have written. Its size counts, and not what its header says."""

    def __init__(self, path: Path) -> None:
        """Raises OSError, and ValueError for a file that is no WAV of PCM16 mono 24 kHz."""
        self.fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            self._data_at = _find_data(self.fd)
        except BaseException:
            os.close(self.fd)
            raise

    def read(self, start: int, size: int) -> bytes | None:
        """``size`` bytes from sample ``start``; None when the file does not have them."""
        return _read(self.fd, self._data_at, start, size)

    def close(self) -> None:
        """Give the file back."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


def write_all(fd: int, data: bytes) -> None:
    """Write everything. Raises OSError; part of it may be written by then."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(fd, rest) :]


def _read(fd: int, data_at: int, start: int, size: int) -> bytes | None:
    if fd < 0:
        return None
    try:
        # A file that says it has gigabytes is asked first: nobody else's number allocates memory here.
        if data_at + 2 * start + size > os.fstat(fd).st_size:
            return None
        pcm = os.pread(fd, size, data_at + 2 * start)
    except OSError:
        return None
    return pcm if len(pcm) == size else None


def _find_data(fd: int) -> int:
    """Where the samples begin."""
    riff = os.pread(fd, 12, 0)
    if riff[:4] != b"RIFF" or riff[8:] != b"WAVE":
        raise ValueError("it is no WAV file")
    at = 12
    known = False
    for _ in range(_MOST_CHUNKS):
        chunk = os.pread(fd, _CHUNK.size, at)
        if len(chunk) < _CHUNK.size:
            break
        name, size = _CHUNK.unpack(chunk)
        at += _CHUNK.size
        if name == b"data":
            if known:
                return at
            break
        if name == b"fmt ":
            known = os.pread(fd, 16, at) == header(0)[20:36]
        at += size + size % 2
    raise ValueError("it is no WAV file of PCM16 mono 24 kHz")
