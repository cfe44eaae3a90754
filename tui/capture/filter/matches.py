"""The rows of a log that match a filter, found in slices of a few milliseconds and kept up to date.

Types, directions and sizes come from the index, a few nanoseconds an event. Texts and ids are looked for in the frames,
a block at a time, from the newest to the oldest: what a person looks at is there first, and a row is complete when its
first frame has been read. A disk may take its time: :meth:`Matches.look` can wait for it in a thread of its own. Needs
numpy, which takes a moment to import: :func:`prepare` does that elsewhere.
"""

from __future__ import annotations

import sys
import threading
import time
from array import array
from bisect import bisect_left
from collections import deque
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Final

from tui.capture.filter import syntax
from tui.capture.filter.evaluation import Filter, holds
from tui.capture.filter.scan import KnownRow, Scan
from tui.capture.log.blocks import Block
from tui.capture.log.index import EventLog

if TYPE_CHECKING:
    from tui.capture.filter.columns import Columns

_ROWS_AT_ONCE: Final = 100_000
"""Rows that are decided in one go when no frame has to be read."""

_FEW: Final = 300
"""Rows or frames up to which looking at each costs less than looking at all at once, for which numpy must be there."""

_SMALL: Final = 64 * 1024
"""The same in bytes of fewer frames, for which nobody waits until numpy is there."""

_LARGEST_BLOCK: Final = 512 * 1024
"""Bytes of frames that are looked through at once. What is larger, the C library gives back and asks for every time."""

_SMALLEST_BLOCK: Final = 4 * 1024
_BLOCK_S: Final = 0.002
"""Processor time that a block may take; the next one is smaller then, and larger when it takes less than half."""


def prepare() -> None:
    """Import what finding needs: 0.2 s of processor time, once. For a thread that nobody waits for."""
    from tui.capture.filter import columns, sweep  # noqa: F401


_Found = Mapping[Scan, "array[int]"]
"""For each text, the rows that hold it."""


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
        self._from_entry = self._to_entry = self._looked_from = 0
        self._notes = 0
        self._touched: set[int] = set()
        self._block_bytes = _LARGEST_BLOCK // 2
        self._looking = threading.Lock()
        # Blocks before _from_entry that have been looked through, the newest first: where each begins, and what it has.
        self._ahead: deque[tuple[int, _Found]] = deque()

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
            self._from_entry = self._to_entry = self._looked_from = self._known_entries
        else:
            self._touched.update(changed)

    def look(self, seconds: float) -> None:
        """Look through frames for about so long; :meth:`work` takes what was found. Any thread may do it."""
        deadline = time.perf_counter() + seconds
        if self._scans and self._looking.acquire(blocking=False):
            try:
                while self._look_back() and time.perf_counter() < deadline:
                    pass
            finally:
                self._looking.release()

    def work(self, seconds: float, *, look: bool = True) -> bool:
        """Decide rows for about so long; return whether there is nothing left to do.

        Args:
            seconds: it may be one block more.
            look: go on where :meth:`look` has not been yet; else nothing waits for the disk.
        """
        deadline = time.perf_counter() + seconds
        while self._forward():
            if time.perf_counter() > deadline:
                return self.complete
        older: list[array[int]] = []
        from_row = self._from_row
        while from_row and (look or self._ahead or not self._scans):
            stop, from_row = from_row, self._backward(from_row)
            if not self._scans:
                older.append(self._decide(from_row, stop))
            if time.perf_counter() > deadline:
                break
        if self._scans:
            # Once for all blocks: that costs less than for each.
            older.append(self._decide(from_row, self._from_row))
        if any(older):
            rows = array("I")
            for found in reversed(older):
                rows.extend(found)
            rows.extend(self.rows)
            self.rows = rows
        self._from_row = from_row
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
            block = self._log.frames.after(self._to_entry, self._known_entries, self._block_bytes)
            for scan, rows in self._search(block).items():
                scan.take(rows)
                self._touched.update(rows)
            self._to_entry += len(block)
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

    def _backward(self, stop: int) -> int:
        """Take a step from row ``stop`` towards the first one; return from which row on all can be decided."""
        if not self._scans:
            return max(0, stop - _ROWS_AT_ONCE)
        if not self._ahead:
            with self._looking:
                self._look_back()
        self._from_entry, found = self._ahead.popleft()
        for scan, rows in found.items():
            scan.take(rows)
        return self._log.row_at(self._from_entry, stop) if self._from_entry else 0

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

    def _look_back(self) -> bool:
        """Look through the block before those that were looked through; False when there is none."""
        if not self._begun or not self._looked_from:
            return False
        block = self._log.frames.before(self._looked_from, self._block_bytes)
        found = self._search(block)
        self._looked_from = block.first
        self._ahead.append((block.first, found))
        return True

    def _search(self, block: Block) -> _Found:
        """Look for every text in these frames. Larger blocks cost less, but hold up the others for longer."""
        start = time.thread_time()
        sweep = None
        if len(block) > _FEW or (len(block.data) > _SMALL and "numpy" in sys.modules):
            from tui.capture.filter.sweep import Sweep

            sweep = Sweep(block)
        found = {scan: scan.find(block, sweep) for scan in self._scans.values()}
        taken = time.thread_time() - start
        if taken > _BLOCK_S:
            self._block_bytes = max(_SMALLEST_BLOCK, self._block_bytes // 2)
        elif taken < _BLOCK_S / 2:
            self._block_bytes = min(_LARGEST_BLOCK, self._block_bytes * 2)
        return found

    def _read_notes(self) -> None:
        if not self._scans:
            return
        notes = self._log.notes_since(self._notes)
        self._notes += len(notes)
        for scan in self._scans.values():
            self._touched.update(scan.take_notes(notes))


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
