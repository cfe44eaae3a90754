"""Frames that stand in a capture file, by index: the exact frame from its line and its audio."""

from __future__ import annotations

import binascii
import os
from array import array
from bisect import bisect_left
from typing import Final, Protocol

from tui.audio_format import CODINGS
from tui.capture.file.decoding import read_line
from tui.capture.file.records import MAX_LINE_BYTES, Audio, Stored
from tui.capture.log.blocks import Block, begin_of, end_of
from tui.wire import Direction

_FIRST_READ: Final = 2048
"""Bytes that are read of a line at first: nearly all lines are shorter, because audio is elsewhere."""

_LONGEST_HEAD: Final = 255
"""Bytes before the frame in its line that are kept in a byte; azrt-tui writes 160 at most."""


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
        self._heads = bytearray()
        self._odd = array("I")

    def __len__(self) -> int:
        """Frames so far."""
        return len(self._offsets)

    def add(self, offset: int, head: int) -> None:
        """Add the frame whose line begins at this offset.

        Args:
            offset: in bytes, behind those of the frames before.
            head: bytes of the line before the frame; -1 when the frame does not stand in its line as it is.
        """
        if not 0 <= head <= _LONGEST_HEAD:
            self._odd.append(len(self._offsets))
            head = 0
        self._heads.append(head)
        # Last: the length of the offsets is the number of frames.
        self._offsets.append(offset)

    def extend(self, offsets: array[int], heads: bytes | bytearray, odd: array[int]) -> None:
        """Add frames, as :meth:`add` does.

        Args:
            offsets: where the line of each begins.
            heads: bytes of each line before the frame.
            odd: indices, rising, of the frames that do not stand in their lines as they are, or have lines about
                something else behind them; the latest one of those before may be among them.
        """
        self._odd.extend(odd)
        self._heads.extend(heads)
        self._offsets.extend(offsets)

    def end_frame(self) -> None:
        """A line that is about something else stands behind the latest frame."""
        latest = len(self._offsets) - 1
        if latest >= 0 and (not self._odd or self._odd[-1] != latest):
            self._odd.append(latest)

    def __getitem__(self, index: int) -> bytes:
        """One frame, without its audio where that is missing; b"" when the file does not have it any more."""
        offset = self._offsets[index]
        line = read_at(self.fd, offset)
        stored = read_line(line)
        return self.whole(stored) if isinstance(stored, Stored) else b""

    def before(self, stop: int, limit: int, sizes: array[int]) -> Block:
        """The frames before ``stop``, which is not 0, in about ``limit`` bytes; one at least.

        What is there of a frame is without its audio. ``sizes`` are those of all frames.
        """
        return self._block(begin_of(self._offsets, 0, stop, limit), stop, sizes)

    def after(self, start: int, stop: int, limit: int, sizes: array[int]) -> Block:
        """The same from ``start`` on and before ``stop``, which is more."""
        return self._block(start, end_of(self._offsets, start, stop, limit), sizes)

    def _block(self, start: int, stop: int, sizes: array[int]) -> Block:
        offsets, heads, sizes = self._offsets[start : stop + 1], bytes(self._heads[start:stop]), sizes[start:stop]
        at = bisect_left(self._odd, start)
        odd = self._odd[at : bisect_left(self._odd, stop, at)]
        if len(offsets) > stop - start:
            end = offsets.pop()
        else:
            # Nothing says yet where the latest line ends.
            end = offsets[-1] + heads[-1] + sizes[-1]
            if not odd or odd[-1] != stop - 1:
                odd.append(stop - 1)
        try:
            data = os.pread(self.fd, end - offsets[0], offsets[0])
        except OSError:
            data = b""
        return Block(start, data, offsets[0], offsets, heads, sizes, 1, odd)

    def whole(self, stored: Stored) -> bytes:
        """The frame of a line, with its audio where there is any."""
        audio = stored.audio
        if audio is None:
            return stored.rest
        samples = self.audio.get(stored.direction)
        sound = _sound(samples, audio) if samples is not None else None
        if sound is None:
            return stored.rest
        base64 = binascii.b2a_base64(sound, newline=False)
        return b"".join((stored.rest[: audio.at], base64, stored.rest[audio.at :]))


def _sound(samples: Samples, audio: Audio) -> bytes | None:
    """The audio as it was in its frame; None when the file does not have it."""
    if not audio.coding:
        return samples.read(audio.start, audio.size)
    pcm = samples.read(audio.start, 2 * audio.size)
    return CODINGS[audio.coding].encode(pcm) if pcm is not None else None


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
