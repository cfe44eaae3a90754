"""One text or id, looked for in one block of frames after the other."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from typing import TYPE_CHECKING

from tui import wire
from tui.capture.filter.needle import needle
from tui.capture.filter.syntax import Id, Text
from tui.capture.log.blocks import Block
from tui.capture.log.index import EventLog
from tui.wire import Direction

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tui.capture.filter.sweep import Sweep


class Scan:
    """Which rows of a log hold a text, as far as their frames have been read. Memory: a byte a row."""

    def __init__(self, log: EventLog, term: Text | Id) -> None:
        self._log = log
        self._needle = needle(term)
        self._rows = bytearray()
        self._audio = b""
        """For each type of the log, whether its frames may have audio in them."""

    def holds(self, row: int) -> bool:
        """Whether a frame of this row that was read holds it."""
        return row < len(self._rows) and bool(self._rows[row])

    def flags(self, start: int, stop: int) -> bytes:
        """A byte for each of these rows: 1 when it holds it."""
        return bytes(self._rows[start:stop]).ljust(stop - start, b"\0")

    def find(self, block: Block, sweep: Sweep | None) -> array[int]:
        """The rows that hold it in a frame of this block, rising. Any thread may ask: nothing changes.

        Args:
            block: the frames.
            sweep: the same, to look at all of them at once; without it each is looked at.
        """
        rows = self._log.rows_of(block.first, block.first + len(block))
        if sweep is not None:
            return self._sweep(block, sweep, rows)
        return array("I", sorted({row for index, row in enumerate(rows, block.first) if self._is_in(index)}))

    def take(self, rows: array[int]) -> None:
        """Remember that these rows hold it; they rise."""
        if rows:
            self._rows.extend(bytes(max(0, rows[-1] + 1 - len(self._rows))))
            for row in rows:
                self._rows[row] = 1

    def take_notes(self, notes: list[tuple[int, str]]) -> array[int]:
        """Remember the rows of entries that got these notes, where one holds it; return these rows, rising."""
        held = {self._log.row_of(index) for index, note in notes if self._needle.in_note(note)}
        rows = array("I", sorted(held))
        self.take(rows)
        return rows

    def _sweep(self, block: Block, sweep: Sweep, rows: array[int]) -> array[int]:
        import numpy as np

        sure, likely = np.zeros(len(block), np.bool_), np.zeros(len(block), np.bool_)
        for form in self._needle.forms:
            found = sure if form.sure else likely
            found |= sweep.holding(form)
        if not (len(block.odd) or sure.any() or likely.any()):
            return array("I")
        # In audio every short word stands somewhere. Where a file has the frame without it, only signs are next to it.
        unsure = self._with_audio(block.first, block.first + len(block))
        if self._needle.inside_strings:
            unsure &= ~sweep.silent
        odd = np.asarray(block.odd, np.int64) - block.first
        unsure[odd] = likely[odd] = True
        likely |= sure & unsure
        sure &= ~unsure
        every = np.frombuffer(rows, np.uint32)
        held = set(every[sure].tolist())
        apart = sweep.silent
        apart[odd] = True
        for number in np.flatnonzero(likely & ~sure).tolist():
            row = rows[number]
            if row not in held and not self.holds(row):
                # The exact frame costs a look at the file.
                data = None if apart[number] else block.data[sweep.starts[number] : sweep.ends[number]]
                if self._is_in(block.first + number, data):
                    held.add(row)
        return array("I", sorted(held))

    def _with_audio(self, start: int, stop: int) -> NDArray[np.bool_]:
        """Which of these entries may have audio in their frames."""
        import numpy as np

        names, known = self._log.type_names, len(self._audio)
        if known < len(names):
            self._audio += bytes(not name or bool(wire.event_type(name).audio) for name in names[known:])
        return np.frombuffer(self._audio, np.bool_)[np.frombuffer(self._log.type_ids(start, stop), np.uint16)]

    def _is_in(self, index: int, data: bytes | None = None) -> bool:
        return self._needle.in_frame(self._log.type_of(index), self._log.data(index) if data is None else data)


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
