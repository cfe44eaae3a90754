"""One text or id, looked for in one block of frames after the other."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Callable
from itertools import accumulate
from typing import Final

from tui.capture.filter.needle import FOLD, Buffer, needle
from tui.capture.filter.syntax import Id, Text
from tui.capture.log import EventLog
from tui.wire import Direction

_SMALL: Final = 64 * 1024
"""Bytes below which it is not worth to import numpy."""

_FOLDED: Final = bytes(byte | FOLD for byte in range(256))


class Scan:
    """Which rows of a log hold a text, as far as their frames have been read. Memory: a byte a row."""

    def __init__(self, log: EventLog, term: Text | Id) -> None:
        self._log = log
        self._needle = needle(term)
        self._ignores_case = isinstance(term, Text)
        self._rows = bytearray()

    def holds(self, row: int) -> bool:
        """Whether a frame of this row that was read holds it."""
        return row < len(self._rows) and bool(self._rows[row])

    def flags(self, start: int, stop: int) -> bytes:
        """A byte for each of these rows: 1 when it holds it."""
        return bytes(self._rows[start:stop]).ljust(stop - start, b"\0")

    def read(self, start: int, block: bytes, sizes: array[int]) -> set[int]:
        """Read the frames from entry ``start`` on; return the rows that hold it and did not before.

        Args:
            start: the first entry of the block.
            block: its frames.
            sizes: bytes of each frame.
        """
        ends = list(accumulate(sizes, initial=0))
        numbers: set[int] = set()
        for find in self._needle.candidates(block, _folded(block) if self._ignores_case else block):
            at = find(0, len(block))
            while at >= 0:
                number = bisect_right(ends, at) - 1
                numbers.add(number)
                at = find(ends[number + 1], len(block))
        found: set[int] = set()
        log, confirm, rows = self._log, self._needle.confirm, self._log.rows_of(start, start + len(ends) - 1)
        for number in numbers:
            row = rows[number]
            if row not in found and not self.holds(row):
                index = start + number
                if confirm(log.type_of(index), block[ends[number] : ends[number + 1]]):
                    found.add(row)
        for row in found:
            self._mark(row)
        return found

    def read_notes(self, notes: list[tuple[int, str]]) -> set[int]:
        """Read notes on entries; return the rows that hold it and did not before."""
        found = {self._log.row_of(index) for index, note in notes if self._needle.in_note(note)}
        found = {row for row in found if not self.holds(row)}
        for row in found:
            self._mark(row)
        return found

    def _mark(self, row: int) -> None:
        if row >= len(self._rows):
            self._rows.extend(bytes(row + 1 - len(self._rows)))
        self._rows[row] = 1


class KnownRow:
    """A row whose frames have been read, as a filter is asked about it."""

    def __init__(self, log: EventLog, row: int, scan: Callable[[Text | Id], Scan]) -> None:
        self._log = log
        self._row = row
        self._scan = scan

    @property
    def type(self) -> str:
        """Its type."""
        return self._log.type_of(self._log.first(self._row))

    @property
    def direction(self) -> Direction:
        """Who sent it."""
        return self._log.direction_of(self._log.first(self._row))

    @property
    def size(self) -> int:
        """Bytes of all its frames."""
        return self._log.row(self._row).size

    @property
    def alarm(self) -> bool:
        """Whether one of its frames says that something failed."""
        return self._log.is_alarm(self._row)

    def holds(self, term: Text | Id) -> bool:
        """Whether one of its frames holds a text or an id."""
        return self._scan(term).holds(self._row)


def _folded(block: bytes) -> Buffer:
    """The block with :data:`~tui.capture.filter.needle.FOLD` in every byte."""
    if len(block) < _SMALL:
        return block.translate(_FOLDED)
    import numpy as np

    folded = bytearray(len(block))
    np.bitwise_or(np.frombuffer(block, np.uint8), FOLD, out=np.frombuffer(folded, np.uint8))
    return folded
