"""Audio of one direction as a WAV file that grows: PCM16 mono, with a header that is right at any time."""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import Final

from tui.audio_format import PCM16_24K, AudioFormat
from tui.wire import PCM16_RATE

_HEADER: Final = struct.Struct("<4sI4s4sIHHIIHH4sI")
_DATA_AT: Final = _HEADER.size
_CHUNK: Final = struct.Struct("<4sI")
_MOST_CHUNKS: Final = 100

MAX_BYTES: Final = 2**32 - _DATA_AT - 2
"""What a WAV file can hold: at 24 kHz a little over 24 hours."""


def header(size: int, channels: int = 1, rate: int = PCM16_RATE) -> bytes:
    """The header of a file with so many bytes of samples."""
    return _HEADER.pack(
        b"RIFF",
        _DATA_AT - 8 + size,
        b"WAVE",
        b"fmt ",
        16,
        1,
        channels,
        rate,
        2 * rate * channels,
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
        self._rate = 0
        """Samples a second; 0 while there are none."""
        self._waiting: list[bytes] = []

    def add(self, sound: bytes, audio: AudioFormat = PCM16_24K) -> int | None:
        """Keep sound in this format for the next :meth:`flush`, as PCM16; return the index of its first sample.

        None when the file cannot have it: it is full, has another rate, or the format is not known.
        """
        start, pcm = self._size, audio.decode(sound)
        if start + len(pcm) > MAX_BYTES or not audio.known or self._rate not in (0, audio.rate):
            return None
        self._rate = audio.rate
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
            waiting = header(0, rate=self._rate) + waiting
            os.lseek(self.fd, 0, os.SEEK_SET)
        write_all(self.fd, waiting)
        os.pwrite(self.fd, header(self._size, rate=self._rate), 0)

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
        """Raises OSError, and ValueError for a file that is no WAV of PCM16 mono."""
        self.fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            self._data_at, self.rate = _find_data(self.fd)
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


def _find_data(fd: int) -> tuple[int, int]:
    """Where the samples begin, and how many there are a second."""
    riff = os.pread(fd, 12, 0)
    if riff[:4] != b"RIFF" or riff[8:] != b"WAVE":
        raise ValueError("it is no WAV file")
    at = 12
    rate = 0
    for _ in range(_MOST_CHUNKS):
        chunk = os.pread(fd, _CHUNK.size, at)
        if len(chunk) < _CHUNK.size:
            break
        name, size = _CHUNK.unpack(chunk)
        at += _CHUNK.size
        if name == b"data":
            if rate:
                return at, rate
            break
        if name == b"fmt ":
            rate = _rate(os.pread(fd, 16, at))
        at += size + size % 2
    raise ValueError("it is no WAV file of PCM16 mono")


def _rate(described: bytes) -> int:
    """The rate in a description of PCM16 mono; 0 for any other."""
    rate = int.from_bytes(described[4:8], "little")
    return rate if 0 < rate < 2**30 and described == header(0, rate=rate)[20:36] else 0
