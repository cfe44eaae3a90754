"""Frames that lie next to each other in memory or in a file, in one piece for a search."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

COUNTED: Final = 8_192
"""Frames whose sizes are added up for a block in memory, at most."""


@dataclass(frozen=True, slots=True)
class Block:
    """Frames one behind the other, with what is between them: a frame may stand in a line of its own."""

    first: int
    """Index of the first frame."""
    data: bytes
    """Less than there should be, when the file cannot be read."""
    base: int
    """What ``offsets`` say of the first byte of ``data``."""
    offsets: array[int]
    """Where the line of each frame begins, rising; 64 bits each."""
    heads: bytes
    """Bytes of each line before its frame."""
    sizes: array[int]
    """Bytes of each frame on the wire, 32 bits each. One that is longer than its line is there without its audio."""
    line_break: int
    """Bytes between two lines: 1 in a file, 0 where frames are all that there is."""
    odd: Sequence[int] = ()
    """Indices, rising, of frames that do not stand in ``data`` as they are, or not alone."""

    def __len__(self) -> int:
        """Frames in it."""
        return len(self.sizes)


def of_frames(first: int, frames: Iterable[bytes], sizes: array[int]) -> Block:
    """A block of frames in memory."""
    offsets = array("Q", accumulate(sizes, initial=0))
    offsets.pop()
    return Block(first, b"".join(frames), 0, offsets, bytes(len(sizes)), sizes, 0)


def begin_of(ends: array[int], start: int, stop: int, limit: int) -> int:
    """The first of the frames before ``stop``, from ``start`` on, that have about ``limit`` bytes; one at least.

    Args:
        ends: for each frame, and the one behind the last, where it begins in a file.
        start: the first frame that it may be.
        stop: the frame behind the last one.
        limit: in bytes.
    """
    return min(stop - 1, bisect_left(ends, ends[min(stop, len(ends) - 1)] - limit, start, stop))


def end_of(ends: array[int], start: int, stop: int, limit: int) -> int:
    """The frame behind those from ``start`` on that have about ``limit`` bytes, in the same way; ``stop`` at most."""
    return max(start + 1, bisect_right(ends, ends[start] + limit, start, stop))


def count_of(sizes: Iterable[int], limit: int) -> int:
    """How many of the first frames, of these sizes, have ``limit`` bytes at most; one at least, if there is one."""
    ends = list(accumulate(sizes))
    return min(len(ends), bisect_right(ends, limit) or 1)
