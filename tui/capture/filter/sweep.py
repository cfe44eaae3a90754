"""Where a text may stand in a block of frames, found for all frames at once. Needs numpy."""

from __future__ import annotations

from functools import cached_property
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tui.capture.filter.needle import Form
from tui.capture.log.blocks import Block

_Mask: TypeAlias = NDArray[np.bool_]
_Places: TypeAlias = NDArray[np.int64]

_FOLD: Final = 0x20
"""This bit set in every byte makes ASCII letters small, and those of other alphabets that differ in it."""

_WIDTHS: Final = ((4, np.uint32), (2, np.uint16), (1, np.uint8))
"""So many bytes are compared at once, as numbers."""


class Sweep:
    """A block of frames that is looked through for one form after the other."""

    def __init__(self, block: Block) -> None:
        self._data = np.frombuffer(block.data, np.uint8)
        lines = np.frombuffer(block.offsets, np.uint64).astype(np.int64) - block.base
        sizes = np.frombuffer(block.sizes, np.uint32).astype(np.int64)
        self.starts: _Places = lines + np.frombuffer(block.heads, np.uint8)
        """Where each frame begins in the data."""
        room = np.append(lines[1:], len(block.data)) - self.starts - block.line_break
        self.ends: _Places = self.starts + np.minimum(sizes, room)
        """Where it ends; that of a frame without its audio may be a byte behind its end."""
        self.silent: _Mask = sizes > room
        """The frames whose audio is elsewhere."""

    def holding(self, form: Form) -> _Mask:
        """The frames in which it stands."""
        at = self._places(form)
        held = np.zeros(len(self.starts), np.bool_)
        if len(at):
            first = np.searchsorted(at, self.starts)
            there = first < len(at)
            held[there] = at[first[there]] + len(form.letters) <= self.ends[there]
        return held

    def _places(self, form: Form) -> _Places:
        """Where it stands in the data, rising."""
        letters = form.letters
        folded = [{byte | _FOLD for byte in each} for each in letters]
        at, width, kind = _compared(folded)
        number = np.frombuffer(bytes(min(each) for each in folded[at : at + width]), kind)[0]
        found = []
        for shift in range(width):
            count = (len(self._folded) - shift) // width
            same = np.frombuffer(self._folded, kind, max(0, count), min(shift, len(self._folded))) == number
            found.append(same.nonzero()[0] * width + (shift - at))
        places = found[0] if width == 1 else np.concatenate(found)
        if width > 1 and len(places):
            places.sort(kind="stable")
        whole = np.searchsorted(places, (0, len(self._data) - len(letters) + 1))
        places = places[slice(*whole)]
        for place, each in enumerate(letters):
            if at <= place < at + width and len(each) == 2 and each[0] ^ each[1] == _FOLD:
                continue  # the comparison has seen that
            byte = self._data[places + place]
            right = byte == each[0]
            for other in each[1:]:
                right |= byte == other
            places = places[right]
        return places

    @cached_property
    def _folded(self) -> NDArray[np.uint8]:
        return self._data | np.uint8(_FOLD)


def _compared(folded: list[set[int]]) -> tuple[int, int, type[np.unsignedinteger]]:
    """Which part of a form is looked for at first: where it begins, its length, and the type of number for it.

    The last one of the longest, because texts that differ usually do at their end.
    """
    for width, kind in _WIDTHS:
        for at in range(len(folded) - width, -1, -1):
            if all(len(each) == 1 for each in folded[at : at + width]):
                return at, width, kind
    raise ValueError("a form has a byte that is the same in all its cases")
