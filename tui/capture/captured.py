"""Frames that stand in a capture file, by index: the exact frame from its line and its audio."""

from __future__ import annotations

import binascii
import os
from array import array
from typing import Final, Protocol

from tui.capture.decoding import read_line, read_plain
from tui.capture.records import MAX_LINE_BYTES, Stored, encoded_size
from tui.wire import Direction

_FIRST_READ: Final = 2048
"""Bytes that are read of a line at first: nearly all lines are shorter, because audio is elsewhere."""

_EVENT: Final = b'"event":'
_BEFORE: Final = len(_EVENT)
_BEHIND: Final = len(b"}\n")
"""What a line has behind a frame that is plain."""


class Samples(Protocol):
    """A file of audio."""

    def read(self, start: int, size: int) -> bytes | None:
        """``size`` bytes from sample ``start``; None when the file does not have them."""


class CapturedFrames:
    """The lines of the frames, found by offset. One thread adds, any thread reads what was added before."""

    def __init__(self) -> None:
        self.fd = -1
        """The file; -1 while there is none."""
        self.audio: dict[Direction, Samples] = {}
        """The audio of each direction, as far as there is a file of it."""
        self.complete = False
        """True when no frame will be added any more."""
        self._offsets = array("Q")

    def __len__(self) -> int:
        """Frames so far."""
        return len(self._offsets)

    def extend(self, offsets: array[int]) -> None:
        """Add the frames whose lines begin at these offsets, each behind the ones before."""
        self._offsets.extend(offsets)

    def add(self, offset: int) -> None:
        """Add the frame whose line begins at this offset."""
        self._offsets.append(offset)

    def __getitem__(self, index: int) -> bytes:
        """One frame, without its audio where that is missing; b"" when the file does not have it any more."""
        offset = self._offsets[index]
        line = read_at(self.fd, offset)
        stored = read_line(line)
        return self.whole(stored) if isinstance(stored, Stored) else b""

    def block(self, start: int, stop: int, sizes: array[int]) -> bytes:
        """These frames, one behind the other, for a search: their audio is silence.

        Args:
            start: the first frame.
            stop: the frame behind the last.
            sizes: bytes of each of them.
        """
        offsets = self._offsets[start : stop + 1]
        if len(offsets) == stop - start:  # the last one that there is
            offsets.append(offsets[-1] + len(read_at(self.fd, offsets[-1])) + 1)
        first = offsets[0]
        try:
            data = os.pread(self.fd, offsets[-1] - first, first)
        except OSError:
            data = b""
        parts: list[bytes] = []
        add, says_event = parts.append, data.startswith
        at = 0
        for size, following in zip(sizes, offsets[1:], strict=True):
            behind = following - first
            begin = behind - _BEHIND - size
            # A plain frame fills its line to the end. What is before it says so, unless it is something else.
            if says_event(_EVENT, begin - _BEFORE) and begin - _BEFORE > at:
                add(data[begin : begin + size])
            else:
                add(_searchable(data[at:behind], size))
            at = behind
        return b"".join(parts)

    def whole(self, stored: Stored) -> bytes:
        """The frame of a line, with its audio where there is any."""
        audio = stored.audio
        if audio is None:
            return stored.rest
        samples = self.audio.get(stored.direction)
        pcm = samples.read(audio.start, audio.size) if samples is not None else None
        if pcm is None:
            return stored.rest
        base64 = binascii.b2a_base64(pcm, newline=False)
        return b"".join((stored.rest[: audio.at], base64, stored.rest[audio.at :]))


def read_at(fd: int, offset: int) -> bytes:
    """The line at an offset, without its line break; b"" where there is none."""
    size = _FIRST_READ
    while True:
        try:
            data = os.pread(fd, size, offset)
        except OSError:
            return b""
        end = data.find(b"\n")
        if end >= 0:
            return data[:end]
        if len(data) < size or size > MAX_LINE_BYTES:
            return data
        size *= 8


def _searchable(lines: bytes, size: int) -> bytes:
    """A frame that is not plain, or has remarks behind it, in exactly so many bytes."""
    line = lines[: lines.find(b"\n")]
    stored = read_plain(line) or read_line(line)
    if not isinstance(stored, Stored):
        return bytes(size)
    audio, rest = stored.audio, stored.rest
    if audio is not None:
        rest = b"".join((rest[: audio.at], b"A" * encoded_size(audio.size), rest[audio.at :]))
    return rest[:size].ljust(size)
