"""The rows of a log that match a filter, found in slices of a few milliseconds and kept up to date.

Types, directions and sizes come from the index, a few nanoseconds an event. Texts and ids are looked for in the frames,
a megabyte at a time, from the newest to the oldest: what a person looks at is there first, and a row is complete when
its first frame has been read. Needs numpy, which takes a moment to import: :func:`prepare` does that elsewhere.
"""

from __future__ import annotations

import time
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from tui.capture.filter import syntax
from tui.capture.filter.evaluation import Filter, holds
from tui.capture.filter.scan import KnownRow, Scan
from tui.capture.log import EventLog

if TYPE_CHECKING:
    from tui.capture.filter.columns import Columns

_ROWS_AT_ONCE: Final = 100_000
"""Rows that are decided in one go when no frame has to be read."""

_FEW: Final = 300
"""Rows up to which looking at each costs less than looking at all at once."""

_BLOCK_BYTES: Final = 1024 * 1024
_BLOCK_ENTRIES: Final = 4_096


def prepare() -> None:
    """Import what finding needs: 0.2 s of processor time, once. For a thread that nobody waits for."""
    from tui.capture.filter import columns  # noqa: F401


class Matches:
    """The matching rows of one log. For one thread; another one may append to the log meanwhile."""

    def __init__(self, log: EventLog, chosen: Filter, also: Collection[int] = ()) -> None:
        """``also`` are rows that count as matching, whatever the filter says."""
        self.rows = array("I")
        """The matching rows found so far, rising."""
        self.filter = chosen
        self.also = frozenset(also)
        self._log = log
        self._scans = {term: Scan(log, term) for term in _terms(chosen.expression)}
        self._columns: Columns | None = None
        self._known_rows = 0
        self._known_entries = 0
        self._begun = False
        # Rows from _from_row up to _to_row are decided, entries from _from_entry up to _to_entry were read.
        self._from_row = self._to_row = 0
        self._from_entry = self._to_entry = 0
        self._notes = 0
        self._touched: set[int] = set()

    @property
    def complete(self) -> bool:
        """True when every row that may be read is decided."""
        return not (self._from_row or self._touched) and self._to_row == self._known_rows

    def update(self, rows: int, changed: Iterable[int] = ()) -> None:
        """So many rows may be read now, and these among them changed. Then :meth:`work` has something to do."""
        self._known_rows, self._known_entries = rows, len(self._log)
        self._read_notes()
        if not self._begun:
            self._begun = True
            self._touched.clear()
            self._from_row = self._to_row = rows
            self._from_entry = self._to_entry = self._known_entries
        else:
            self._touched.update(changed)

    def work(self, seconds: float) -> bool:
        """Decide rows for about so long; return whether there is nothing left to do."""
        deadline = time.perf_counter() + seconds
        older: list[array[int]] = []
        while not self.complete:
            if not self._forward():
                older.append(self._backward())
            if time.perf_counter() > deadline:
                break
        if any(older):
            rows = array("I")
            for found in reversed(older):
                rows.extend(found)
            rows.extend(self.rows)
            self.rows = rows
        return self.complete

    def holds(self, row: int) -> bool:
        """Whether a row is among those found so far."""
        at = bisect_left(self.rows, row)
        return at < len(self.rows) and self.rows[at] == row

    # New rows, and old ones that changed

    def _forward(self) -> bool:
        """Take a step towards what is new; False when there is nothing new."""
        if not self._touched and self._to_row == self._known_rows:
            return False
        if self._scans and self._to_entry < self._known_entries:
            stop = self._block_end(self._to_entry)
            self._touched |= self._scan(self._to_entry, stop)
            self._to_entry = stop
            return True
        stop = min(self._known_rows, self._to_row + _ROWS_AT_ONCE)
        self.rows.extend(self._decide(self._to_row, stop))
        old = self._to_row
        self._to_row = stop
        for row in self._touched:
            if self._from_row <= row < old:
                self._decide_again(row)
        self._touched = {row for row in self._touched if row >= stop}
        return True

    def _decide_again(self, row: int) -> None:
        at = bisect_left(self.rows, row)
        there = at < len(self.rows) and self.rows[at] == row
        if self._match(row) != there:
            if there:
                del self.rows[at]
            else:
                self.rows.insert(at, row)

    def _match(self, row: int) -> bool:
        return row in self.also or holds(self.filter.expression, KnownRow(self._log, row, self._scans.__getitem__))

    # Old rows

    def _backward(self) -> array[int]:
        """Take a step towards the first row; return the rows found, all before those that were known."""
        stop = self._from_row
        if self._scans:
            start_entry = self._block_begin(self._from_entry)
            self._scan(start_entry, self._from_entry)
            self._from_entry = start_entry
            self._from_row = self._log.row_at(start_entry, stop) if start_entry else 0
        else:
            self._from_row = max(0, stop - _ROWS_AT_ONCE)
        return self._decide(self._from_row, stop)

    def _decide(self, start: int, stop: int) -> array[int]:
        if stop - start <= _FEW:
            return array("I", [row for row in range(start, stop) if self._match(row)])
        if self._columns is None:
            from tui.capture.filter.columns import Columns

            self._columns = Columns(self._log, self._scans)
        found = self._columns.matching(self.filter.expression, start, stop)
        for row in self.also:
            at = bisect_left(found, row)
            if start <= row < stop and found[at : at + 1] != array("I", [row]):
                found.insert(at, row)
        return found

    # Frames

    def _block_begin(self, stop: int) -> int:
        sizes = self._log.sizes(max(0, stop - _BLOCK_ENTRIES), stop)
        sizes.reverse()
        return stop - _in_block(sizes)

    def _block_end(self, start: int) -> int:
        return start + _in_block(self._log.sizes(start, min(self._known_entries, start + _BLOCK_ENTRIES)))

    def _scan(self, start: int, stop: int) -> set[int]:
        """Look for every text in these entries; return the rows that have one and had not."""
        found: set[int] = set()
        if start < stop:
            block, sizes = self._log.block(start, stop), self._log.sizes(start, stop)
            for scan in self._scans.values():
                found |= scan.read(start, block, sizes)
        return found

    def _read_notes(self) -> None:
        if not self._scans:
            return
        notes = self._log.notes_since(self._notes)
        self._notes += len(notes)
        for scan in self._scans.values():
            self._touched |= scan.read_notes(notes)


def _in_block(sizes: Iterable[int]) -> int:
    """How many of the first frames, of these sizes, make a block; one at least, if there is one."""
    ends = list(accumulate(sizes))
    return min(len(ends), bisect_right(ends, _BLOCK_BYTES) or 1)


def _terms(expression: syntax.Expression) -> set[syntax.Text | syntax.Id]:
    """What has to be looked for in frames."""
    match expression:
        case syntax.All(parts) | syntax.Any(parts):
            return set().union(*map(_terms, parts))
        case syntax.Not(part):
            return _terms(part)
        case syntax.Text() | syntax.Id():
            return {expression}
    return set()
